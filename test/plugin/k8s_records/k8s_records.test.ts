// Names that objects ask for: who may have which, what is answered, and what changes with the objects.

import t from 'tap'
import { checkedSlim } from '../../../src/objects/checked.ts'
import type { RecordKind, SlimService } from '../../../src/objects/objects.ts'
import type { RecordOptions } from '../../../src/objects/options.ts'
import type { SlimRecords } from '../../../src/objects/records.ts'
import {
  isProblem,
  type SlimProblem,
  slimDnsEndpoint,
  slimDnsRecord,
  slimGateway,
  slimIngress,
  slimRoute,
  slimService,
} from '../../../src/objects/slim.ts'
import { k8sRecordsWord } from '../../../src/plugin/k8s_records/k8s_records.ts'
import { decodeMessage } from '../../support/dns-message.ts'
import { encodeQuestion } from '../../support/dns-question.ts'
import { extendedError } from '../../support/extended-error.ts'
import { ServerBlock } from '../../support/server-block.ts'
import { slimService as plainService, SlimCluster } from '../../support/slim-cluster.ts'
import { parseWord } from '../../support/words.ts'

const KINDS: readonly RecordKind[] = ['DNSRecord', 'DNSEndpoint', 'Ingress']
const OPTIONS: RecordOptions = {
  kinds: KINDS,
  own: ['cluster.local'],
  zones: ['example.org'],
  delegations: [
    { suffix: 'example.org', to: ['platform'] },
    { suffix: 'team.example.org', to: ['team', 'other'] },
    { suffix: 'free.example.org', to: ['*'] },
  ],
  ttlSeconds: 60,
}
const LINES = `k8s_records example.org {
  from dnsrecords dnsendpoints ingresses
  delegate example.org to platform
  delegate team.example.org to team other
  delegate free.example.org to *
}
kubernetes cluster.local`

/** A DNSRecord out of `team/www www.team.example.org A 192.0.2.1 192.0.2.2`, + is a blank; the second that it was made in is `at`. */
function dnsRecord(text: string, at = 0, ttlSeconds?: number): SlimRecords {
  const [key = '', name, type, ...words] = text.split(' ')
  const values = words.map(word => word.replaceAll('+', ' '))
  const [namespace, own] = key.split('/')
  const creationTimestamp = new Date(at * 1000).toISOString()
  const raw = {
    metadata: { namespace, name: own, creationTimestamp },
    spec: { name, type, ttlSeconds, values },
  }
  const slim = slimDnsRecord(raw)
  if (isProblem(slim)) throw new Error(slim.problem)
  return slim
}

function world(records: readonly SlimRecords[], lines = LINES, options = OPTIONS) {
  const refused: string[] = []
  const made = new SlimCluster(
    { records: options },
    { kinds: ['Service', 'EndpointSlice', 'Namespace', ...KINDS], refused: text => void refused.push(text) },
  )
  made.cluster.replace('DNSRecord', records)
  made.cluster.replace('DNSEndpoint', [])
  made.cluster.replace('Ingress', [])
  made.list(['demo'], [plainService('demo/web', '10.0.0.1')])
  const block = new ServerBlock(lines, made)
  const ask = async (question: string): Promise<string> => {
    const [name = '', type = 'A'] = question.split(' ')
    const octets = await block.late(encodeQuestion({ name, type }))
    const { rcode, records } = decodeMessage(octets!)
    const soa = records.authority.some(({ type }) => type === 'SOA') ? ['SOA'] : []
    return [rcode, ...records.answer.map(({ ttlSeconds, type, data }) => `${ttlSeconds} ${type} ${data}`), ...soa].join(', ') // biome-ignore format: one list
  }
  return { cluster: made.cluster, refused, ask, block }
}

