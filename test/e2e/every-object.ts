// Every kind of object that DNS is made from, once or more: the vectors of CoreDNS's behaviour (Services of all types,
// hand-made EndpointSlices in all shapes, mirrored Endpoints, workloads) and the names that are easily got wrong
// (namespaces called svc and pod, CNAME chains and loops, v6 addresses that end in `::`).

import type { KubeObject } from './api-client.ts'

/** Namespaces with their labels. */
const NAMESPACES: Readonly<Record<string, Readonly<Record<string, string>>>> = {
  demo: { team: 'blue' },
  other: { team: 'red' },
  svc: { team: 'blue' },
  pod: {},
  empty: { team: 'blue' },
  [`n${'x'.repeat(62)}`]: {},
}
/** The longest name that a Service and a namespace may have. */
export const LONG_NAME = `n${'x'.repeat(62)}`

interface Port {
  readonly name?: string
  readonly protocol?: 'TCP' | 'UDP' | 'SCTP'
  readonly port: number
}

const HTTP: Port = { name: 'http', port: 80 }

/** A Service; `spec` over a ClusterIP Service with the port http. */
export const service = (
  namespace: string,
  name: string,
  spec: Readonly<Record<string, unknown>> = {},
  labels: Readonly<Record<string, string>> = {},
): KubeObject => ({
  apiVersion: 'v1',
  kind: 'Service',
  metadata: { name, namespace, labels },
  spec: { ports: [HTTP], ...spec },
})

const headless = (namespace: string, name: string, ports: readonly Port[] = [HTTP]): KubeObject =>
  service(namespace, name, {
    clusterIP: 'None',
    ports,
    ipFamilyPolicy: 'RequireDualStack',
  })

const external = (name: string, externalName: string, ports?: readonly Port[]): KubeObject =>
  service('demo', name, { type: 'ExternalName', externalName, ports })

/** One endpoint of a hand-made slice. */
export interface Endpoint {
  readonly addresses: readonly string[]
  readonly hostname?: string
  readonly ready?: boolean
  readonly serving?: boolean
  readonly terminating?: boolean
  readonly zone?: string
  readonly pod?: string
}

/** A hand-made EndpointSlice for `service`; undefined leaves its label out. */
export function slice(
  namespace: string,
  name: string,
  service: string | undefined,
  endpoints: readonly Endpoint[],
  options: {
    readonly addressType?: string
    readonly ports?: readonly Port[]
    readonly labels?: Readonly<Record<string, string>>
  } = {},
): KubeObject {
  const { addressType = 'IPv4', ports = [{ name: 'http', port: 8080 }], labels = {} } = options
  return {
    apiVersion: 'discovery.k8s.io/v1',
    kind: 'EndpointSlice',
    metadata: {
      name,
      namespace,
      labels: {
        'endpointslice.kubernetes.io/managed-by': 'e2e',
        ...labels,
        ...(service ? { 'kubernetes.io/service-name': service } : {}),
      },
    },
    addressType,
    ports: ports.map(port => ({ protocol: 'TCP', ...port })),
    endpoints: endpoints.map(({ addresses, hostname, zone, pod, ready, serving, terminating }) => ({
      addresses,
      ...(hostname === undefined ? {} : { hostname }),
      ...(zone === undefined ? {} : { zone }),
      ...(pod === undefined ? {} : { targetRef: { kind: 'Pod', name: pod, namespace } }),
      conditions: {
        ...(ready === undefined ? {} : { ready }),
        ...(serving === undefined ? {} : { serving }),
        ...(terminating === undefined ? {} : { terminating }),
      },
    })),
  }
}

