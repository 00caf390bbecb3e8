// The kinds of objects, one row each: what the API calls it, when it is read and with which selectors, and how a raw object
// becomes a slim one. What a kind is in the table stands in table/cluster.ts.

import { slimNamespace } from './namespaces.ts'
import { KIND_NAMES, type Kind, type Kinds, type RecordKind } from './objects.ts'
import type { ObjectOptions } from './options.ts'
import type { SlimRecords } from './records.ts'
import {
  IMPORT_NAME_LABEL,
  isProblem,
  type SlimProblem,
  slimDnsEndpoint,
  slimDnsPolicy,
  slimDnsRecord,
  slimEndpointSlice,
  slimGateway,
  slimIngress,
  slimNode,
  slimPod,
  slimRoute,
  slimService,
  slimServiceImport,
  slimStubDomain,
} from './slim.ts'

/** One resource of the Kubernetes API. */
export interface Resource<K extends Kind = Kind> {
  readonly kind: K
  /** The plural in lower case, as in URLs and RBAC rules. */
  readonly name: string
  /** The API group; '' is the core group. */
  readonly group: string
  /** Of all namespaces together. */
  readonly path: string
}

/** A kind with all that a source needs to know of it. */
export interface KindOfObject<K extends Kind> extends Resource<K> {
  /** Whether objects of it are read; a table counts as synced when all kinds that are have been. */
  wanted(options: Options): boolean
  /** Which objects of it, as `?labelSelector=` and `?fieldSelector=`; undefined or '' is all. */
  labelSelector?(options: Options): string | undefined
  readonly fieldSelector?: string
  /** The slim copy; undefined for an object that is not served, a problem for one that is malformed. */
  slim(raw: unknown, options: Options): Kinds[K] | SlimProblem | undefined
}

type Options = Partial<ObjectOptions>

const wants =
  (kind: RecordKind) =>
  ({ records }: Options): boolean =>
    records?.kinds.includes(kind) ?? false

/** The same without the values of an object whose namespace may have no name: why it is refused is all that is told of it. */
const withoutVain =
  (slim: (raw: unknown) => SlimRecords | SlimProblem) =>
  (raw: unknown, { records }: Options): SlimRecords | SlimProblem => {
    const slimmed = slim(raw)
    if (isProblem(slimmed)) return slimmed
    const { namespace } = slimmed
    const isDelegated = records?.delegations.some(({ to }) => to.includes('*') || to.includes(namespace))
    if (isDelegated !== false) return slimmed
    return { ...slimmed, records: slimmed.records.map(set => ({ ...set, values: [] })) }
  }

/** What is read follows CoreDNS (plugin/kubernetes/controller.go). Endpoints is not among them: EndpointSlices have taken its place. */
export const KINDS: { readonly [K in Kind]: KindOfObject<K> } = {
  Namespace: {
    kind: 'Namespace',
    name: 'namespaces',
    group: '',
    path: '/api/v1/namespaces',
    wanted: () => true,
    labelSelector: ({ namespaceLabels }) => namespaceLabels,
    slim: slimNamespace,
  },
  Service: {
    kind: 'Service',
    name: 'services',
    group: '',
    path: '/api/v1/services',
    wanted: () => true,
    labelSelector: ({ labels }) => labels,
    slim: (raw, options) => slimService(raw, undefined, options),
  },
  EndpointSlice: {
    kind: 'EndpointSlice',
    name: 'endpointslices',
    group: 'discovery.k8s.io',
    path: '/apis/discovery.k8s.io/v1/endpointslices',
    wanted: ({ noEndpoints, multicluster }) => !noEndpoints || multicluster === true,
    // Without the Services' own at least those of ServiceImports.
    labelSelector: ({ labels, noEndpoints }) =>
      noEndpoints ? [labels, IMPORT_NAME_LABEL].filter(Boolean).join(',') : labels,
    slim: slimEndpointSlice,
  },
  Pod: {
    kind: 'Pod',
    name: 'pods',
    group: '',
    path: '/api/v1/pods',
    wanted: ({ verifiedPods }) => verifiedPods === true,
    labelSelector: ({ labels }) => labels,
    // Pods that have ended keep their address in the API but not on the network (CoreDNS: podListFunc).
    fieldSelector: 'status.phase!=Succeeded,status.phase!=Failed,status.phase!=Unknown',
    slim: slimPod,
  },
  ServiceImport: {
    kind: 'ServiceImport',
    name: 'serviceimports',
    group: 'multicluster.x-k8s.io',
    path: '/apis/multicluster.x-k8s.io/v1alpha1/serviceimports',
    wanted: ({ multicluster }) => multicluster === true,
    labelSelector: ({ namespaceLabels }) => namespaceLabels,
    slim: raw => slimServiceImport(raw),
  },
  Node: {
    kind: 'Node',
    name: 'nodes',
    group: '',
    path: '/api/v1/nodes',
    wanted: ({ nodes }) => nodes === true,
    slim: raw => slimNode(raw),
  },
  DNSRecord: {
    kind: 'DNSRecord',
    name: 'dnsrecords',
    group: 'seamark.dev',
    path: '/apis/seamark.dev/v1alpha1/dnsrecords',
    wanted: wants('DNSRecord'),
    slim: withoutVain(slimDnsRecord),
  },
  DNSEndpoint: {
    kind: 'DNSEndpoint',
    name: 'dnsendpoints',
    group: 'externaldns.k8s.io',
    path: '/apis/externaldns.k8s.io/v1alpha1/dnsendpoints',
    wanted: wants('DNSEndpoint'),
    slim: withoutVain(slimDnsEndpoint),
  },
  Ingress: {
    kind: 'Ingress',
    name: 'ingresses',
    group: 'networking.k8s.io',
    path: '/apis/networking.k8s.io/v1/ingresses',
    wanted: wants('Ingress'),
    slim: withoutVain(slimIngress),
  },
  StubDomain: {
    kind: 'StubDomain',
    name: 'stubdomains',
    group: 'seamark.dev',
    path: '/apis/seamark.dev/v1alpha1/stubdomains',
    wanted: ({ stubs }) => stubs !== undefined,
    slim: raw => slimStubDomain(raw),
  },
  Gateway: {
    kind: 'Gateway',
    name: 'gateways',
    group: 'gateway.networking.k8s.io',
    path: '/apis/gateway.networking.k8s.io/v1/gateways',
    wanted: wants('HTTPRoute'),
    slim: slimGateway,
  },
  HTTPRoute: {
    kind: 'HTTPRoute',
    name: 'httproutes',
    group: 'gateway.networking.k8s.io',
    path: '/apis/gateway.networking.k8s.io/v1/httproutes',
    wanted: wants('HTTPRoute'),
    slim: slimRoute,
  },
  DNSPolicy: {
    kind: 'DNSPolicy',
    name: 'dnspolicies',
    group: 'seamark.dev',
    path: '/apis/seamark.dev/v1alpha1/dnspolicies',
    wanted: ({ policies }) => policies === true,
    slim: raw => slimDnsPolicy(raw),
  },
}

/** The kinds that are read, in the order in which they are begun. */
export const wantedKinds = (options: Options): readonly Kind[] =>
  KIND_NAMES.filter(kind => KINDS[kind].wanted(options))