t.test('what is answered', async t => {
  const { ask, refused, block } = world([
    dnsRecord('team/www www.team.example.org A 192.0.2.1 192.0.2.2'),
    dnsRecord('team/www6 www.team.example.org AAAA 2001:db8::1', 0, 300),
    dnsRecord('team/txt www.team.example.org TXT plain'),
    dnsRecord('team/mx team.example.org MX 10+mail.example.org'),
    dnsRecord('team/alias alias.team.example.org CNAME web.demo.svc.cluster.local'),
    dnsRecord('team/inner inner.team.example.org CNAME www.team.example.org.'),
    dnsRecord('team/gone gone.team.example.org CNAME nobody.team.example.org'),
    dnsRecord('other/wild *.wild.team.example.org A 192.0.2.9'),
    dnsRecord('other/under a.b.wild.team.example.org A 192.0.2.8'),
    dnsRecord('platform/apex example.org A 192.0.2.7'),
  ])
  const rows: [question: string, answer: string][] = [
    ['www.team.example.org A', 'NOERROR, 60 A 192.0.2.1, 60 A 192.0.2.2'],
    ['WWW.Team.example.ORG AAAA', 'NOERROR, 300 AAAA 2001:db8::1'],
    ['www.team.example.org TXT', 'NOERROR, 60 TXT "plain"'],
    ['www.team.example.org MX', 'NOERROR, SOA'],
    ['team.example.org A', 'NOERROR, SOA'],
    ['team.example.org MX', 'NOERROR, 60 MX 10 mail.example.org.'],
    ['nobody.team.example.org A', 'NXDOMAIN, SOA'],
    ['x.www.team.example.org A', 'NXDOMAIN, SOA'],
    ['alias.team.example.org A', 'NOERROR, 60 CNAME web.demo.svc.cluster.local., 5 A 10.0.0.1'],
    ['alias.team.example.org CNAME', 'NOERROR, 60 CNAME web.demo.svc.cluster.local.'],
    ['inner.team.example.org AAAA', 'NOERROR, 60 CNAME www.team.example.org., 300 AAAA 2001:db8::1'],
    ['gone.team.example.org A', 'NXDOMAIN, 60 CNAME nobody.team.example.org., SOA'],
    ['x.wild.team.example.org A', 'NOERROR, 60 A 192.0.2.9'],
    ['x.y.wild.team.example.org A', 'NOERROR, 60 A 192.0.2.9'],
    ['x.wild.team.example.org MX', 'NOERROR, SOA'],
    ['b.wild.team.example.org A', 'NOERROR, SOA'], // it exists, and no wildcard stands for it
    ['x.b.wild.team.example.org A', 'NXDOMAIN, SOA'],
    ['wild.team.example.org A', 'NOERROR, SOA'],
    ['example.org A', 'NOERROR, 60 A 192.0.2.7'],
    ['example.org NS', 'NOERROR, SOA'],
    ['web.demo.svc.cluster.local A', 'NOERROR, 5 A 10.0.0.1'],
  ] // biome-ignore format: a table
  for (const [question, answer] of rows) t.equal(await ask(question), answer, question)
  t.match(await ask('example.org SOA'), /^NOERROR, 60 SOA ns\.dns\.example\.org\./)
  t.same(refused, [])
  await block.stop()
})

t.test('a ring of aliases is told as one', async t => {
  const { block } = world([
    dnsRecord('team/one one.team.example.org CNAME two.team.example.org'),
    dnsRecord('team/two two.team.example.org CNAME one.team.example.org'),
    dnsRecord('team/star *.ring.team.example.org CNAME x.ring.team.example.org'),
    dnsRecord('team/far far.team.example.org CNAME near.team.example.org'),
    dnsRecord('team/near near.team.example.org CNAME gone.team.example.org'),
  ])
  const rows: [name: string, reason: RegExp][] = [
    ['one', /^SERVFAIL 0 the alias leads to two\.team\.example\.org\., in the end to two\.team\.example\.org\.: too many look-ups for one query$/],
    ['y.ring', /^SERVFAIL 0 the alias leads to x\.ring\.\S+, in the end to x\.ring\.\S+: too many look-ups for one query$/],
    ['far', /^NXDOMAIN 0 the alias leads to near\.team\.example\.org\., in the end to gone\.team\.example\.org\.: no object asks for this name$/],
  ] // biome-ignore format: a table
  for (const [name, reason] of rows) {
    const octets = await block.late(encodeQuestion({ name: `${name}.team.example.org`, edns: true }))
    const { rcode, edns } = decodeMessage(octets!)
    t.match(`${rcode} ${extendedError(edns)}`, reason, name)
  }
  await block.stop()
})

