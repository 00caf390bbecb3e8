// What `policy` keeps, on every road that a hostile client or upstream could take to it: clients of the namespace red may not
// resolve blue, and no reply to one of them may hold a name or an address of blue's.

import t from 'tap'
import { isProblem, slimDnsRecord } from '../../src/objects/slim.ts'
import type { Transport } from '../../src/query/sockaddr.ts'
import { policy, policyWorld, type Who } from '../plugin/policy/policy-world.ts'
import type { Decoded } from '../support/dns-message.ts'
import { nameOctets } from '../support/dns-question.ts'
import { external, headless, slimService, slimSlice } from '../support/slim-cluster.ts'
import { a, named, nameOf, replyTo, type StubRecord, UpstreamStub } from '../support/upstream-stub.ts'

const TRANSPORTS: readonly Transport[] = ['udp', 'tcp', 'tls', 'https']
const BLUE = 'web.blue.svc.cluster.local'
const V4 = [10, 0, 0, 2]
const V6 = [0xfd, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 2]
/** Whatever tells something of blue. */
const KEPT =
  /blue|\b10\.0\.0\.2\b|\b10\.1\.2\.7\b|fd00::2\b|0a000002|64:ff9b::a00:2|ffff:(?:10\.0\.0\.2|a00:2)|fd000000000000000000000000000002/i

const aaaa = (owner: string, ...rdata: number[]): StubRecord => ({
  owner,
  type: 'AAAA',
  ttlSeconds: 30,
  rdata: Uint8Array.from(rdata),
})
/** A service binding: a target, and one parameter behind the protocols. */
const binding = (
  owner: string,
  type: string,
  target: string,
  key: number,
  value: readonly number[],
): StubRecord => ({
  owner,
  type,
  ttlSeconds: 30,
  rdata: Uint8Array.of(
    ...[0, 1, ...nameOctets(target)],
    ...[0, 1, 0, 3, 2, 0x68, 0x32],
    ...[0, key, 0, value.length, ...value],
  ),
})
const srv = (owner: string, target: string): StubRecord => ({
  owner,
  type: 'SRV',
  ttlSeconds: 30,
  rdata: Uint8Array.of(0, 0, 0, 0, 0, 80, ...nameOctets(target)),
})

/** What a hostile upstream says of a name, by its first label. */
const SAYS: Readonly<Record<string, (owner: string) => readonly StubRecord[]>> = {
  cname: owner => [named(owner, 'CNAME', 30, BLUE)],
  chain: owner => [named(owner, 'CNAME', 30, 'two.example'), named('two.example', 'CNAME', 30, BLUE), a(BLUE, 30, '10.0.0.2')],
  dname: owner => [named('example', 'DNAME', 30, 'blue.svc.cluster.local'), named(owner, 'CNAME', 30, 'dname.blue.svc.cluster.local')],
  rebound: owner => [a(owner, 30, '10.0.0.2')],
  second: owner => [a(owner, 30, '192.0.2.1'), a(owner, 30, '10.0.0.2')],
  endpoint: owner => [a(owner, 30, '10.1.2.7')],
  six: owner => [aaaa(owner, ...V6)],
  mapped: owner => [aaaa(owner, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 255, 255, ...V4)],
  nat64: owner => [aaaa(owner, 0, 0x64, 0xff, 0x9b, 0, 0, 0, 0, 0, 0, 0, 0, ...V4)],
  hint4: owner => [binding(owner, 'HTTPS', '.', 4, [192, 0, 2, 1, ...V4])],
  hint6: owner => [binding(owner, 'SVCB', '.', 6, V6)],
  target: owner => [binding(owner, 'HTTPS', BLUE, 4, [192, 0, 2, 1])],
  srv: owner => [srv(owner, BLUE)],
  mx: owner => [{ owner, type: 'MX', ttlSeconds: 30, rdata: Uint8Array.of(0, 1, ...nameOctets(BLUE)) }],
  ns: owner => [named(owner, 'NS', 30, BLUE)],
  ptr: owner => [named(owner, 'PTR', 30, BLUE)],
} // biome-ignore format: a table
const TYPE_OF: Readonly<Record<string, string>> = {
  six: 'AAAA', mapped: 'AAAA', nat64: 'AAAA', hint4: 'HTTPS', hint6: 'SVCB', target: 'HTTPS', srv: 'SRV', mx: 'MX', ns: 'NS',
  ptr: 'PTR',
} // biome-ignore format: a table

