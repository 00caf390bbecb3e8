// Connections to upstreams over TCP and TLS: when one is used again, when a new one is opened, when one is closed.

import t, { type Test } from 'tap'
import { CONNECTIONS_MAX } from '../../../src/plugin/forward/stream.ts'
import { PIPELINE_MAX, SHARED_MAX } from '../../../src/plugin/forward/upstream-tcp.ts'
import { makeAuthority } from '../../support/certificates.ts'
import { until } from '../../support/until.ts'
import {
  type Asked,
  a,
  answerAll,
  type Back,
  nameOf,
  replyTo,
  UpstreamStub,
} from '../../support/upstream-stub.ts'
import { type Bench, benchTo, startBench } from './forward-bench.ts'

const LINE = 'NOERROR ra | www.example.org. 30 A c0000201'
const overTcp = { transport: 'tcp', replyMaxOctets: 65535 } as const
const ask = (bench: Bench, question = 'www.example.org A'): Promise<string> => bench.line(question, overTcp)
const good = (asked: Asked): Uint8Array => replyTo(asked, { answer: [a(nameOf(asked), 30)] })
const hits = (bench: Bench): number => bench.count('coredns_proxy_conn_cache_hits_total')
/** Lets the other end hear of what was closed. */
const settled = async (): Promise<void> => {
  let turns = 0
  await until('some turns', () => ++turns > 20)
}

t.test('an idle connection is used again', async t => {
  const { stub, bench } = await benchTo(t)
  for (let i = 0; i < 3; i++) t.equal(await ask(bench), LINE)
  t.equal(stub.connections, 1)
  t.equal(hits(bench), 2)
})

for (const [options, idleMs, opened] of [
  ['', 9999, 1],
  ['', 10_000, 2],
  ['expire 2s', 1999, 1],
  ['expire 2s', 2000, 2],
] as const) {
  t.test(`${options || 'expire 10s'}: idle for ${idleMs} ms`, async t => {
    const { stub, bench } = await benchTo(t, answerAll, options)
    await ask(bench)
    bench.clock.advance(idleMs)
    await settled()
    t.equal(await ask(bench), LINE)
    t.equal(stub.connections, opened)
  })
}

t.test('max_age: however busy', async t => {
  const { stub, bench } = await benchTo(t, answerAll, 'max_age 15s')
  for (let i = 0; i < 4; i++) {
    await ask(bench)
    bench.clock.advance(5000)
  }
  t.equal(stub.connections, 1)
  bench.clock.advance(1)
  await ask(bench)
  t.equal(stub.connections, 2)
})

t.test('busy connections: a new one, up to a bound, then shared ones, then no more', async t => {
  const back: (() => void)[] = []
  const { stub, bench } = await benchTo(
    t,
    (asked, way) => back.push(() => way.send(good(asked))),
    'max_fails 0',
  )
  const most = CONNECTIONS_MAX * PIPELINE_MAX
  // Only a client that has nothing under way gets the last place.
  const client = (i: number) => ({ address: `10.0.${i >> 8}.${i & 255}`, port: 1, family: 4 }) as const
  const asking = Array.from({ length: most }, (_, i) =>
    bench.line(`n${i}.example.org A`, { ...overTcp, client: client(i) }),
  )
  await until('all queries', () => stub.asked.length === most)
  t.equal(stub.connections, CONNECTIONS_MAX)
  t.equal(new Set(stub.asked.map(({ connection, id }) => `${connection} ${id}`)).size, most, 'no ID twice')
  // So many questions are also what a rule has under way at most.
  t.match(await bench.ask('www.example.org A', overTcp), { rcode: 5, error: /maximum 4096$/ })
  for (const answer of back.reverse()) answer()
  t.equal((await Promise.all(asking)).filter(answer => answer.startsWith('NOERROR')).length, most)
})

t.test('max_idle_conns', async t => {
  const back: (() => void)[] = []
  const { stub, bench } = await benchTo(
    t,
    (asked, way) => back.push(() => way.send(good(asked))),
    'max_idle_conns 2',
  )
  const five = 4 * SHARED_MAX + 1
  const asking = Array.from({ length: five }, (_, i) => ask(bench, `n${i}.example.org A`))
  await until('queries on five connections', () => back.length === five)
  for (const answer of back.splice(0)) answer()
  await Promise.all(asking)
  const again = Array.from({ length: five }, (_, i) => ask(bench, `m${i}.example.org A`))
  await until('as many more', () => back.length === five)
  for (const answer of back) answer()
  await Promise.all(again)
  t.equal(stub.connections, 8)
  t.equal(hits(bench), 2 * five - 8)
})

t.test('an upstream that closed its idle connections is no failure', async t => {
  const { stub, bench } = await benchTo(t, (asked, back) => {
    back.send(good(asked))
    if (asked.what.startsWith('last')) back.close()
  })
  await Promise.all(['n1', 'n2', 'n3'].map(label => ask(bench, `${label}.example.org A`)))
  await stub.pause()
  await stub.resume()
  t.equal(await ask(bench), LINE)
  await ask(bench, 'last.example.org A')
  t.equal(await ask(bench), LINE)
  t.equal(bench.count('coredns_proxy_healthcheck_failures_total'), 0)
})

t.test('one that closes a used connection without an answer is asked over a new one', async t => {
  const { stub, bench } = await benchTo(t, (asked, back) => {
    if (asked.connection === 1 && stub.asked.length > 1) back.reset()
    else back.send(good(asked))
  })
  await ask(bench)
  t.equal(await ask(bench), LINE)
  t.equal(stub.connections, 2)
})

