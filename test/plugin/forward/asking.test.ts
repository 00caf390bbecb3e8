// What an upstream is asked, what it is remembered for, and replies that come late or from elsewhere.

import t from 'tap'
import { until } from '../../support/until.ts'
import { type Asked, a, nameOf, replyTo } from '../../support/upstream-stub.ts'
import { benchTo, startBench, startStub } from './forward-bench.ts'

const A1 = 'www.example.org. 30 A c0000201'
const UDP = 'udp www.example.org. IN A'
const good = (asked: Asked): Uint8Array => replyTo(asked, { answer: [a(nameOf(asked), 30)] })
const evil = (asked: Asked, parts: Parameters<typeof replyTo>[1]): Uint8Array =>
  replyTo(asked, { answer: [a(nameOf(asked), 30, '203.0.113.66')], ...parts })

t.test('a datagram from another address is not seen', async t => {
  const { stub, bench } = await benchTo(t, async (asked, back) => {
    await back.sendFromElsewhere(evil(asked, {}))
    back.send(good(asked))
  })
  t.equal(await bench.line('www.example.org A'), `NOERROR ra | ${A1}`)
  t.strictSame(stub.log, [UDP])
})

t.test(
  'what is asked: lower case, RD whoever asks, CD as the client, AD, our own OPT without options',
  async t => {
    const { stub, bench } = await benchTo(t)
    const ecs = { code: 8, data: Uint8Array.of(0, 1, 24, 0, 192, 0, 2) }
    await bench.ask('WWW.Example.ORG A', {
      recursionDesired: false,
      checkingDisabled: true,
      edns: { payloadSize: 4096, dnssecOk: true, options: [ecs] },
    })
    await bench.ask('www.example.org A')
    const [first, second] = stub.asked
    t.match(first, {
      what: 'www.example.org. IN A',
      flags: { rd: true, cd: true, ad: true, qr: false, tc: false },
      edns: { udpSize: 1232, version: 0, dnssecOk: true, options: [] },
    })
    t.match(second, { flags: { rd: true, cd: false }, edns: { udpSize: 1232, dnssecOk: false, options: [] } })
  },
)

t.test('bufsize is what upstreams are told, and what is taken from them', async t => {
  const stub = await startStub(t, (asked, back) => {
    const count = asked.transport === 'udp' ? 40 : 1
    back.send(replyTo(asked, { answer: Array.from({ length: count }, () => a(nameOf(asked), 30)) }))
  })
  const bench = startBench(t, `forward . ${stub.to}`, undefined, undefined, { udpMaxOctets: 600 })
  t.equal(await bench.line('www.example.org A'), `NOERROR ra | ${A1}`, 'more than that is asked for over TCP')
  t.match(
    stub.asked.map(({ transport, edns }) => [transport, edns?.udpSize]),
    [
      ['udp', 600],
      ['tcp', 600],
    ],
  )
})

t.test('an upstream that refuses EDNS is remembered for a while', async t => {
  const { stub, bench } = await benchTo(t, (asked, back) =>
    back.send(asked.edns ? replyTo(asked, { rcode: 1 }) : good(asked)),
  )
  await bench.ask('www.example.org A')
  await bench.ask('www.example.org A')
  t.strictSame(
    stub.asked.map(({ edns }) => edns !== undefined),
    [true, false, false],
  )
  bench.clock.advance(300_000)
  await bench.ask('www.example.org A')
  t.strictSame(
    stub.asked.map(({ edns }) => edns !== undefined),
    [true, false, false, true, false],
  )
})

t.test('replies that do not fit are told once a minute', async t => {
  const { bench } = await benchTo(t, (asked, back) =>
    back.send(asked.transport === 'udp' ? evil(asked, { id: asked.id ^ 1 }) : good(asked)),
  )
  await bench.ask('www.example.org A')
  await bench.ask('www.example.org A')
  t.equal(bench.thread.lines.length, 1)
  t.match(bench.thread.lines[0], /^\[WARNING\] plugin\/forward: 127\.0\.0\.1:\d+: a reply does not fit/)
})

t.test('a late reply comes to nobody', async t => {
  let late = (): void => undefined
  const { stub, bench } = await benchTo(t, (asked, back) => {
    if (stub.asked.length === 1) late = () => back.send(evil(asked, {}))
    else back.send(good(asked))
  })
  const asking = bench.timed('www.example.org A')
  await until('the query', () => stub.asked.length === 1)
  const { reply } = await asking
  late()
  t.equal(reply.answer[0]!.rdata[0], 192)
  t.equal(await bench.line('www.example.org A'), `NOERROR ra | ${A1}`)
})