t.test('who may have which name', async t => {
  const { ask, refused, block } = world([
    dnsRecord('team/a a.team.example.org A 192.0.2.1'),
    dnsRecord('team/b b.example.org A 192.0.2.1'),
    dnsRecord('platform/c c.team.example.org A 192.0.2.1'),
    dnsRecord('anyone/d d.free.example.org A 192.0.2.1'),
    dnsRecord('team/e e.example.com A 192.0.2.1'),
    dnsRecord('team/f f.notteam.example.org A 192.0.2.1'),
  ])
  const codes: readonly (readonly [name: string, rcode: string])[] = [
    ['a.team', 'NOERROR'],
    ['b', 'NXDOMAIN'],
    ['c.team', 'NXDOMAIN'],
    ['d.free', 'NOERROR'],
    ['f.notteam', 'NXDOMAIN'],
  ]
  for (const [name, rcode] of codes) t.equal((await ask(`${name}.example.org A`)).split(',')[0], rcode, name)
  t.same(refused, [
    'DNSRecord team/b: b.example.org A: example.org is delegated to platform and not to namespace team',
    'DNSRecord platform/c: c.team.example.org A: team.example.org is delegated to team, other and not to namespace platform',
    'DNSRecord team/e: e.example.com A: no `delegate` of the Corefile has this name',
    'DNSRecord team/f: f.notteam.example.org A: example.org is delegated to platform and not to namespace team',
  ])
  await block.stop()
})

t.test('nobody has names in the zones of the cluster, nor is it denied them', async t => {
  const lines = LINES.replace('kubernetes cluster.local', 'kubernetes k8s.team.example.org')
  const claims = [
    dnsRecord('team/hijack web.demo.svc.k8s.team.example.org A 192.0.2.66'),
    dnsRecord('team/apex k8s.team.example.org TXT mine'),
    dnsRecord('team/star *.team.example.org A 192.0.2.67'),
  ]
  const { ask, refused, cluster, block } = world(claims, lines, { ...OPTIONS, own: ['k8s.team.example.org'] })
  const rows: [question: string, answer: string][] = [
    ['web.demo.svc.k8s.team.example.org A', 'NOERROR, 5 A 10.0.0.1'],
    ['nobody.demo.svc.k8s.team.example.org A', 'NXDOMAIN, SOA'],
    ['k8s.team.example.org TXT', 'NOERROR, SOA'],
    ['x.team.example.org A', 'NOERROR, 60 A 192.0.2.67'],
  ]
  for (const [question, answer] of rows) t.equal(await ask(question), answer, question)
  t.same(refused, [
    "DNSRecord team/hijack: web.demo.svc.k8s.team.example.org A: k8s.team.example.org is the cluster's own",
    "DNSRecord team/apex: k8s.team.example.org TXT: k8s.team.example.org is the cluster's own",
  ])
  t.match(cluster.verdictOf('DNSRecord', 'team/hijack'), { refusal: 'OwnZone' })
  t.ok(
    block.fast(encodeQuestion({ name: 'web.demo.svc.k8s.team.example.org' })),
    'as fast as without the word',
  )
  await block.stop()
  const carved = world(
    [dnsRecord('team/db db.k8s.team.example.org A 192.0.2.5')],
    lines.replace('k8s_records example.org', 'k8s_records example.org db.k8s.team.example.org'),
    {
      ...OPTIONS,
      own: ['k8s.team.example.org'],
      delegations: [{ suffix: 'db.k8s.team.example.org', to: ['team'] }],
    },
  )
  t.equal(
    await carved.ask('db.k8s.team.example.org A'),
    'NOERROR, 60 A 192.0.2.5',
    'a longer zone, a longer suffix',
  )
  await carved.block.stop()
})

