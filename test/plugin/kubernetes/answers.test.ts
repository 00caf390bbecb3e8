// What a cluster's names answer (docs/coredns.md 1.3 to 1.12, the Kubernetes DNS specification), question by question. An
// answer is one line: rcode, data, `+` the additional section's data.

import t, { type Test } from 'tap'
import { costBeside } from '../../support/cost.ts'
import {
  type Asked,
  external,
  headless,
  portsOf,
  SlimCluster,
  slimService,
  slimSlice,
} from '../../support/slim-cluster.ts'

const SERVICES = [
  slimService('demo/web', '10.0.0.1'),
  slimService('demo/dual', '10.0.0.3 fd00::3'),
  slimService('demo/two', '10.0.0.4', { ports: portsOf('a/1 b/2/udp') }),
  slimService('demo/dns', '10.0.0.5', { ports: portsOf('dns/53/udp dns-tcp/53') }),
  slimService('demo/portless', '10.0.0.6', { ports: [] }),
  slimService('demo/ends', '10.0.0.7', { ports: portsOf('low/1 high/65535') }),
  slimService('demo/pending', ''),
  headless('demo/hl'),
  headless('demo/empty'),
  headless('demo/noport'),
  headless('demo/hosts'),
  headless('demo/twice'),
  headless('demo/high'),
  headless('demo/unnumbered'),
  external('demo/ext', 'www.example.net'),
  external('demo/extip', '192.0.2.1'),
  external('demo/extbad', 'a..b'),
  slimService('hidden/web', '10.0.9.9'),
]
const SLICES = [
  slimSlice('demo/web-1', 'web', ['10.1.0.7', '10.1.0.8 blue']),
  slimSlice('demo/hl-1', 'hl', ['10.1.0.2 p0', '10.1.0.3']),
  slimSlice('demo/hl-2', 'hl', ['fd01::1']),
  slimSlice('demo/empty-1', 'empty', []),
  slimSlice('demo/noport-1', 'noport', ['10.1.0.9'], ''),
  slimSlice('demo/hosts-1', 'hosts', ['10.2.0.1 a', '10.2.0.2 a', '10.2.0.3', 'fd02:: a', '::1']),
  slimSlice('demo/twice-1', 'twice', ['10.5.0.1 a', '10.5.0.1 a', '10.5.0.2 b']),
  slimSlice('demo/high-1', 'high', ['10.6.0.1'], 'high/65535'),
  slimSlice('demo/unnumbered-1', 'unnumbered', ['10.7.0.1'], 'any/-1 high/65535'),
  slimSlice('demo/lost-1', 'lost', ['10.3.0.1']),
]
const clusterOf = (...args: ConstructorParameters<typeof SlimCluster>): SlimCluster =>
  new SlimCluster(...args).list(['demo', 'kube-system'], SERVICES, SLICES)

type Cases = readonly (readonly [question: string, answer: string])[]

function judge(t: Test, cluster: SlimCluster, cases: Cases): void {
  for (const [question, answer] of cases) t.equal(cluster.short(question), answer, question)
}

t.test('services (1.4)', async t => {
  judge(t, clusterOf(), [
    ['web.demo.svc A', 'NOERROR A 10.0.0.1'],
    ['WeB.demo.SVC.cluster.LOCAL. A', 'NOERROR A 10.0.0.1'],
    ...[
      'AAAA',
      'MX',
      'ANY',
      'HTTPS',
      'SVCB',
      'CAA',
      'DS',
      'CNAME',
      'TXT',
      'SOA',
      'NS',
      'PTR',
      'TYPE65300',
      'OPT',
    ].map(type => [`web.demo.svc ${type}`, 'NOERROR'] as const),
    ['dual.demo.svc A', 'NOERROR A 10.0.0.3'],
    ['dual.demo.svc AAAA', 'NOERROR AAAA fd00::3'],
    ['pending.demo.svc A', 'NOERROR'],
    ['pending.demo.svc SRV', 'NOERROR'],
    ['gone.svc A', 'NXDOMAIN'],
    ['web.gone.svc A', 'NXDOMAIN'],
    ['web.hidden.svc A', 'NXDOMAIN'],
    ['nope.demo.svc A', 'NXDOMAIN'],
    ['lost.demo.svc A', 'NXDOMAIN'],
    ['*.demo.svc A', 'NXDOMAIN'],
    ['any.demo.svc A', 'NXDOMAIN'],
    ['__proto__.demo.svc A', 'NXDOMAIN'],
    ['constructor.demo.svc A', 'NXDOMAIN'],
    ['we\\.b.demo.svc A', 'NXDOMAIN'],
    ['web\\000.demo.svc A', 'NXDOMAIN'],
    ['web\\.demo.svc A', 'NXDOMAIN'],
    ['10-1-0-7.web.demo.svc A', 'NOERROR A 10.1.0.7'],
    ['blue.web.demo.svc A', 'NOERROR A 10.1.0.8'],
    ['10-1-0-7.web.demo.svc SRV', 'NOERROR SRV 0 100 8080 10-1-0-7.web.demo.svc + A 10.1.0.7'],
  ])
})