const clusterIps = (namespace: string): KubeObject[] => [
  service(namespace, 'web', { clusterIP: '10.96.10.1', clusterIPs: ['10.96.10.1'] }),
  service(namespace, 'dual', {
    clusterIP: '10.96.10.3',
    clusterIPs: ['10.96.10.3', 'fd00:10:96::3'],
    ipFamilyPolicy: 'RequireDualStack',
  }),
  service(namespace, 'six', {
    ipFamilies: ['IPv6'],
    clusterIP: 'fd00:10:96::600',
    clusterIPs: ['fd00:10:96::600'],
  }),
  service(namespace, 'sixfour', {
    ipFamilyPolicy: 'RequireDualStack',
    ipFamilies: ['IPv6', 'IPv4'],
    clusterIP: 'fd00:10:96::64',
    clusterIPs: ['fd00:10:96::64', '10.96.10.64'],
  }),
  service(namespace, 'two', {
    clusterIP: '10.96.10.4',
    ports: [
      { name: 'a', port: 1 },
      { name: 'b', port: 2, protocol: 'UDP' },
    ],
  }),
  service(namespace, 'unnamed', { ports: [{ port: 7 }] }),
  service(namespace, 'sctp', { ports: [{ name: 's', port: 9, protocol: 'SCTP' }] }),
  service(namespace, 'dns', {
    ports: [
      { name: 'dns', port: 53, protocol: 'UDP' },
      { name: 'dns-tcp', port: 53, protocol: 'TCP' },
    ],
  }),
  service(namespace, 'node-port', { type: 'NodePort' }),
  service(namespace, 'balanced', { type: 'LoadBalancer', externalIPs: ['192.0.2.7'] }),
  service(namespace, 'noend', {}),
  service(namespace, 'svc', {}),
  service(namespace, 'pod', {}),
  service(namespace, LONG_NAME, {}),
]

const headlessOnes = (): KubeObject[] => [
  headless('demo', 'hl'),
  slice('demo', 'hl-4', 'hl', [
    { addresses: ['10.1.0.2'], hostname: 'p0', ready: true },
    { addresses: ['10.1.0.3'] },
  ]),
  slice('demo', 'hl-6', 'hl', [{ addresses: ['fd01::1'], ready: true }], { addressType: 'IPv6' }),
  headless('demo', 'empty'),
  slice('demo', 'empty-1', 'empty', [{ addresses: ['10.1.0.8'], ready: false }]),
  headless('demo', 'sliceless'),
  headless('demo', 'noport', []),
  slice('demo', 'noport-1', 'noport', [{ addresses: ['10.1.0.9'] }], { ports: [] }),
  headless('demo', 'draining'),
  slice('demo', 'draining-1', 'draining', [
    { addresses: ['10.1.1.1'], ready: false, serving: true, terminating: true },
    { addresses: ['10.1.1.2'], ready: true, serving: true, terminating: false },
    { addresses: ['10.1.1.3'], ready: true, serving: false },
  ]),
  headless('demo', 'overlap'),
  slice('demo', 'overlap-1', 'overlap', [
    { addresses: ['10.1.2.1'] },
    { addresses: ['10.1.2.2'], hostname: 'same' },
  ]),
  slice('demo', 'overlap-2', 'overlap', [
    { addresses: ['10.1.2.1'] },
    { addresses: ['10.1.2.3'], hostname: 'same' },
  ]),
  headless('demo', 'ports', [HTTP, { name: 'grpc', port: 81 }]),
  slice('demo', 'ports-1', 'ports', [{ addresses: ['10.1.3.1'] }, { addresses: ['10.1.3.2'] }], {
    ports: [
      { name: 'http', port: 8080 },
      { name: 'grpc', port: 9090 },
      { name: 'syslog', port: 514, protocol: 'UDP' },
    ],
  }),
  slice('demo', 'ports-2', 'ports', [{ addresses: ['10.1.3.3'] }], { ports: [{ name: '', port: 1 }] }),
  headless('demo', 'v6names'),
  slice(
    'demo',
    'v6names-1',
    'v6names',
    [
      { addresses: ['fd00::'] },
      { addresses: ['fd00:0:0:1::'] },
      { addresses: ['2001:db8::a:b'] },
      { addresses: ['2001:db8:1:2:3:4:5:6'], hostname: 'full' },
    ],
    { addressType: 'IPv6' },
  ),
  headless('demo', 'zones'),
  slice('demo', 'zones-1', 'zones', [
    { addresses: ['10.1.4.1'], zone: 'zone-a' },
    { addresses: ['10.1.4.2'], zone: 'zone-b' },
    { addresses: ['10.1.4.3'], zone: 'Zone.C' },
    { addresses: ['10.1.4.4'] },
  ]),
  headless('demo', 'refs'),
  slice('demo', 'refs-1', 'refs', [
    { addresses: ['10.1.5.1'], pod: 'refs-0' },
    { addresses: ['10.1.5.2'], pod: 'refs-1', hostname: 'named' },
    { addresses: ['10.1.5.3'], pod: `p${'y'.repeat(63)}` },
  ]),
  headless('demo', 'large'),
  slice(
    'demo',
    'large-1',
    'large',
    Array.from({ length: 100 }, (_, at) => ({ addresses: [`10.2.0.${at + 1}`] })),
  ),
  slice(
    'demo',
    'large-2',
    'large',
    Array.from({ length: 60 }, (_, at) => ({ addresses: [`10.2.1.${at + 1}`] })),
  ),
  slice('demo', 'unlabelled', undefined, [{ addresses: ['10.1.6.1'] }]),
  slice('demo', 'orphan', 'no-such-service', [{ addresses: ['10.1.6.2'] }]),
  slice('demo', 'web-1', 'web', [{ addresses: ['10.1.7.1'] }, { addresses: ['10.1.7.2'], hostname: 'w' }]),
  slice('demo', 'shared-1', 'dual', [{ addresses: ['10.1.7.1'], hostname: 'shared' }]),
]

