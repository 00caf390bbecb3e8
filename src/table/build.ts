// Slim objects → blocks (layout.ts), in steps: a service may have a hundred thousand endpoints. Pure: the same objects give the
// same octets, whatever came before, so that an update which changes nothing that DNS shows is seen by comparing blocks.

import type { SlimEndpointSlice, SlimService, SlimServiceImport } from '../objects/objects.ts'
import type { ObjectOptions } from '../objects/options.ts'
import { parseIp, readIp } from '../shared/ip.ts'
import { PIECES_A_STEP, type Steps } from '../shared/steps.ts'
import { parseName } from '../wire/name.ts'
import { BLOCK } from './block.ts'
import {
  addressesOf,
  type GroupOptions,
  groupEndpoints,
  writeAddresses,
  writeGroups,
} from './endpoint-groups.ts'
import { EndpointSet } from './endpoint-set.ts'
import { EXTERNAL, FLAG, KEY, KIND } from './layout.ts'
import { Octets } from './octets.ts'

/** The options that blocks depend on. */
export type BuildOptions = GroupOptions & Pick<ObjectOptions, 'ignoreEmptyService'>

/** Addresses outside the cluster of one service; a load balancer of a large cluster names every node. */
const EXTERNALS_MAX = 0xffff

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
  let length = 0
  for (const text of texts) length += 1 + text.length
  const octets = new Uint8Array(length)
  let at = 0
  for (const text of texts) {
    octets[at++] = text.length
    for (let i = 0; i < text.length; i++) octets[at++] = lowerCase(text.charCodeAt(i))
  }
  return octets
}

const lowerCase = (code: number): number => (code >= 0x41 && code <= 0x5a ? code | 0x20 : code)

/** A block without addresses or detail: a namespace that is exposed, a Pod that runs. */
export function buildMark(kind: number, key: Uint8Array): Uint8Array {
  const out = new Octets()
  out.head(kind, 0, key.length, 0, 0)
  out.bytes(key)
  return out.finish(0)
}

/** The block of slices whose Service does not exist: only PTR shows them, as in CoreDNS (docs/coredns.md 1.8). */
export function* orphanSteps(
  namespace: string,
  name: string,
  slices: readonly SlimEndpointSlice[],
  options: BuildOptions,
): Steps<Uint8Array> {
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
  const block = yield* serviceSteps(nobody, slices, options)
  block[BLOCK.FLAGS]! |= FLAG.NO_SERVICE
  return block
}

/** The block of a service and all its slices (any order: they are sorted by name). */
export function* serviceSteps(
  service: SlimService,
  slices: readonly SlimEndpointSlice[],
  options: BuildOptions,
): Steps<Uint8Array> {
  const key = serviceKey(service.namespace, service.name)
  if (service.type === 'ExternalName') return yield* externalNameSteps(service, key)
  return yield* blockSteps(KIND.SERVICE, key, service, slices, options)
}

/** The block of an imported service and the slices of all clusters that export it. */
export function* importSteps(
  imported: SlimServiceImport,
  slices: readonly SlimEndpointSlice[],
  options: BuildOptions,
): Steps<Uint8Array> {
  const key = importKey(imported.namespace, imported.name)
  return yield* blockSteps(KIND.IMPORT, key, imported, slices, { ...options, zonal: false })
}

function* blockSteps(
  kind: number,
  key: Uint8Array,
  service: Pick<SlimService, 'headless' | 'clusterIPs' | 'ports'> &
    Partial<Pick<SlimService, 'externalIPs' | 'near'>>,
  slices: readonly SlimEndpointSlice[],
  options: BuildOptions,
): Steps<Uint8Array> {
  const groups = yield* groupEndpoints(slices, options, kind === KIND.IMPORT, service.near)
  const ready = groups.length > 0
  const known = { zonal: options.zonal, near: service.near }
  let flags = 0
  if (service.headless) flags = FLAG.HEADLESS | (ready ? 0 : FLAG.NO_READY)
  else if (options.ignoreEmptyService && !ready) flags = FLAG.IGNORED
  const own = service.headless
    ? yield* addressesOf(groups, known)
    : yield* clusterAddresses(service.clusterIPs)
  if (service.near && ready) flags |= FLAG.NEAR
  const externals = yield* externalsOf(service.externalIPs)
  const out = new Octets()
  out.head(kind, flags | (externals ? FLAG.EXTERNAL : 0), key.length, own.v4Count, own.size - own.v4Count)
  yield* writeAddresses(out, own)
  out.bytes(key)
  if (externals) out.bytes(externals)
  const detail = out.length
  out.ports(service.ports)
  yield* writeGroups(out, groups, known)
  return out.finish(detail)
}

/** One address behind its length. */
const record = new Uint8Array(1 + 16)

/** The addresses among the texts, each once. */
function* clusterAddresses(texts: readonly string[]): Steps<EndpointSet> {
  const addresses = new EndpointSet()
  for (let i = 0; i < texts.length; i++) {
    const length = readIp(texts[i]!, record, 1)
    record[0] = length
    if (length > 0) addresses.addAddressOf(record, 0)
    if ((i + 1) % PIECES_A_STEP === 0) yield
  }
  return addresses
}

function* externalNameSteps(service: SlimService, key: Uint8Array): Steps<Uint8Array> {
  const target = parseIp(service.externalName) ? undefined : parseName(service.externalName)
  const good = target !== undefined && target.length > 1
  const externals = yield* externalsOf(service.externalIPs)
  const out = new Octets()
  const flags = FLAG.EXTERNAL_NAME | (good ? 0 : FLAG.BAD_TARGET) | (externals ? FLAG.EXTERNAL : 0)
  out.head(KIND.SERVICE, flags, key.length, 0, 0)
  out.bytes(key)
  if (externals) out.bytes(externals)
  const detail = out.length
  if (good) out.bytes(target)
  return out.finish(good ? detail : 0)
}

/**
 * The addresses and names outside the cluster behind their number, in the API's order, each behind the octet that says what it
 * is; undefined where there are none.
 */
function* externalsOf(texts: readonly string[] = []): Steps<Uint8Array | undefined> {
  if (texts.length === 0) return undefined
  const out = new Octets()
  const octets = new Uint8Array(16)
  let count = 0
  out.u16(0)
  for (let i = 0; i < texts.length && count < EXTERNALS_MAX; i++) {
    const length = readIp(texts[i]!, octets, 0)
    const host = length === 0 ? parseName(texts[i]!) : undefined
    if (length > 0) {
      out.u8(length === 4 ? EXTERNAL.V4 : EXTERNAL.V6)
      out.part(octets, 0, length)
      count++
    } else if (host && host.length > 1) {
      out.u8(EXTERNAL.NAME)
      out.u8(host.length)
      out.bytes(host)
      count++
    }
    if ((i + 1) % PIECES_A_STEP === 0) yield
  }
  out.setU16(0, count)
  return count === 0 ? undefined : out.take()
}
