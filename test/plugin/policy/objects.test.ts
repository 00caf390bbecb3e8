// DNSPolicies: what they take away, that they give nothing, and what becomes of those that are wrong.

import t from 'tap'
import type { SlimDnsPolicy } from '../../../src/objects/dns-policies.ts'
import { isProblem, slimDnsPolicy } from '../../../src/objects/slim.ts'
import { POLICIES_MAX } from '../../../src/table/policies.ts'
import { decodeMessage } from '../../support/dns-message.ts'
import { encodeQuestion } from '../../support/dns-question.ts'
import { extendedError } from '../../support/extended-error.ts'
import { Random } from '../../support/random.ts'
import { ServerBlock } from '../../support/server-block.ts'
import { external, SlimCluster, slimPod, slimService } from '../../support/slim-cluster.ts'

const POD = { red: '10.1.1.1', blue: '10.1.2.1', host: '192.168.0.1', nobody: '10.9.9.9' }
type Who = keyof typeof POD

/** A DNSPolicy out of `red/default` and its spec, made in that second. */
function policy(key: string, spec: unknown, at = 0): SlimDnsPolicy {
  const [namespace, name] = key.split('/')
  const creationTimestamp = new Date(at * 1000).toISOString()
  const slim = slimDnsPolicy({ metadata: { namespace, name, creationTimestamp }, spec })
  if (isProblem(slim)) throw new Error(slim.problem)
  return slim
}

const SERVICES = [
  slimService('red/web', '10.0.0.1'),
  slimService('blue/web', '10.0.0.2'),
  slimService('shared/web', '10.0.0.3'),
  external('red/out', 'www.example.org'),
  external('shared/in', 'web.blue.svc.cluster.local'),
]
const HOSTS = `hosts {
  192.0.2.1 www.example.org ads.example.org ok.ads.example.org www.test
  10.0.0.2 rebound.test
  fallthrough
}`

function world(lines: string) {
  const refused: string[] = []
  const made = new SlimCluster(
    { verifiedPods: true, policies: true, clients: { podNames: false, hosts: false, labels: [] } },
    {
      kinds: ['Service', 'EndpointSlice', 'Namespace', 'Pod', 'DNSPolicy'],
      refused: text => void refused.push(text),
    },
  )
  made.cluster.replace('DNSPolicy', [])
  made.cluster.replace('Pod', [
    slimPod('red/a', POD.red),
    slimPod('blue/a', POD.blue),
    slimPod('red/h', POD.host, { hostNetwork: true }),
  ])
  made.list(['red', 'blue', 'shared'], SERVICES)
  const block = new ServerBlock(
    `policy {\n${lines}\n}\nkubernetes cluster.local in-addr.arpa {\npods verified\nfallthrough in-addr.arpa\n}\n${HOSTS}`,
    made,
  )
  t.same(block.problems.list, [])
  const octets = async (who: Who, question: string): Promise<Uint8Array> => {
    const [name = '', type = 'A'] = question.split(' ')
    const client = { address: POD[who], port: 5353, family: 4 } as const
    return (await block.late(encodeQuestion({ name, type, edns: true }), { client }))!
  }
  const ask = async (who: Who, question: string): Promise<string> => {
    const { rcode, records } = decodeMessage(await octets(who, question))
    return [rcode, ...records.answer.map(({ data }) => data)].join(' ')
  }
  return { cluster: made.cluster, block, ask, octets, refused }
}

const web = (namespace: string): string => `web.${namespace}.svc.cluster.local`