t.test('headless services and their endpoints (1.4, 1.5)', async t => {
  judge(t, clusterOf(), [
    ['hl.demo.svc A', 'NOERROR A 10.1.0.2, A 10.1.0.3'],
    ['hl.demo.svc AAAA', 'NOERROR AAAA fd01::1'],
    ['hl.demo.svc TXT', 'NOERROR'],
    ['p0.hl.demo.svc A', 'NOERROR A 10.1.0.2'],
    ['P0.HL.demo.svc A', 'NOERROR A 10.1.0.2'],
    ['p0.hl.demo.svc AAAA', 'NOERROR'],
    ['p0.hl.demo.svc SRV', 'NOERROR SRV 0 100 8080 p0.hl.demo.svc + A 10.1.0.2'],
    ['10-1-0-2.hl.demo.svc A', 'NXDOMAIN'],
    ['10-1-0-3.hl.demo.svc A', 'NOERROR A 10.1.0.3'],
    ['10-1-0-3.hl.demo.svc AAAA', 'NOERROR'],
    ['010-1-0-3.hl.demo.svc A', 'NXDOMAIN'],
    ['fd01--1.hl.demo.svc AAAA', 'NOERROR AAAA fd01::1'],
    ['fd01-0--1.hl.demo.svc AAAA', 'NXDOMAIN'],
    ['x.hl.demo.svc A', 'NXDOMAIN'],
    ['p.hl.demo.svc A', 'NXDOMAIN'],
    ['p00.hl.demo.svc A', 'NXDOMAIN'],
    ['empty.demo.svc A', 'NXDOMAIN'],
    ['empty.demo.svc SRV', 'NXDOMAIN'],
    ['empty.demo.svc TXT', 'NXDOMAIN'],
    ['noport.demo.svc A', 'NOERROR A 10.1.0.9'],
    ['noport.demo.svc SRV', 'NOERROR'],
    ['_http._tcp.noport.demo.svc A', 'NXDOMAIN'],
    ['_._.noport.demo.svc A', 'NOERROR A 10.1.0.9'],
    ['a.hosts.demo.svc A', 'NOERROR A 10.2.0.1, A 10.2.0.2'],
    ['a.hosts.demo.svc AAAA', 'NOERROR AAAA fd02::'],
    ['--1.hosts.demo.svc AAAA', 'NOERROR AAAA ::1'],
    ['fd02--0.hosts.demo.svc AAAA', 'NXDOMAIN'],
  ])
})