t.test('a name belongs to the namespace that has had it for longest', async t => {
  const { ask, refused, cluster, block } = world([
    dnsRecord('team/four w.team.example.org A 192.0.2.1', 10),
    dnsRecord('other/six w.team.example.org AAAA 2001:db8::66', 20),
    dnsRecord('team/text w.team.example.org TXT late', 30),
  ])
  t.equal(await ask('w.team.example.org AAAA'), 'NOERROR, SOA')
  t.equal(await ask('w.team.example.org TXT'), 'NOERROR, 60 TXT "late"')
  t.same(refused, [
    'DNSRecord other/six: w.team.example.org AAAA: DNSRecord team/four has the name, and is older',
  ])
  cluster.remove('DNSRecord', 'team/four')
  t.equal(await ask('w.team.example.org AAAA'), 'NOERROR, 60 AAAA 2001:db8::66')
  t.equal(await ask('w.team.example.org TXT'), 'NOERROR, SOA')
  await block.stop()
})

t.test('a cache does not outlive a change', async t => {
  const { ask, cluster, block } = world([], LINES.concat('\ncache 300'))
  t.equal(await ask('a.team.example.org A'), 'NXDOMAIN, SOA')
  cluster.upsert('DNSRecord', dnsRecord('team/a a.team.example.org A 192.0.2.1'))
  t.equal(await ask('a.team.example.org A'), 'NOERROR, 60 A 192.0.2.1')
  cluster.remove('DNSRecord', 'team/a')
  t.equal(await ask('a.team.example.org A'), 'NXDOMAIN, SOA')
  await block.stop()
})

t.test('the name of a zone is no alias', async t => {
  const { ask, refused, block } = world([
    dnsRecord('platform/apex example.org CNAME www.example.net'),
    dnsRecord('platform/www www.example.org CNAME www.example.net'),
  ])
  t.equal(await ask('example.org A'), 'NOERROR, SOA')
  t.match(await ask('example.org SOA'), /^NOERROR, 60 SOA /)
  t.equal(await ask('www.example.org CNAME'), 'NOERROR, 60 CNAME www.example.net.')
  t.same(refused, [
    'DNSRecord platform/apex: example.org CNAME: example.org is a zone, whose name is no alias (RFC 1034 3.6.2)',
  ])
  await block.stop()
})

t.test('of two that claim a name the older one has it', async t => {
  const claims = [
    dnsRecord('other/new w.team.example.org A 192.0.2.2', 20),
    dnsRecord('team/old w.team.example.org A 192.0.2.1', 10),
    dnsRecord('team/alias v.team.example.org CNAME w.team.example.org', 10),
    dnsRecord('other/late v.team.example.org TXT late', 20),
  ]
  for (const records of [claims, claims.toReversed()]) {
    const { ask, refused, cluster, block } = world(records)
    t.equal(await ask('w.team.example.org A'), 'NOERROR, 60 A 192.0.2.1')
    t.equal(await ask('v.team.example.org CNAME'), 'NOERROR, 60 CNAME w.team.example.org.')
    t.same([...new Set(refused)].sort(), [
      'DNSRecord other/late: v.team.example.org TXT: DNSRecord team/alias has the name, and is older',
      'DNSRecord other/new: w.team.example.org A: DNSRecord team/old has the name, and is older',
    ])
    cluster.remove('DNSRecord', 'team/old')
    t.equal(await ask('w.team.example.org A'), 'NOERROR, 60 A 192.0.2.2', 'the next one has it then')
    await block.stop()
  }
})

