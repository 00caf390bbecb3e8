// Ports that another server has already. Serving threads share their ports (SO_REUSEPORT), and the kernel lets every process of
// the same user into such a group: two servers on one port would each get some of the packets, and answers of both would come. So
// a port is tried without sharing before it is opened.
//
//   listening on 127.0.0.1:1053 over UDP: process 4711 has this port (node src/main.ts -conf config/Corefile)

import { createSocket } from 'node:dgram'
import { once } from 'node:events'
import { readdirSync, readFileSync, readlinkSync } from 'node:fs'
import { createServer } from 'node:net'
import { type BindPart, bindParts, codeOf, type PassedSocket, portText } from './listener.ts'
import { passedFor } from './passed-sockets.ts'
import { REUSE_PORT } from './reuse-port.ts'

type Transport = 'udp' | 'tcp'

const COMMAND_MAX_CHARACTERS = 200

/**
 * Who has the port of an address over UDP or TCP, in words; undefined where nobody has, or this server by a passed socket. Where ports are not shared, nobody is
 * asked: there, opening fails by itself.
 */
export async function portHolder(
  address: string,
  port: number,
  transports: readonly Transport[],
  passed: readonly PassedSocket[] = [],
): Promise<string | undefined> {
  if (!REUSE_PORT) return undefined
  for (const transport of transports) {
    for (const part of bindParts(address)) {
      if (passedFor(passed, transport, part, port) || (await isFree(part, port, transport))) continue
      return `listening on ${portText(part.address, port)} over ${transport.toUpperCase()}: ${holderText(port, transport)}`
    }
  }
  return undefined
}

/** Whether nobody has it; what else is wrong with an address is told by whoever opens it. */
async function isFree({ address, family }: BindPart, port: number, transport: Transport): Promise<boolean> {
  try {
    if (transport === 'udp') {
      const socket = createSocket({ type: family === 6 ? 'udp6' : 'udp4', ipv6Only: family === 6 })
      socket.bind({ address, port, exclusive: true })
      await once(socket, 'listening').finally(() => socket.close())
    } else {
      const server = createServer()
      server.listen({ host: address, port, ipv6Only: family === 6, exclusive: true })
      await once(server, 'listening')
      await new Promise(resolve => server.close(resolve))
    }
    return true
  } catch (error) {
    return codeOf(error) !== 'EADDRINUSE'
  }
}

function holderText(port: number, transport: Transport): string {
  const pid = holderOf(port, transport)
  if (pid === undefined)
    return 'the port is in use by another program, which this user cannot see (EADDRINUSE)'
  return `process ${pid} has this port (${commandOf(pid)})`
}

/** The process with a socket on the port: by the kernel's list of sockets, and the descriptors of processes (proc(5)). */
function holderOf(port: number, transport: Transport): string | undefined {
  const inodes = new Set([transport, `${transport}6`].flatMap(table => inodesIn(table, port, transport)))
  if (inodes.size === 0) return undefined
  return namesIn('/proc')
    .filter(name => /^\d+$/.test(name))
    .find(pid => namesIn(`/proc/${pid}/fd`).some(fd => inodes.has(linkOf(`/proc/${pid}/fd/${fd}`))))
}

/** State 0A is a listening one; UDP has none. */
function inodesIn(table: string, port: number, transport: Transport): string[] {
  const suffix = `:${port.toString(16).toUpperCase().padStart(4, '0')}`
  return textOf(`/proc/net/${table}`)
    .split('\n')
    .map(line => line.trim().split(/\s+/))
    .filter(([, local = '', , state]) => local.endsWith(suffix) && (transport === 'udp' || state === '0A'))
    .map(fields => `socket:[${fields[9]}]`)
}

const commandOf = (pid: string): string =>
  textOf(`/proc/${pid}/cmdline`).split('\0').join(' ').trim().slice(0, COMMAND_MAX_CHARACTERS)

/** What cannot be read, as processes that end meanwhile or are somebody else's, is nothing. */
const namesIn = (path: string): string[] => orElse([], () => readdirSync(path))
const textOf = (path: string): string => orElse('', () => readFileSync(path, 'utf8'))
const linkOf = (path: string): string => orElse('', () => readlinkSync(path))

function orElse<T>(otherwise: T, read: () => T): T {
  try {
    return read()
  } catch {
    return otherwise
  }
}