t.test('ports and SRV (1.3, 1.5)', async t => {
  const hl =
    'SRV 0 33 8080 10-1-0-3.hl.demo.svc, SRV 0 33 8080 fd01--1.hl.demo.svc, SRV 0 33 8080 p0.hl.demo.svc'
  judge(t, clusterOf(), [
    [
      'twice.demo.svc SRV',
      'NOERROR SRV 0 33 8080 a.twice.demo.svc, SRV 0 33 8080 b.twice.demo.svc + A 10.5.0.1, A 10.5.0.2',
    ],
    [
      '_http._tcp.twice.demo.svc SRV',
      'NOERROR SRV 0 33 8080 a.twice.demo.svc, SRV 0 33 8080 b.twice.demo.svc + A 10.5.0.1, A 10.5.0.2',
    ],
    ['a.twice.demo.svc SRV', 'NOERROR SRV 0 50 8080 a.twice.demo.svc + A 10.5.0.1'],
    ['b.twice.demo.svc SRV', 'NOERROR SRV 0 100 8080 b.twice.demo.svc + A 10.5.0.2'],
    ['web.demo.svc SRV', 'NOERROR SRV 0 100 80 web.demo.svc + A 10.0.0.1'],
    ['_http._tcp.web.demo.svc SRV', 'NOERROR SRV 0 100 80 web.demo.svc + A 10.0.0.1'],
    ['_HTTP._TCP.web.demo.svc SRV', 'NOERROR SRV 0 100 80 web.demo.svc + A 10.0.0.1'],
    ['http.tcp.web.demo.svc SRV', 'NOERROR SRV 0 100 80 web.demo.svc + A 10.0.0.1'],
    ['_._tcp.web.demo.svc SRV', 'NOERROR SRV 0 100 80 web.demo.svc + A 10.0.0.1'],
    ['_http._.web.demo.svc SRV', 'NOERROR SRV 0 100 80 web.demo.svc + A 10.0.0.1'],
    ['_http._tcp.web.demo.svc A', 'NOERROR A 10.0.0.1'],
    ['_http._tcp.web.demo.svc AAAA', 'NOERROR'],
    ['_http._udp.web.demo.svc SRV', 'NXDOMAIN'],
    ['_htt._tcp.web.demo.svc SRV', 'NXDOMAIN'],
    ['__http._tcp.web.demo.svc SRV', 'NXDOMAIN'],
    ['dual.demo.svc SRV', 'NOERROR SRV 0 50 80 dual.demo.svc + A 10.0.0.3, AAAA fd00::3'],
    ['two.demo.svc SRV', 'NOERROR SRV 0 50 1 two.demo.svc, SRV 0 50 2 two.demo.svc + A 10.0.0.4'],
    ['_b._udp.two.demo.svc SRV', 'NOERROR SRV 0 100 2 two.demo.svc + A 10.0.0.4'],
    ['_b._tcp.two.demo.svc SRV', 'NXDOMAIN'],
    ['ends.demo.svc SRV', 'NOERROR SRV 0 50 1 ends.demo.svc, SRV 0 50 65535 ends.demo.svc + A 10.0.0.7'],
    ['_high._tcp.ends.demo.svc SRV', 'NOERROR SRV 0 100 65535 ends.demo.svc + A 10.0.0.7'],
    ['high.demo.svc SRV', 'NOERROR SRV 0 100 65535 10-6-0-1.high.demo.svc + A 10.6.0.1'],
    ['unnumbered.demo.svc SRV', 'NOERROR SRV 0 50 65535 10-7-0-1.unnumbered.demo.svc + A 10.7.0.1'],
    ['_any._tcp.unnumbered.demo.svc SRV', 'NOERROR'],
    ['dns.demo.svc SRV', 'NOERROR SRV 0 50 53 dns.demo.svc + A 10.0.0.5'],
    ['_dns-tcp._tcp.dns.demo.svc SRV', 'NOERROR SRV 0 100 53 dns.demo.svc + A 10.0.0.5'],
    ['portless.demo.svc SRV', 'NOERROR'],
    ['portless.demo.svc A', 'NOERROR A 10.0.0.6'],
    ['_http._tcp.portless.demo.svc A', 'NXDOMAIN'],
    ['hl.demo.svc SRV', `NOERROR ${hl} + A 10.1.0.2, A 10.1.0.3, AAAA fd01::1`],
    ['_http._tcp.hl.demo.svc SRV', `NOERROR ${hl} + A 10.1.0.2, A 10.1.0.3, AAAA fd01::1`],
    ['_http._tcp.hl.demo.svc A', 'NOERROR A 10.1.0.2, A 10.1.0.3'],
    ['_smtp._tcp.hl.demo.svc A', 'NXDOMAIN'],
    ['a.b.c.web.demo.svc A', 'NXDOMAIN'],
    ['eu.pin._zone.hl.demo.svc A', 'NXDOMAIN'],
  ])
})

t.test('two endpoints with one host name give its SRV once (1.5)', async t => {
  const reply = clusterOf().ask('hosts.demo.svc SRV') as Exclude<Asked, string>
  t.same(reply.records.answer.map(({ data }) => data.replace('.hosts.demo.svc.cluster.local.', '')).sort(), [
    '0 20 8080 --1',
    '0 20 8080 10-2-0-3',
    '0 20 8080 a',
  ])
  t.equal(reply.additional.length, 5)
})

