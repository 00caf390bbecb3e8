// The rows about words of the Corefile, transports and forwards, as data. None of them is answered out of a response cache,
// unless its title says so.

import { pod, service } from '../../support/fake-objects.ts'
import type { ServiceShape } from '../common/cluster.ts'
import type { Row } from '../common/context.ts'
import { UPSTREAM_NAME } from '../common/forwarders.ts'
import type { Placed } from '../common/objects.ts'
import { clusterIps, externals, headlessPorts, shuffled } from '../common/queries.ts'
import { type CorefileRow, corefileRow } from './corefile-row.ts'

const ZONE = 'svc.cluster.local'
const NAMES = 10_000
const OBJECTS = 100
/** Where dnsperf asks from. */
const CLIENT = '127.0.0.1'
const CLIENT_NAMESPACE = 'ns-1'

const numbers = (count: number): number[] => Array.from({ length: count }, (_, n) => n)
const address = (net: string, n: number): string => `${net}.${n >> 8}.${n & 255}`
/** `DIRECTIVE {`, the lines, `}`. */
const block = (head: string, ...lines: readonly string[]): string[] => [
  `${head} {`,
  ...lines.map(line => `   ${line}`),
  '}',
]

/** Names of another zone, and files about them. */
const names = shuffled(numbers(NAMES).map(n => `host-${n}.example.net A`))
const hostsFile = (each: number): string =>
  numbers(NAMES)
    .flatMap(n => numbers(each).map(i => `${address(`10.${i}`, n)} host-${n}.example.net\n`))
    .join('')
const zoneFile = [
  '@ 60 IN SOA ns hostmaster 1 7200 1800 86400 60',
  '@ 60 IN NS ns',
  ...numbers(NAMES).map(n => `host-${n} 60 IN A ${address('10.1', n)}`),
  '',
].join('\n')
const weightsFile = numbers(NAMES)
  .flatMap(n => [`host-${n}.example.net`, ...numbers(3).map(i => `${address(`10.${i}`, n)} ${i + 1}`)])
  .join('\n')

const placed = (objects: readonly Placed[1][]): Placed[] => objects.map(object => ['services', object])
const aliases = placed(
  numbers(OBJECTS).map(n => ({
    metadata: { namespace: 'ns-0', name: `alias-${n}` },
    spec: { type: 'ExternalName', externalName: `target-${n}.example.org` },
  })),
)
const publicOnes = placed(
  numbers(OBJECTS).map(n => {
    const clusterIP = address('10.104', n)
    return service('ns-0', `public-${n}`, {
      clusterIP,
      clusterIPs: [clusterIP],
      externalIPs: [address('192.0', n)],
    })
  }),
)
/** A Pod where dnsperf asks from, so that its search path is known. */
const client: Placed = [
  'pods',
  { ...pod(CLIENT_NAMESPACE, 'client', CLIENT), spec: { containers: [{ name: 'client', image: 'client' }] } },
]

const inCorp = (services: readonly ServiceShape[]): string[] =>
  clusterIps(services).map(line => line.replace(`.${ZONE} `, '.corp.example '))
const aaaa = (services: readonly ServiceShape[]): string[] =>
  clusterIps(services).map(line => line.replace(/ A$/, ' AAAA'))
const templated = shuffled(numbers(NAMES).map(n => `ip-10-1-${n >> 8}-${n & 255}.ip.example A`))
const refusing = ['template ANY ANY {', '   rcode REFUSED', '}']

/** What a forward may take. */
const FORWARD = { coredns: 0.35, dnsdist: 1.5 }

