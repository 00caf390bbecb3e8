// What systemd does for a service with sockets: it opens them and keeps them, starts the server with them and says so in its
// environment, and hears what the server tells of itself.

import { closeSync, readSync } from 'node:fs'
import koffi from 'koffi'
import { LINUX, loadLibc } from '../../src/listen/libc.ts'
import { sockaddr } from '../../src/query/sockaddr.ts'

const libc = await loadLibc()

/** False where sockets can be passed, otherwise the reason to skip. */
export const cannotPass: false | string = libc === undefined && 'sockets are passed on Linux alone, by koffi'

export interface OpenSocket {
  readonly transport: 'udp' | 'tcp'
  readonly address: string
  readonly port: number
  /** Of `::`: whether it takes IPv4, too. */
  readonly both?: boolean
}

/** Opens a socket as systemd does, which does not share its port; the caller closes it. */
export function openSocket({ transport, address, port, both = false }: OpenSocket): number {
  const octets = sockaddr(address, port)!
  const family = address.includes(':') ? LINUX.AF_INET6 : LINUX.AF_INET
  const type = transport === 'udp' ? LINUX.SOCK_DGRAM : LINUX.SOCK_STREAM
  const fd = libc!.socket(family, type | LINUX.SOCK_NONBLOCK | LINUX.SOCK_CLOEXEC, 0)
  const set = (level: number, name: number, value: number): number =>
    libc!.setsockopt(fd, level, name, new Uint8Array(Int32Array.of(value).buffer), 4)
  const SO_REUSEADDR = 2
  if (transport === 'tcp') set(LINUX.SOL_SOCKET, SO_REUSEADDR, 1)
  if (family === LINUX.AF_INET6) set(LINUX.IPPROTO_IPV6, LINUX.IPV6_V6ONLY, both ? 0 : 1)
  if (libc!.bind(fd, octets, octets.length) !== 0) throw new Error(`bind ${address}: errno ${libc!.errno()}`)
  if (transport === 'tcp') koffi.load(null).func('listen', 'int', ['int', 'int'])(fd, 128)
  return fd
}

/** A command with the environment of a service: `exec` keeps the process that LISTEN_PID names. */
export const activated =
  (environment: Readonly<Record<string, string>>) =>
  (command: readonly string[]): readonly string[] => [
    'sh',
    '-c',
    `export ${Object.entries(environment)
      .map(([name, value]) => `${name}=${value}`)
      .join(' ')}; exec "$0" "$@"`,
    ...command,
  ]

/** The socket that a service tells of itself: `NOTIFY_SOCKET`. */
export class NotifySocket {
  readonly path: string
  readonly #fd: number
  readonly #heard: string[] = []

  /** `@` for a name without a file. */
  constructor(path: string) {
    this.path = path
    const name = Buffer.from(path.replace(/^@/, '\0'))
    const address = Buffer.concat([Uint8Array.of(LINUX.AF_UNIX, 0), name])
    this.#fd = libc!.socket(LINUX.AF_UNIX, LINUX.SOCK_DGRAM | LINUX.SOCK_NONBLOCK | LINUX.SOCK_CLOEXEC, 0)
    if (libc!.bind(this.#fd, address, address.length) !== 0) throw new Error(`bind ${path}`)
  }

  /** Everything that was told so far, message by message. */
  heard(): readonly string[] {
    const message = Buffer.alloc(4096)
    for (;;) {
      try {
        this.#heard.push(message.toString('utf8', 0, readSync(this.#fd, message)))
      } catch (error) {
        if ((error as NodeJS.ErrnoException).code === 'EAGAIN') return this.#heard
        throw error
      }
    }
  }

  close(): void {
    closeSync(this.#fd)
  }
}
