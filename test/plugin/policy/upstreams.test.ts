// Upstreams of their own for some namespaces: who asks whom, and that nobody is told what another one's upstreams say.

import t, { type Test } from 'tap'
import type { ServingContext } from '../../../src/plugin/plugin.ts'
import { policyWord } from '../../../src/plugin/policy/policy.ts'
import { external, slimService } from '../../support/slim-cluster.ts'
import { until } from '../../support/until.ts'
import { a, nameOf, replyTo, UpstreamStub } from '../../support/upstream-stub.ts'
import { VirtualClock } from '../../support/virtual-clock.ts'
import { parseWord } from '../../support/words.ts'
import { namespace, policyWorld, type Who } from './policy-world.ts'

/** An upstream that says of every name that it has this address. */
async function upstream(t: Test, address: string): Promise<UpstreamStub> {
  const started = await UpstreamStub.start((asked, back) =>
    back.send(replyTo(asked, { answer: [a(nameOf(asked), 30, address)] })),
  )
  t.teardown(() => started.pause())
  return started
}

/** 192.0.2.9 is what everybody's upstream says, 192.0.2.1 that of team a, 192.0.2.2 that of blue. */
async function world(t: Test, front = '', own: Partial<ServingContext> = {}, corp = '') {
  const [all, one, two] = [
    await upstream(t, '192.0.2.9'),
    await upstream(t, '192.0.2.1'),
    await upstream(t, '192.0.2.2'),
  ]
  const made = policyWorld({
    policy: `upstreams from team=a to ${one.to}\nupstreams from blue to ${two.to}\ndeny from red to blue`,
    front,
    own,
    namespaces: { red: { team: 'a' }, blue: {} },
    services: [
      slimService('red/web', '10.0.0.1'),
      slimService('blue/web', '10.0.0.2'),
      external('red/out', 'www.example.net'),
    ],
    behind: `hosts {\n192.0.2.77 known.test\nfallthrough\n}\nforward . ${all.to} {\nexcept kept.test\n}${corp && `\n}\ncorp.example {\n${corp}`}`,
  })
  t.teardown(() => made.block.stop())
  t.same(made.block.problems.list, [])
  return { ...made, all, one, two }
}

t.test('who asks whom', async t => {
  const { ask, notes, cluster, one } = await world(t)
  const rows: [who: Who, question: string, said: string][] = [
    ['red', 'www.example.org', 'NOERROR 192.0.2.1'],
    ['blue', 'www.example.org', 'NOERROR 192.0.2.2'],
    ['dark', 'www.example.org', 'NOERROR 192.0.2.9'],
    ['host', 'www.example.org', 'NOERROR 192.0.2.9'],
    ['nobody', 'www.example.org', 'NOERROR 192.0.2.9'],
    ['red', 'known.test', 'NOERROR 192.0.2.77'],
    ['red', 'web.red.svc.cluster.local', 'NOERROR 10.0.0.1'],
    ['red', 'out.red.svc.cluster.local', 'NOERROR www.example.net. 192.0.2.1'],
    ['blue', 'out.red.svc.cluster.local', 'NOERROR www.example.net. 192.0.2.2'],
  ]
  for (const transport of ['udp', 'tcp'] as const)
    for (const [who, question, said] of rows)
      t.equal(await ask(who, question, { transport }), said, `${transport}: ${who} ${question}`)
  t.not(await ask('red', 'a.kept.test'), 'NOERROR 192.0.2.1', 'what is not forwarded, is not')
  const told = (who: Who, question: string) =>
    notes(who, question).then(all => all.filter(note => note.includes('outside')))
  t.same(await told('red', 'www.example.org'), [
    `policy: what a Pod of namespace red asks outside of the cluster is asked of ${one.to} (Corefile:3: upstreams from team=a to ${one.to})`,
  ])
  t.same(await told('host', 'www.example.org'), [
    'policy: what a node asks outside of the cluster is forwarded as for everybody',
  ])
  t.same(await told('red', 'web.red.svc.cluster.local'), [])
  cluster.upsert('Namespace', namespace('red'))
  t.equal(await ask('red', 'www.example.org'), 'NOERROR 192.0.2.9', 'a label that goes')
})