/** Services that are reached from outside the cluster; fixtureStatuses gives the load balancers among them their addresses. */
const reachedFromOutside = (): KubeObject[] => [
  service('other', 'out', {
    externalIPs: ['192.0.2.20', '2001:db8::20'],
    ports: [
      { name: 'http', port: 80 },
      { name: 'dns', port: 53, protocol: 'UDP' },
      { name: 'dns-tcp', port: 53 },
    ],
  }),
  service('other', 'shared', { externalIPs: ['192.0.2.20'] }),
  service('other', 'balancer', { type: 'LoadBalancer', externalIPs: ['192.0.2.30'] }),
  service('other', 'balancer-name', { type: 'LoadBalancer' }),
  service('other', 'balancer-names', { type: 'LoadBalancer', ports: [HTTP, { name: 'https', port: 443 }] }),
  service('other', 'out-headless', { clusterIP: 'None', externalIPs: ['192.0.2.40'] }),
  service('other', 'out-no-ports', { clusterIP: 'None', externalIPs: ['192.0.2.41'], ports: [] }),
  service('other', 'out-dead', { externalIPs: ['192.0.2.42'], ports: [{ port: 7 }] }),
]

/** What controllers would write into the status of load balancers, by NAMESPACE/NAME. */
export const fixtureStatuses = (): Readonly<Record<string, readonly object[]>> => ({
  'other/balancer': [{ ip: '192.0.2.31' }, { ip: '2001:db8::31' }],
  'other/balancer-name': [{ hostname: 'lb.example.net' }],
  'other/balancer-names': [
    { hostname: 'lb.example.net' },
    { hostname: 'gone.example.net' },
    { ip: '192.0.2.32' },
  ],
})

/** Pods that ask from addresses of the loopback network, which tests can bind; some share theirs. */
const clients = (): KubeObject[] => [
  client('other', 'client-2', '127.0.0.2', { app: 'client', tier: 'web' }),
  client('svc', 'client-3', '127.0.0.3', { 'app.kubernetes.io/name': 'asker' }),
  client('other', 'shared-4', '127.0.0.4'),
  client('svc', 'shared-4', '127.0.0.4'),
  client('other', 'node-5', '127.0.0.5', {}, { hostNetwork: true }),
]

const client = (
  namespace: string,
  name: string,
  ip: string,
  labels: Readonly<Record<string, string>> = {},
  spec: Readonly<Record<string, unknown>> = {},
): KubeObject => ({
  apiVersion: 'v1',
  kind: 'Pod',
  metadata: { name, namespace, labels, annotations: { 'e2e/ip': ip } },
  spec: { containers: [{ name: 'c', image: 'e2e' }], ...spec },
})

/** A chain of `length` CNAMEs that ends at the Service web. */
const chain = (length: number): KubeObject[] =>
  Array.from({ length }, (_, at) =>
    external(
      `chain${at}`,
      at + 1 < length ? `chain${at + 1}.demo.svc.cluster.local` : 'web.demo.svc.cluster.local',
    ),
  )

