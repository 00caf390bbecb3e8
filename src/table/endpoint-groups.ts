// The groups of endpoints in a service's block (layout.ts): gathered from its slices, and written.

import { EndpointCursor } from '../objects/endpoints.ts'
import type { Near, SlimEndpointSlice, SlimPort } from '../objects/objects.ts'
import type { ObjectOptions } from '../objects/options.ts'
import { PIECES_A_STEP, type Steps, sorted } from '../shared/steps.ts'
import { EndpointSet } from './endpoint-set.ts'
import {
  GROUP_CLUSTER, GROUP_COUNTS, GROUP_HOSTNAMES, GROUP_NODE_FIRST, GROUP_PLACES, GROUP_ZONES,
} from './layout.ts' // biome-ignore format: one import
import type { Octets } from './octets.ts'

/** The options that groups depend on. */
export type GroupOptions = Pick<ObjectOptions, 'endpointPodNames' | 'zonal'>

/** What is known of endpoints beside addresses and names: their zones, and their places where a service prefers near ones. */
export interface Known {
  readonly zonal: boolean
  readonly near: Near | undefined
}

/** Endpoints with the same ports, of one cluster. */
export interface Group {
  readonly ports: readonly SlimPort[]
  /** The cluster that they were imported from, or ''. */
  readonly cluster: string
  readonly endpoints: EndpointSet
}

/** Endpoints beyond these of one group go into another. */
const GROUP_ENDPOINTS_MAX = 0xffff
/** Groups of one block; what is beyond them is left out. */
const GROUPS_MAX = 0xffff
const LABEL_MAX = 63

/**
 * Slices with the same ports, and of imported services of the same cluster, share a group. An address that stands twice
 * under one name is there once and counted: SRV weights count it twice (docs/coredns.md 1.5), answers show it once.
 */
export function* groupEndpoints(
  slices: readonly SlimEndpointSlice[],
  options: GroupOptions,
  byCluster: boolean,
  near?: Near,
): Steps<Group[]> {
  const groups = new Map<string, Group>()
  let pieces = 0
  // Most services have one slice: it is not compared with others.
  const alone = slices.length === 1
  for (const slice of alone ? slices : yield* sorted(slices, byName)) {
    if (slice.endpoints === '') continue
    const cluster = byCluster ? (slice.imported?.cluster ?? '') : ''
    const groupKey = alone ? '' : `${cluster}#${portsKeyOf(slice)}`
    const group = groups.get(groupKey) ?? { ports: slice.ports, cluster, endpoints: new EndpointSet() }
    groups.set(groupKey, group)
    const cursor = new EndpointCursor(slice.endpoints)
    while (cursor.next()) {
      const zone = options.zonal ? cursor.zone : ''
      group.endpoints.add(cursor.address, hostnameOf(cursor, options), zone, near ? cursor.place : '')
      if (++pieces % PIECES_A_STEP === 0) yield
    }
  }
  return [...groups.values()]
}

const portsKeyOf = ({ ports }: SlimEndpointSlice): string =>
  ports.map(port => `${port.name}/${port.protocol}/${port.port}`).join()

const byName = (a: SlimEndpointSlice, b: SlimEndpointSlice): number =>
  a.name < b.name ? -1 : a.name > b.name ? 1 : 0

/** docs/coredns.md 1.5: the hostname, else the Pod's name where asked for, else '' for a name made of the address. */
function hostnameOf({ hostname, targetName }: EndpointCursor, { endpointPodNames }: GroupOptions): string {
  if (hostname !== '' && hostname.length <= LABEL_MAX) return hostname
  return endpointPodNames && targetName.length <= LABEL_MAX ? targetName.toLowerCase() : ''
}

/** The addresses of all groups, each once. */
export function* addressesOf(groups: readonly Group[], { zonal, near }: Known): Steps<EndpointSet> {
  const [first] = groups
  if (groups.length === 1 && first && !first.endpoints.named && !zonal && !near) return first.endpoints
  const addresses = new EndpointSet()
  for (const { endpoints } of groups) {
    for (let number = 0; number < endpoints.size; number++) {
      addresses.addAddressOf(endpoints.octets, endpoints.recordAt(number))
      if ((number + 1) % PIECES_A_STEP === 0) yield
    }
  }
  return addresses
}

