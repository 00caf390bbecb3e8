// What an attacker aside of the path has to guess (RFC 5452 section 9): the source port and the ID of every query, and how
// many queries for one name there are to guess at. The ports are few at one moment (udp.ts says why); which one takes a
// question is random, and so is the ID.

import t from 'tap'
import { AGE_MAX_MS, SOCKETS } from '../../../src/plugin/forward/udp.ts'
import { until } from '../../support/until.ts'
import { type Asked, a, nameOf, replyTo } from '../../support/upstream-stub.ts'
import { benchTo } from './forward-bench.ts'

t.test('10,000 queries: ports and IDs', async t => {
  const { stub, bench } = await benchTo(t)
  const QUERIES = 10_000
  for (let at = 0; at < QUERIES; at += 50) {
    if (at === QUERIES / 2) bench.clock.advance(AGE_MAX_MS)
    const asking: Promise<unknown>[] = []
    for (let i = 0; i < 50; i++) {
      asking.push(bench.ask(`n${at + i}.example.org A`))
      await turn
    }
    await Promise.all(asking)
  }
  t.equal(stub.asked.length, QUERIES)
  // As they were asked, each in a turn of its own: what is asked in one turn leaves from one port.
  const asked = stub.asked.toSorted((one, other) => numberOf(one) - numberOf(other))
  const ports = asked.map(({ port }) => port)
  const halves = [new Set(ports.slice(0, QUERIES / 2)), new Set(ports.slice(QUERIES / 2))] as const
  t.strictSame([halves[0].size, halves[1].size], [SOCKETS, SOCKETS])
  t.ok(halves[0].isDisjointFrom(halves[1]), 'no port stays')
  for (const half of halves) {
    const shares = [...half].map(port => ports.filter(other => other === port).length)
    const expected = QUERIES / 2 / SOCKETS
    const chi = shares.reduce((sum, n) => sum + (n - expected) ** 2 / expected, 0)
    // 15 expected, 6 standard deviations above are 48.
    t.ok(chi < 48, `chi-square of the ports is ${chi.toFixed(0)}`)
  }
  // Neighbours have the same port as often as chance has it: 625 times, within 6 standard deviations.
  const repeats = ports.filter((port, i) => port === ports[i - 1]).length
  t.ok(Math.abs(repeats - QUERIES / SOCKETS) < 145, `${repeats} neighbours have the same port`)
  // 65,536 IDs drawn 10,000 times leave about 9,275 different ones.
  t.ok(new Set(asked.map(({ id }) => id)).size > 9100, 'distinct IDs')
  // Every bit is set in half of them; 6 standard deviations are 300.
  for (let bit = 0; bit < 16; bit++) {
    const set = asked.filter(({ id }) => (id >> bit) & 1).length
    t.ok(Math.abs(set - QUERIES / 2) < 300, `bit ${bit} of the ID is set in ${set}`)
  }
  // Chi-square over 256 classes: 255 expected, 6 standard deviations above are 390.
  for (const shift of [0, 8]) {
    const classes = new Array<number>(256).fill(0)
    for (const { id } of asked) classes[(id >> shift) & 255]!++
    const chi = classes.reduce((sum, n) => sum + (n - QUERIES / 256) ** 2 / (QUERIES / 256), 0)
    t.ok(chi < 390, `chi-square of the octet is ${chi.toFixed(0)}`)
  }
  // Neighbours share no more of their bits than chance has it: 80,000 of 160,000, within 6 standard deviations.
  let shared = 0
  for (let i = 1; i < QUERIES; i++) {
    shared += 16 - popCount(asked[i]!.id ^ asked[i - 1]!.id)
  }
  t.ok(Math.abs(shared - (QUERIES - 1) * 8) < 1200, `neighbours share ${shared} bits`)
})

const turn = Promise.resolve()

const numberOf = (asked: Asked): number => Number.parseInt(nameOf(asked).slice(1), 10)

const popCount = (n: number): number => n.toString(2).replaceAll('0', '').length

t.test('500 clients ask one new name while the upstream sleeps: one query, 500 answers', async t => {
  let wake = (): void => undefined
  const { stub, bench } = await benchTo(t, (asked, back) => {
    wake = () => back.send(replyTo(asked, { answer: [a(nameOf(asked), 30)] }))
  })
  const spelled = (i: number): string =>
    [...'www.example.org'].map((c, bit) => ((i >> (bit % 9)) & 1 ? c.toUpperCase() : c)).join('')
  const lines = Array.from({ length: 500 }, (_, i) => bench.line(`${spelled(i)} A`, { id: i }))
  await until('the query', () => stub.asked.length > 0)
  wake()
  t.strictSame(
    await Promise.all(lines),
    lines.map((_, i) => `NOERROR ra | ${spelled(i)}. 30 A c0000201`),
  )
  t.equal(stub.asked.length, 1)
})

t.test('what makes questions different', async t => {
  const wakes: (() => void)[] = []
  const { stub, bench } = await benchTo(t, (asked, back) => {
    wakes.push(() => back.send(replyTo(asked, { answer: [a(nameOf(asked), 30)] })))
  })
  const edns = { payloadSize: 1232, dnssecOk: false, options: [] }
  const questions = [
    bench.ask('www.example.org A'),
    bench.ask('www.example.org AAAA'),
    bench.ask('web.example.org A'),
    bench.ask('www.example.org A', { checkingDisabled: true }),
    bench.ask('www.example.org A', { edns: { ...edns, dnssecOk: true } }),
    // Not different: EDNS without DO, client subnets, RD, AD, the client.
    bench.ask('www.example.org A', { recursionDesired: false }),
    bench.ask('www.example.org A', { edns }),
    bench.ask('www.example.org A', { edns: { ...edns, options: [{ code: 8, data: new Uint8Array(8) }] } }),
    bench.ask('www.example.org A', { authenticData: true }),
    bench.ask('www.example.org A', { client: { address: '10.0.0.9', port: 1, family: 4 } }),
  ]
  await until('the queries', () => wakes.length === 5)
  for (const wake of wakes) wake()
  await Promise.all(questions)
  t.equal(stub.asked.length, 5)
  await bench.handler.stop()
})

t.test('a waiter with less time gets SERVFAIL at its deadline, the others their answer', async t => {
  let wake = (): void => undefined
  const { stub, bench } = await benchTo(t, (asked, back) => {
    wake = () => back.send(replyTo(asked, { answer: [a(nameOf(asked), 30)] }))
  })
  const patient = bench.line('www.example.org A')
  const hasty = bench.line('www.example.org A', { deadlineMs: bench.clock.nowMs() + 100 })
  await until('the query', () => stub.asked.length > 0)
  bench.clock.advance(100)
  t.equal(await hasty, 'SERVFAIL ede23')
  wake()
  t.equal(await patient, 'NOERROR ra | www.example.org. 30 A c0000201')
  t.equal(stub.asked.length, 1)
})
