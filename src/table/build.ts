// Slim objects → blocks (layout.ts). Pure: the same objects give the same octets, whatever came before, so that an
// update which changes nothing that DNS shows is seen by comparing blocks.

import { eachEndpoint } from '../objects/endpoints.ts'
import type { SlimEndpointSlice, SlimPort, SlimService, SlimServiceImport } from '../objects/objects.ts'
import type { ObjectOptions } from '../objects/options.ts'
import { parseIp } from '../shared/ip.ts'
import { parseName } from '../wire/name.ts'
import { BLOCK } from './block.ts'
import {
  EXTERNAL, FLAG, GROUP_CLUSTER, GROUP_COUNTS, GROUP_HOSTNAMES, GROUP_ZONES, KEY, KIND,
  NO_PORT, PROTOCOL,
} from './layout.ts' // biome-ignore format: one import

/** The options that blocks depend on. */
export type BuildOptions = Pick<ObjectOptions, 'endpointPodNames' | 'ignoreEmptyService' | 'zonal'>

/** Endpoints beyond these of one group go into another. */
const GROUP_ENDPOINTS_MAX = 0xffff
/** Groups of one block; what is beyond them is left out. */
const GROUPS_MAX = 0xffff
/** How often an endpoint is counted: a hundred candidates share the weight 1, and so do more. */
const COUNT_MAX = 100
const PORTS_MAX = 255
/** Addresses outside the cluster of one service; a load balancer of a large cluster names every node. */
const EXTERNALS_MAX = 0xffff
const LABEL_MAX = 63

/** The key of a service, a namespace or a Pod: labels in lower-case wire form. */
export const serviceKey = (namespace: string, name: string): Uint8Array => labels(name, namespace)
/** The key of an imported service. */
export const importKey = (namespace: string, name: string): Uint8Array =>
  Uint8Array.of(KEY.IMPORT, ...labels(name, namespace))
export const namespaceKey = (name: string): Uint8Array => labels(name)
export function podKey(namespace: string, ip: string): Uint8Array | undefined {
  const address = parseIp(ip)
  return address && Uint8Array.of(KEY.POD, address.family, ...address.bytes, ...labels(namespace))
}

function labels(...texts: string[]): Uint8Array {
  const octets: number[] = []
  for (const text of texts) octets.push(text.length, ...Buffer.from(text.toLowerCase(), 'latin1'))
  return Uint8Array.from(octets)
}

/** A block without addresses or detail: a namespace that is exposed, a Pod that runs. */
export function buildMark(kind: number, key: Uint8Array): Uint8Array {
  const out = new Octets()
  out.head(kind, 0, key.length, 0, 0)
  out.bytes(key)
  return out.finish(0)
}

/** One endpoint; its address is octets as characters. */
interface Endpoint {
  readonly family: 4 | 6
  readonly address: string
  readonly hostname: string
  readonly zone: string
  /** How often the slices name it. */
  count: number
}

interface Group {
  readonly ports: readonly SlimPort[]
  /** The cluster that they were imported from, or ''. */
  readonly cluster: string
  readonly endpoints: Map<string, Endpoint>
}

/** The block of slices whose Service does not exist: only PTR shows them, as in CoreDNS (docs/coredns.md 1.8). */
export function buildOrphan(
  namespace: string,
  name: string,
  slices: readonly SlimEndpointSlice[],
  options: BuildOptions,
): Uint8Array {
  const nobody: SlimService = {
    namespace,
    name,
    type: 'ClusterIP',
    clusterIPs: [],
    headless: true,
    externalName: '',
    ports: [],
    externalIPs: [],
  }
  const block = buildService(nobody, slices, options)
  block[BLOCK.FLAGS]! |= FLAG.NO_SERVICE
  return block
}

/** The block of a service and all its slices (any order: they are sorted by name). */
export function buildService(
  service: SlimService,
  slices: readonly SlimEndpointSlice[],
  options: BuildOptions,
): Uint8Array {
  const key = serviceKey(service.namespace, service.name)
  return service.type === 'ExternalName'
    ? buildExternalName(service, key)
    : build(KIND.SERVICE, key, service, slices, options)
}

/** The block of an imported service and the slices of all clusters that export it. */
export function buildImport(
  imported: SlimServiceImport,
  slices: readonly SlimEndpointSlice[],
  options: BuildOptions,
): Uint8Array {
  const key = importKey(imported.namespace, imported.name)
  return build(KIND.IMPORT, key, imported, slices, { ...options, zonal: false })
}

