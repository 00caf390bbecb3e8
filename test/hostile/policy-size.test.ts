// What `policy` costs, whatever is asked, written or made an object of: ten thousand lines, a flood of namespaces that nobody has,
// objects as large and as many as the API takes, that change all the time, or that are none.

import t from 'tap'
import { checkedDnsPolicy } from '../../src/objects/dns-policies.ts'
import { isProblem, slimDnsPolicy } from '../../src/objects/slim.ts'
import { systemClock } from '../../src/shared/clock.ts'
import { PIECES_A_STEP } from '../../src/shared/steps.ts'
import { POLICIES_MAX_OCTETS, Policies } from '../../src/table/policies.ts'
import { TableWriter } from '../../src/table/writer.ts'
import { POD, policy, policyWorld } from '../plugin/policy/policy-world.ts'
import { costBeside } from '../support/cost.ts'
import { encodeQuestion } from '../support/dns-question.ts'
import { Random } from '../support/random.ts'
import { slimService } from '../support/slim-cluster.ts'

const NAMESPACES = { red: {}, blue: {} }
const SERVICES = [slimService('red/web', '10.0.0.1'), slimService('blue/web', '10.0.0.2')]
const CLIENT = { address: POD.red, port: 5353, family: 4 } as const
const BLUE = 'web.blue.svc.cluster.local'

const worldOf = (lines: string, own = {}) =>
  policyWorld({
    policy: lines,
    namespaces: NAMESPACES,
    services: SERVICES,
    behind: 'hosts {\n192.0.2.1 www.test\nfallthrough\n}',
    own,
  })

/** Asks for that many names, with other digits in the place of these, that nobody has asked for before. */
function flood(block: ReturnType<typeof worldOf>['block'], name: string, names: number): () => void {
  const question = encodeQuestion({ name, type: 'A' })
  const digitsAt = Buffer.from(question).indexOf('00000')
  let n = 0
  return () => {
    for (let i = 0; i < names; i++) {
      question.set(Buffer.from(String(n++).padStart(5, '0')), digitsAt)
      block.ask(question, { client: CLIENT })
    }
  }
}

const listOf = (lines: number, line: (i: number) => string): string =>
  Array.from({ length: lines }, (_, i) => line(i)).join('\n')

/** Rounds of which the first warms up. */
const ROUNDS = 2

t.test('a flood of names costs with ten thousand lines what it costs with ten', async t => {
  const rows: [what: string, name: string, names: number, line: (i: number) => string][] = [
    ['namespaces', 'web.x00000.svc.cluster.local', 4000, i => (i % 2 ? `deny from * to n${i}` : `allow from n${i} to n${i}-*`)],
    ['names outside', 'x00000.test', 2000, i => `names from ${i % 2 ? '*' : `n${i}`} block n${i}.example`],
  ] // biome-ignore format: a table
  for (const [what, name, names, line] of rows) {
    const [many, few] = [worldOf(listOf(10_000, line)), worldOf(listOf(10, line))]
    t.same(many.block.problems.list, [], what)
    const ratio = costBeside(flood(many.block, name, names), flood(few.block, name, names), ROUNDS)
    // One by one they would be 20 times as much and more.
    t.ok(ratio < 8, `${what}: ${ratio.toFixed(2)} times as much`)
    t.equal(await many.ask('red', BLUE), 'NOERROR 10.0.0.2', 'and who is judged then is judged as ever')
    t.equal(
      await many.ask('red', what === 'namespaces' ? 'web.n7.svc.cluster.local' : 'n7.example'),
      'NXDOMAIN',
    )
    await many.block.stop()
    await few.block.stop()
  }
})

const NAMES = Array.from({ length: 1000 }, (_, i) => `n${i}.${'a'.repeat(20)}.example`)

t.test(
  'a namespace has so many octets of policies: the older ones are followed, and the younger ones say why not',
  async t => {
    const { cluster, ask, refused, block } = worldOf('objects')
    const perObject = JSON.stringify(NAMES).length
    const fits = Math.floor(POLICIES_MAX_OCTETS / (perObject + 100))
    for (let i = 0; i < 10; i++) {
      const names = { block: [...NAMES.slice(1), `only${i}.test`] }
      cluster.upsert('DNSPolicy', policy(`red/p${i}`, { names }, i))
    }
    t.equal(refused.length, 10 - fits)
    t.match(
      refused[0],
      `DNSPolicy red/p${fits}: with the older ones of this namespace it has more than ${POLICIES_MAX_OCTETS} octets`,
    )
    t.equal(await ask('red', 'n7.aaaaaaaaaaaaaaaaaaaa.example'), 'NXDOMAIN')
    cluster.upsert('DNSPolicy', policy('red/small', { names: { block: ['www.test'] } }, 100))
    t.equal(await ask('red', 'www.test'), 'NXDOMAIN', 'a small one still fits')
    await block.stop()
  },
)

