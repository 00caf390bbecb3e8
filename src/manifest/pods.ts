// Pods: those of the folder, and those that a workload of the folder (workloads.ts) would make. A Pod
// that names no address gets one of each family; one that does keeps exactly those. Pods spread over the folder's
// Nodes, whose zones their endpoints inherit.

import { field, fieldAt, isJson, type Json, listAt, type Path, quote, textAt } from '../objects/field.ts'
import type { Labels } from '../objects/label-selector.ts'
import { ZONE_LABELS } from '../objects/slim.ts'
import { parseIp } from '../shared/ip.ts'
import { type AddressBook, hash32, POD_POOLS } from './addresses.ts'
import type { RawObject } from './raw.ts'

/** Says something about a field of an object that is served nevertheless. */
export type Warn = (object: RawObject, path: Path, message: string) => void

export interface ContainerPort {
  readonly name: string
  readonly port: number
  /** tcp, udp or sctp */
  readonly protocol: string
}

/** A Pod as the controllers see it; one that has ended is none. */
export interface PodView {
  readonly namespace: string
  readonly name: string
  readonly labels: Labels
  /** Canonical, the primary one first; empty for a Pod that has none yet. */
  readonly ips: readonly string[]
  readonly ready: boolean
  readonly deleted: boolean
  readonly hostNetwork: boolean
  /** spec.hostname and spec.subdomain, lower case: together they name an endpoint of the Service `subdomain`. */
  readonly hostname: string
  readonly subdomain: string
  readonly ports: readonly ContainerPort[]
  /** Its Node, or '', and the zone of that. */
  readonly node: string
  readonly zone: string
  readonly raw: Json
}

/** A Pod before it has an address: `turn` is what spreads it over the Nodes. */
export interface PodSeed {
  readonly object: RawObject
  readonly turn: number
}

/** The seed of a Pod that the folder holds. */
export const seedOf = (object: RawObject): PodSeed => ({ object, turn: hash32(keyOf(object)) })

const keyOf = (o: RawObject): string => `Pod/${o.namespace}/${o.name}`

/** Gives every Pod its addresses and its zone. */
export function placePods(
  seeds: readonly PodSeed[],
  nodes: readonly RawObject[],
  book: AddressBook,
  taken: ReadonlySet<string>,
  warn: Warn,
): PodView[] {
  const zones = new Map(nodes.map(node => [node.name, zoneOf(node)]))
  const sortedNodes = [...zones.keys()].sort()
  const living = seeds.filter(seed => !hasEnded(seed.object))
  const named = new Map(living.map(seed => [seed, podIps(seed.object, warn)]))
  const needy = living.filter(seed => named.get(seed)?.length === 0).map(seed => keyOf(seed.object))
  const pools = POD_POOLS.map(pool => book.assign(pool, needy, taken))
  return living.map(seed => {
    const { object, turn } = seed
    const generated = pools.map(pool => pool.get(keyOf(object))).filter(ip => ip !== undefined)
    const ips = named.get(seed) ?? []
    if (ips.length + generated.length === 0) warn(object, [], 'no Pod address is left: it has none')
    const onNode = textAt(object.raw, 'spec', 'nodeName')
    const node = onNode === '' ? (sortedNodes[turn % Math.max(1, sortedNodes.length)] ?? '') : onNode
    return {
      namespace: object.namespace,
      name: object.name,
      labels: object.labels,
      ips: ips.length > 0 ? ips : generated,
      ready: isReady(object.raw),
      deleted: Boolean(fieldAt(object.raw, 'metadata', 'deletionTimestamp')),
      hostNetwork: fieldAt(object.raw, 'spec', 'hostNetwork') === true,
      hostname: textAt(object.raw, 'spec', 'hostname').toLowerCase(),
      subdomain: textAt(object.raw, 'spec', 'subdomain').toLowerCase(),
      ports: containerPorts(object.raw),
      node,
      zone: zones.get(node) ?? '',
      raw: object.raw,
    }
  })
}

/** The valid addresses of a Pod's status, the primary one first. */
export function podIps(object: RawObject, warn: Warn): string[] {
  const found = new Set<string>()
  const take = (value: unknown, path: Path): void => {
    if (value === undefined || value === null || value === '') return
    const ip = typeof value === 'string' ? parseIp(value) : undefined
    if (ip) found.add(ip.text)
    else warn(object, path, `${quote(value)} is no IP address: left out`)
  }
  take(fieldAt(object.raw, 'status', 'podIP'), ['status', 'podIP'])
  listAt(object.raw, 'status', 'podIPs').forEach((item, i) => {
    take(field(item, 'ip'), ['status', 'podIPs', i, 'ip'])
  })
  return [...found]
}

/** Whether the Pod has come to its end: it belongs to no Service any more. */
const hasEnded = (object: RawObject): boolean =>
  ['Succeeded', 'Failed'].includes(textAt(object.raw, 'status', 'phase'))

/** The condition Ready where there is one; a Pod that says nothing runs and is ready. */
function isReady(raw: Json): boolean {
  const ready = listAt(raw, 'status', 'conditions').find(condition => field(condition, 'type') === 'Ready')
  if (ready !== undefined) return field(ready, 'status') === 'True'
  return ['', 'Running'].includes(textAt(raw, 'status', 'phase'))
}

/** The ports of its containers, and of init containers that keep running beside them (restartPolicy: Always). */
function containerPorts(raw: Json): ContainerPort[] {
  const sidecars = listAt(raw, 'spec', 'initContainers').filter(c => field(c, 'restartPolicy') === 'Always')
  return [...listAt(raw, 'spec', 'containers'), ...sidecars].flatMap(container =>
    listAt(container, 'ports').flatMap(item => {
      const port = field(item, 'containerPort')
      if (!isJson(item) || typeof port !== 'number') return []
      return { name: textAt(item, 'name'), port, protocol: (textAt(item, 'protocol') || 'TCP').toLowerCase() }
    }),
  )
}

function zoneOf(node: RawObject): string {
  const label = ZONE_LABELS.find(key => node.labels.has(key))
  return (label === undefined ? '' : (node.labels.get(label) ?? '')).toLowerCase()
}
