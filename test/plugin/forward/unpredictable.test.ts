// What an attacker aside of the path has to guess (RFC 5452 section 9): the source port and the ID of every query, and how
// many queries for one name there are to guess at.

import t from 'tap'
import { until } from '../../support/until.ts'
import { a, nameOf, replyTo } from '../../support/upstream-stub.ts'
import { benchTo } from './forward-bench.ts'

t.test('5,000 queries: ports and IDs', async t => {
  const { stub, bench } = await benchTo(t)
  const QUERIES = 5000
  for (let at = 0; at < QUERIES; at += 50) {
    await Promise.all(Array.from({ length: 50 }, (_, i) => bench.ask(`n${at + i}.example.org A`)))
  }
  t.equal(stub.asked.length, QUERIES)
  t.ok(new Set(stub.asked.map(({ port }) => port)).size >= 4000, 'distinct ports')
  t.equal(new Set(stub.asked.map(({ id, port }) => `${id} ${port}`)).size, QUERIES, 'no pair repeats')
  // 65,536 IDs drawn 5,000 times leave about 4,814 different ones; 8 standard deviations are about 100.
  t.ok(new Set(stub.asked.map(({ id }) => id)).size > 4700, 'distinct IDs')
  // Every bit is set in half of them; 6 standard deviations are 212.
  for (let bit = 0; bit < 16; bit++) {
    const set = stub.asked.filter(({ id }) => (id >> bit) & 1).length
    t.ok(Math.abs(set - QUERIES / 2) < 212, `bit ${bit} of the ID is set in ${set}`)
  }
  // Chi-square over 256 classes: 255 expected, 6 standard deviations above are 390.
  for (const shift of [0, 8]) {
    const classes = new Array<number>(256).fill(0)
    for (const { id } of stub.asked) classes[(id >> shift) & 255]!++
    const chi = classes.reduce((sum, n) => sum + (n - QUERIES / 256) ** 2 / (QUERIES / 256), 0)
    t.ok(chi < 390, `chi-square of the octet is ${chi.toFixed(0)}`)
  }
  // Neighbours share no more of their bits than chance has it: 40,000 of 80,000, within 6 standard deviations.
  let shared = 0
  for (let i = 1; i < QUERIES; i++) {
    shared += 16 - popCount(stub.asked[i]!.id ^ stub.asked[i - 1]!.id)
  }
  t.ok(Math.abs(shared - (QUERIES - 1) * 8) < 850, `neighbours share ${shared} bits`)
})

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
    bench.ask('www.example.org A', { recursionDesired: false }),
    bench.ask('www.example.org A', { edns: { ...edns, dnssecOk: true } }),
    // Not different: EDNS without DO, client subnets, AD, the client.
    bench.ask('www.example.org A', { edns }),
    bench.ask('www.example.org A', { edns: { ...edns, options: [{ code: 8, data: new Uint8Array(8) }] } }),
    bench.ask('www.example.org A', { authenticData: true }),
    bench.ask('www.example.org A', { client: { address: '10.0.0.9', port: 1, family: 4 } }),
  ]
  await until('the queries', () => wakes.length === 6)
  for (const wake of wakes) wake()
  await Promise.all(questions)
  t.equal(stub.asked.length, 6)
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