t.test('changes are followed, and names that are left alone go', async t => {
  const { ask, cluster, block } = world([])
  t.equal(await ask('a.b.team.example.org A'), 'NXDOMAIN, SOA')
  cluster.upsert('DNSRecord', dnsRecord('team/a a.b.team.example.org A 192.0.2.1'))
  t.equal(await ask('a.b.team.example.org A'), 'NOERROR, 60 A 192.0.2.1')
  t.equal(await ask('b.team.example.org A'), 'NOERROR, SOA')
  cluster.upsert('DNSRecord', dnsRecord('team/a c.team.example.org A 192.0.2.3'))
  t.equal(await ask('a.b.team.example.org A'), 'NXDOMAIN, SOA')
  t.equal(await ask('b.team.example.org A'), 'NXDOMAIN, SOA')
  t.equal(await ask('c.team.example.org A'), 'NOERROR, 60 A 192.0.2.3')
  cluster.replace('DNSRecord', [])
  t.equal(await ask('c.team.example.org A'), 'NXDOMAIN, SOA')
  await block.stop()
})

t.test('fallthrough', async t => {
  const lines = LINES.replace('from', 'fallthrough\n  from').concat(
    '\nhosts {\n192.0.2.77 x.example.org\nfallthrough\n}',
  )
  const { ask, block } = world([dnsRecord('team/a a.team.example.org A 192.0.2.1')], lines)
  t.equal(await ask('a.team.example.org A'), 'NOERROR, 60 A 192.0.2.1')
  t.match(await ask('y.example.org A'), /^NOERROR/, 'whoami, behind all')
  await block.stop()
})

t.test('values that are none are left out, texts get their quotes', async t => {
  const { ask, refused, block } = world([
    dnsRecord('team/a a.team.example.org A 192.0.2.1 nowhere 192.0.2.1'),
    dnsRecord('team/t t.team.example.org TXT "quoted" pl"ain'),
    dnsRecord(`team/l l.team.example.org TXT ${'x'.repeat(300)}`),
  ])
  t.equal(await ask('a.team.example.org A'), 'NOERROR, 60 A 192.0.2.1')
  t.equal(await ask('t.team.example.org TXT'), 'NOERROR, 60 TXT "quoted", 60 TXT "pl\\"ain"')
  t.equal(await ask('l.team.example.org TXT'), `NOERROR, 60 TXT "${'x'.repeat(255)}" "${'x'.repeat(45)}"`)
  t.match(refused, [/^DNSRecord team\/a: a\.team\.example\.org A: .*: nowhere$/])
  await block.stop()
})

t.test('before the objects are listed nobody knows', async t => {
  const made = new SlimCluster({ records: OPTIONS }, { kinds: ['Namespace', 'DNSRecord'] })
  const block = new ServerBlock(LINES, made)
  const rcode = async (): Promise<string> =>
    decodeMessage((await block.late(encodeQuestion({ name: 'a.team.example.org' })))!).rcode
  t.equal(await rcode(), 'SERVFAIL')
  made.cluster.replace('Namespace', [])
  made.cluster.replace('DNSRecord', [])
  t.equal(await rcode(), 'NXDOMAIN')
  await block.stop()
})

t.test('what objects say', async t => {
  const metadata = { namespace: 'team', name: 'x', creationTimestamp: '2026-01-01T00:00:00Z' }
  const endpoint = slimDnsEndpoint({
    metadata,
    spec: {
      endpoints: [
        { dnsName: 'A.example.org.', recordType: 'A', recordTTL: 30, targets: ['192.0.2.1'] },
        { dnsName: '*.example.org', recordType: 'CNAME', targets: ['a.example.org'] },
        { dnsName: 'a..b', recordType: 'A', targets: ['192.0.2.1'] },
        { dnsName: 'ns.example.org', recordType: 'NS', targets: ['ns.example.org'] },
      ],
    },
  }) as SlimRecords
  t.same(endpoint, {
    namespace: 'team',
    name: 'x',
    createdMs: Date.UTC(2026, 0, 1),
    records: [
      { name: 'a.example.org', type: 'A', ttlSeconds: 30, values: ['192.0.2.1'] },
      { name: '*.example.org', type: 'CNAME', ttlSeconds: 0, values: ['a.example.org'] },
    ],
  })
  const ingress = (balancers: object[]): readonly object[] =>
    (
      slimIngress({
        metadata,
        spec: { rules: [{ host: 'w.example.org' }, { host: 'w.example.org' }, {}] },
        status: { loadBalancer: { ingress: balancers } },
      }) as SlimRecords
    ).records
  const set = (type: string, ...values: string[]) => ({ name: 'w.example.org', type, ttlSeconds: 0, values })
  t.same(ingress([{ ip: '192.0.2.1' }, { ip: '2001:DB8::1' }]), [
    set('A', '192.0.2.1'),
    set('AAAA', '2001:db8::1'),
  ])
  t.same(ingress([{ hostname: 'lb.example.com' }]), [set('CNAME', 'lb.example.com')])
  t.same(ingress([]), [])
})