t.test('what changes all the time is read no more often than a share of the time allows', async t => {
  // Each look at the clock is a millisecond: one reading takes one.
  let nowMs = 0
  const clock = { ...systemClock, nowMs: () => ++nowMs }
  const { cluster, ask, block } = worldOf('objects', { clock })
  const change = (name: string): void =>
    cluster.upsert('DNSPolicy', policy('red/p', { names: { block: [name] } }))
  change('other.test')
  t.equal(await ask('red', 'www.test'), 'NOERROR 192.0.2.1')
  change('www.test')
  t.equal(await ask('red', 'www.test'), 'NOERROR 192.0.2.1', 'it was read just now')
  nowMs += 1000
  t.equal(await ask('red', 'www.test'), 'NXDOMAIN', 'its turn has come')
  cluster.remove('DNSPolicy', 'red/p')
  nowMs += 1000
  t.equal(await ask('red', 'www.test'), 'NOERROR 192.0.2.1')
  change('www.test')
  t.equal(await ask('red', 'www.test'), 'NOERROR 192.0.2.1', 'going and coming is a change like others')
  nowMs += 1000
  t.equal(await ask('red', 'www.test'), 'NXDOMAIN')
  await block.stop()
})

t.test('twenty thousand objects of one namespace are published in steps', t => {
  const policies = new Policies(
    () => undefined,
    () => undefined,
  )
  const OBJECTS = 20_000
  for (let i = 0; i < OBJECTS; i++)
    policies.add(policy(`red/p${i}`, { names: { block: ['x.test'] } }, OBJECTS - i))
  const writer = new TableWriter(1 << 24)
  let steps = 0
  for (const _ of policies.publish('red', writer)) steps++
  t.ok(steps >= (3 * OBJECTS) / PIECES_A_STEP, `${steps} steps`)
  t.notOk(policies.verdictOf(`red/p${OBJECTS - 1}`)?.refusal, 'the oldest is followed')
  t.equal(policies.verdictOf('red/p0')?.refusal, 'TooMany')
  t.end()
})

t.test('objects that are none narrow nothing or something, and end nothing', async t => {
  const random = new Random(7)
  const KEYS = ['names', 'namespaces', 'allow', 'block', 'allowSelectors', 'blockSelectors', 'matchLabels', 'matchExpressions', 'key', 'operator', 'values', '__proto__', 'constructor', 'spec'] // biome-ignore format: a list
  const TEXTS = [
    '',
    '.',
    '*',
    'a..b',
    'x'.repeat(300),
    'www.test',
    'red',
    'b*',
    'In',
    'Exists',
    'a/b/c',
    '\u0000',
    'ß.test',
    '-',
  ]
  const of = <T>(list: readonly T[]): T => list[random.below(list.length)]!
  const value = (depth: number): unknown => {
    const kind = random.below(depth > 5 ? 4 : 7)
    if (kind === 0) return of([null, true, 0, -1, 1e308])
    if (kind < 4) return of(TEXTS)
    if (kind === 4) return Array.from({ length: random.below(4) }, () => value(depth + 1))
    return Object.fromEntries(Array.from({ length: random.below(5) }, () => [of(KEYS), value(depth + 1)]))
  }
  const { cluster, ask, block } = worldOf('objects')
  let good = 0
  for (let i = 0; i < 4000; i++) {
    const slim = slimDnsPolicy({ metadata: { namespace: 'red', name: `p${i % 40}` }, spec: value(0) })
    if (isProblem(slim)) throw new Error(slim.problem)
    if (slim.flaw === '') good++
    const again = checkedDnsPolicy(JSON.parse(JSON.stringify(slim)), { namespace: 'red', name: slim.name })
    if (again === undefined) t.fail(JSON.stringify(slim))
    cluster.upsert('DNSPolicy', slim)
    if (i % 100 > 0) continue
    for (const question of ['www.test', BLUE])
      t.match(await ask('red', question), /^(?:NXDOMAIN|NOERROR [\d.]+)$/)
    t.equal(await ask('red', 'web.red.svc.cluster.local'), 'NOERROR 10.0.0.1', 'its own it has')
    t.equal(await ask('blue', BLUE), 'NOERROR 10.0.0.2', 'and others have what they had')
  }
  t.ok(good > 100, `${good} can be followed`)
  await block.stop()
})