// biome-ignore format: a table
const ROWS: readonly CorefileRow[] = [
  { id: 'forward-miss', title: 'forwarded, not in the cache', change: {}, goal: FORWARD, forwarding: { transport: 'udp', cache: true } },
  { id: 'forward-no-cache', title: 'forwarded, no `cache` in the block', change: { drop: ['cache'] }, goal: { coredns: 0.35 },
    forwarding: { transport: 'udp', cache: false } },
  { id: 'forward-tcp', title: 'forwarded over TCP (`force_tcp`), not in the cache', change: { forward: ['force_tcp'] }, goal: { coredns: 0.5 },
    forwarding: { transport: 'tcp', cache: true } },
  { id: 'forward-tls', title: 'forwarded over TLS (`tls://`), not in the cache', goal: { coredns: 0.5 },
    change: { scheme: 'tls', forward: ['tls ca.pem', `tls_servername ${UPSTREAM_NAME}`] }, forwarding: { transport: 'tls', cache: true } },
  { id: 'log', title: '`log`, A of a ClusterIP', change: { add: ['log'] }, queries: clusterIps, goal: { coredns: 0.3 } },
  { id: 'log-cached', title: '`log`, forwarded names, cached', change: { add: ['log'] }, queries: (_, serial) => externals(serial), fill: true,
    goal: { coredns: 0.3 } },
  { id: 'log-denial', title: '`log` of denials alone, A of a ClusterIP', change: { add: block('log .', 'class denial') }, queries: clusterIps,
    goal: { coredns: 0.2 } },
  { id: 'acl-allow', title: '`acl` that allows', change: { add: block('acl', 'allow net 127.0.0.0/8', 'block') }, queries: clusterIps,
    goal: { coredns: 0.2 } },
  { id: 'acl-refuse', title: '`acl` that refuses', change: { add: block('acl example.net', 'block net 127.0.0.0/8') }, queries: () => names,
    codes: { REFUSED: 1 }, goal: { coredns: 0.2 } },
  { id: 'rewrite-suffix', title: '`rewrite name suffix … answer auto` that matches', queries: inCorp, goal: { coredns: 0.35 },
    change: { add: [`rewrite name suffix .corp.example .${ZONE} answer auto`] } },
  { id: 'rewrite-regex', title: '`rewrite name regex` that does not match', queries: clusterIps, goal: { coredns: 0.25 },
    change: { add: [String.raw`rewrite name regex (.*)\.corp\.example\. {1}.${ZONE}. answer auto`] } },
  { id: 'template', title: '`template` with a pattern and groups that matches', queries: () => templated, goal: { coredns: 0.5 },
    change: { drop: ['cache'], add: block('template IN A ip.example',
      `match ^ip-(?P<a>[0-9]+)-(?P<b>[0-9]+)-(?P<c>[0-9]+)-(?P<d>[0-9]+)[.]ip[.]example[.]$`,
      'answer "{{ .Name }} 60 IN A {{ .Group.a }}.{{ .Group.b }}.{{ .Group.c }}.{{ .Group.d }}"') } },
  { id: 'metadata-log', title: '`metadata` and `log` with a label', queries: clusterIps, goal: { coredns: 0.35 },
    change: { add: ['metadata', 'log . "{remote} {name} {rcode} {/kubernetes/service}"'] } },
  { id: 'autopath', title: '`autopath @kubernetes`, found at the end of the path, cached', objects: [client], fill: true,
    queries: (_, serial) => externals(serial).map(line => line.replace(' ', `.${CLIENT_NAMESPACE}.${ZONE} `)),
    change: { pods: 'verified', add: ['autopath @kubernetes'] }, goal: { coredns: 0.4 } },
  { id: 'view-address', title: '`view` by `incidr(client_ip(), …)`', queries: clusterIps, goal: { coredns: 0.3 },
    change: { add: block('view here', `expr incidr(client_ip(), '127.0.0.0/8')`), behind: refusing } },
  { id: 'view-name', title: '`view` by name', queries: clusterIps, goal: { coredns: 0.3 },
    change: { add: block('view cluster', `expr name() endsWith '.cluster.local.'`), behind: refusing } },
  { id: 'cookie', title: 'a query with a DNS cookie, A of a ClusterIP', change: {}, queries: clusterIps, goal: { coredns: 0.15 },
    option: { code: 10, data: Buffer.from('0123456789abcdef', 'hex') } },
  { id: 'nsid', title: 'a query with NSID, `nsid`, A of a ClusterIP', change: { add: ['nsid node-1'] }, queries: clusterIps, goal: { coredns: 0.15 },
    option: { code: 3, data: Buffer.alloc(0) } },
  { id: 'keepalive', title: 'a query with keepalive over 50 TCP connections, A of a ClusterIP', change: {}, queries: clusterIps,
    load: { transport: 'tcp' }, option: { code: 11, data: Buffer.alloc(0) }, goal: { coredns: 0.15 } },
  { id: 'hosts', title: '`hosts`, a name in it', queries: () => names, files: { names: hostsFile(1) }, goal: { coredns: 0.35 },
    change: { drop: ['cache'], add: block('hosts names example.net', 'fallthrough') } },
  { id: 'file', title: '`file`, a zone of 10,000 names', queries: () => names, files: { zone: zoneFile }, goal: { coredns: 0.35 },
    change: { drop: ['cache'], add: ['file zone example.net'] } },
  { id: 'dns64', title: '`dns64`, AAAA of a ClusterIP', queries: aaaa, goal: { coredns: 0.35 },
    change: { drop: ['cache'], add: block('dns64', 'prefix 64:ff9b::/96', 'allow_ipv4') } },
  { id: 'k8s-external', title: '`k8s_external`, A of a Service with an external address', objects: publicOnes, goal: { coredns: 0.35 },
    queries: () => shuffled(numbers(OBJECTS).map(n => `public-${n}.ns-0.example.com A`)),
    change: { drop: ['cache'], add: ['k8s_external example.com'] } },
  { id: 'loadbalance-weighted', title: '`loadbalance weighted`, 3 addresses out of `hosts`', queries: () => names, goal: { coredns: 0.35 },
    files: { names: hostsFile(3), weights: weightsFile },
    change: { drop: ['cache', 'loadbalance'], add: [...block('hosts names example.net', 'fallthrough'), 'loadbalance weighted weights'] } },
  { id: 'any', title: '`any`', queries: () => names.map(line => line.replace(/ A$/, ' ANY')), change: { drop: ['cache'], add: ['any'] },
    goal: { coredns: 0.35 } },
  { id: 'minimal', title: '`minimal`, SRV of a headless service, 10 endpoints', queries: headlessPorts, load: { edns: true },
    change: { add: ['minimal'] }, goal: { coredns: 0.35 } },
  { id: 'external-name', title: 'ExternalName, its target cached', objects: aliases, fill: true, goal: { coredns: 0.35 }, change: {},
    queries: () => shuffled(numbers(OBJECTS).map(n => `alias-${n}.ns-0.${ZONE} A`)) },
  { id: 'dot', title: 'DoT, 50 connections, A of a ClusterIP', queries: clusterIps, load: { transport: 'dot' }, goal: { coredns: 0.5 },
    change: { over: 'tls', add: ['tls cert.pem key.pem'] } },
  { id: 'doh', title: 'DoH, 50 connections, A of a ClusterIP', queries: clusterIps, load: { transport: 'doh' }, goal: { coredns: 0.5 },
    change: { over: 'https', add: ['tls cert.pem key.pem'] } },
]

/** The rows, in the order in which they are measured. */
export const COREFILE_ROWS: readonly Row[] = ROWS.map(corefileRow)