t.test('ExternalName (1.6)', async t => {
  judge(t, clusterOf(), [
    ['ext.demo.svc CNAME', 'NOERROR CNAME www.example.net.'],
    ['ext.demo.svc A', 'chase'],
    ['ext.demo.svc AAAA', 'chase'],
    ['ext.demo.svc SRV', 'NOERROR'],
    ['ext.demo.svc TXT', 'NOERROR'],
    ['x.ext.demo.svc A', 'NXDOMAIN'],
    ['_http._tcp.ext.demo.svc A', 'NXDOMAIN'],
    ['extip.demo.svc A', 'NXDOMAIN'],
    ['extip.demo.svc CNAME', 'NXDOMAIN'],
    ['extbad.demo.svc A', 'NXDOMAIN'],
  ])
})

t.test('nodes above services, the apex and special names (1.3, 1.9)', async t => {
  const soa = 'NOERROR SOA ns.dns hostmaster 1700000000 7200 1800 86400 5'
  judge(t, clusterOf(), [
    ['demo.svc A', 'NOERROR'],
    ['demo.svc TXT', 'NOERROR'],
    ['svc A', 'NOERROR'],
    ['svc TXT', 'NOERROR'],
    ['pod A', 'NOERROR'],
    ['demo.pod A', 'NOERROR'],
    ['hidden.svc A', 'NXDOMAIN'],
    ['foo A', 'NXDOMAIN'],
    ['foo SOA', 'NXDOMAIN'],
    ['nope.demo.svc SOA', 'NXDOMAIN'],
    ['web.demo.svc SOA', 'NOERROR'],
    ['svc SOA', 'NOERROR'],
    ['demo.svc SOA', 'NOERROR'],
    ['dns A', 'NXDOMAIN'],
    ['kubernetes A', 'NXDOMAIN'],
    ['cluster.local. SOA', soa],
    ['Cluster.LOCAL. A', 'NOERROR'],
    ['cluster.local. TXT', 'NOERROR'],
    ['cluster.local. ANY', 'NOERROR'],
    ['cluster.local. NS', 'NOERROR'],
    ['ns.dns A', 'NOERROR'],
    ['dns-version TXT', 'NOERROR TXT "1.1.0"'],
    ['dns-version A', 'NXDOMAIN'],
    ['a.dns-version TXT', 'NXDOMAIN'],
    ['web.demo.svc AXFR', 'REFUSED'],
    ['cluster.local. AXFR', 'REFUSED'],
    ['cluster.local. IXFR', 'REFUSED'],
  ])
})

t.test('Pods by address (1.7)', async t => {
  const insecure: Cases = [
    ['10-9-8-7.demo.pod A', 'NOERROR A 10.9.8.7'],
    ['10-9-8-7.demo.pod AAAA', 'NOERROR'],
    ['10-9-8-7.demo.pod TXT', 'NOERROR'],
    ['fd00--7.demo.pod AAAA', 'NOERROR AAAA fd00::7'],
    ['--1.demo.pod AAAA', 'NOERROR AAAA ::1'],
    ['blah.demo.pod A', 'NXDOMAIN'],
    ['10-9-8-256.demo.pod A', 'NXDOMAIN'],
    ['10-9-8.demo.pod A', 'NXDOMAIN'],
    ['10-9-8-7.gone.pod A', 'NXDOMAIN'],
    ['x.10-9-8-7.demo.pod A', 'NOERROR A 10.9.8.7'],
    ['a.b.10-9-8-7.demo.pod A', 'NOERROR A 10.9.8.7'],
    ['a.b.c.10-9-8-7.demo.pod A', 'NXDOMAIN'],
    ['10-9-8-7.demo.pod SRV', 'NOERROR SRV 0 100 0 10-9-8-7.demo.pod + A 10.9.8.7'],
  ]
  judge(t, clusterOf(), insecure)
  judge(t, clusterOf({ pods: 'disabled' }), [
    ...insecure.map(([question]) => [question, 'NXDOMAIN'] as const),
    ['demo.pod A', 'NXDOMAIN'],
    ['pod A', 'NOERROR'],
  ])
  const verified = clusterOf({ pods: 'verified' })
  const pod = { namespace: 'demo', name: 'a', ip: '10.9.8.7' }
  t.equal(verified.short('10-9-8-7.demo.pod A'), 'NXDOMAIN')
  verified.cluster.upsert('Pod', pod)
  verified.cluster.upsert('Pod', { ...pod, name: 'b' })
  verified.cluster.upsert('Pod', { ...pod, name: 'c', ip: 'fd00::7' })
  judge(t, verified, [
    ['10-9-8-7.demo.pod A', 'NOERROR A 10.9.8.7'],
    ['fd00--7.demo.pod AAAA', 'NOERROR AAAA fd00::7'],
    ['fd00-0-0-0-0-0-0-7.demo.pod AAAA', 'NOERROR AAAA fd00::7'],
    ['10-9-8-7.kube-system.pod A', 'NXDOMAIN'],
    ['10-9-8-8.demo.pod A', 'NXDOMAIN'],
  ])
  verified.cluster.remove('Pod', 'demo/a')
  t.equal(verified.short('10-9-8-7.demo.pod A'), 'NOERROR A 10.9.8.7', 'another Pod still has it')
  verified.cluster.remove('Pod', 'demo/b')
  t.equal(verified.short('10-9-8-7.demo.pod A'), 'NXDOMAIN')
})

