// Gateways and the HTTPRoutes that are attached to them (gateway.networking.k8s.io/v1): a route's host names have the addresses of
// its Gateways, as k8s_gateway serves them, as far as the listeners that it is attached to have them, too. A route without host
// names has theirs.

import { canonicalIp } from '../shared/ip.ts'
import { createdMsOf, fieldAt, isJson, type Json, listAt, textAt } from './field.ts'
import { isAddress, isListOf, isText, isTimeMs } from './guards.ts'
import {
  BALANCERS_MAX,
  balancerTypes,
  bareName,
  isRecordName,
  type SlimRecordSet,
  type SlimRecords,
  VALUES_MAX,
} from './records.ts'

/** Of one object: host names of a route and its Gateways, listeners of a Gateway, each more than the API allows. */
export const ROUTE_PARTS_MAX = 256

export interface SlimListener {
  readonly name: string
  /** In lower case, `*` perhaps its first label; '' is any. */
  readonly hostname: string
}

export interface SlimGateway {
  readonly namespace: string
  readonly name: string
  /** Canonical, of its status. */
  readonly addresses: readonly string[]
  /** Host names of its status in place of addresses. */
  readonly hosts: readonly string[]
  readonly listeners: readonly SlimListener[]
}

/** What a route is attached to. */
export interface SlimParent {
  /** NAMESPACE/NAME of a Gateway. */
  readonly gateway: string
  /** One of its listeners, or '' for all. */
  readonly section: string
}

export interface SlimRoute {
  readonly namespace: string
  readonly name: string
  /** When it was made, in ms since 1970: of two that claim a name the older one has it. */
  readonly createdMs: number
  readonly hostnames: readonly string[]
  readonly parents: readonly SlimParent[]
}

const GATEWAY_GROUP = 'gateway.networking.k8s.io'

/** A Gateway as the API or a file has it, whose namespace and name are good. */
export function gatewayOf(raw: unknown, id: Pick<SlimGateway, 'namespace' | 'name'>): SlimGateway {
  const told = listAt(raw, 'status', 'addresses').slice(0, VALUES_MAX)
  const isHost = (item: unknown): boolean => textAt(item, 'type') === 'Hostname'
  return {
    namespace: id.namespace,
    name: id.name,
    addresses: told.filter(item => !isHost(item)).flatMap(item => canonicalIp(textAt(item, 'value')) ?? []),
    hosts: told.filter(isHost).flatMap(item => recordName(textAt(item, 'value')) || []),
    listeners: listAt(raw, 'spec', 'listeners')
      .slice(0, ROUTE_PARTS_MAX)
      .map(item => ({ name: textAt(item, 'name'), hostname: recordName(textAt(item, 'hostname')) })),
  }
}

/** An HTTPRoute likewise. What a Gateway's controller has refused is no parent. */
export function routeOf(raw: unknown, id: Pick<SlimRoute, 'namespace' | 'name'>): SlimRoute {
  const parentOf = (item: unknown): SlimParent[] => {
    const isGateway =
      (fieldAt(item, 'group') ?? GATEWAY_GROUP) === GATEWAY_GROUP &&
      (fieldAt(item, 'kind') ?? 'Gateway') === 'Gateway'
    const name = textAt(item, 'name')
    if (!isGateway || name === '') return []
    const gateway = [textAt(item, 'namespace') || id.namespace, name].join('/')
    return [{ gateway, section: textAt(item, 'sectionName') }]
  }
  const refused = listAt(raw, 'status', 'parents')
    .filter(isRefused)
    .flatMap(item => parentOf(fieldAt(item, 'parentRef')))
  return {
    namespace: id.namespace,
    name: id.name,
    createdMs: createdMsOf(raw),
    hostnames: listAt(raw, 'spec', 'hostnames')
      .slice(0, ROUTE_PARTS_MAX)
      .flatMap(item => (typeof item === 'string' && recordName(item)) || []),
    parents: listAt(raw, 'spec', 'parentRefs')
      .slice(0, ROUTE_PARTS_MAX)
      .flatMap(parentOf)
      .filter(parent => !refused.some(each => isSameParent(each, parent))),
  }
}

