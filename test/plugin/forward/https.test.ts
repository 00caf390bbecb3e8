// Upstreams over HTTPS: what they are asked, what of their answers is taken, and when connections are used again.

import { constants } from 'node:http2'
import { createServer } from 'node:tls'
import t, { type Test } from 'tap'
import { HTTPS_CONNECTIONS_MAX } from '../../../src/plugin/forward/upstream-https.ts'
import { makeAuthority } from '../../support/certificates.ts'
import { answerOverHttps, type DohBack, type DohScript, DohStub } from '../../support/doh-stub.ts'
import { until } from '../../support/until.ts'
import { a, answerAll, nameOf, replyTo, UpstreamStub } from '../../support/upstream-stub.ts'
import { type Bench, startBench } from './forward-bench.ts'

const LINE = 'NOERROR ra | www.example.org. 30 A c0000201'
const authority = makeAuthority()
const certificate = authority.issue('upstream')
const other = makeAuthority('other')

/** A stub, and a `forward` to it that trusts it. */
async function benchTo(
  t: Test,
  { script, options = '', streamsMax }: { script?: DohScript; options?: string; streamsMax?: number } = {},
): Promise<{ readonly stub: DohStub; readonly bench: Bench }> {
  const stub = await DohStub.start(certificate, script, streamsMax)
  t.teardown(() => stub.stop())
  const files = t.testdir({ 'ca.pem': authority.cert })
  const text = `forward . https://${stub.to} {\ntls ${files}/ca.pem\nmax_fails 0\n${options}\n}`
  return { stub, bench: startBench(t, text) }
}

t.test('what is asked', async t => {
  for (const [options, method, path] of [
    ['', 'POST', /^\/dns-query$/],
    ['doh_method POST', 'POST', /^\/dns-query$/],
    ['doh_method GET', 'GET', /^\/dns-query\?dns=[\w-]+$/],
  ] as const) {
    await t.test(options || 'by default', async t => {
      const { stub, bench } = await benchTo(t, { options })
      t.equal(await bench.line('www.example.org A'), LINE)
      t.match(stub.asked, [{ id: 0, what: 'www.example.org. IN A' }])
      t.match(stub.asked[0]!.headers, {
        ':method': method,
        ':path': path,
        ':authority': stub.to,
        accept: 'application/dns-message',
        ...(method === 'POST' && { 'content-type': 'application/dns-message' }),
      })
    })
  }
  await t.test('the name in the certificate is the one in the URL', async t => {
    const { stub, bench } = await benchTo(t, { options: 'tls_servername localhost' })
    t.equal(await bench.line('www.example.org A'), LINE)
    t.equal(stub.asked[0]!.headers[':authority'], `localhost:${stub.port}`)
  })
  await t.test('source_address', async t => {
    const { stub, bench } = await benchTo(t, { options: 'source_address 127.0.0.5' })
    t.equal(await bench.line('www.example.org A'), LINE)
    t.equal(stub.asked[0]!.address, '127.0.0.5')
  })
})

t.test('what is answered', async t => {
  const cases: [title: string, script: DohScript, outcome: string | RegExp][] = [
    ['a message', answerOverHttps, LINE],
    ['a message that a cache has had for ten seconds', (asked, back) => back.send(replyTo(asked, { answer: [a('www.example.org', 30)] }), { age: 10 }), 'NOERROR ra | www.example.org. 20 A c0000201'],
    ['a message that a cache has had for too long', (asked, back) => back.send(replyTo(asked, { answer: [a('www.example.org', 30)] }), { age: '4000' }), 'NOERROR ra | www.example.org. 0 A c0000201'],
    ['an age that is none', (asked, back) => back.send(replyTo(asked, { answer: [a('www.example.org', 30)] }), { age: 'x' }), LINE],
    ['a failure in a message', (asked, back) => back.send(replyTo(asked, { rcode: 5 })), 'REFUSED ra'],
    ['another status', (asked, back) => back.send(replyTo(asked), { ':status': 503 }), /: HTTP status 503$/],
    ['another type', (asked, back) => back.send(replyTo(asked), { 'content-type': 'text/html' }), /: the reply is not a DNS message$/],
    ['nothing', (_asked, back) => back.send(new Uint8Array(0)), /: the reply is empty$/],
    ['no message', (_asked, back) => back.send(Buffer.from('hello')), /: the reply of 127\.\S+ does not fit the question|does not fit the question$/],
    ['the answer to another question', (asked, back) => back.send(replyTo({ ...asked, octets: Uint8Array.from([...asked.octets.slice(0, 12), 1, 120, 0, 0, 1, 0, 1]) })), /does not fit the question$/],
    ['too much', (_asked, back) => back.send(new Uint8Array(65536)), /: the reply is longer than a DNS message$/],
    ['a reset', (_asked, back) => back.stream.close(constants.NGHTTP2_INTERNAL_ERROR), /NGHTTP2_INTERNAL_ERROR$/],
    ['an end without an answer', (_asked, back) => back.session.destroy(), /./],
  ] // biome-ignore format: a table
  for (const [title, script, outcome] of cases) {
    await t.test(title, async t => {
      const { bench } = await benchTo(t, { script, options: 'max_connect_attempts 1' })
      if (typeof outcome === 'string') t.equal(await bench.line('www.example.org A'), outcome)
      else t.match(await bench.ask('www.example.org A'), { rcode: 2, error: outcome })
    })
  }
})