t.test('addresses back to names (1.8)', async t => {
  const nibbles = (text: string): string => `${text}.ip6.arpa.`
  const zeros = (n: number): string => Array(n).fill('0').join('.')
  judge(t, clusterOf(), [
    ['1.0.0.10.in-addr.arpa. PTR', 'NOERROR PTR web.demo.svc'],
    ['1.0.0.10.IN-ADDR.arpa. PTR', 'NOERROR PTR web.demo.svc'],
    ['1.0.0.10.in-addr.arpa. A', 'NOERROR'],
    ['2.0.1.10.in-addr.arpa. PTR', 'NOERROR PTR p0.hl.demo.svc'],
    ['3.0.1.10.in-addr.arpa. PTR', 'NOERROR PTR 10-1-0-3.hl.demo.svc'],
    ['7.0.1.10.in-addr.arpa. PTR', 'NOERROR PTR 10-1-0-7.web.demo.svc'],
    ['1.0.3.10.in-addr.arpa. PTR', 'NOERROR PTR 10-3-0-1.lost.demo.svc'],
    [`${nibbles(`3.${zeros(27)}.0.0.d.f`)} PTR`, 'NOERROR PTR dual.demo.svc'],
    [`${nibbles(`3.${zeros(27)}.0.0.D.F`)} PTR`, 'NOERROR PTR dual.demo.svc'],
    [`${nibbles(`1.${zeros(27)}.1.0.d.f`)} PTR`, 'NOERROR PTR fd01--1.hl.demo.svc'],
    ['9.9.0.10.in-addr.arpa. PTR', 'NXDOMAIN'],
    ['8.8.8.8.in-addr.arpa. PTR', 'NXDOMAIN'],
    ['0.0.10.in-addr.arpa. PTR', 'NXDOMAIN'],
    ['01.0.0.10.in-addr.arpa. PTR', 'NXDOMAIN'],
    ['1.1.0.0.10.in-addr.arpa. PTR', 'NXDOMAIN'],
    ['x.0.0.10.in-addr.arpa. PTR', 'NXDOMAIN'],
    ['in-addr.arpa. PTR', 'NOERROR'],
    ['web.demo.svc PTR', 'NOERROR'],
  ])
  const shared = clusterOf()
  shared.cluster.upsert('EndpointSlice', slimSlice('demo/hl-3', 'hl', ['10.1.0.7']))
  t.equal(
    shared.short('7.0.1.10.in-addr.arpa. PTR'),
    'NOERROR PTR 10-1-0-7.hl.demo.svc, PTR 10-1-0-7.web.demo.svc',
  )
})

t.test('fallthrough is of name errors alone', async t => {
  judge(t, clusterOf({ fallthrough: ['in-addr.arpa.', 'ip6.arpa.'] }), [
    ['8.8.8.8.in-addr.arpa. PTR', 'pass'],
    ['0.0.10.in-addr.arpa. PTR', 'pass'],
    ['1.0.0.10.in-addr.arpa. A', 'NOERROR'],
    ['x.8.8.8.8.in-addr.arpa. SOA', 'pass'],
    ['1.0.0.10.in-addr.arpa. SOA', 'NOERROR'],
    ['nope.demo.svc A', 'NXDOMAIN'],
  ])
  judge(t, clusterOf({ fallthrough: ['.'] }), [
    ['nope.demo.svc A', 'pass'],
    ['foo A', 'pass'],
    ['empty.demo.svc A', 'pass'],
    ['web.demo.svc AAAA', 'NOERROR'],
  ])
  judge(t, clusterOf({ fallthrough: ['demo.svc.cluster.local.'] }), [
    ['nope.demo.svc A', 'pass'],
    ['nope.xdemo.svc A', 'NXDOMAIN'],
  ])
})

