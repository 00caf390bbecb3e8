// How old the answers are: a watch that is silent, refused or cannot be reached changes none of them, and somebody has to
// say so: the table's head (and with it every reason), /ready?verbose, the log.

import t, { type Test } from 'tap'
import { Freshness } from '../../src/cluster/freshness.ts'
import { agedKind, ageSeconds } from '../../src/table/layout.ts'
import { service } from '../support/fake-objects.ts'
import { VirtualClock } from '../support/virtual-clock.ts'
import { World, type WorldOptions } from '../watch/watched-api.ts'

/** A world whose freshness is looked after; `head` is what the table's head says. */
async function looked(t: Test, options: WorldOptions = {}) {
  const world = await World.make(t, options)
  const lines: string[] = []
  const head = { seconds: 0, kind: 0 }
  const freshness = new Freshness({
    clock: world.clock,
    watches: () => world.source.status(),
    restoredAtMs: () => undefined,
    table: { setAge: age => Object.assign(head, { seconds: ageSeconds(age), kind: agedKind(age) }) },
    log: (level, text) => lines.push(`${level} ${text}`),
  })
  freshness.start()
  t.teardown(() => freshness.stop())
  return { world, freshness, head, lines }
}

/** Longer than a watch is ever silent, and at most so long until it is said. */
const STALE_MS = 60_000
const SAID_MS = 67_000

t.test('a quiet cluster is not an old one', async t => {
  const { world, freshness, head, lines } = await looked(t)
  await world.pass(1_800_000, 5000)
  t.same([head.seconds, freshness.ageMs, freshness.text, lines], [0, 0, undefined, []])
})

t.test('an API server that stands still, for three hours', async t => {
  const { world, freshness, head, lines } = await looked(t)
  await world.pass(30_000)
  world.server.pause()
  await world.within(SAID_MS, 'said', () => head.seconds > 0)
  t.ok(head.seconds >= STALE_MS / 1000 && head.seconds <= SAID_MS / 1000, `${head.seconds} s`)
  t.equal(head.kind, 0, 'nothing is heard at all')
  t.match(lines, [/^WARNING the API server was last heard 6\d s ago: answers may be old$/])
  await world.pass(60_000)
  t.match(freshness.text, /^the API server was last heard 12\d s ago \(cannot watch: .*no answer for 30 s\)$/)
  await world.pass(10_740_000, 5000)
  t.ok(lines.length >= 6 && lines.length <= 9, `${lines.length} lines in three hours, at growing intervals`)
  world.cluster.apply('services', service('default', 'brandnew'))
  world.server.resume()
  await world.within(35_000, 'all heard', () => head.seconds === 0)
  t.match(lines.at(-1), /^INFO answers are up to date again, after 10[89]\d\d s$/)
  t.ok(world.converged())
})

t.test('an API server that is gone: shorter than a watch may be silent, and longer', async t => {
  const { world, head, lines } = await looked(t)
  await world.server.kill()
  await world.pass(50_000)
  await world.server.listen()
  await world.within(35_000, 'all heard', () =>
    world.source.status().every(({ ageMs = 1e9 }) => ageMs < 30_000),
  )
  t.same([head.seconds, lines], [0, []], 'a restart of the API server is nothing to speak of')
  await world.server.kill()
  await world.within(SAID_MS, 'said', () => head.seconds > 0)
  t.match(lines, [/ECONNREFUSED/])
})

t.test('one resource refused while it is followed: its own age, whatever the others hear', async t => {
  const { world, freshness, head, lines } = await looked(t)
  world.server.forbid('endpointslices')
  for (const watch of world.server.watches('endpointslices')) watch.kill()
  await world.within(SAID_MS, 'said', () => head.seconds > 0)
  t.equal(head.kind, 3, 'EndpointSlice')
  t.match(
    freshness.text,
    /^endpointslices were last heard of 6\d s ago \(403 forbidden: cannot watch endpointslices/,
  )
  t.equal(lines.length, 1)
  t.same(
    world.source.status().map(({ resource, stale }) => [resource, stale]),
    [
      ['namespaces', false],
      ['services', false],
      ['endpointslices', true],
    ],
  )
  world.server.forbidden.clear()
  await world.within(40_000, 'heard', () => head.seconds === 0)
})

t.test('a resource that may be listed but not watched is not followed', async t => {
  const { world, head } = await looked(t)
  world.server.forbid('services', ['watch'])
  for (const watch of world.server.watches('services')) watch.kill()
  await world.within(SAID_MS, 'said', () => head.seconds > 0)
  t.equal(head.kind, 2, 'Service')
})

t.test('a snapshot is as old as it was saved, by the wall clock, from the first moment', t => {
  const clock = new VirtualClock()
  const lines: string[] = []
  let savedAtMs: number | undefined = clock.wallMs() - 90_000
  let seconds = 0
  const freshness = new Freshness({
    clock,
    watches: () => [
      { resource: 'services', kind: 'Service', ageMs: undefined, stale: false, lastError: undefined },
    ],
    restoredAtMs: () => savedAtMs,
    table: { setAge: age => (seconds = ageSeconds(age)) },
    log: (level, text) => lines.push(`${level} ${text}`),
  })
  freshness.start()
  t.same([seconds, lines], [90, []], 'the start has said it')
  clock.advance(100_000)
  t.same([seconds, lines], [190, ['WARNING the snapshot is 180 s old: answers may be old']])
  clock.stepWall(-3_600_000)
  clock.advance(1000)
  t.equal(seconds, 1, 'one from the future is old, too')
  savedAtMs = undefined
  freshness.look()
  t.same([seconds, freshness.ageMs, lines.length], [0, 0, 1])
  freshness.stop()
  t.equal(clock.pending, 0)
  t.end()
})
