// Where queries come from and arrive. Socket addresses are kept as the kernel writes them on Linux (struct sockaddr_in and
// sockaddr_in6, ip(7), ipv6(7)), whatever brought the query:
//
//   sockaddr_in   0 family (host order)  2 port (network order)  4 address              16 octets
//   sockaddr_in6  0 family               2 port  4 flow  8 address  24 scope (host order)  28 octets

import { type NetworkInterfaceInfo, networkInterfaces } from 'node:os'
import { ipFromBytes, parseIp } from '../shared/ip.ts'
import type { Networks } from '../shared/networks.ts'
import { readU16, readU32, writeU16 } from '../wire/header.ts'

/** How a query came. */
export type Transport = 'udp' | 'tcp' | 'tls' | 'https'

/** An address and a port; `family` is 4 or 6, the address canonical, a mapped IPv4 address is written as IPv4. */
export interface Endpoint {
  readonly address: string
  readonly port: number
  readonly family: 4 | 6
}

/** Room that holds either. */
export const SOCKADDR_MAX_OCTETS = 28

const AF_INET = 2
const AF_INET6 = 10

/** The address and port at octets[at …]. */
export function readSockaddr(octets: Uint8Array, at: number): Endpoint {
  const v4 = octets[at] === AF_INET
  const ip = ipFromBytes(v4 ? octets.slice(at + 4, at + 8) : octets.slice(at + 8, at + 24))
  const scope = v4 ? 0 : scopeIdAt(octets, at)
  return {
    address: scope ? `${ip.text}%${scope}` : ip.text,
    port: readU16(octets, at + 2),
    family: ip.family,
  }
}

/** The number of the interface that stands behind the IPv6 address at octets[at …]; 0 is none. */
export const scopeIdAt = (octets: Uint8Array, at: number): number => readHostU32(octets, at + 24)

/** The address at octets[at …] as a key: a number for IPv4, its octets as a string for IPv6; mapped ones are IPv4. */
export function addressKey(octets: Uint8Array, at: number): string | number {
  const v4At = ipv4At(octets, at)
  if (v4At >= 0) return readU32(octets, v4At)
  let key = ''
  for (let i = at + 8; i < at + SOCKADDR_MAX_OCTETS; i++) key += String.fromCharCode(octets[i]!)
  return key
}

/** Where the four octets of an IPv4 address begin in the socket address at octets[at …], mapped or not; -1 for IPv6. */
export function ipv4At(octets: Uint8Array, at: number): number {
  if (octets[at] === AF_INET) return at + 4
  for (let i = 8; i < 18; i++) if (octets[at + i] !== 0) return -1
  return octets[at + 18] === 0xff && octets[at + 19] === 0xff ? at + 20 : -1
}

/** HOT: whether the address at octets[at …) is in one of the networks; a mapped IPv4 address is one of IPv4. */
export function isIn(networks: Networks, octets: Uint8Array, at: number): boolean {
  const v4At = ipv4At(octets, at)
  return v4At >= 0 ? networks.hasV4(octets, v4At) : networks.hasV6(octets, at + 8)
}

/**
 * The octets of an address (IPv6 with `%interface` or `%number` where it has a scope); undefined for no
 * address.
 */
export function sockaddr(address: string, port: number): Uint8Array | undefined {
  const [host = '', scope] = address.split('%')
  const v6 = host.includes(':')
  const ip = parseIp(host)
  if (!ip || (v6 && ip.family === 4)) return undefined
  const octets = new Uint8Array(v6 ? 28 : 16)
  octets[0] = v6 ? AF_INET6 : AF_INET
  writeU16(octets, 2, port)
  octets.set(ip.bytes, v6 ? 8 : 4)
  if (scope !== undefined) {
    const number = /^\d+$/.test(scope) ? Number(scope) : scopeOf(scope)
    if (number === undefined) return undefined
    writeHostU32(octets, 24, number)
  }
  return octets
}

/**
 * The address with the name of its interface in place of its number: `fe80::53%2` is `fe80::53%eth0`. libc takes both, Node the
 * name alone. An address whose interface is not there stays as it is.
 */
export function withInterfaceName(address: string, interfaces: Interfaces = networkInterfaces()): string {
  const [, host, number] = /^(.*)%(\d+)$/.exec(address) ?? []
  if (number === undefined || interfaces[number] !== undefined) return address
  const [name] =
    Object.entries(interfaces).find(([, infos]) =>
      infos?.some(info => info.family === 'IPv6' && info.scopeid === Number(number)),
    ) ?? []
  return name === undefined ? address : `${host}%${name}`
}

type Interfaces = NodeJS.Dict<readonly NetworkInterfaceInfo[]>

const scopeOf = (interfaceName: string): number | undefined =>
  networkInterfaces()
    [interfaceName]?.flatMap(info => (info.family === 'IPv6' ? [info.scopeid] : []))
    .find(id => id > 0)

/** Both processors that this runs on are little-endian. */
const readHostU32 = (octets: Uint8Array, at: number): number =>
  (octets[at]! | (octets[at + 1]! << 8) | (octets[at + 2]! << 16) | (octets[at + 3]! << 24)) >>> 0

function writeHostU32(octets: Uint8Array, at: number, value: number): void {
  for (let i = 0; i < 4; i++) octets[at + i] = value >>> (8 * i)
}
