// Who may resolve what: namespaces, names outside of the cluster, and what any road to an answer would tell of them.

import t from 'tap'
import { policyWord } from '../../../src/plugin/policy/policy.ts'
import type { Coming } from '../../support/asking.ts'
import { type Decoded, decodeMessage } from '../../support/dns-message.ts'
import { encodeQuestion } from '../../support/dns-question.ts'
import { extendedError } from '../../support/extended-error.ts'
import { ServerBlock } from '../../support/server-block.ts'
import {
  external,
  headless,
  SlimCluster,
  slimPod,
  slimService,
  slimSlice,
} from '../../support/slim-cluster.ts'
import { parseWord } from '../../support/words.ts'

const POD = { team: '10.1.1.1', other: '10.1.2.1', kube: '10.1.3.1', host: '192.168.0.1', nobody: '10.9.9.9' }

/** Three namespaces with a Pod each, and a Pod on its node's network. */
function cluster(): SlimCluster {
  const config = {
    pods: 'insecure',
    verifiedPods: true,
    clients: { podNames: false, hosts: false, labels: [] },
  } as const
  const made = new SlimCluster(config, { kinds: ['Service', 'EndpointSlice', 'Namespace', 'Pod'] })
  made.cluster.replace('Pod', [
    slimPod('team/a', POD.team),
    slimPod('other/a', POD.other),
    slimPod('kube-system/a', POD.kube),
    slimPod('team/h', POD.host, { hostNetwork: true }),
  ])
  return made.list(
    ['team', 'other', 'kube-system'],
    [
      slimService('team/web', '10.0.0.1'),
      slimService('other/web', '10.0.0.2'),
      slimService('kube-system/kube-dns', '10.0.0.10'),
      headless('other/db'),
      external('team/out', 'www.example.org'),
      external('team/in', 'web.other.svc.cluster.local'),
    ],
    [
      slimSlice('other/db-1', 'db', ['10.1.2.7 db-0']),
      slimSlice('team/web-1', 'web', ['10.1.1.5', '10.1.7.7']),
      slimSlice('other/web-1', 'web', ['10.1.2.5', '10.1.7.7']),
    ],
  )
}

const HOSTS = `hosts {
  192.0.2.1 www.example.org ads.example.com x.ads.example.com ok.ads.example.com www.test
  10.0.0.2 rebound.example.org
  10.0.0.1 own.example.org
  no_reverse
  fallthrough
}`

const blockOf = (policy: string, more = ''): ServerBlock =>
  new ServerBlock(
    `policy {\n${policy}\n}\nkubernetes cluster.local in-addr.arpa {\npods insecure\n}\n${HOSTS}\n${more}`,
    cluster(),
  )

const client = (address: string): NonNullable<Coming['client']> => ({ address, port: 5353, family: 4 })

async function reply(
  block: ServerBlock,
  who: keyof typeof POD,
  question: string,
  how: Coming = {},
): Promise<Decoded> {
  const [text = '', type = 'A'] = question.split(' ')
  const name = text.endsWith('.') ? text : `${text}.cluster.local.`
  const octets = await block.late(encodeQuestion({ name, type, edns: true }), {
    client: client(POD[who]),
    ...how,
  })
  return decodeMessage(octets!)
}

const short = ({ rcode, records }: Decoded): string =>
  [rcode, ...records.answer.map(({ data }) => data)].join(' ')

const DENY = 'default deny\nshared kube-system'