t.test('replies out of order, late ones and unasked ones on one connection', async t => {
  const held: (() => void)[] = []
  const { bench } = await benchTo(t, (asked, back) => {
    if (nameOf(asked).startsWith('slow')) held.push(() => back.send(good(asked)))
    else {
      back.send(replyTo(asked, { id: asked.id ^ 1 }))
      back.send(good(asked))
    }
  })
  const slow = ask(bench, 'slow.example.org A')
  await until('the slow one', () => held.length === 1)
  t.equal(await ask(bench), LINE)
  held[0]!()
  t.equal(await slow, 'NOERROR ra | slow.example.org. 30 A c0000201')
})

t.test('a connection that brings nothing but unasked messages is closed', async t => {
  const { stub, bench } = await benchTo(
    t,
    (asked, back: Back) => {
      for (let i = 1; i < 100; i++) back.send(replyTo(asked, { id: (asked.id + i) & 0xffff }))
    },
    'max_connect_attempts 1',
  )
  t.match(await bench.ask('www.example.org A', overTcp), { rcode: 2, error: /unasked messages$/ })
  t.equal(stub.connections, 1)
})

t.test('a connection whose query was not answered takes no other', async t => {
  const { stub, bench } = await benchTo(
    t,
    (asked, back) => {
      if (asked.connection > 1) back.send(good(asked))
    },
    'max_fails 0',
  )
  t.equal((await bench.timed('www.example.org A', overTcp)).tookMs, 2000)
  t.equal(await ask(bench), LINE)
  t.equal(stub.connections, 2)
})

t.test('source_address', async t => {
  const { stub, bench } = await benchTo(t, answerAll, 'source_address 127.0.0.5')
  t.equal(await bench.line('www.example.org A'), LINE)
  t.equal(await ask(bench), LINE)
  t.strictSame(
    stub.asked.map(({ address }) => address),
    ['127.0.0.5', '127.0.0.5'],
  )
  const foreign = startBench(t, `forward . ${stub.to} {\nsource_address 192.0.2.200\n}`)
  t.match(await foreign.ask('www.example.org A'), { rcode: 2, error: /cannot assign requested address$/ })
  t.match(await foreign.ask('www.example.org A', overTcp), {
    rcode: 2,
    error: /cannot assign requested address$/,
  })
  t.equal(foreign.count('coredns_proxy_healthcheck_failures_total'), 0, 'not the upstream’s fault')
})

t.test('over TLS', async t => {
  const authority = makeAuthority()
  const files = t.testdir({ 'ca.pem': authority.cert, 'other.pem': makeAuthority('other').cert })
  const stub = await UpstreamStub.start(answerAll, authority.issue('upstream'))
  t.teardown(() => stub.pause())
  const bench = (t: Test, to: string, options: string): Bench =>
    startBench(t, `forward . ${to} {\nmax_fails 0\n${options}\n}`)
  const to = `tls://${stub.to}`
  const ca = `tls ${files}/ca.pem`
  t.test('UDP and TCP clients, one connection', async t => {
    const before = stub.connections
    const one = bench(t, to, ca)
    t.equal(await one.line('www.example.org A'), LINE)
    t.equal(await ask(one), LINE)
    t.equal(stub.connections - before, 1)
    const { counted } = one.thread
    const labels = `proxy_name=forward,to=${stub.to},proto=tcp-tls`
    t.equal(counted.get(`coredns_proxy_conn_cache_misses_total{${labels}}`), 1)
    t.equal(counted.get(`coredns_proxy_conn_cache_hits_total{${labels}}`), 1)
    t.notOk(stub.asked.at(-1)!.flags.tc)
  })
  for (const [name, address, options, error] of [
    ['tls_servername', to, `${ca}\ntls_servername localhost`, undefined],
    ['a name behind %', `tls://127.0.0.1%localhost:${stub.port}`, ca, undefined],
    [
      'another name',
      to,
      `${ca}\ntls_servername dns.example.org`,
      /^dial tcp .*: .*dns\.example\.org.*altnames/,
    ],
    ['another name behind %', `tls://127.0.0.1%other:${stub.port}`, ca, /altnames/],
    ['another authority', to, `tls ${files}/other.pem`, /certificate/],
    ['the system’s authorities', to, '', /certificate/],
  ] as const) {
    t.test(name, async t => {
      const reply = await bench(t, address, options).ask('www.example.org A')
      if (error === undefined) t.equal(reply.rcode, 0)
      else t.match(reply, { rcode: 2, error })
    })
  }
  t.test('health checks are made over it', async t => {
    stub.script = () => undefined
    const one = startBench(t, `forward . ${to} {\n${ca}\nmax_connect_attempts 1\n}`)
    const seen = stub.asked.length
    await one.timed('www.example.org A')
    await until('a check', () => stub.asked.length > seen + 1)
    t.match(stub.asked.at(-1), { what: '. IN NS', transport: 'tcp' })
    stub.script = answerAll
  })
  t.test('plain text where TLS is expected', async t => {
    const plain = await UpstreamStub.start()
    t.teardown(() => plain.pause())
    const one = startBench(t, `forward . tls://${plain.to} {\nmax_fails 0\nmax_connect_attempts 1\n}`)
    const { reply, tookMs } = await one.timed('www.example.org A')
    t.match(reply, { rcode: 2, error: /i\/o timeout$/ })
    t.equal(tookMs, 2000)
  })
})