t.test('connections', async t => {
  const labels = (stub: DohStub): string => `proxy_name=forward,to=${stub.to},proto=https`
  await t.test('one for all questions', async t => {
    const held: (() => void)[] = []
    const script: DohScript = (asked, back) => void held.push(() => answerOverHttps(asked, back))
    const { stub, bench } = await benchTo(t, { script })
    const asking = Array.from({ length: 50 }, (_, i) => bench.line(`n${i}.example.org A`))
    await until('asked', () => held.length === 50)
    for (const answer of held.reverse()) answer()
    t.same(
      await Promise.all(asking),
      asking.map((_, i) => `NOERROR ra | n${i}.example.org. 30 A c0000201`),
    )
    t.equal(stub.connections, 1)
    t.equal(bench.thread.counted.get(`coredns_proxy_conn_cache_misses_total{${labels(stub)}}`), 1)
    t.equal(bench.thread.counted.get(`coredns_proxy_conn_cache_hits_total{${labels(stub)}}`), 49)
  })
  await t.test('more where the upstream takes few questions on one, but not many', async t => {
    const held: (() => void)[] = []
    const script: DohScript = (asked, back) => void held.push(() => answerOverHttps(asked, back))
    const { stub, bench } = await benchTo(t, { script, streamsMax: 2, options: 'max_connect_attempts 1' })
    const first = bench.line('first.example.org A')
    await until('asked', () => held.length === 1)
    const asking = [first]
    for (let i = 1; i < 2 * HTTPS_CONNECTIONS_MAX; i++) {
      asking.push(bench.line(`n${i}.example.org A`))
      await until('asked', () => held.length === i + 1)
    }
    t.equal(stub.connections, HTTPS_CONNECTIONS_MAX)
    t.match(await bench.ask('more.example.org A'), { rcode: 2, error: /too many queries under way$/ })
    for (const answer of held) answer()
    t.equal((await Promise.all(asking)).filter(line => line.startsWith('NOERROR')).length, held.length)
  })
  for (const [options, idleMs, opened] of [
    ['', 9999, 1],
    ['', 10_000, 2],
    ['expire 2s', 2000, 2],
  ] as const) {
    await t.test(`${options || 'expire 10s'}: idle for ${idleMs} ms`, async t => {
      const { stub, bench } = await benchTo(t, { options })
      await bench.line('www.example.org A')
      bench.clock.advance(idleMs)
      t.equal(await bench.line('www.example.org A'), LINE)
      t.equal(stub.connections, opened)
    })
  }
  await t.test('max_age: however busy', async t => {
    const { stub, bench } = await benchTo(t, { options: 'max_age 15s' })
    for (let i = 0; i < 4; i++) {
      await bench.line('www.example.org A')
      bench.clock.advance(5000)
    }
    t.equal(stub.connections, 1)
    bench.clock.advance(1)
    await bench.line('www.example.org A')
    t.equal(stub.connections, 2)
  })
  await t.test('the upstream ends it: a new one, and nobody notices', async t => {
    const { stub, bench } = await benchTo(t)
    t.equal(await bench.line('www.example.org A'), LINE)
    stub.endSessions()
    t.equal(await bench.line('www.example.org A'), LINE)
    t.equal(stub.connections, 2)
  })
  await t.test('a question that the upstream refused to look at is asked again', async t => {
    let asked = 0
    const script = (question: Parameters<DohScript>[0], back: DohBack): void => {
      if (++asked === 2) back.stream.close(constants.NGHTTP2_REFUSED_STREAM)
      else answerOverHttps(question, back)
    }
    const { bench } = await benchTo(t, { script })
    t.equal(await bench.line('www.example.org A'), LINE)
    t.equal(await bench.line('www.example.org A'), LINE)
    t.equal(asked, 3)
  })
  await t.test('one that does not answer takes no further question', async t => {
    const script: DohScript = (asked, back) => {
      if (asked.connection > 1) answerOverHttps(asked, back)
    }
    const { stub, bench } = await benchTo(t, { script })
    t.equal((await bench.timed('www.example.org A')).tookMs, 2000)
    t.equal(await bench.line('www.example.org A'), LINE)
    t.equal(stub.connections, 2)
  })
  await t.test('the end of the server', async t => {
    const { bench } = await benchTo(t, { script: () => undefined })
    const asking = bench.ask('www.example.org A')
    bench.handler.stop()
    t.match(await asking, { rcode: 2, error: /^proxy: transport stopped$/ })
  })
})