const externals = (): KubeObject[] => [
  external('ext', 'www.example.net'),
  external('ext-ports', 'www.example.net', [HTTP]),
  external('ext-dot', 'www.example.net.'),
  external('ext-gone', 'gone.example.net'),
  external('extin', 'web.demo.svc.cluster.local'),
  external('extin-dual', 'dual.demo.svc.cluster.local'),
  external('extin-hl', 'hl.demo.svc.cluster.local'),
  external('extin-end', 'p0.hl.demo.svc.cluster.local'),
  external('extin-pod', '10-9-8-7.demo.pod.cluster.local'),
  external('extdead', 'nope.demo.svc.cluster.local'),
  external('extip', '192.0.2.1'),
  external('ext-self', 'ext-self.demo.svc.cluster.local'),
  external('ext-below', 'x.ext-below.demo.svc.cluster.local'),
  external('ext-apex', 'cluster.local'),
  external('loop-a', 'loop-b.demo.svc.cluster.local'),
  external('loop-b', 'loop-a.demo.svc.cluster.local'),
  ...chain(13),
]

const pods = (
  labels: Readonly<Record<string, string>>,
  extra: Readonly<Record<string, unknown>> = {},
): unknown => ({
  metadata: { labels, ...('annotations' in extra ? { annotations: extra.annotations } : {}) },
  spec: { containers: [{ name: 'c', image: 'e2e' }] },
})

const workloads = (): KubeObject[] => [
  {
    apiVersion: 'apps/v1',
    kind: 'StatefulSet',
    metadata: { name: 'db', namespace: 'demo' },
    spec: {
      replicas: 3,
      serviceName: 'db',
      podManagementPolicy: 'Parallel',
      selector: { matchLabels: { app: 'db' } },
      template: pods({ app: 'db' }),
    },
  },
  service('demo', 'db', {
    clusterIP: 'None',
    selector: { app: 'db' },
    ports: [{ name: 'sql', port: 5432 }],
    ipFamilyPolicy: 'RequireDualStack',
  }),
  service(
    'demo',
    'db-reader',
    { selector: { app: 'db' }, ports: [{ name: 'sql', port: 5432 }] },
    { tier: 'data' },
  ),
  {
    apiVersion: 'apps/v1',
    kind: 'Deployment',
    metadata: { name: 'front', namespace: 'demo' },
    spec: { replicas: 2, selector: { matchLabels: { app: 'front' } }, template: pods({ app: 'front' }) },
  },
  service(
    'demo',
    'front',
    { selector: { app: 'front' }, ports: [{ name: 'http', port: 80, targetPort: 8080 }] },
    { tier: 'web' },
  ),
  {
    apiVersion: 'apps/v1',
    kind: 'ReplicaSet',
    metadata: { name: 'starting', namespace: 'demo' },
    spec: {
      replicas: 2,
      selector: { matchLabels: { app: 'starting' } },
      template: pods({ app: 'starting' }, { annotations: { 'e2e/ready': 'false' } }),
    },
  },
  service('demo', 'starting', { clusterIP: 'None', selector: { app: 'starting' } }, { tier: 'web' }),
  service('demo', 'starting-published', {
    clusterIP: 'None',
    publishNotReadyAddresses: true,
    selector: { app: 'starting' },
  }),
  service('demo', 'legacy', { ports: [{ name: 'http', port: 80 }] }),
  {
    apiVersion: 'v1',
    kind: 'Endpoints',
    metadata: { name: 'legacy', namespace: 'demo' },
    subsets: [
      {
        addresses: [{ ip: '192.0.2.10', hostname: 'old' }, { ip: '192.0.2.11' }],
        notReadyAddresses: [{ ip: '192.0.2.12' }],
        ports: [{ name: 'http', port: 8080 }],
      },
    ],
  },
]

/** The namespaces, which have to be there first. */
export const fixtureNamespaces = (): KubeObject[] =>
  Object.entries(NAMESPACES).map(([name, labels]) => ({
    apiVersion: 'v1',
    kind: 'Namespace',
    metadata: { name, labels },
  }))

/** The objects of the fixture, to be applied in any order after the namespaces. */
export const fixtureObjects = (): KubeObject[] => [
  ...clusterIps('demo'),
  ...headlessOnes(),
  ...externals(),
  ...workloads(),
  ...reachedFromOutside(),
  ...clients(),
  service('other', 'web', {}),
  service('svc', 'web', {}),
  service('svc', 'svc', {}),
  service('pod', 'web', {}),
  service(LONG_NAME, LONG_NAME, {}),
]