t.test('names in the annotations of Services with a load balancer', async t => {
  const options: RecordOptions = { ...OPTIONS, kinds: ['Service'] }
  const service = (key: string, hostname: string, balancers: object[], more: object = {}): SlimService => {
    const [namespace, name] = key.split('/')
    const annotations = { 'coredns.io/hostname': hostname, ...more }
    const raw = {
      metadata: { namespace, name, annotations, creationTimestamp: { seconds: 1_767_225_600 } },
      spec: { type: 'LoadBalancer', clusterIP: '10.0.0.9', ports: [{ port: 80 }] },
      status: { loadBalancer: { ingress: balancers } },
    }
    const slim = slimService(raw, undefined, { records: options })
    if (isProblem(slim)) throw new Error(slim.problem)
    return slim
  }
  const ofExternalDns = {
    'external-dns.alpha.kubernetes.io/hostname': 'b.team.example.org, c.team.example.org.',
    'external-dns.alpha.kubernetes.io/ttl': '30',
  }
  const web = service(
    'team/web',
    'A.team.example.org',
    [{ ip: '192.0.2.1' }, { ip: '2001:DB8::1' }],
    ofExternalDns,
  )
  t.equal(web.asks?.createdMs, Date.UTC(2026, 0, 1), 'as the API server has it in protocol buffers')
  t.same(checkedSlim('Service', JSON.parse(JSON.stringify(web))), web, 'kept over a restart')
  t.equal(checkedSlim('Service', { ...web, asks: { records: 1 } }), undefined)
  const plain = slimService(
    { metadata: { namespace: 'team', name: 'p', annotations: ofExternalDns }, spec: {} },
    undefined,
    { records: options },
  )
  t.notOk('asks' in plain, 'no load balancer')
  const made = new SlimCluster({ records: options })
  made.list(
    ['team'],
    [
      web,
      service('team/named', 'named.team.example.org', [{ hostname: 'lb.example.net' }]),
      service('team/waits', 'waits.team.example.org', []),
      service('demo/steals', 'steals.team.example.org', [{ ip: '192.0.2.66' }]),
    ],
  )
  const block = new ServerBlock(LINES.replace('dnsrecords dnsendpoints ingresses', 'services'), made)
  const ask = async (name: string, type = 'A'): Promise<string> => {
    const { rcode, records } = decodeMessage((await block.late(encodeQuestion({ name, type })))!)
    return [
      rcode,
      ...records.answer.map(({ ttlSeconds, type, data }) => `${ttlSeconds} ${type} ${data}`),
    ].join(', ')
  }
  t.equal(await ask('a.team.example.org'), 'NOERROR, 30 A 192.0.2.1')
  t.equal(await ask('b.team.example.org', 'AAAA'), 'NOERROR, 30 AAAA 2001:db8::1')
  t.equal(await ask('c.team.example.org'), 'NOERROR, 30 A 192.0.2.1')
  t.equal(await ask('named.team.example.org', 'CNAME'), 'NOERROR, 60 CNAME lb.example.net.')
  t.equal(await ask('waits.team.example.org'), 'NXDOMAIN')
  t.equal(await ask('steals.team.example.org'), 'NXDOMAIN')
  made.cluster.upsert('Service', service('team/web', 'd.team.example.org', [{ ip: '192.0.2.2' }]))
  t.equal(await ask('d.team.example.org'), 'NOERROR, 60 A 192.0.2.2')
  t.equal(await ask('a.team.example.org'), 'NXDOMAIN')
  made.cluster.remove('Service', 'team/web')
  t.equal(await ask('d.team.example.org'), 'NXDOMAIN')
  await block.stop()
})