t.test('namespaces', async t => {
  const rows: [policy: string, who: keyof typeof POD, question: string, answer: string][] = [
    [DENY, 'team', 'web.team.svc A', 'NOERROR 10.0.0.1'],
    [DENY, 'team', 'web.other.svc A', 'NXDOMAIN'],
    [DENY, 'team', 'WEB.OTHER.SVC A', 'NXDOMAIN'],
    [DENY, 'other', 'web.other.svc A', 'NOERROR 10.0.0.2'],
    [DENY, 'team', 'kube-dns.kube-system.svc A', 'NOERROR 10.0.0.10'],
    [DENY, 'host', 'kube-dns.kube-system.svc A', 'NOERROR 10.0.0.10'],
    [DENY, 'host', 'web.team.svc A', 'NXDOMAIN'],
    [DENY, 'nobody', 'web.team.svc A', 'NXDOMAIN'],
    [DENY, 'nobody', 'kube-dns.kube-system.svc A', 'NOERROR 10.0.0.10'],
    [DENY, 'team', 'db-0.db.other.svc A', 'NXDOMAIN'],
    [DENY, 'team', 'db.other.svc SRV', 'NXDOMAIN'],
    [DENY, 'team', 'other.svc A', 'NXDOMAIN'],
    [DENY, 'team', 'gone.svc A', 'NXDOMAIN'],
    [DENY, 'team', '10-1-2-7.other.pod A', 'NXDOMAIN'],
    [DENY, 'team', '10-1-2-7.team.pod A', 'NXDOMAIN'],
    [DENY, 'team', '10-1-1-5.team.pod A', 'NOERROR 10.1.1.5'],
    [DENY, 'team', 'dns-version TXT', 'NOERROR "1.1.0"'],
    [`${DENY}\nallow from team to other`, 'team', 'web.other.svc A', 'NOERROR 10.0.0.2'],
    [`${DENY}\nallow from team to other`, 'kube', 'web.other.svc A', 'NXDOMAIN'],
    [`${DENY}\nallow from te* to oth*`, 'team', 'web.other.svc A', 'NOERROR 10.0.0.2'],
    [`${DENY}\nallow from @host to *`, 'host', 'web.other.svc A', 'NOERROR 10.0.0.2'],
    [`${DENY}\nallow from t* to *`, 'host', 'web.other.svc A', 'NXDOMAIN'],
    [`${DENY}\nallow from * to other`, 'nobody', 'web.other.svc A', 'NOERROR 10.0.0.2'],
    [`${DENY}\ndeny from team to other\nallow from * to *`, 'team', 'web.other.svc A', 'NXDOMAIN'],
    [`${DENY}\nallow from * to *\ndeny from team to other`, 'team', 'web.other.svc A', 'NOERROR 10.0.0.2'],
    ['', 'nobody', 'web.other.svc A', 'NOERROR 10.0.0.2'],
    ['deny from * to other', 'team', 'web.other.svc A', 'NXDOMAIN'],
    ['deny from * to other', 'other', 'web.other.svc A', 'NOERROR 10.0.0.2'],
    [`${DENY}\nrefuse`, 'team', 'web.other.svc A', 'REFUSED'],
  ] // biome-ignore format: a table
  for (const [policy, who, question, answer] of rows) {
    const block = blockOf(policy)
    t.equal(short(await reply(block, who, question)), answer, `${policy}: ${who} ${question}`)
    await block.stop()
  }
})

t.test('whatever leads to it, over whatever transport', async t => {
  const rewrite = 'rewrite name exact alias.example. web.other.svc.cluster.local.'
  const rows: [what: string, question: string, answer: string][] = [
    ['an alias out of the namespace', 'in.team.svc A', 'NXDOMAIN'],
    ['an alias to the world', 'out.team.svc A', 'NOERROR www.example.org. 192.0.2.1'],
    ['a rewritten name', 'alias.example. A', 'NXDOMAIN'],
    ['a name outside with an address of the other', 'rebound.example.org. A', 'NXDOMAIN'],
    ['a name outside with an address of its own', 'own.example.org. A', 'NOERROR 10.0.0.1'],
    ['the name of an address', '2.0.0.10.in-addr.arpa. PTR', 'NXDOMAIN'],
    ['whether an address is somebody’s', '2.0.0.10.in-addr.arpa. A', 'NXDOMAIN'],
    ['its own address', '1.0.0.10.in-addr.arpa. PTR', 'NOERROR web.team.svc.cluster.local.'],
    ['an address of both', '7.7.1.10.in-addr.arpa. PTR', 'NOERROR 10-1-7-7.web.team.svc.cluster.local.'],
    ['everything', 'web.other.svc ANY', 'NXDOMAIN'],
  ] // biome-ignore format: a table
  const block = blockOf(DENY, rewrite)
  for (const transport of ['udp', 'tcp', 'tls', 'https'] as const) {
    for (const [what, question, answer] of rows)
      t.equal(short(await reply(block, 'team', question, { transport })), answer, `${transport}: ${what}`)
  }
  await block.stop()
})

