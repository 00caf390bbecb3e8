// The slim copies of Kubernetes objects that Seamark keeps: only the fields that DNS needs. A source of objects
// (the API server in watch/, a folder in manifest/) copies them out of what it read and emits them to a Sink;
// nothing beyond a source ever touches a raw API object.

import type { SlimDnsPolicy } from './dns-policies.ts'
import type { PackedEndpoints } from './endpoints.ts'
import type { SlimRecords } from './records.ts'
import type { SlimGateway, SlimRoute } from './routes.ts'
import type { SlimStubDomain } from './stub-domains.ts'

/** A port of a Service or an EndpointSlice; names and protocols are lower case, an unnamed port is ''. */
export interface SlimPort {
  readonly name: string
  readonly port: number
  /** tcp, udp or sctp */
  readonly protocol: string
}

export interface SlimService {
  readonly namespace: string
  readonly name: string
  readonly type: 'ClusterIP' | 'NodePort' | 'LoadBalancer' | 'ExternalName'
  /** Canonical addresses in API order; empty for a headless Service, for ExternalName and where none is allocated yet. */
  readonly clusterIPs: readonly string[]
  readonly headless: boolean
  /** The target as written, without judging it; '' unless the type is ExternalName. */
  readonly externalName: string
  readonly ports: readonly SlimPort[]
  /** spec.externalIPs, then the load balancer's ingress addresses or host names: what k8s_external serves. */
  readonly externalIPs: readonly string[]
  /** Whose endpoints its clients are given first; only where `topology` asks, and absent for all the same. */
  readonly near?: Near
  /** The records that its annotations ask for; only where `k8s_records` does, and absent for none. */
  readonly asks?: SlimRecords
}

/** Which endpoints come first: those in the client's zone, or those on its node and then these. */
export type Near = 'zone' | 'node'

export interface SlimEndpointSlice {
  readonly namespace: string
  readonly name: string
  /** The label kubernetes.io/service-name: the Service that these endpoints belong to; '' for an imported slice. */
  readonly serviceName: string
  /** The ServiceImport that they belong to, and the cluster that they are in; only where `multicluster` needs it. */
  readonly imported?: { readonly name: string; readonly cluster: string }
  /** A port without number is kept as -1. */
  readonly ports: readonly SlimPort[]
  /** Its ready addresses (endpoints.ts). */
  readonly endpoints: PackedEndpoints
  /** The annotation endpoints.kubernetes.io/last-change-trigger-time in ms since 1970, or 0. */
  readonly triggerTimeMs: number
}

export interface SlimNamespace {
  readonly name: string
  /** Its labels as KEY=VALUE, sorted; only where selectors need them. */
  readonly labels?: readonly string[]
}

export interface SlimPod {
  readonly namespace: string
  readonly name: string
  /** status.podIP, canonical */
  readonly ip: string
  /** Its addresses beside that one, canonical, where it has any: of the other family. Only where Pods are known as clients. */
  readonly otherIps?: readonly string[]
  /** Whether it shares its node's address. This and `labels` only where Pods are known as clients. */
  readonly hostNetwork?: boolean
  /** Its node's address, canonical; only where `topology` or a label needs it, and the Pod has another one. */
  readonly hostIp?: string
  /** The values of the labels that are asked for, in their order; '' for one that it does not have. */
  readonly labels?: readonly string[]
}

/** A Node, for whose Pods and own processes it is the place. */
export interface SlimNode {
  readonly name: string
  /** Its topology zone in lower case, or ''. */
  readonly zone: string
  /** Its own addresses and the networks of its Pods, as canonical networks in CIDR notation. */
  readonly networks: readonly string[]
}

/** multicluster.x-k8s.io ServiceImport. */
export interface SlimServiceImport {
  readonly namespace: string
  readonly name: string
  readonly headless: boolean
  readonly clusterIPs: readonly string[]
  readonly ports: readonly SlimPort[]
}

/** The kinds of objects, by their slim types. */
export interface Kinds {
  Service: SlimService
  EndpointSlice: SlimEndpointSlice
  Namespace: SlimNamespace
  Pod: SlimPod
  ServiceImport: SlimServiceImport
  Node: SlimNode
  DNSRecord: SlimRecords
  DNSEndpoint: SlimRecords
  Ingress: SlimRecords
  StubDomain: SlimStubDomain
  Gateway: SlimGateway
  HTTPRoute: SlimRoute
  DNSPolicy: SlimDnsPolicy
}
export type Kind = keyof Kinds
/** The kinds that ask for records outside of the cluster's zones. */
export type RecordKind = 'DNSRecord' | 'DNSEndpoint' | 'Ingress' | 'HTTPRoute' | 'Service'

/** Every kind, in the order in which they are read; numbers in the table's head count on it. */
export const KIND_NAMES: readonly Kind[] = [
  'Namespace', 'Service', 'EndpointSlice', 'Pod', 'ServiceImport', 'Node', 'DNSRecord', 'DNSEndpoint', 'Ingress',
  'StubDomain', 'Gateway', 'HTTPRoute', 'DNSPolicy',
] // biome-ignore format: a list

/** A map of objects for each kind, all empty. */
export const emptyMaps = (): { readonly [K in Kind]: Map<string, Kinds[K]> } => ({
  Namespace: new Map(),
  Service: new Map(),
  EndpointSlice: new Map(),
  Pod: new Map(),
  ServiceImport: new Map(),
  Node: new Map(),
  DNSRecord: new Map(),
  DNSEndpoint: new Map(),
  Ingress: new Map(),
  StubDomain: new Map(),
  Gateway: new Map(),
  HTTPRoute: new Map(),
  DNSPolicy: new Map(),
})

/** NAMESPACE/NAME, or NAME for what belongs to no namespace: the key of an object within its kind. */
export const objectKey = (o: { readonly namespace?: string; readonly name: string }): string =>
  o.namespace === undefined ? o.name : namespacedKey(o.namespace, o.name)

/** NAMESPACE/NAME; joined, because a text that was added up keeps its parts beside it for as long as it lives. */
export const namespacedKey = (namespace: string, name: string): string => [namespace, name].join('/')

/** NAMESPACE/NAME in its parts. */
export function partsOf(key: string): [namespace: string, name: string] {
  const slash = key.indexOf('/')
  return [key.slice(0, slash), key.slice(slash + 1)]
}

/**
 * Where a source puts what it learns. Calls are cheap and synchronous: a sink notes what is dirty and publishes it
 * a few milliseconds later.
 */
export interface Sink {
  /** The complete set of one kind, after a list: objects that it lacks are gone. Marks the kind as synced. */
  replace<K extends Kind>(kind: K, objects: Iterable<Kinds[K]>): void
  upsert<K extends Kind>(kind: K, object: Kinds[K]): void
  remove(kind: Kind, key: string): void
}