t.test('names (1.10): before all is listed a miss is SERVFAIL', async t => {
  const cluster = new SlimCluster()
  cluster.cluster.replace('Namespace', [{ name: 'demo' }])
  cluster.cluster.upsert('Service', slimService('demo/web', '10.0.0.1'))
  judge(t, cluster, [
    ['web.demo.svc A', 'NOERROR A 10.0.0.1'],
    ['web.demo.svc AAAA', 'NOERROR'],
    ['demo.svc A', 'NOERROR'],
    ['nope.demo.svc A', 'SERVFAIL'],
    ['8.8.8.8.in-addr.arpa. PTR', 'SERVFAIL'],
  ])
  cluster.cluster.replace('Service', [slimService('demo/web', '10.0.0.1')])
  t.equal(cluster.short('nope.demo.svc A'), 'SERVFAIL')
  cluster.cluster.replace('EndpointSlice', [])
  t.equal(cluster.short('nope.demo.svc A'), 'NXDOMAIN')
  const passing = new SlimCluster({ fallthrough: ['.'] })
  t.equal(
    passing.short('nope.demo.svc A'),
    'pass',
    'fallthrough comes before the question whether all is listed',
  )
})

t.test('namespaces: only those exposed', async t => {
  judge(t, clusterOf({ namespaces: ['kube-system'] }), [
    ['web.demo.svc A', 'NXDOMAIN'],
    ['demo.svc A', 'NXDOMAIN'],
    ['kube-system.svc A', 'NOERROR'],
    ['10-9-8-7.demo.pod A', 'NXDOMAIN'],
    ['1.0.0.10.in-addr.arpa. PTR', 'NXDOMAIN'],
  ])
})

t.test('endpoint_pod_names (1.5)', async t => {
  const long = 'p'.repeat(64)
  const slices = [
    slimSlice('demo/hl-1', 'hl', ['10.1.0.2 p0 - pod-a', '10.1.0.3   pod-b', `10.1.0.4   ${long}`]),
  ]
  const ask = (endpointPodNames: boolean): SlimCluster =>
    new SlimCluster({ endpointPodNames }).list(['demo'], [headless('demo/hl')], slices)
  judge(t, ask(true), [
    ['p0.hl.demo.svc A', 'NOERROR A 10.1.0.2'],
    ['pod-a.hl.demo.svc A', 'NXDOMAIN'],
    ['pod-b.hl.demo.svc A', 'NOERROR A 10.1.0.3'],
    ['10-1-0-3.hl.demo.svc A', 'NXDOMAIN'],
    ['10-1-0-4.hl.demo.svc A', 'NOERROR A 10.1.0.4'],
    ['3.0.1.10.in-addr.arpa. PTR', 'NOERROR PTR pod-b.hl.demo.svc'],
  ])
  judge(t, ask(false), [
    ['pod-b.hl.demo.svc A', 'NXDOMAIN'],
    ['10-1-0-3.hl.demo.svc A', 'NOERROR A 10.1.0.3'],
  ])
})

t.test('ignore empty_service (1.4)', async t => {
  judge(t, clusterOf({ ignoreEmptyService: true }), [
    ['web.demo.svc A', 'NOERROR A 10.0.0.1'],
    ['dual.demo.svc A', 'NXDOMAIN'],
    ['dual.demo.svc TXT', 'NXDOMAIN'],
    ['_http._tcp.dual.demo.svc SRV', 'NXDOMAIN'],
    ['3.0.0.10.in-addr.arpa. PTR', 'NXDOMAIN'],
    ['ext.demo.svc CNAME', 'NOERROR CNAME www.example.net.'],
    ['empty.demo.svc A', 'NXDOMAIN'],
  ])
})

