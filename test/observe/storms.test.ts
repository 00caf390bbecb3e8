import t from 'tap'
import { SAMPLE_EVERY, Storms } from '../../src/observe/storms.ts'
import { testThread } from '../support/words.ts'

const NAME = 'nope.default.svc.cluster.local.'

function world() {
  const thread = testThread()
  const { clock, log, meters } = thread.context
  const storms = new Storms(clock, log, meters)
  /** So many denials of that pair, spread over a time. */
  const deny = (denials: number, overMs: number, client = '10.0.0.7', name = NAME): void => {
    const samples = denials / SAMPLE_EVERY
    for (let i = 0; i < samples; i++) {
      thread.clock.advance(overMs / samples)
      storms.denied(client, name)
    }
  }
  return { ...thread, deny }
}

t.test('a client that asks for one missing name for ever is told once, and counted', async t => {
  const { deny, lines, counted } = world()
  deny(32_000, 10_000)
  t.same(lines, [`[WARNING] storm: 10.0.0.7 asks some 3200 times a second for ${NAME}, which does not exist`])
  const queries = counted.get('seamark_storm_queries_total') ?? 0
  t.ok(queries > 28_000 && queries <= 32_000, `${queries} counted`)
})

t.test('told again only after a while', async t => {
  const { deny, lines } = world()
  for (let minute = 0; minute < 5; minute++) deny(128_000, 60_000)
  t.equal(lines.length, 1)
  deny(128_000, 60_000)
  t.equal(lines.length, 2)
})

t.test('what many clients ask, or one client asks of many names, is no storm', async t => {
  const { deny, lines, counted } = world()
  for (let i = 0; i < 400; i++) deny(SAMPLE_EVERY, 10, `10.0.${i >> 8}.${i & 255}`)
  for (let i = 0; i < 400; i++) deny(SAMPLE_EVERY, 10, '10.0.0.7', `n${i}.default.svc.cluster.local.`)
  deny(1280, 10_000)
  t.same(lines, [])
  t.equal(counted.get('seamark_storm_queries_total') ?? 0, 0)
})

t.test('a storm among many others is found', async t => {
  const { deny, lines } = world()
  for (let i = 0; i < 200; i++) {
    deny(SAMPLE_EVERY, 10, `10.0.${i >> 8}.${i & 255}`)
    deny(SAMPLE_EVERY, 10, '10.9.9.9')
  }
  t.equal(lines.length, 1)
  t.match(lines[0], 'storm: 10.9.9.9 asks')
})
