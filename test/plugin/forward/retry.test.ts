// Questions that are lost on their way, and upstreams that sleep: when a question goes out again, to whom, and how often. Time
// is virtual; sockets are real.

import t from 'tap'
import { AGAIN_MAX } from '../../../src/plugin/forward/flight.ts'
import { RETRY_FIRST_MS, RETRY_MIN_MS } from '../../../src/plugin/forward/latency.ts'
import { SHARED_MAX } from '../../../src/plugin/forward/upstream-tcp.ts'
import { until } from '../../support/until.ts'
import { type Asked, a, answerAll, nameOf, replyTo, type Script } from '../../support/upstream-stub.ts'
import { untilWithin } from '../../support/virtual-clock.ts'
import { type Bench, benchTo, startBench, startStub } from './forward-bench.ts'

/** How virtual time goes by in `timed`. */
const STEP_MS = 100
const LINE = 'NOERROR ra | www.example.org. 30 A c0000201'
const overTcp = { transport: 'tcp', replyMaxOctets: 65535 } as const
const good = (asked: Asked): Uint8Array => replyTo(asked, { answer: [a(nameOf(asked), 30)] })

/** Answers but for the first that it is asked about each name. */
function losing(): Script {
  const seen = new Set<string>()
  return (asked, back) => {
    if (seen.has(asked.what)) back.send(good(asked))
    else seen.add(asked.what)
  }
}

t.test('one lost datagram costs what the upstream takes at most, not its whole time', async t => {
  const { stub, bench } = await benchTo(t, losing())
  t.equal((await bench.timed('www.example.org A')).tookMs, RETRY_FIRST_MS, 'before anything was measured')
  const [first, second] = stub.asked
  t.strictSame(
    [second!.id, second!.port],
    [first!.id, first!.port],
    'the same question, not one more to guess at',
  )
  stub.script = answerAll
  for (let i = 0; i < 20; i++) await bench.ask(`n${i}.example.org A`)
  stub.script = losing()
  const { tookMs, reply } = await bench.timed('late.example.org A')
  t.equal(reply.rcode, 0)
  t.ok(tookMs >= RETRY_MIN_MS && tookMs <= STEP_MS, `${tookMs} ms`)
})

t.test('twice as long each time, and no more often than that', async t => {
  const { stub, bench } = await benchTo(t, () => undefined, 'max_fails 0\nmax_connect_attempts 1')
  const startMs = bench.clock.nowMs()
  const times: number[] = []
  stub.script = () => void times.push(bench.clock.nowMs() - startMs)
  t.equal((await bench.timed('www.example.org A')).reply.rcode, 2)
  t.strictSame(times, [0, 400, 1200])
})

t.test('a client that asks again is not left waiting: the question goes out again at once', async t => {
  const { stub, bench } = await benchTo(t, () => undefined, 'max_fails 0\nread_timeout 4s')
  const asking = [bench.ask('www.example.org A')]
  await until('the question', () => stub.asked.length === 1)
  // Nobody else asks again for that long.
  await untilWithin(bench.clock, 2000, 'two more', () => stub.asked.length === 3)
  bench.clock.advance(RETRY_FIRST_MS)
  stub.script = answerAll
  asking.push(bench.ask('www.example.org A'))
  await Promise.all(asking)
  t.equal(stub.asked.length, 4)
})

t.test('however many clients ask again, the question goes out a few times', async t => {
  const { stub, bench } = await benchTo(t, () => undefined, 'max_fails 0\nread_timeout 4s')
  const asking = []
  for (let i = 0; i < 30; i++) {
    asking.push(bench.ask('www.example.org A'))
    bench.clock.advance(100)
    await until('input', () => true)
  }
  t.ok(stub.asked.length <= AGAIN_MAX + 1, `${stub.asked.length} times`)
  await bench.handler.stop()
  await Promise.all(asking)
})