function record(name: string, type: string, value: string) {
  const slim = slimDnsRecord({
    metadata: { namespace: 'red', name },
    spec: { name: `${name}.rec.test`, type, values: [value] },
  })
  if (isProblem(slim)) throw new Error(slim.problem)
  return slim
}

const upstream = await UpstreamStub.start((asked, back) => {
  const owner = nameOf(asked)
  const answer = SAYS[owner.split('.', 1)[0]!]?.(owner) ?? [a(owner, 30, '192.0.2.1')]
  const glue = [a('ns.blue.svc.cluster.local', 30, '10.0.0.2'), a('glue.example', 30, '10.0.0.2')]
  const authority = [named('example', 'NS', 30, 'ns.blue.svc.cluster.local')]
  back.send(replyTo(asked, { answer, authority, additional: glue }))
})
t.teardown(() => upstream.pause())

const OPTIONS = {
  kinds: ['DNSRecord'],
  own: ['cluster.local'],
  zones: ['example.org'],
  delegations: [{ suffix: 'rec.test', to: ['red'] }],
  ttlSeconds: 30,
} as const

/** The block of all words that lead somewhere; `lines` say how blue is kept. */
function world(lines: string, front = '') {
  return policyWorld({
    policy: lines,
    front: `cache 30
rewrite class CH IN
rewrite name turned.example ${BLUE}
rewrite name regex (.*)\\.short {1}.blue.svc.cluster.local answer auto
dns64 {
allow_ipv4
}
k8s_external ext.test
k8s_records rec.test {
from dnsrecords
delegate rec.test to red
}
${front}`,
    kubernetes: 'pods verified\nfallthrough in-addr.arpa ip6.arpa',
    namespaces: { red: { team: 'a' }, blue: { closed: 'yes' } },
    services: [
      slimService('red/web', '10.0.0.1'),
      slimService('blue/web', '10.0.0.2 fd00::2', { externalIPs: ['198.51.100.2'] }),
      headless('blue/db'),
      external('red/in', BLUE),
      external('red/far', 'cname.example'),
      external('blue/out', 'www.example'),
    ],
    slices: [slimSlice('blue/db-1', 'db', ['10.1.2.7 db-0'])],
    records: [OPTIONS, [record('alias', 'CNAME', BLUE), record('addr', 'A', '10.0.0.2')]],
    behind: `hosts {
10.0.0.2 listed.test
fallthrough
}
template IN A made.test {
answer "{{ .Name }} 60 IN A 10.0.0.2"
}
forward . ${upstream.to}`,
  })
}

const all = ({ records }: Decoded): string =>
  [...records.answer, ...records.authority, ...records.additional].map(({ text }) => text).join('\n')

const QUESTIONS: readonly string[] = [
  ...['A', 'AAAA', 'SRV', 'ANY', 'HTTPS', 'SVCB', 'TXT', 'CNAME', 'NS', 'SOA', 'PTR', 'MX', 'NULL', 'TYPE65280', 'AXFR', 'IXFR'].map(type => `${BLUE} ${type}`),
  'WEB.BLUE.Svc.Cluster.Local', 'db.blue.svc.cluster.local', 'db-0.db.blue.svc.cluster.local', 'db-0.db.blue.svc.cluster.local PTR',
  '10-1-2-7.db.blue.svc.cluster.local', '_http._tcp.web.blue.svc.cluster.local SRV', '_http._tcp.db.blue.svc.cluster.local SRV',
  'out.blue.svc.cluster.local', 'blue.svc.cluster.local', '10-1-2-1.blue.pod.cluster.local', 'blue.pod.cluster.local',
  'nothing.blue.svc.cluster.local', 'a.b.c.d.blue.svc.cluster.local', '*.blue.svc.cluster.local', 'web.blue.ext.test', 'blue.ext.test',
  'in.red.svc.cluster.local', 'in.red.svc.cluster.local AAAA', 'far.red.svc.cluster.local',
  '2.0.0.10.in-addr.arpa PTR', '7.2.1.10.in-addr.arpa PTR', '2.0.0.10.in-addr.arpa ANY',
  '2.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.d.f.ip6.arpa PTR',
  'turned.example', 'web.short', 'alias.rec.test', 'alias.rec.test CNAME', 'addr.rec.test', 'listed.test', 'listed.test AAAA',
  'made.test', 'rebound.example AAAA', 'cluster.local AXFR', 'ext.test AXFR',
  ...Object.keys(SAYS).map(label => `${label}.example ${TYPE_OF[label] ?? 'A'}`),
  ...Object.keys(SAYS).map(label => `${label}.example ANY`),
] // biome-ignore format: a list