function build(
  kind: number,
  key: Uint8Array,
  service: Pick<SlimService, 'headless' | 'clusterIPs' | 'ports'> & Partial<Pick<SlimService, 'externalIPs'>>,
  slices: readonly SlimEndpointSlice[],
  options: BuildOptions,
): Uint8Array {
  const groups = groupEndpoints(slices, options, kind === KIND.IMPORT)
  const ready = groups.some(group => group.endpoints.size > 0)
  let flags = 0
  if (service.headless) flags = FLAG.HEADLESS | (ready ? 0 : FLAG.NO_READY)
  else if (options.ignoreEmptyService && !ready) flags = FLAG.IGNORED
  const own = service.headless
    ? groups.flatMap(group => Array.from(group.endpoints.values(), ({ address }) => address))
    : service.clusterIPs.flatMap(addressOctets)
  const addresses = [...new Set(own)]
  const v4 = addresses.filter(address => address.length === 4)
  const v6 = addresses.filter(address => address.length === 16)
  const externals = externalsOf(service.externalIPs)
  const out = new Octets()
  out.head(kind, flags | flagOf(externals), key.length, v4.length, v6.length)
  for (const address of v4) out.octets(address)
  for (const address of v6) out.octets(address)
  out.bytes(key)
  out.externals(externals)
  const detail = out.length
  out.ports(service.ports)
  const countAt = out.length
  out.u16(0)
  let written = 0
  for (const group of groups) if (written < GROUPS_MAX) written += writeGroup(out, group, options)
  out.setU16(countAt, written)
  return out.finish(detail)
}

/** The octets of an address as characters; none where the text is no address. */
function addressOctets(text: string): string[] {
  const ip = parseIp(text)
  return ip ? [String.fromCharCode(...ip.bytes)] : []
}

function buildExternalName(service: SlimService, key: Uint8Array): Uint8Array {
  const target = parseIp(service.externalName) ? undefined : parseName(service.externalName)
  const good = target !== undefined && target.length > 1
  const externals = externalsOf(service.externalIPs)
  const flags = FLAG.EXTERNAL_NAME | (good ? 0 : FLAG.BAD_TARGET) | flagOf(externals)
  const out = new Octets()
  out.head(KIND.SERVICE, flags, key.length, 0, 0)
  out.bytes(key)
  out.externals(externals)
  const detail = out.length
  if (good) out.bytes(target)
  return out.finish(good ? detail : 0)
}

/** The addresses and names outside the cluster, in the API's order, each behind the octet that says what it is. */
function externalsOf(texts: readonly string[] = []): Uint8Array[] {
  return texts.slice(0, EXTERNALS_MAX).flatMap(text => {
    const ip = parseIp(text)
    if (ip) return [Uint8Array.of(ip.family === 4 ? EXTERNAL.V4 : EXTERNAL.V6, ...ip.bytes)]
    const host = parseName(text)
    return host && host.length > 1 ? [Uint8Array.of(EXTERNAL.NAME, host.length, ...host)] : []
  })
}

const flagOf = (externals: readonly Uint8Array[]): number => (externals.length > 0 ? FLAG.EXTERNAL : 0)

/**
 * Slices with the same ports, and of imported services of the same cluster, share a group. An address that stands twice
 * under one name is there once and counted: SRV weights count it twice (docs/coredns.md 1.5), answers show it once.
 */
function groupEndpoints(
  slices: readonly SlimEndpointSlice[],
  options: BuildOptions,
  byCluster: boolean,
): Group[] {
  const groups = new Map<string, Group>()
  const sorted = [...slices].sort((a, b) => (a.name < b.name ? -1 : 1))
  for (const slice of sorted) {
    if (slice.endpoints === '') continue
    const cluster = byCluster ? (slice.imported?.cluster ?? '') : ''
    const portsKey = slice.ports.map(port => `${port.name}/${port.protocol}/${port.port}`).join()
    const groupKey = `${cluster}#${portsKey}`
    const group = groups.get(groupKey) ?? { ports: slice.ports, cluster, endpoints: new Map() }
    groups.set(groupKey, group)
    const { endpoints } = group
    eachEndpoint(slice.endpoints, (address, ownHostname, targetName, ownZone) => {
      const hostname = hostnameOf(ownHostname, targetName, options)
      const zone = options.zonal ? ownZone : ''
      const key =
        hostname === '' && zone === '' ? address : `${address}${BETWEEN}${hostname}${BETWEEN}${zone}`
      const known = endpoints.get(key)
      if (known) known.count = Math.min(COUNT_MAX, known.count + 1)
      else endpoints.set(key, { family: address.length === 4 ? 4 : 6, address, hostname, zone, count: 1 })
    })
  }
  return [...groups.values()]
}

/** No character of an address, a host name or a zone, which are octets. */
const BETWEEN = '\u0100'