t.test(
  'the next upstream answers what this one does not, and this one’s late answer is nobody’s guess',
  async t => {
    const held: (() => void)[] = []
    const slow = await startStub(t, (asked, back) => void held.push(() => back.send(good(asked))))
    const well = await startStub(t)
    const bench = startBench(t, `forward . ${slow.to} ${well.to} {\npolicy round_robin\n}`, () => 0)
    for (let i = 0; i < 4; i++) t.equal((await bench.timed(`n${i}.example.org A`)).reply.rcode, 0)
    const asked = slow.asked.length
    t.ok(asked >= 1)
    for (const answer of held.splice(0)) answer()
    slow.script = answerAll
    for (let i = 0; i < 4; i++) t.equal((await bench.timed(`m${i}.example.org A`)).tookMs, 0)
    t.strictSame(bench.thread.lines, [], 'no reply that does not fit')
    t.ok([...slow.log, ...well.log].every(line => line.startsWith('udp')))
  },
)

t.test('an upstream that sleeps under load is not asked twice as much', async t => {
  const { stub, bench } = await benchTo(t, () => undefined, 'max_fails 0\nmax_connect_attempts 1')
  const asking = Array.from({ length: 200 }, (_, i) => bench.ask(`n${i}.example.org A`))
  await until('the questions', () => stub.asked.length === 200)
  let over = false
  void Promise.all(asking).then(() => {
    over = true
  })
  await untilWithin(bench.clock, 6000, 'all answers', () => over)
  t.ok(stub.asked.length <= 200 + 125, `${stub.asked.length} questions`)
})

t.test('policy sequential: a little haste does not lead to the next one', async t => {
  const [first, second] = [await startStub(t), await startStub(t)]
  const bench = startBench(t, `forward . ${first.to} ${second.to} {\npolicy sequential\n}`)
  for (let i = 0; i < 20; i++) await bench.ask(`n${i}.example.org A`)
  first.script = losing()
  t.ok((await bench.timed('www.example.org A')).tookMs <= STEP_MS, 'the first one is asked again')
  t.equal(second.asked.length, 0)
  first.script = () => undefined
  const { tookMs } = await bench.timed('late.example.org A')
  t.ok(tookMs >= RETRY_FIRST_MS && tookMs <= RETRY_FIRST_MS + STEP_MS, `${tookMs} ms`)
  t.equal(second.asked.length, 1)
})

/** Connections that were opened while many asked at once, which the upstream then reads without a word. */
async function silentPool(bench: Bench, stub: { script: Script; connections: number }): Promise<number> {
  const many = 3 * SHARED_MAX
  await Promise.all(Array.from({ length: many }, (_, i) => bench.ask(`n${i}.example.org A`, overTcp)))
  const opened = stub.connections
  bench.clock.advance(1)
  stub.script = (asked, back) => {
    if (asked.connection > opened) back.send(good(asked))
  }
  return opened
}

t.test('connections that went silent: one question finds out for all', async t => {
  const { stub, bench } = await benchTo(t, answerAll, 'max_fails 0')
  const opened = await silentPool(bench, stub)
  t.ok(opened >= 3)
  const { tookMs, reply } = await bench.timed('www.example.org A', overTcp)
  t.equal(reply.rcode, 0)
  t.ok(tookMs <= 800, `${tookMs} ms`)
  for (let i = 0; i < 10; i++) t.equal((await bench.timed(`m${i}.example.org A`, overTcp)).tookMs, 0)
  t.equal(stub.connections, opened + 1)
})

t.test('a slow answer on a connection that others are heard on is waited for', async t => {
  const held: (() => void)[] = []
  const { stub, bench } = await benchTo(t, (asked, back) => {
    if (nameOf(asked).startsWith('slow')) held.push(() => back.send(good(asked)))
    else back.send(good(asked))
  })
  await bench.ask('www.example.org A', overTcp)
  const slow = bench.line('slow.example.org A', overTcp)
  await until('the slow one', () => held.length === 1)
  for (let i = 0; i < 15; i++) {
    bench.clock.advance(100)
    t.equal(await bench.line('www.example.org A', overTcp), LINE)
  }
  held[0]!()
  t.equal(await slow, 'NOERROR ra | slow.example.org. 30 A c0000201')
  t.equal(stub.connections, 1)
  t.equal(stub.log.filter(line => line.includes('slow')).length, 1)
})