t.test('what the cache has of one client is kept from another', async t => {
  const block = blockOf('names from team allow example.org', 'cache 30')
  for (let i = 0; i < 2; i++) {
    t.equal(short(await reply(block, 'other', 'www.test. A')), 'NOERROR 192.0.2.1')
    t.equal(short(await reply(block, 'team', 'www.test. A')), 'NXDOMAIN')
  }
  await block.stop()
})

t.test('a zone goes whole only to whom nothing is kept from', async t => {
  const rows: [policy: string, who: keyof typeof POD, refused: boolean][] = [
    [DENY, 'team', true],
    [`${DENY}\nallow from team to *`, 'team', true],
    ['', 'team', false],
    ['deny from other to team', 'team', false],
    ['deny from other to team', 'other', true],
    ['names from other block example.org', 'other', true],
  ] // biome-ignore format: a table
  for (const [policy, who, refused] of rows) {
    const block = blockOf(policy, 'transfer {\nto *\n}')
    const question = encodeQuestion({ name: 'cluster.local.', type: 'AXFR', edns: true })
    const come = block.late(question, { client: client(POD[who]), transport: 'tcp' })
    const text = await come.then(
      octets => `${decodeMessage(octets!).rcode} ${extendedError(decodeMessage(octets!).edns)}`,
      () => 'a transfer',
    )
    t.equal(text.startsWith('REFUSED 18 policy:'), refused, `${policy}: ${who} ${text}`)
    await block.stop()
  }
})

t.test('names outside of the cluster', async t => {
  const block = 'names from * block ads.example.com'
  const rows: [policy: string, who: keyof typeof POD, question: string, answer: string][] = [
    [block, 'team', 'www.example.org. A', 'NOERROR 192.0.2.1'],
    [block, 'team', 'ads.example.com. A', 'NXDOMAIN'],
    [block, 'nobody', 'X.ADS.example.com. A', 'NXDOMAIN'],
    [block, 'team', 'web.team.svc A', 'NOERROR 10.0.0.1'],
    [`${block}\nnames from team allow ok.ads.example.com .`, 'team', 'ok.ads.example.com. A', 'NOERROR 192.0.2.1'],
    [`${block}\nnames from team allow ok.ads.example.com .`, 'other', 'ok.ads.example.com. A', 'NXDOMAIN'],
    [`${block}\nnames from team allow ads.example.com`, 'team', 'ads.example.com. A', 'NXDOMAIN'],
    ['names from team allow example.org', 'team', 'www.example.org. A', 'NOERROR 192.0.2.1'],
    ['names from team allow example.org', 'team', 'www.test. A', 'NXDOMAIN'],
    ['names from team allow example.org', 'other', 'www.test. A', 'NOERROR 192.0.2.1'],
    ['names from team allow example.org', 'team', 'out.team.svc A', 'NOERROR www.example.org. 192.0.2.1'],
    ['names from team block example.org', 'team', 'out.team.svc A', 'NXDOMAIN'],
    ['names from team block .', 'team', 'www.test. A', 'NXDOMAIN'],
  ] // biome-ignore format: a table
  for (const [policy, who, question, answer] of rows) {
    const block = blockOf(policy)
    t.equal(short(await reply(block, who, question)), answer, `${policy}: ${who} ${question}`)
    await block.stop()
  }
})

