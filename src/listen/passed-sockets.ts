// Sockets that were opened before the server was, by systemd (systemd.socket(5), sd_listen_fds(3)): descriptors from 3 on, of
// which the environment says how many there are and whose they are. They stay open while one server ends and the next one
// starts: what comes meanwhile waits in the kernel, and nobody needs a right to bind a port below 1024.
//
// All serving threads take from the same socket, each by a descriptor of its own.

import { readSockaddr, SOCKADDR_MAX_OCTETS, sockaddr } from '../query/sockaddr.ts'
import { isWildcard } from './addresses.ts'
import { adoptFd, errorCode, LINUX, type Libc } from './libc.ts'
import { type BindPart, bindParts, type PassedSocket, portText } from './listener.ts'

/** Of more the rest is left alone; systemd passes one for each Listen… line. */
const PASSED_MAX = 256
/** SD_LISTEN_FDS_START */
const FIRST_FD = 3

export interface Passed {
  readonly sockets: readonly PassedSocket[]
  /** Those that cannot be used, in words. */
  readonly unusable: readonly string[]
}

type Environment = Record<string, string | undefined>

/** How many sockets were passed to the process: 0 where the environment speaks to another one, as to a parent. */
export function passedCount({ LISTEN_PID, LISTEN_FDS }: Environment, pid: number): number {
  if (LISTEN_PID !== String(pid) || !/^\d+$/.test(LISTEN_FDS ?? '')) return 0
  return Math.min(Number(LISTEN_FDS), PASSED_MAX)
}

/**
 * Takes what was passed to this process, out of its environment too: programs that it starts get neither. Their descriptors
 * change.
 */
export function takePassed(libc: Libc, environment: Environment, pid: number): Passed {
  const count = passedCount(environment, pid)
  const names = (environment.LISTEN_FDNAMES ?? '').split(':')
  for (const name of ['LISTEN_PID', 'LISTEN_FDS', 'LISTEN_FDNAMES']) delete environment[name]
  const sockets: PassedSocket[] = []
  const unusable: string[] = []
  for (let i = 0; i < count; i++) {
    const name = names[i] || `number ${i + 1}`
    const taken = take(libc, FIRST_FD + i, name)
    if (typeof taken === 'string') unusable.push(`the passed socket ${name} cannot be used: ${taken}`)
    else sockets.push(taken)
  }
  return { sockets, unusable }
}

function take(libc: Libc, fd: number, name: string): PassedSocket | string {
  const option = (level: number, option: number): number | undefined => {
    const value = Int32Array.of(-1)
    const length = new Uint8Array(Uint32Array.of(4).buffer)
    return libc.getsockopt(fd, level, option, new Uint8Array(value.buffer), length) === 0
      ? value[0]
      : undefined
  }
  const { SOL_SOCKET } = LINUX
  const domain = option(SOL_SOCKET, LINUX.SO_DOMAIN)
  if (domain === undefined) return `descriptor ${fd} is no socket (${errorCode(libc)})`
  if (domain !== LINUX.AF_INET && domain !== LINUX.AF_INET6) return 'it is of no IP address'
  const type = option(SOL_SOCKET, LINUX.SO_TYPE)
  const isStream = type === LINUX.SOCK_STREAM
  if (!isStream && type !== LINUX.SOCK_DGRAM) return 'it is neither of UDP nor of TCP'
  if (isStream && option(SOL_SOCKET, LINUX.SO_ACCEPTCONN) !== 1)
    return 'it does not listen: Accept=no is needed'
  const bound = new Uint8Array(SOCKADDR_MAX_OCTETS)
  libc.getsockname(fd, bound, new Uint8Array(Uint32Array.of(bound.length).buffer))
  const { address, port } = readSockaddr(bound, 0)
  if (address === '::' && option(LINUX.IPPROTO_IPV6, LINUX.IPV6_V6ONLY) === 0)
    return `[::]:${port} takes IPv4, too: BindIPv6Only=ipv6-only is needed, and 0.0.0.0:${port} beside it`
  const own = adoptFd(libc, fd)
  if (typeof own === 'string') return own
  return { fd: own, name, transport: isStream ? 'tcp' : 'udp', address, port }
}

/** The socket that was passed for an address. */
export function passedFor(
  passed: readonly PassedSocket[],
  transport: PassedSocket['transport'],
  { address }: BindPart,
  port: number,
): PassedSocket | undefined {
  const octets = sockaddr(address, port)
  if (passed.length === 0 || octets === undefined) return undefined
  const wanted = readSockaddr(octets, 0).address
  return passed.find(one => one.transport === transport && one.port === port && one.address === wanted)
}

/** What of a configuration is listened at. */
export interface Listening {
  readonly scheme: string
  readonly address: string
  readonly port: number
}

/** Which transports a scheme listens with. */
export const transportsOf = (scheme: string): readonly PassedSocket['transport'][] =>
  scheme === 'dns' ? ['udp', 'tcp'] : ['tcp']

/** Passed sockets that a configuration has no use for, in words. */
export function unasked(passed: readonly PassedSocket[], listens: readonly Listening[]): string[] {
  const asked = new Set(
    listens.flatMap(({ scheme, address, port }) =>
      transportsOf(scheme).flatMap(transport =>
        bindParts(address).map(part => passedFor(passed, transport, part, port)),
      ),
    ),
  )
  return passed.filter(one => !asked.has(one)).map(unaskedText)
}

function unaskedText({ name, transport, address, port }: PassedSocket): string {
  const where = `${portText(address, port)} over ${transport.toUpperCase()}`
  const hint = isWildcard(address) ? '' : `; \`bind ${address}\` in a block on port ${port} asks for it`
  return `no server block asks for the passed socket ${name} (${where}), which nobody answers${hint}`
}