t.test('what one is told is nobody else’s, in whatever order they ask', async t => {
  const { ask, all, one, two } = await world(t, 'cache 30 {\nserve_stale\n}')
  const of: Readonly<Partial<Record<Who, string>>> = {
    red: '192.0.2.1',
    blue: '192.0.2.2',
    nobody: '192.0.2.9',
  }
  const clients = Object.keys(of) as Who[]
  const orders = clients.flatMap(x => clients.filter(y => y !== x).map(y => [x, y, x, y, ...clients]))
  for (const [n, order] of orders.entries())
    for (const who of order)
      t.equal(await ask(who, `n${n}.example.org`), `NOERROR ${of[who]}`, `${n}: ${who} of ${order}`)
  for (const { asked } of [all, one, two]) t.equal(asked.length, orders.length, 'each asks once')
})

t.test('an answer that is refreshed behind a client’s back comes from where it came from', async t => {
  const clock = new VirtualClock()
  const { ask, all, one } = await world(t, 'cache 30 {\nprefetch 1 1m 90%\n}', { clock })
  for (const who of ['red', 'nobody'] as const) {
    t.equal(await ask(who, 'www.example.org'), who === 'red' ? 'NOERROR 192.0.2.1' : 'NOERROR 192.0.2.9')
    clock.advance(10_000)
    await ask(who, 'www.example.org')
    await ask(who, 'www.example.org')
    const { asked } = who === 'red' ? one : all
    await until('a refresh', () => asked.length === 2)
  }
  t.equal(await ask('red', 'www.example.org'), 'NOERROR 192.0.2.1')
  t.equal(one.asked.length + all.asked.length, 4)
})

t.test('upstreams that fail cost their own clients an answer, and nobody else asks them', async t => {
  const { ask, all, one } = await world(t, 'cache 30')
  one.script = (asked, back) => back.send(replyTo(asked, { rcode: 2 }))
  t.equal(await ask('red', 'www.example.org'), 'SERVFAIL')
  t.equal(await ask('nobody', 'www.example.org'), 'NOERROR 192.0.2.9')
  t.equal(await ask('red', 'www.example.org'), 'SERVFAIL')
  t.equal(all.asked.length, 1)
})

t.test('what they say is judged as what others say', async t => {
  const { ask, one } = await world(t)
  one.script = (asked, back) => back.send(replyTo(asked, { answer: [a(nameOf(asked), 30, '10.0.0.2')] }))
  t.equal(await ask('red', 'rebound.example.org'), 'NXDOMAIN', 'an address of a Service that is kept')
})

t.test('mistakes', t => {
  const forward = { words: new Set(['kubernetes', 'forward']) }
  const cases: [text: string, complaint: RegExp][] = [
    ['upstreams', /^3:1: error: upstreams needs from SELECTOR… to ADDRESS…/],
    ['upstreams red to 10.0.0.1', /^3:11: error: write upstreams from SELECTOR… to ADDRESS…/],
    ['upstreams from red to', /^3:11: error: write upstreams/],
    ['upstreams from red to ns.example.org', /^3:23: error: upstreams of a namespace are addresses \(found "ns.example.org"/],
    ['upstreams from red to quic://10.0.0.1', /^3:23: error: upstreams over quic are not offered/],
    ['upstreams from Red to 10.0.0.1', /^3:16: error: this is neither a name/],
    [`upstreams from red to ${Array(16).fill('10.0.0.1').join(' ')}`, /^3:20: error: more than 15 upstreams/],
    [Array(65).fill('upstreams from red to 10.0.0.1').join('\n'), /^67:1: error: more than 64 lines of upstreams/],
  ] // biome-ignore format: a table
  for (const [text, complaint] of cases)
    t.match(parseWord(policyWord, `policy {\n${text}\n}`, forward).complaints[0], complaint, text)
  t.match(
    parseWord(policyWord, 'policy {\nupstreams from red to 10.0.0.1\n}', { words: new Set(['kubernetes']) })
      .complaints[0],
    /^3:1: error: upstreams need forward in this server block, whose place they take/,
  )
  t.end()
})

t.test(
  'an alias of another block leads each client to its own upstreams, whatever the cache there has',
  async t => {
    const own =
      'template IN A {\nmatch ^www.corp.example.$\nanswer "{{ .Name }} 60 IN CNAME x.example.net."\n}\ncache'
    const { ask } = await world(t, '', {}, own)
    for (const [who, address] of [
      ['red', 1],
      ['blue', 2],
      ['dark', 9],
      ['red', 1],
    ] as const)
      t.equal(await ask(who, 'www.corp.example'), `NOERROR x.example.net. 192.0.2.${address}`, who)
  },
)