/** Writes the groups behind their number: a group that has more endpoints than it can count is several. */
export function* writeGroups(out: Octets, groups: readonly Group[], known: Known): Steps<void> {
  const countAt = out.length
  out.u16(0)
  let written = 0
  for (const group of groups) {
    for (let from = 0; from < group.endpoints.size && written < GROUPS_MAX; from += GROUP_ENDPOINTS_MAX) {
      yield* writePart(out, group, from, Math.min(from + GROUP_ENDPOINTS_MAX, group.endpoints.size), known)
      written++
    }
  }
  out.setU16(countAt, written)
}

/** Writes those endpoints of a group whose numbers are from … to. */
function* writePart(
  out: Octets,
  { endpoints, ports, cluster }: Group,
  from: number,
  to: number,
  { zonal, near }: Known,
): Steps<void> {
  const { octets } = endpoints
  let v4Count = 0
  let counted = 0
  let named = false
  for (let number = from; number < to; number++) {
    const at = endpoints.recordAt(number)
    if (octets[at] === 4) v4Count++
    if (octets[hostnameAt(octets, at)] !== 0) named = true
    counted += endpoints.countOf(number)
    if ((number + 1) % PIECES_A_STEP === 0) yield
  }
  const isCounted = counted > to - from
  const flags =
    (named ? GROUP_HOSTNAMES : 0) |
    (zonal ? GROUP_ZONES : 0) |
    (near ? GROUP_PLACES : 0) |
    (near === 'node' ? GROUP_NODE_FIRST : 0) |
    (cluster === '' ? 0 : GROUP_CLUSTER)
  out.ports(ports)
  out.u16(v4Count)
  out.u16(to - from - v4Count)
  out.u8(flags | (isCounted ? GROUP_COUNTS : 0))
  if (cluster !== '') out.text(cluster)
  yield* writeAddresses(out, endpoints, from, to)
  if (named)
    yield* eachInOrder(endpoints, from, to, number =>
      out.label(octets, hostnameAt(octets, endpoints.recordAt(number))),
    )
  if (zonal)
    yield* eachInOrder(endpoints, from, to, number =>
      out.label(octets, zoneAt(octets, endpoints.recordAt(number))),
    )
  if (near)
    yield* eachInOrder(endpoints, from, to, number =>
      out.label(octets, placeAt(octets, endpoints.recordAt(number))),
    )
  if (!isCounted) return
  out.u32(counted)
  yield* eachInOrder(endpoints, from, to, number => out.u8(endpoints.countOf(number)))
}

/** Writes the addresses of those endpoints, IPv4 before IPv6. */
export function* writeAddresses(
  out: Octets,
  endpoints: EndpointSet,
  from = 0,
  to = endpoints.size,
): Steps<void> {
  const { octets } = endpoints
  yield* eachInOrder(endpoints, from, to, number => {
    const at = endpoints.recordAt(number)
    out.part(octets, at + 1, at + 1 + octets[at]!)
  })
}

/** Visits those endpoints, IPv4 before IPv6. */
function* eachInOrder(
  endpoints: EndpointSet,
  from: number,
  to: number,
  visit: (number: number) => void,
): Steps<void> {
  for (const family of [4, 16]) {
    for (let number = from; number < to; number++) {
      if (endpoints.octets[endpoints.recordAt(number)] === family) visit(number)
      if ((number + 1) % PIECES_A_STEP === 0) yield
    }
  }
}

/** Where the host name of the record at `at` begins with its length. */
const hostnameAt = (octets: Uint8Array, at: number): number => at + 1 + octets[at]!

const zoneAt = (octets: Uint8Array, at: number): number => {
  const hostname = hostnameAt(octets, at)
  return hostname + 1 + octets[hostname]!
}

const placeAt = (octets: Uint8Array, at: number): number => {
  const zone = zoneAt(octets, at)
  return zone + 1 + octets[zone]!
}