t.test('what a DNSPolicy takes away, of whom, and that the reason names it', async t => {
  const { cluster, ask, octets, block } = world('objects')
  cluster.replace('DNSPolicy', [
    policy('red/outside', { names: { allow: ['example.org'], block: ['ads.example.org'] } }),
    policy('red/inside', { namespaces: { block: ['bl*'] } }),
    policy('shared/closed', { names: { allow: [] }, namespaces: { allow: [] } }),
  ])
  const rows: [who: Who, question: string, said: string][] = [
    ['red', 'www.example.org', 'NOERROR 192.0.2.1'],
    ['red', 'ads.example.org', 'NXDOMAIN'],
    ['red', 'ok.ads.example.org', 'NXDOMAIN'],
    ['red', 'www.test', 'NXDOMAIN'],
    ['red', web('red'), 'NOERROR 10.0.0.1'],
    ['red', web('blue'), 'NXDOMAIN'],
    ['red', web('shared'), 'NOERROR 10.0.0.3'],
    ['red', 'in.shared.svc.cluster.local', 'NXDOMAIN'],
    ['red', '2.0.0.10.in-addr.arpa PTR', 'NXDOMAIN'],
    ['blue', web('red'), 'NOERROR 10.0.0.1'],
    ['blue', 'www.test', 'NOERROR 192.0.2.1'],
    ['blue', 'rebound.test', 'NOERROR 10.0.0.2'],
    ['host', 'www.test', 'NOERROR 192.0.2.1'],
    ['nobody', web('blue'), 'NOERROR 10.0.0.2'],
  ]
  for (const [who, question, said] of rows) t.equal(await ask(who, question), said, `${who} ${question}`)
  const reasons: [question: string, reason: RegExp][] = [
    ['ads.example.org', /may not resolve this name \(DNSPolicy red\/outside, spec\.names\.block\)/],
    ['www.test', /\(DNSPolicy red\/outside, spec\.names\.allow\)/],
    [web('blue'), /may not resolve this namespace \(DNSPolicy red\/inside, spec\.namespaces\.block\)/],
  ]
  for (const [question, reason] of reasons)
    t.match(extendedError(decodeMessage(await octets('red', question)).edns), reason)
  const notes = await block.notes(encodeQuestion({ name: 'www.test', type: 'A' }))
  t.ok(notes.some(note => note.startsWith('policy: ')))
  await block.stop()
})

t.test('objects come, change and go', async t => {
  const { cluster, ask, block } = world('objects')
  t.equal(await ask('red', 'www.test'), 'NOERROR 192.0.2.1')
  cluster.upsert('DNSPolicy', policy('red/a', { names: { block: ['test'] } }))
  t.equal(await ask('red', 'www.test'), 'NXDOMAIN')
  cluster.upsert('DNSPolicy', policy('red/b', { names: { block: ['example.org'] } }))
  cluster.upsert('DNSPolicy', policy('red/a', { names: { block: ['other.test'] } }))
  t.equal(await ask('red', 'www.test'), 'NOERROR 192.0.2.1')
  t.equal(await ask('red', 'www.example.org'), 'NXDOMAIN')
  cluster.remove('DNSPolicy', 'red/b')
  t.equal(await ask('red', 'www.example.org'), 'NOERROR 192.0.2.1')
  await block.stop()
})

t.test('without `objects` there are none', async t => {
  const { cluster, ask, block } = world('default allow')
  cluster.upsert('DNSPolicy', policy('red/a', { names: { allow: [] } }))
  t.equal(await ask('red', 'www.test'), 'NOERROR 192.0.2.1')
  await block.stop()
})