t.test('mistakes', async t => {
  const good = 'from ingresses\ndelegate example.org to team'
  const cases: [text: string, complaint: RegExp][] = [
    [`k8s_records {\n${good}\n}`, /^2:1: error: k8s_records needs a zone/],
    ['k8s_records example.org {\ndelegate example.org to team\n}', /^2:1: error: k8s_records needs `from`/],
    ['k8s_records example.org {\nfrom ingresses\n}', /^2:1: error: k8s_records needs `delegate`/],
    [`k8s_records example.org {\nfrom pods\n${good}\n}`, /^3:6: error: records come from none such \(found "pods"; allowed: dnsrecords, dnsendpoints, ingresses, httproutes, services/],
    [`k8s_records example.org {\n${good}\ndelegate x team\n}`, /^5:12: error: this is not to, before namespaces \(found "team"/],
    [`k8s_records example.org {\n${good}\ndelegate x to Team\n}`, /^5:15: error: this is no name of a namespace \(found "Team"/],
    [`k8s_records example.org {\n${good}\nttl 0\n}`, /^5:5: error: the TTL in seconds must be an integer from 1 to 3600/],
    [`k8s_records example.org {\n${good}\n}`, /^2:1: error: k8s_records needs kubernetes in this server block/],
  ] // biome-ignore format: a table
  for (const [text, complaint] of cases)
    t.match(parseWord(k8sRecordsWord, text).complaints[0], complaint, text)
})

t.test(
  'hosts of HTTPRoutes have the addresses of their Gateways, whichever comes first and changes',
  async t => {
    const KINDS: readonly RecordKind[] = ['HTTPRoute']
    const refused: string[] = []
    const made = new SlimCluster(
      { records: { ...OPTIONS, kinds: KINDS } },
      {
        kinds: ['Service', 'EndpointSlice', 'Namespace', 'Gateway', 'HTTPRoute'],
        refused: text => void refused.push(text),
      },
    )
    const { cluster } = made
    const gateway = (name: string, addresses: readonly string[], listeners: readonly object[] = []) =>
      slimmed(slimGateway, {
        metadata: { namespace: 'platform', name },
        spec: { listeners },
        status: {
          addresses: addresses.map(value => ({
            type: /^[a-z]+\./.test(value) ? 'Hostname' : 'IPAddress',
            value,
          })),
        },
      })
    const route = (key: string, hostnames: readonly string[], parentRefs: readonly object[], status = {}) => {
      const [namespace, name] = key.split('/')
      return slimmed(slimRoute, { metadata: { namespace, name }, spec: { hostnames, parentRefs }, status })
    }
    const edge = { namespace: 'platform', name: 'edge' }
    const isRefused = {
      parents: [
        {
          parentRef: edge,
          conditions: [{ type: 'Accepted', status: 'False', reason: 'NotAllowedByListeners' }],
        },
      ],
    }
    cluster.replace('HTTPRoute', [
      route('team/web', ['web.team.example.org', 'WWW.team.example.org.'], [edge]),
      route('team/refused', ['refused.team.example.org'], [edge], isRefused),
      route('team/none', ['none.team.example.org'], [{ name: 'elsewhere' }]),
      route('team/service', ['mesh.team.example.org'], [{ ...edge, group: '', kind: 'Service' }]),
      route('team/both', ['both.team.example.org'], [edge, { namespace: 'platform', name: 'six' }]),
      route('team/balanced', ['balanced.team.example.org'], [{ namespace: 'platform', name: 'named' }]),
      route('team/stolen', ['www.example.org'], [edge]),
      route('team/foreign', ['foreign.team.example.org'], [{ ...edge, sectionName: 'web' }]),
      route('team/nowhere', ['nowhere.team.example.org'], [{ ...edge, sectionName: 'gone' }]),
      route(
        'platform/common',
        ['*.example.org', 'a.b.apps.example.org'],
        [
          { ...edge, sectionName: 'web' },
          { ...edge, sectionName: 'other' },
        ],
      ),
      route('platform/inherits', [], [{ name: 'edge', sectionName: 'web' }]),
      route('platform/shop', ['shop.example.org'], [{ name: 'edge' }]),
    ])
    cluster.replace('Gateway', [
      gateway(
        'edge',
        ['192.0.2.1', '192.0.2.2'],
        [
          { name: 'web', hostname: '*.apps.example.org' },
          { name: 'other', hostname: 'other.example.org' },
          { name: 'any' },
        ],
      ),
      gateway('six', ['2001:db8::1'], [{ name: 'any' }]),
      gateway('named', ['lb.example.net'], [{ name: 'any' }]),
    ])
    made.list(['demo'], [plainService('demo/web', '10.0.0.1')])
    const lines = LINES.replace('dnsrecords dnsendpoints ingresses', 'httproutes')
    const block = new ServerBlock(lines, made)
    const ask = async (name: string, type = 'A'): Promise<string> => {
      const { rcode, records } = decodeMessage((await block.late(encodeQuestion({ name, type })))!)
      return [rcode, ...records.answer.map(({ type, data }) => `${type} ${data}`)].join(', ')
    }
    const edges = 'NOERROR, A 192.0.2.1, A 192.0.2.2'
    const rows: [name: string, type: string, answer: string][] = [
    ['web.team.example.org', 'A', edges],
    ['www.team.example.org', 'A', edges],
    ['web.team.example.org', 'AAAA', 'NOERROR'],
    ['both.team.example.org', 'A', edges],
    ['both.team.example.org', 'AAAA', 'NOERROR, AAAA 2001:db8::1'],
    ['balanced.team.example.org', 'CNAME', 'NOERROR, CNAME lb.example.net.'],
    ['x.apps.example.org', 'A', edges],
    ['a.b.apps.example.org', 'A', edges],
    ['other.example.org', 'A', edges], // what *.example.org and a listener have in common
    ['another.example.org', 'A', 'NXDOMAIN'],
    ['shop.example.org', 'A', edges], // by the listener that has any
    ['foreign.team.example.org', 'A', 'NXDOMAIN'], // its listener has other names
    ['nowhere.team.example.org', 'A', 'NXDOMAIN'],
    ['refused.team.example.org', 'A', 'NXDOMAIN'],
    ['none.team.example.org', 'A', 'NXDOMAIN'],
    ['mesh.team.example.org', 'A', 'NXDOMAIN'],
    ['www.example.org', 'A', 'NXDOMAIN'],
  ] // biome-ignore format: a table
    for (const [name, type, answer] of rows) t.equal(await ask(name, type), answer, `${name} ${type}`)
    t.same(refused, [
      'HTTPRoute team/stolen: www.example.org A: example.org is delegated to platform and not to namespace team',
    ])
    cluster.upsert('Gateway', gateway('edge', ['192.0.2.3'], [{ name: 'any' }]))
    t.equal(await ask('web.team.example.org'), 'NOERROR, A 192.0.2.3', 'its Gateway has another address')
    cluster.upsert('HTTPRoute', route('team/web', ['new.team.example.org'], [edge]))
    t.equal(await ask('new.team.example.org'), 'NOERROR, A 192.0.2.3')
    t.equal(await ask('web.team.example.org'), 'NXDOMAIN', 'another host name')
    cluster.remove('Gateway', 'platform/edge')
    t.equal(await ask('new.team.example.org'), 'NXDOMAIN', 'its Gateway has gone')
    t.equal(await ask('both.team.example.org', 'AAAA'), 'NOERROR, AAAA 2001:db8::1')
    cluster.remove('HTTPRoute', 'team/both')
    t.equal(await ask('both.team.example.org', 'AAAA'), 'NXDOMAIN')
    await block.stop()
  },
)

function slimmed<T extends object>(slim: (raw: unknown) => T | SlimProblem, raw: object): T {
  const object = slim(raw)
  if (isProblem(object)) throw new Error(object.problem)
  return object
}
