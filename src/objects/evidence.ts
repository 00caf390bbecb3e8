// What a person wants to know of objects who asks why a name does not resolve, and DNS itself does not need: selectors, which
// Pods are not ready and why, the resolver of a Pod. Nothing of it is kept; a source reads it when it is asked.

import { field, fieldAt, isJson, listAt, textAt, textMapAt } from './field.ts'

/** How a Pod's resolver is told to ask (Kubernetes: spec.dnsPolicy, spec.dnsConfig). */
export interface PodDns {
  /** ClusterFirst unless given. */
  readonly policy: string
  readonly nameservers: readonly string[]
  readonly searches: readonly string[]
  /** Of spec.dnsConfig.options; undefined where it says none. */
  readonly ndots: number | undefined
}

export interface PodFacts {
  readonly namespace: string
  readonly name: string
  readonly labels: Readonly<Record<string, string>>
  /** Its addresses, the primary one first. */
  readonly ips: readonly string[]
  /** spec.hostname and spec.subdomain, which together name an endpoint of the Service `subdomain`; '' where it has none. */
  readonly hostname: string
  readonly subdomain: string
  readonly hostNetwork: boolean
  readonly ready: boolean
  /** Why it is not ready, in a few words; '' where it is, or nobody says. */
  readonly why: string
  readonly dns: PodDns
}

export interface ServiceFacts {
  readonly selector: Readonly<Record<string, string>>
  readonly publishNotReadyAddresses: boolean
}

/** An EndpointSlice in a few figures. */
export interface SliceFacts {
  readonly name: string
  /** IPv4, IPv6, or FQDN, which DNS does not serve. */
  readonly addressType: string
  readonly endpoints: number
  readonly ready: number
}

/** Looks at objects as they are now. What it cannot look at is an error, whose message says why. */
export interface Evidence {
  /** Undefined where there is none. */
  service(namespace: string, name: string): Promise<ServiceFacts | undefined>
  pod(namespace: string, name: string): Promise<PodFacts | undefined>
  /** The Pod that has the address for itself. */
  podAt(address: string): Promise<PodFacts | undefined>
  /** The Pods of a namespace that have these labels, PODS_MAX at most. */
  pods(namespace: string, selector: Readonly<Record<string, string>>): Promise<readonly PodFacts[]>
  /** Those that say that they are of the Service, served or not. */
  slices(namespace: string, service: string): Promise<readonly SliceFacts[]>
}

/** More Pods behind one Service are not looked at. */
export const PODS_MAX = 100

/** Of a Service as the API or a file has it. */
export const serviceFacts = (raw: unknown): ServiceFacts => ({
  selector: Object.fromEntries(textMapAt(raw, 'spec', 'selector')),
  publishNotReadyAddresses: fieldAt(raw, 'spec', 'publishNotReadyAddresses') === true,
})

/** Of a Pod as the API or a file has it. */
export function podFacts(raw: unknown): PodFacts {
  const ready = conditionOf(raw, 'Ready')
  const isReady = field(ready, 'status') === 'True'
  const deleted = Boolean(fieldAt(raw, 'metadata', 'deletionTimestamp'))
  return {
    namespace: textAt(raw, 'metadata', 'namespace'),
    name: textAt(raw, 'metadata', 'name'),
    labels: Object.fromEntries(textMapAt(raw, 'metadata', 'labels')),
    ips: [textAt(raw, 'status', 'podIP'), ...textsAt(raw, 'ip', 'status', 'podIPs')].filter(isNew),
    hostname: textAt(raw, 'spec', 'hostname').toLowerCase(),
    subdomain: textAt(raw, 'spec', 'subdomain').toLowerCase(),
    hostNetwork: fieldAt(raw, 'spec', 'hostNetwork') === true,
    ready: isReady && !deleted,
    why: deleted ? 'it is being deleted' : isReady ? '' : whyNotReady(raw, ready),
    dns: {
      policy: textAt(raw, 'spec', 'dnsPolicy') || 'ClusterFirst',
      nameservers: stringsAt(raw, 'spec', 'dnsConfig', 'nameservers'),
      searches: stringsAt(raw, 'spec', 'dnsConfig', 'searches'),
      ndots: ndotsOf(raw),
    },
  }
}

/** Of an EndpointSlice as the API or a file has it. An endpoint that says nothing of it is ready (discovery/v1). */
export function sliceFacts(raw: unknown): SliceFacts {
  const endpoints = listAt(raw, 'endpoints')
  return {
    name: textAt(raw, 'metadata', 'name'),
    addressType: textAt(raw, 'addressType'),
    endpoints: endpoints.length,
    ready: endpoints.filter(endpoint => fieldAt(endpoint, 'conditions', 'ready') !== false).length,
  }
}

/** Whether the labels are among those of an object; nothing is selected by no label. */
export const selects = (
  selector: Readonly<Record<string, string>>,
  labels: Readonly<Record<string, string>>,
): boolean => {
  const wanted = Object.entries(selector)
  return wanted.length > 0 && wanted.every(([key, value]) => labels[key] === value)
}

const isNew = (text: string, at: number, all: readonly string[]): boolean =>
  text !== '' && all.indexOf(text) === at

const conditionOf = (raw: unknown, type: string): unknown =>
  listAt(raw, 'status', 'conditions').find(condition => field(condition, 'type') === type)

/** The kubelet's own words: what its containers wait for, why it is not scheduled, what its condition says. */
function whyNotReady(raw: unknown, ready: unknown): string {
  const waiting = [
    ...listAt(raw, 'status', 'initContainerStatuses'),
    ...listAt(raw, 'status', 'containerStatuses'),
  ]
    .map(status => textAt(status, 'state', 'waiting', 'reason'))
    .find(reason => reason !== '')
  if (waiting !== undefined) return waiting
  const scheduled = conditionOf(raw, 'PodScheduled')
  if (field(scheduled, 'status') === 'False')
    return textAt(scheduled, 'message') || textAt(scheduled, 'reason') || 'it is not scheduled'
  const said = textAt(ready, 'message') || textAt(ready, 'reason')
  if (said !== '') return said
  const phase = textAt(raw, 'status', 'phase')
  return phase === '' || phase === 'Running' ? 'its condition Ready is not True' : `its phase is ${phase}`
}

const stringsAt = (raw: unknown, ...keys: readonly string[]): string[] =>
  listAt(raw, ...keys).filter(value => typeof value === 'string')

const textsAt = (raw: unknown, key: string, ...keys: readonly string[]): string[] =>
  listAt(raw, ...keys)
    .filter(isJson)
    .map(item => textAt(item, key))

function ndotsOf(raw: unknown): number | undefined {
  const option = listAt(raw, 'spec', 'dnsConfig', 'options').find(each => field(each, 'name') === 'ndots')
  const ndots = Number(textAt(option, 'value'))
  return option !== undefined && Number.isInteger(ndots) && ndots >= 0 ? Math.min(ndots, 15) : undefined
}