t.test('zonal names (1.12)', async t => {
  const slices = [
    slimSlice('demo/hl-1', 'hl', ['10.1.0.1 p1 eu-1', '10.1.0.2 p2 eu-2', '10.1.0.3  a.b', '10.1.0.4']),
    slimSlice('demo/web-1', 'web', ['10.1.0.1  eu-1']),
  ]
  const services = [headless('demo/hl'), slimService('demo/web', '10.0.0.1'), external('demo/ext', 'a.b')]
  judge(t, new SlimCluster({ zonal: true }).list(['demo'], services, slices), [
    ['eu-1.pin._zone.hl.demo.svc A', 'NOERROR A 10.1.0.1'],
    ['EU-2.PIN._ZONE.hl.demo.svc A', 'NOERROR A 10.1.0.2'],
    ['a.b.pin._zone.hl.demo.svc A', 'NOERROR A 10.1.0.3'],
    ['eu-1.prefer._zone.hl.demo.svc A', 'NOERROR A 10.1.0.1'],
    ['eu-1.pin._zone.hl.demo.svc SRV', 'NOERROR SRV 0 100 8080 p1.hl.demo.svc + A 10.1.0.1'],
    ['eu-1.pin._zone.hl.demo.svc AAAA', 'NOERROR'],
    ['eu-1.pin._zone.hl.demo.svc TXT', 'NOERROR'],
    ['us.pin._zone.hl.demo.svc A', 'NOERROR'],
    ['us.pin._zone.hl.demo.svc SRV', 'NOERROR'],
    ['us.prefer._zone.hl.demo.svc A', 'NOERROR A 10.1.0.1, A 10.1.0.2, A 10.1.0.3, A 10.1.0.4'],
    ['eu-1.some._zone.hl.demo.svc A', 'NXDOMAIN'],
    ['eu-1.pin._zone.web.demo.svc A', 'NXDOMAIN'],
    ['eu-1.pin._zone.ext.demo.svc A', 'NXDOMAIN'],
    ['eu-1.pin._zone.nope.demo.svc A', 'NXDOMAIN'],
    ['_http._tcp.hl.demo.svc A', 'NOERROR A 10.1.0.1, A 10.1.0.2, A 10.1.0.3, A 10.1.0.4'],
    ['p1.hl.demo.svc A', 'NOERROR A 10.1.0.1'],
  ])
})

t.test('NS and ns.dns (1.9)', async t => {
  const own = { ownTexts: ['10.1.9.9', 'fd01::99'] }
  judge(t, clusterOf({}, own), [
    ['cluster.local. NS', 'NOERROR NS ns.dns + A 10.1.9.9, AAAA fd01::99'],
    ['ns.dns A', 'NOERROR A 10.1.9.9'],
    ['Ns.Dns.Cluster.Local. AAAA', 'NOERROR AAAA fd01::99'],
    ['ns.dns SRV', 'NOERROR'],
  ])
  const owned = clusterOf({}, own)
  owned.cluster.upsert(
    'Service',
    slimService('kube-system/kube-dns', '10.96.0.10', { ports: portsOf('dns/53/udp') }),
  )
  owned.cluster.upsert(
    'EndpointSlice',
    slimSlice('kube-system/kube-dns-1', 'kube-dns', ['10.1.9.9', '10.1.9.8']),
  )
  judge(t, owned, [
    ['cluster.local. NS', 'NOERROR NS kube-dns.kube-system.svc + A 10.96.0.10'],
    ['ns.dns A', 'NOERROR A 10.96.0.10'],
  ])
  const bare = clusterOf({}, own)
  bare.cluster.upsert('Service', headless('kube-system/dns'))
  bare.cluster.upsert('EndpointSlice', slimSlice('kube-system/dns-1', 'dns', ['10.1.9.9 one', 'fd01::99']))
  judge(t, bare, [
    [
      'cluster.local. NS',
      'NOERROR NS fd01--99.dns.kube-system.svc, NS one.dns.kube-system.svc + A 10.1.9.9, AAAA fd01::99',
    ],
    ['one.dns.kube-system.svc A', 'NOERROR A 10.1.9.9'],
  ])
})