t.test('what is wrong is refused: what was good before goes on, what never was narrows nothing', async t => {
  const { cluster, ask, refused, block } = world('objects')
  const wrong: [spec: unknown, why: RegExp][] = [
    [undefined, /a DNSPolicy needs a spec; it narrows nothing$/],
    [{ names: { allow: ['a..b'] } }, /spec\.names\.allow\.0: "a\.\.b" is no name; it narrows nothing$/],
    [{ names: { block: 'test' } }, /spec\.names\.block: this is no list/],
    [{ names: [] }, /spec\.names: this has neither allow nor block/],
    [{ namespaces: { allow: ['team a'] } }, /spec\.namespaces\.allow\.0: "team a" is no name of a namespace, perhaps with \*/],
    [{ names: { block: Array(1001).fill('x.test') } }, /spec\.names\.block: more than 1000/],
  ] // biome-ignore format: a table
  for (const [spec, why] of wrong) {
    cluster.upsert('DNSPolicy', policy('red/wrong', spec))
    t.match(refused.splice(0), [why])
    t.equal(await ask('red', 'www.test'), 'NOERROR 192.0.2.1')
  }
  cluster.upsert('DNSPolicy', policy('red/wrong', { names: { block: ['test'] } }))
  t.equal(await ask('red', 'www.test'), 'NXDOMAIN')
  cluster.upsert('DNSPolicy', policy('red/wrong', { names: { block: ['.'] } }))
  t.match(refused, [
    /^DNSPolicy red\/wrong: spec\.names\.block\.0: "\." is no name; what it said before goes on being followed$/,
  ])
  t.equal(await ask('red', 'www.test'), 'NXDOMAIN')
  cluster.remove('DNSPolicy', 'red/wrong')
  t.equal(await ask('red', 'www.test'), 'NOERROR 192.0.2.1')

  refused.length = 0
  for (let i = 0; i <= POLICIES_MAX; i++) cluster.upsert('DNSPolicy', policy(`blue/p${i}`, { names: {} }, i))
  t.same(refused, [
    `DNSPolicy blue/p${POLICIES_MAX}: ${POLICIES_MAX} older ones of this namespace are followed, and no more`,
  ])
  await block.stop()
})

t.test(
  'whatever the Corefile and the objects say, with objects nothing is answered that is not without',
  async t => {
    const random = new Random(20)
    const of = <T>(list: readonly T[]): T => list[random.below(list.length)]!
    const some = <T>(list: readonly T[], max: number): T[] =>
      Array.from({ length: random.below(max + 1) }, () => of(list))
    const SUFFIXES = [
      'example.org',
      'ads.example.org',
      'ok.ads.example.org',
      'test',
      'cluster.local',
    ] as const
    const SELECTORS = ['red', 'blue', 'shared', 'r*', '*', '*e*'] as const
    const list = (texts: readonly string[]): object => ({
      ...(random.below(2) === 0 && { allow: some(texts, 2) }),
      ...(random.below(2) === 0 && { block: some(texts, 2) }),
    })
    const questions = [
    web('red'), web('blue'), web('shared'), 'out.red.svc.cluster.local', 'in.shared.svc.cluster.local', 'www.example.org',
    'ads.example.org', 'ok.ads.example.org', 'www.test', 'rebound.test', '2.0.0.10.in-addr.arpa PTR', 'cluster.local SOA',
    `${web('blue')} SRV`, 'red.svc.cluster.local',
  ] // biome-ignore format: a list
    let narrowed = 0
    let left = 0
    for (let round = 0; round < 25; round++) {
      const lines = [
      of(['default allow', 'default deny']),
      ...some(['shared shared', 'allow from red to blue', 'deny from * to red', 'names from red allow example.org', 'names from * block test', 'refuse'], 3),
    ] // biome-ignore format: a list
      const [without, withThem] = [world(lines.join('\n')), world([...lines, 'objects'].join('\n'))]
      for (let i = random.below(4); i > 0; i--)
        withThem.cluster.upsert(
          'DNSPolicy',
          policy(`${of(['red', 'blue', 'shared'])}/p${i}`, {
            names: list(SUFFIXES),
            namespaces: list(SELECTORS),
          }),
        )
      for (const who of Object.keys(POD) as Who[])
        for (const question of questions) {
          const [before, after] = [await without.ask(who, question), await withThem.ask(who, question)]
          if (after === before) left++
          else {
            narrowed++
            const isLess =
              after === 'NXDOMAIN' ||
              after === 'REFUSED' ||
              (after === 'NOERROR' && before.startsWith('NOERROR'))
            if (!isLess) t.fail(`${lines.join(', ')}: ${who} ${question}: ${before} has become ${after}`)
          }
        }
      await without.block.stop()
      await withThem.block.stop()
    }
    t.ok(narrowed > 50 && left > 50, `${narrowed} narrowed, ${left} as before`)
  },
)