/** docs/coredns.md 1.5: the hostname, else the Pod's name where asked for, else '' for a name made of the address. */
function hostnameOf(hostname: string, targetName: string, options: BuildOptions): string {
  if (hostname !== '' && hostname.length <= LABEL_MAX) return hostname
  return options.endpointPodNames && targetName.length <= LABEL_MAX ? targetName.toLowerCase() : ''
}

/** Writes a group, as several where one cannot count its endpoints; returns how many. */
function writeGroup(out: Octets, { endpoints, ports, cluster }: Group, options: BuildOptions): number {
  const all = [...endpoints.values()]
  let groups = 0
  for (let at = 0; at < all.length; at += GROUP_ENDPOINTS_MAX, groups++)
    writePart(out, all.slice(at, at + GROUP_ENDPOINTS_MAX), ports, cluster, options)
  return groups
}

function writePart(
  out: Octets,
  endpoints: readonly Endpoint[],
  ports: readonly SlimPort[],
  cluster: string,
  options: BuildOptions,
): void {
  const ordered = [...endpoints.filter(e => e.family === 4), ...endpoints.filter(e => e.family === 6)]
  const v4Count = endpoints.filter(e => e.family === 4).length
  const named = ordered.some(endpoint => endpoint.hostname !== '')
  const counted = ordered.some(endpoint => endpoint.count > 1)
  out.ports(ports)
  out.u16(v4Count)
  out.u16(ordered.length - v4Count)
  const ofCluster = cluster === '' ? 0 : GROUP_CLUSTER
  const repeats = counted ? GROUP_COUNTS : 0
  out.u8((named ? GROUP_HOSTNAMES : 0) | (options.zonal ? GROUP_ZONES : 0) | ofCluster | repeats)
  if (ofCluster) out.text(cluster)
  for (const endpoint of ordered) out.octets(endpoint.address)
  if (named) for (const endpoint of ordered) out.text(endpoint.hostname)
  if (options.zonal) for (const endpoint of ordered) out.text(endpoint.zone)
  if (!counted) return
  out.u32(ordered.reduce((sum, { count }) => sum + count, 0))
  for (const endpoint of ordered) out.u8(endpoint.count)
}

/** A block under way, in a buffer that grows: one is shared by all builds, the result is a copy. */
export class Octets {
  length = 0

  head(kind: number, flags: number, keyLength: number, v4Count: number, v6Count: number): void {
    this.u32(0)
    this.u8(kind)
    this.u8(flags)
    this.u16(keyLength)
    this.u32(v4Count)
    this.u32(v6Count)
    this.u32(0)
    if (this.length !== BLOCK.ADDRESSES) throw new RangeError('the head of a block has the wrong length')
  }

  /** The block, with its size and the offset of its detail filled in. */
  finish(detail: number): Uint8Array {
    const block = scratch.octets.slice(0, this.length)
    const view = new DataView(block.buffer)
    view.setUint32(BLOCK.SIZE, block.length, true)
    view.setUint32(BLOCK.DETAIL, detail, true)
    return block
  }

  ports(ports: readonly SlimPort[]): void {
    const kept = ports.slice(0, PORTS_MAX)
    this.u8(kept.length)
    for (const port of kept) {
      this.u16(port.port < 0 ? NO_PORT : port.port)
      this.u8(PROTOCOL[port.protocol] ?? 0xff)
      this.text(port.name)
    }
  }

  externals(externals: readonly Uint8Array[]): void {
    if (externals.length === 0) return
    this.u16(externals.length)
    for (const external of externals) this.bytes(external)
  }

  text(text: string): void {
    const kept = text.slice(0, 255)
    this.u8(kept.length)
    this.octets(kept)
  }

  /** Characters that stand for one octet each. */
  octets(text: string): void {
    this.#room(text.length)
    for (let i = 0; i < text.length; i++) scratch.octets[this.length++] = text.charCodeAt(i)
  }

  bytes(bytes: Uint8Array): void {
    this.#room(bytes.length)
    scratch.octets.set(bytes, this.length)
    this.length += bytes.length
  }

  u8(value: number): void {
    this.#room(1)
    scratch.octets[this.length++] = value
  }

  u16(value: number): void {
    this.u8(value & 0xff)
    this.u8(value >> 8)
  }

  setU16(at: number, value: number): void {
    scratch.octets[at] = value
    scratch.octets[at + 1] = value >> 8
  }

  u32(value: number): void {
    this.u16(value & 0xffff)
    this.u16(value >>> 16)
  }

  #room(octets: number): void {
    if (this.length + octets <= scratch.octets.length) return
    const grown = new Uint8Array(2 * (this.length + octets))
    grown.set(scratch.octets.subarray(0, this.length))
    scratch.octets = grown
  }
}

const scratch = { octets: new Uint8Array(4096) }
