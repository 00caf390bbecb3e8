// Collectors that do not take what they are sent: nothing waits, nothing grows, everything is counted.

import t, { type Test } from 'tap'
import type { TraceConfig } from '../../../src/plugin/trace/config.ts'
import { SpanSender } from '../../../src/plugin/trace/sender.ts'
import type { Span } from '../../../src/plugin/trace/span.ts'
import { SpanCollector } from '../../support/span-collector.ts'
import { until } from '../../support/until.ts'
import { testThread } from '../../support/words.ts'

const span = (n: number): Span => ({
  traceId: `${n}`.padStart(32, 'a'),
  id: `${n}`.padStart(16, 'b'),
  parentId: undefined,
  name: 'servedns',
  kind: 'server',
  startUs: 1_767_225_600_000_000 + n,
  durationUs: 10,
  tags: [],
  error: undefined,
  isShared: false,
})

async function world(t: Test, more: Partial<TraceConfig> = {}, threads = 1) {
  const collector = await SpanCollector.listen()
  t.teardown(() => collector.close())
  const { context, clock, lines, counted } = testThread()
  const url = `http://127.0.0.1:${collector.port}/api/v2/spans`
  const sender = new SpanSender({
    config: {
      type: 'zipkin',
      url,
      every: 1,
      service: 'coredns',
      clientServer: false,
      analyticsRate: 0,
      backlogMax: 100,
      batchMax: 10,
      batchIntervalMs: 1000,
      ...more,
    },
    clock,
    log: context.log,
    meters: context.meters,
    threads,
    tells: true,
  })
  const send = (count: number, from = 0): void => {
    for (let n = from; n < from + count; n++) sender.send([span(n)])
  }
  const count = (what: string): number => counted.get(`seamark_trace_${what}_total{endpoint=${url}}`) ?? 0
  const sizes = (): number[] => collector.posted.map(({ body }) => (JSON.parse(body) as unknown[]).length)
  return { collector, clock, lines, sender, send, count, sizes }
}

t.test('a batch goes when it is full, or when it has waited', async t => {
  const { clock, send, count, sizes, sender } = await world(t)
  send(3)
  clock.advance(999)
  t.equal(clock.pending, 1)
  clock.advance(1)
  await until('three', () => count('spans') === 3)
  send(25, 3)
  await until('two full ones', () => count('spans') === 23)
  clock.advance(1000)
  await until('the rest', () => count('spans') === 28)
  t.same(sizes(), [3, 10, 10, 5])
  await sender.stop()
  t.equal(clock.pending, 0)
})

t.test('a collector that never answers: one request, and the oldest are dropped', async t => {
  const { collector, clock, lines, send, count } = await world(t)
  collector.status = 'never'
  send(1000)
  await until('asked', () => collector.posted.length === 1)
  t.equal(count('dropped'), 1000 - 10 - 100)
  clock.advance(5000)
  await until('given up', () => count('dropped') === 1000 - 100)
  t.match(lines, [/^\[ERROR\] plugin\/trace: Spans are not taken by http:.*: no answer in 5 s$/])
  collector.status = 202
  send(1, 1000)
  t.equal(collector.posted.length, 1, 'it is left alone for a second')
  clock.advance(1000)
  await until('all that waited', () => count('spans') === 100)
  const newest = collector.spans('/api/v2/spans').at(-1)
  t.equal(newest?.id, span(1000).id)
})

t.test('one that is away, or refuses: said once, asked less and less often', async t => {
  const { collector, clock, lines, send, count } = await world(t)
  collector.status = 503
  let dropped = 0
  for (const delayMs of [1000, 1000, 2000, 4000, 8000, 16_000, 30_000, 30_000]) {
    send(1)
    clock.advance(delayMs - 1)
    t.equal(count('dropped'), dropped, `${delayMs} ms`)
    clock.advance(1)
    await until('refused', () => count('dropped') === dropped + 1)
    dropped++
  }
  t.same(lines, [
    `[ERROR] plugin/trace: Spans are not taken by http://127.0.0.1:${collector.port}/api/v2/spans: status 503`,
  ])
  collector.status = 200
  send(1)
  clock.advance(30_000)
  await until('taken', () => count('spans') === 1)
})

t.test('threads share the backlog; an end sends what waits, and waits for a second', async t => {
  const { collector, clock, sender, send, count } = await world(t, { backlogMax: 9 }, 4)
  send(5)
  t.equal(count('dropped'), 2)
  await sender.stop()
  t.equal(count('spans'), 3)
  send(1)
  t.equal(count('dropped'), 3)

  const other = await world(t)
  other.collector.status = 'never'
  other.send(1)
  const stopped = other.sender.stop()
  await until('asked', () => other.collector.posted.length === 1)
  other.clock.advance(1000)
  await stopped
  t.equal(other.count('dropped'), 1)
  t.equal(collector.posted.length, 1)
  t.equal(clock.pending, 0)
})