t.test('who is denied is told why, without an SOA, and it is counted', async t => {
  const block = blockOf(`${DENY}\nnames from * block ads.example.com`)
  const told = async (who: keyof typeof POD, question: string): Promise<string> => {
    const decoded = await reply(block, who, question)
    t.same(decoded.authority, [], question)
    return extendedError(decoded.edns)
  }
  t.equal(
    await told('team', 'web.other.svc A'),
    '18 policy: a Pod of namespace team may not resolve this namespace',
  )
  t.equal(await told('host', 'web.other.svc A'), '18 policy: a node may not resolve this namespace')
  t.equal(
    await told('nobody', 'ads.example.com. A'),
    '15 policy: a client that no Pod is known for may not resolve this name',
  )
  t.equal(
    await told('team', 'rebound.example.org. A'),
    '18 policy: a Pod of namespace team may not resolve what this leads to',
  )
  const counted = [...block.thread.counted].filter(([key]) => key.includes('policy'))
  t.same(counted, [
    ['seamark_policy_denied_total{server=dns://:53,what=namespace}', 2],
    ['seamark_policy_denied_total{server=dns://:53,what=name}', 1],
    ['seamark_policy_denied_total{server=dns://:53,what=address}', 1],
  ])
  await block.stop()
})

t.test('a list of a hundred thousand names', async t => {
  const lines = Array.from({ length: 100_000 }, (_, i) =>
    i % 2 ? `0.0.0.0 host${i}.ads${i % 97}.example` : `n${i}.test # no`,
  )
  const directory = t.testdir({ list: `# names\n\n${lines.join('\n')}\nbad..name\n` })
  const read = parseWord(policyWord, 'policy {\nnames from * block file list\n}', {
    directory,
    words: new Set(['kubernetes']),
    directives: new Map(),
  })
  t.match(read.complaints[0], /^3:25: warning: some lines of this file hold no name \(found "bad..name"/)
  const block = blockOf(`names from * block file ${directory}/list`)
  for (const name of ['host1.ads1.example.', 'x.host99999.ads89.example.', 'n0.test.', 'N99998.Test.'])
    t.equal(short(await reply(block, 'team', `${name} A`)), 'NXDOMAIN', name)
  for (const name of ['www.test.', 'www.example.org.'])
    t.equal(short(await reply(block, 'team', `${name} A`)), 'NOERROR 192.0.2.1', name)
  await block.stop()
})

t.test('mistakes', async t => {
  const cases: [text: string, complaint: RegExp][] = [
    ['default maybe', /^3:9: error: this is not allow or deny \(found "maybe"; allowed: allow, deny/],
    ['shared', /^3:1: error: shared needs a namespace/],
    ['shared Team', /^3:8: error: this is neither a name of a namespace, perhaps with \*, nor a selector of labels; write a name \(web-\*\), labels \(team=a, !legacy\), or \* for all \(found "Team"/],
    ['allow team to other', /^3:7: error: write allow from SELECTOR… to SELECTOR…/],
    ['allow from team', /^3:7: error: write allow from/],
    ['allow from to other', /^3:7: error: write allow from/],
    ['deny from team to', /^3:6: error: write deny from/],
    ['allow from team to @host', /^3:20: error: this is no namespace; write a name/],
    ['allow from team in (a to other', /^3:12: error: not a label selector: found the end, expected ',' or '\)'; write .* \(found "team in \(a"\)/],
    ['allow from team= to a=(', /^3:21: error: not a label selector: found '\(', expected ','/],
    ['allow from name:A to other', /^3:12: error: this is no name of a namespace, perhaps with \*; write/],
    ['names from team deny x', /^3:7: error: write names from SELECTOR… allow\|block/],
    ['names from team block a..b', /^3:23: error: a zone name holds no empty label/],
    ['names from team block file', /^3:23: error: file needs a file/],
    ['names from team block file gone', /^3:28: error: no list of names: ENOENT/],
    ['to x', /^3:1: error: unknown property of policy \(found "to"; allowed: allow, default, deny, names, objects, refuse, shared/],
    ['', /^2:1: error: policy needs kubernetes in this server block: without it nobody knows/],
  ] // biome-ignore format: a table
  for (const [text, complaint] of cases)
    t.match(parseWord(policyWord, `policy {\n${text}\n}`).complaints[0], complaint, text)
})
