// What the tests of the table share: slim objects in a few words, and blocks read back as text.

import { packEndpoints, type SlimEndpoint } from '../../src/objects/endpoints.ts'
import type { SlimEndpointSlice, SlimPort, SlimService } from '../../src/objects/objects.ts'
import { OBJECT_DEFAULTS } from '../../src/objects/options.ts'
import { ipFromBytes } from '../../src/shared/ip.ts'
import { addressesAt, detailAt, eachExternal, GroupCursor, nextPort } from '../../src/table/block.ts'
import type { BuildOptions } from '../../src/table/build.ts'
import { EXTERNAL, FLAG, NO_PORT } from '../../src/table/layout.ts'
import { formatName } from '../../src/wire/name.ts'

export const PLAIN: BuildOptions = OBJECT_DEFAULTS

/** `http/tcp/80`, `/udp/53`, `x/tcp/-1`. */
export function port(text: string): SlimPort {
  const [name = '', protocol = '', number = ''] = text.split('/')
  return { name, protocol, port: Number(number) }
}

/** `ADDRESS [hostname=H] [target=T] [zone=Z]`. */
export function endpoint(text: string): SlimEndpoint {
  const [address = '', ...rest] = text.split(' ')
  const value = (key: string): string =>
    rest.find(word => word.startsWith(`${key}=`))?.slice(key.length + 1) ?? ''
  return { address, hostname: value('hostname'), targetName: value('target'), zone: value('zone') }
}

/** A ClusterIP service demo/web unless the parts say otherwise; ports as text. */
export function service(
  parts: Partial<Omit<SlimService, 'ports'>> & { readonly ports?: readonly string[] } = {},
): SlimService {
  return {
    namespace: 'demo',
    name: 'web',
    type: 'ClusterIP',
    clusterIPs: [],
    headless: false,
    externalName: '',
    externalIPs: [],
    ...parts,
    ports: (parts.ports ?? []).map(port),
  }
}

/** A slice of demo/web unless the parts say otherwise; ports and endpoints as text. */
export function slice(
  endpoints: readonly string[],
  ports: readonly string[] = [],
  parts: Partial<SlimEndpointSlice> = {},
): SlimEndpointSlice {
  return {
    namespace: 'demo',
    name: 'web-1',
    serviceName: 'web',
    triggerTimeMs: 0,
    ...parts,
    ports: ports.map(port),
    endpoints: packEndpoints(endpoints.map(endpoint)),
  }
}

const PROTOCOLS = ['tcp', 'udp', 'sctp']

/** A service's block in words: flags, addresses, service ports, groups. */
export function outline(octets: Uint8Array, at = 0): string[] {
  const words = new Int32Array(octets.buffer, octets.byteOffset, octets.length >> 2)
  const flags = Object.entries(FLAG).filter(([, bit]) => octets[at + 5]! & bit)
  const v4Count = words[(at >> 2) + 2]!
  const v6Count = words[(at >> 2) + 3]!
  const from = addressesAt(at)
  const own = [...addresses(octets, from, v4Count, 4), ...addresses(octets, from + 4 * v4Count, v6Count, 16)]
  const lines = [[...flags.map(([name]) => name), ...own].join(' ')]
  const outside: string[] = []
  eachExternal(words, octets, at, (from, end) => outside.push(external(octets, from, end)))
  if (outside.length > 0) lines.push(`outside ${outside.join(' ')}`)
  if (octets[at + 5]! & FLAG.EXTERNAL_NAME) return lines
  const groups = new GroupCursor()
  groups.open(octets, detailAt(words, at))
  lines.push(`ports ${ports(octets, groups.servicePortsAt, groups.servicePortCount)}`.trimEnd())
  while (groups.next()) lines.push(group(octets, groups))
  return lines
}

const external = (octets: Uint8Array, at: number, end: number): string =>
  octets[at] === EXTERNAL.NAME
    ? formatName(octets.slice(at + 2, end))
    : ipFromBytes(octets.slice(at + 1, end)).text

function group(octets: Uint8Array, groups: GroupCursor): string {
  const count = groups.v4Count + groups.v6Count
  const hostnames = texts(octets, groups.hostnamesAt, count)
  const zones = texts(octets, groups.zonesAt, count)
  const all = [
    ...addresses(octets, groups.v4At, groups.v4Count, 4),
    ...addresses(octets, groups.v6At, groups.v6Count, 16),
  ]
  const endpoints = all.map((address, i) => {
    const zone = zones[i] ? `@${zones[i]}` : ''
    const times = groups.countsAt ? octets[groups.countsAt + i]! : 1
    return (hostnames[i] ? `${hostnames[i]}=` : '') + address + zone + (times > 1 ? `*${times}` : '')
  })
  return `group ${ports(octets, groups.portsAt, groups.portCount)}: ${endpoints.join(' ')}`.replace(' :', ':')
}

const addresses = (octets: Uint8Array, at: number, count: number, length: 4 | 16): string[] =>
  Array.from(
    { length: count },
    (_, i) => ipFromBytes(octets.slice(at + i * length, at + (i + 1) * length)).text,
  )

function texts(octets: Uint8Array, at: number, count: number): string[] {
  if (at === 0) return []
  return Array.from({ length: count }, () => {
    const text = Buffer.from(octets.subarray(at + 1, at + 1 + octets[at]!)).toString('latin1')
    at += 1 + octets[at]!
    return text
  })
}

function ports(octets: Uint8Array, at: number, count: number): string {
  let next = at
  return Array.from({ length: count }, () => {
    const from = next
    next = nextPort(octets, from)
    const number = octets[from]! | (octets[from + 1]! << 8)
    const name = Buffer.from(octets.subarray(from + 4, from + 4 + octets[from + 3]!)).toString('latin1')
    return `${name}/${PROTOCOLS[octets[from + 2]!] ?? '?'}/${number === NO_PORT ? 'none' : number}`
  }).join(',')
}