/** Options that a client may send: a subnet of blue's, a cookie, its name, padding, and one of nobody. */
const EDNS = {
  options: [
    { code: 8, data: Uint8Array.of(0, 1, 32, 0, 10, 1, 2, 1) },
    { code: 10, data: Uint8Array.of(1, 2, 3, 4, 5, 6, 7, 8) },
    { code: 3, data: new Uint8Array(0) },
    { code: 12, data: new Uint8Array(100) },
    { code: 65001, data: Uint8Array.from(Buffer.from('blue')) },
  ],
}

const WAYS: readonly (readonly [how: string, lines: string])[] = [
  ['by name', 'deny from red to blue'],
  ['by default', 'default deny'],
  ['by labels, refused', 'refuse\ndeny from team=a to label:closed'],
  ['by an object', 'objects'],
]

t.test('no road leads a client to what is kept from it', async t => {
  for (const [how, lines] of WAYS) {
    const { cluster, reply, block } = world(lines)
    t.same(block.problems.list, [], how)
    if (lines === 'objects')
      cluster.upsert(
        'DNSPolicy',
        policy('red/own', { namespaces: { blockSelectors: [{ matchLabels: { closed: 'yes' } }] } }),
      )
    let told = 0
    for (const question of QUESTIONS) {
      // Whom it is not kept from asks first, so that the cache has it.
      told += KEPT.test(all(await reply('blue', question))) ? 1 : 0
      for (const transport of TRANSPORTS) {
        if (transport !== 'udp' && question.includes('XFR')) continue
        const said = await reply('red', question, { transport, edns: transport === 'tcp' ? EDNS : true })
        const found = all(said)
        if (KEPT.test(found)) t.fail(`${how}, ${transport}, ${question}: ${found}`)
      }
    }
    t.ok(told > 35, `${how}: a client that may is told of it ${told} times`)
    await block.stop()
  }
})

t.test('a class that a rewrite makes another one of, and those of nobody', async t => {
  const { reply, block } = world('deny from red to blue')
  for (const rrclass of ['CH', 'HS', 'ANY', 'NONE', 'CLASS7']) {
    const said = await reply('red', BLUE, { class: rrclass })
    t.notMatch(all(said), KEPT, rrclass)
  }
  t.match(all(await reply('blue', BLUE, { class: 'CH' })), KEPT, 'who may, is answered')
  await block.stop()
})

t.test('search paths that are walked at the server, of both forms', async t => {
  for (const how of ['@query', '@kubernetes']) {
    const { reply, block } = world('deny from red to blue', `autopath ${how}`)
    t.same(block.problems.list, [], how)
    let told = 0
    for (const name of [
      'web.blue',
      'cname.example',
      'rebound.example',
      'in',
      'turned.example',
      'listed.test',
    ]) {
      const question = `${name}.red.svc.cluster.local`
      told += KEPT.test(all(await reply('nobody', question))) ? 1 : 0
      t.notMatch(all(await reply('red', question)), KEPT, `${how}: ${name}`)
    }
    t.ok(told > 0, `${how}: ${told} are told to who may`)
    await block.stop()
  }
})

t.test('an address that nobody is known for has what everybody has', async t => {
  const lines =
    'default deny\nshared red\nallow from blue to *\nallow from !closed to blue\nnames from red block example'
  const { ask, block } = world(lines)
  const rows: [who: Who, question: string, said: string][] = [
    ['nobody', 'web.red.svc.cluster.local', 'NOERROR 10.0.0.1'],
    ['nobody', BLUE, 'NXDOMAIN'],
    ['nobody', 'www.example', 'NOERROR 192.0.2.1'],
    ['red', 'www.example', 'NXDOMAIN'],
    ['host', BLUE, 'NXDOMAIN'],
    ['dark', BLUE, 'NXDOMAIN'],
    ['blue', BLUE, 'NOERROR 10.0.0.2'],
  ]
  for (const [who, question, said] of rows) t.equal(await ask(who, question), said, `${who} ${question}`)
  await block.stop()
})