const isRefused = (parent: unknown): boolean =>
  listAt(parent, 'conditions').some(
    condition => textAt(condition, 'type') === 'Accepted' && textAt(condition, 'status') === 'False',
  )

const isSameParent = (a: SlimParent, b: SlimParent): boolean =>
  a.gateway === b.gateway && a.section === b.section

/** The name in lower case without a final dot, or ''. */
function recordName(text: string): string {
  const name = bareName(text)
  return isRecordName(name) ? name : ''
}

/** The records that a route asks for, with the Gateways that are known. */
export function recordsOfRoute(
  { namespace, name, createdMs, hostnames, parents }: SlimRoute,
  gateways: ReadonlyMap<string, SlimGateway>,
): SlimRecords {
  /** By host name, what it has of each Gateway. */
  const byName = new Map<string, SlimGateway[]>()
  for (const { gateway: key, section } of parents) {
    const gateway = gateways.get(key)
    if (gateway === undefined) continue
    const own = gateway.listeners.filter(listener => section === '' || listener.name === section)
    const names = own.flatMap(({ hostname }) =>
      hostnames.length > 0 ? hostnames.map(each => inCommon(each, hostname)) : hostname,
    )
    for (const each of new Set(names)) {
      if (each === '') continue
      const known = byName.get(each)
      if (known) known.push(gateway)
      else byName.set(each, [gateway])
    }
  }
  return { namespace, name, createdMs, records: [...byName].flatMap(([each, its]) => setsOf(each, its)) }
}

/** What a route's host name and a listener's have in common, as the Gateway API has it (`HTTPRouteSpec.hostnames`); '' for nothing. */
function inCommon(route: string, listener: string): string {
  if (listener === '' || isBelowStar(route, listener)) return route
  return isBelowStar(listener, route) ? listener : ''
}

/** Whether it is the other name, or the other is `*.SUFFIX` and it is below that. */
const isBelowStar = (name: string, other: string): boolean =>
  name === other || (other.startsWith('*.') && name.endsWith(other.slice(1)))

function setsOf(name: string, gateways: readonly SlimGateway[]): SlimRecordSet[] {
  const addresses = [...new Set(gateways.flatMap(gateway => gateway.addresses))].slice(0, BALANCERS_MAX)
  const hosts = gateways.flatMap(gateway => gateway.hosts)
  return balancerTypes(addresses, hosts).map(([type, values]) => ({ name, type, ttlSeconds: 0, values }))
}

const isName = (value: unknown): value is string => isText(value) && isRecordName(value)

/** A Gateway out of a file's value, whose namespace and name are good; undefined where it is none. */
export function checkedGateway(
  { addresses, hosts, listeners }: Json,
  id: Pick<SlimGateway, 'namespace' | 'name'>,
): SlimGateway | undefined {
  const isListener = (value: unknown): value is SlimListener =>
    isJson(value) && isText(value.name) && (value.hostname === '' || isName(value.hostname))
  const isGood =
    isListOf(addresses, VALUES_MAX, isAddress) &&
    isListOf(hosts, VALUES_MAX, isName) &&
    isListOf(listeners, ROUTE_PARTS_MAX, isListener)
  if (!isGood) return undefined
  return {
    ...id,
    addresses,
    hosts,
    listeners: listeners.map(({ name, hostname }) => ({ name, hostname })),
  }
}

/** An HTTPRoute likewise. */
export function checkedRoute(
  { createdMs, hostnames, parents }: Json,
  id: Pick<SlimRoute, 'namespace' | 'name'>,
): SlimRoute | undefined {
  const isParent = (value: unknown): value is SlimParent =>
    isJson(value) && isText(value.gateway) && isText(value.section)
  const isGood =
    isTimeMs(createdMs) &&
    isListOf(hostnames, ROUTE_PARTS_MAX, isName) &&
    isListOf(parents, ROUTE_PARTS_MAX, isParent)
  if (!isGood) return undefined
  return {
    ...id,
    createdMs,
    hostnames,
    parents: parents.map(({ gateway, section }) => ({ gateway, section })),
  }
}
