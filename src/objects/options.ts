// What the `kubernetes` directive says of the objects behind it: which are read, what of them is kept, and what becomes of
// them in the table. One value goes whole to sources and table: an option is added here, where the Corefile's reader sets
// it and where it is used, and nowhere between.

import type { Near, RecordKind } from './objects.ts'

export interface ObjectOptions {
  /** Exposed namespaces; empty: all. */
  readonly namespaces: readonly string[]
  /** A label selector for Services, EndpointSlices and Pods; '' is all. */
  readonly labels: string
  /** A label selector for Namespaces, and as in CoreDNS for ServiceImports; '' is all. */
  readonly namespaceLabels: string
  /** `endpoint_pod_names`: a Pod's name stands in for a missing hostname (docs/coredns.md 1.5). */
  readonly endpointPodNames: boolean
  /** `noendpoints`: nothing is known of the endpoints of Services. */
  readonly noEndpoints: boolean
  /** `ignore empty_service` (docs/coredns.md 1.4). */
  readonly ignoreEmptyService: boolean
  /** `zonal`: endpoints are known with their topology zones (docs/coredns.md 1.12). */
  readonly zonal: boolean
  /** `multicluster`: ServiceImports and their slices are read. */
  readonly multicluster: boolean
  /** `topology`: whose endpoints come first is known of headless Services, and of endpoints where they are; undefined: not. */
  readonly topology: TopologyOptions | undefined
  /** Nodes are read: where clients are. */
  readonly nodes: boolean
  /** `k8s_records`: which objects ask for records, and which names they may have; undefined: none. */
  readonly records: RecordOptions | undefined
  /** `stubdomains`: which zones StubDomains may be; undefined: they are not read. */
  readonly stubs: StubOptions | undefined
  /** `objects` in `policy`: DNSPolicies are read. */
  readonly policies: boolean
  /** Labels of Namespaces are kept, for selectors in `policy` and in DNSPolicies. */
  readonly labelledNamespaces: boolean
  /** `pods verified`: Pods are read. */
  readonly verifiedPods: boolean
  /** What is kept of Pods as clients, by their address, for autopath and metadata; undefined: nothing. */
  readonly clients: ClientOptions | undefined
}

/** What is known of the Pod that a query comes from, beside its namespace. */
export interface ClientOptions {
  readonly podNames: boolean
  /** The address of its node: where it is, for clusters whose Nodes do not tell the networks of their Pods. */
  readonly hosts: boolean
  /** Keys of labels, sorted. */
  readonly labels: readonly string[]
}

/** Which headless Services prefer endpoints near their clients. */
export interface TopologyOptions {
  /** Those that say so themselves, or all of them: by zone, or by node and then by zone. */
  readonly of: 'auto' | Near
  /** With fewer endpoints than these nearby the next circle is taken. */
  readonly atLeast: number
}

/** Whose records are served. */
export interface RecordOptions {
  readonly kinds: readonly RecordKind[]
  /** Names, lower case without a final dot, that are delegated with all below them to namespaces; the longest counts. */
  readonly delegations: readonly { readonly suffix: string; readonly to: readonly string[] }[]
  /** The cluster's own zones likewise: nobody has a name in them but by a longer suffix. */
  readonly own: readonly string[]
  /** The zones of the records likewise, whose own names have an SOA record and so no alias. */
  readonly zones: readonly string[]
  /** Of records that say nothing of it. */
  readonly ttlSeconds: number
}

/** Which zones StubDomains may be, all lower case without a final dot. */
export interface StubOptions {
  /** In one of these; '' is all. */
  readonly within: readonly string[]
  /** The cluster's own zones, which none may be, nor one below them. */
  readonly own: readonly string[]
}

/** What a directive without options says. */
export const OBJECT_DEFAULTS: ObjectOptions = {
  namespaces: [],
  labels: '',
  namespaceLabels: '',
  endpointPodNames: false,
  noEndpoints: false,
  ignoreEmptyService: false,
  zonal: false,
  multicluster: false,
  topology: undefined,
  nodes: false,
  records: undefined,
  stubs: undefined,
  policies: false,
  labelledNamespaces: false,
  verifiedPods: false,
  clients: undefined,
}