t.test('servers that are not what was asked for', async t => {
  const files = t.testdir({ 'ca.pem': authority.cert, 'other.pem': other.cert })
  const ask = (t: Test, to: string, options: string): ReturnType<Bench['timed']> =>
    startBench(t, `forward . https://${to} {\nmax_fails 0\nmax_connect_attempts 1\n${options}\n}`).timed(
      'www.example.org A',
    )
  const stub = await DohStub.start(certificate)
  t.teardown(() => stub.stop())
  const ca = `tls ${files}/ca.pem`
  for (const [title, to, options, error] of [
    [
      'another name',
      stub.to,
      `${ca}\ntls_servername dns.example.org`,
      /: dial tcp .*dns\.example\.org.*altnames/,
    ],
    ['another name behind %', `127.0.0.1%other:${stub.port}`, ca, /: dial tcp .*altnames/],
    ['another authority', stub.to, `tls ${files}/other.pem`, /: dial tcp .*certificate/],
    ['the default authorities', stub.to, '', /: dial tcp .*certificate/],
    [
      'nobody',
      '127.0.0.1:1',
      ca,
      /^Post "https:\/\/127\.0\.0\.1:1\/dns-query": dial tcp 127\.0\.0\.1:1: connect: connection refused$/,
    ],
  ] as const) {
    await t.test(title, async t => t.match((await ask(t, to, options)).reply, { rcode: 2, error }))
  }
  await t.test('plain text where TLS is expected', async t => {
    const plain = await UpstreamStub.start()
    t.teardown(() => plain.pause())
    const { reply, tookMs } = await ask(t, plain.to, ca)
    t.match(reply, { rcode: 2, error: /: dial tcp .*: i\/o timeout$/ })
    t.equal(tookMs, 2000)
  })
  await t.test('DNS over TLS where HTTP/2 is expected', async t => {
    const dot = await UpstreamStub.start(answerAll, certificate)
    t.teardown(() => dot.pause())
    const { reply } = await ask(t, dot.to, ca)
    t.match(reply, { rcode: 2, error: /: the server does not speak HTTP\/2$/ })
  })
  await t.test('HTTP/1.1 alone', async t => {
    const server = createServer({ ...certificate, ALPNProtocols: ['http/1.1'] }).listen(0, '127.0.0.1')
    t.teardown(() => server.close())
    await until('listening', () => server.listening)
    const address = server.address()
    const port = typeof address === 'object' && address ? address.port : 0
    const { reply } = await ask(t, `127.0.0.1:${port}`, ca)
    t.match(reply, { rcode: 2, error: /: the server does not speak this protocol$/ })
  })
})

t.test('health checks are made over it', async t => {
  const stub = await DohStub.start(certificate, () => undefined)
  t.teardown(() => stub.stop())
  const files = t.testdir({ 'ca.pem': authority.cert })
  const bench = startBench(
    t,
    `forward . https://${stub.to} {\ntls ${files}/ca.pem\nmax_connect_attempts 1\n}`,
  )
  await bench.timed('www.example.org A')
  await until('a check', () => stub.asked.length > 1)
  t.match(stub.asked.at(-1), { what: '. IN NS', id: 0 })
  stub.script = (asked, back) => back.send(replyTo(asked, { answer: [a(nameOf(asked), 30)] }))
  const { reply } = await bench.timed('www.example.org A')
  t.equal(reply.rcode, 0)
})