t.test('header, TTLs and spelling', async t => {
  const reply = clusterOf({ ttlSeconds: 900 }).ask('_Http._TCP.wEb.Demo.svc.Cluster.LOCAL. SRV', {
    edns: { dnssecOk: true },
  }) as Exclude<Asked, string>
  t.match(reply.flags, { qr: true, aa: true, tc: false, rd: true, ra: false, z: false, ad: false, cd: false })
  t.match(reply, { id: 4711, opcode: 0, edns: { udpSize: 1232, version: 0, dnssecOk: true, options: [] } })
  t.same(reply.question, ['_Http._TCP.wEb.Demo.svc.Cluster.LOCAL. IN SRV'])
  t.same(reply.answer, [
    '_Http._TCP.wEb.Demo.svc.Cluster.LOCAL. 900 IN SRV 0 100 80 web.demo.svc.Cluster.LOCAL.',
  ])
  t.same(reply.additional, ['web.demo.svc.Cluster.LOCAL. 900 IN A 10.0.0.1'])
  const negative = clusterOf({ ttlSeconds: 900 }).ask('nope.Cluster.LOCAL. A') as Exclude<Asked, string>
  t.same(negative.authority, [
    'Cluster.LOCAL. 300 IN SOA ns.dns.Cluster.LOCAL. hostmaster.Cluster.LOCAL. 1700000000 7200 1800 86400 900',
  ])
  t.equal(negative.edns, undefined)
  const version = clusterOf({ ttlSeconds: 0 }).ask('dns-version TXT') as Exclude<Asked, string>
  t.equal(version.records.answer[0]?.ttlSeconds, 28_800)
})

t.test('a headless service of 5,000 endpoints', async t => {
  const addresses = Array.from({ length: 5000 }, (_, i) => `10.9.${i >> 8}.${i & 255}`)
  const slices = Array.from({ length: 50 }, (_, i) =>
    slimSlice(`demo/big-${i}`, 'big', addresses.slice(100 * i, 100 * i + 100)),
  )
  for (const shuffle of [false, true]) {
    const cluster = new SlimCluster({}, { shuffle, random: () => 0.999 }).list(
      ['demo'],
      [headless('demo/big')],
      slices,
    )
    for (const question of [
      'big.demo.svc A',
      'big.demo.svc SRV',
      '_http._tcp.big.demo.svc A',
      '_http._tcp.big.demo.svc SRV',
    ]) {
      for (const maxOctets of [512, 1232, 4096, 65535]) {
        const reply = cluster.ask(question, { maxOctets, edns: {} }) as Exclude<Asked, string>
        t.equal(reply.flags.tc, true, `${question} in ${maxOctets}`)
        t.ok(reply.edns, 'OPT keeps its place')
        t.equal(new Set(reply.answer).size, reply.answer.length)
        const fill = question.endsWith(' A') ? 40 : 130
        t.ok(reply.answer.length > (maxOctets - fill - 60) / fill / 2, `${reply.answer.length} records`)
      }
    }
    t.equal(cluster.short('8.0.9.10.in-addr.arpa. PTR'), 'NOERROR PTR 10-9-0-8.big.demo.svc')
    t.equal(cluster.short('10-9-0-8.big.demo.svc A', { maxOctets: 512 }), 'NOERROR A 10.9.0.8')
  }
})

t.test(
  'SRV of 300 endpoints was cut over TCP: glue whose owner lies beyond the reach of pointers was left out with TC set',
  async t => {
    const endpoints = Array.from({ length: 300 }, (_, i) => `10.9.${i >> 8}.${i & 255} ${'p'.repeat(40)}${i}`)
    const cluster = new SlimCluster().list(
      ['demo'],
      [headless('demo/set')],
      [slimSlice('demo/set-1', 'set', endpoints)],
    )
    const reply = cluster.ask('set.demo.svc SRV') as Exclude<Asked, string>
    t.equal(reply.flags.tc, false)
    t.equal(reply.answer.length, 300)
    t.strictSame(
      reply.records.additional.map(({ name, data }) => `${name} ${data}`),
      endpoints.map(endpoint => endpoint.replace(/^(\S+) (\S+)$/, '$2.set.demo.svc.cluster.local. $1')),
      'glue for every target, in full',
    )
  },
)

t.test('named endpoints are as quick as others', async t => {
  const make = (hasNames: boolean): SlimCluster =>
    new SlimCluster().list(
      ['demo'],
      [headless('demo/set')],
      [
        slimSlice(
          'demo/set-1',
          'set',
          Array.from({ length: 5000 }, (_, i) => `10.9.${i >> 8}.${i & 255}${hasNames ? ` p${i}` : ''}`),
        ),
      ],
    )
  const [named, nameless] = [make(true), make(false)]
  const ask = (cluster: SlimCluster) => (): unknown =>
    cluster.ask('_http._tcp.set.demo.svc A', { maxOctets: 1232 })
  const times = costBeside(ask(named), ask(nameless))
  t.ok(times < 3, `${times.toFixed(2)} times as long`)
})
