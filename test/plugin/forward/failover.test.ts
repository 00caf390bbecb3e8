// Upstreams that fail: who is asked next, how long a client waits, what it is told, when an upstream is out and back. Time
// is virtual; sockets are real.

import t from 'tap'
import { RETRY_FIRST_MS } from '../../../src/plugin/forward/latency.ts'
import { askHandler } from '../../support/road.ts'
import { until } from '../../support/until.ts'
import { a, answerAll, named, nameOf, replyTo, type Script } from '../../support/upstream-stub.ts'
import { untilWithin } from '../../support/virtual-clock.ts'
import { BEHIND, benchTo, startBench, startStub } from './forward-bench.ts'

const silent: Script = () => undefined
const answering =
  (address: string): Script =>
  (asked, back) =>
    back.send(replyTo(asked, { answer: [a(nameOf(asked), 30, address)] }))
const rcode =
  (code: number): Script =>
  (asked, back) =>
    back.send(replyTo(asked, { rcode: code }))
const A2 = 'NOERROR ra | www.example.org. 30 A c0000202'
/** Queries of clients, without health checks. */
const queries = (log: readonly string[]): string[] => log.filter(line => !line.endsWith(' . IN NS'))
const tcpClient = { transport: 'tcp', replyMaxOctets: 65535 } as const

t.test('refused: the next one at once', async t => {
  const [dead, well] = [await startStub(t), await startStub(t, answering('192.0.2.2'))]
  await dead.pause()
  const bench = startBench(t, `forward . ${dead.to} ${well.to} {\npolicy sequential\n}`)
  const startMs = bench.clock.nowMs()
  t.equal(await bench.line('www.example.org A'), A2)
  t.equal(await bench.line('www.example.org A', tcpClient), A2)
  t.equal(bench.clock.nowMs(), startMs)
})

for (const [name, script] of [
  ['closing', (_, back) => back.close()],
  ['resetting', (_, back) => back.reset()],
  [
    'closing in the middle of a reply',
    (_, back) => {
      back.raw(Uint8Array.of(0, 40, 1, 2, 3))
      back.close()
    },
  ],
  [
    'talking nonsense',
    (_, back) => back.raw(Buffer.from('HTTP/1.1 400 Bad Request\r\n\r\n').subarray(0, 20)),
  ],
] satisfies [string, Script][]) {
  t.test(`${name} over TCP: the next one`, async t => {
    const [bad, well] = [await startStub(t, script), await startStub(t, answering('192.0.2.2'))]
    const bench = startBench(t, `forward . ${bad.to} ${well.to} {\npolicy sequential\n}`)
    const { reply } = await bench.timed('www.example.org A', tcpClient)
    t.equal(reply.answer[0]!.rdata[3], 2)
  })
}

t.test('silent: the next one before read_timeout', async t => {
  const [dead, well] = [await startStub(t, silent), await startStub(t, answering('192.0.2.2'))]
  for (const [options, expectedMs] of [
    ['', RETRY_FIRST_MS],
    ['read_timeout 200ms', 200],
  ] as const) {
    for (const rest of [{}, tcpClient]) {
      const bench = startBench(t, `forward . ${dead.to} ${well.to} {\npolicy sequential\n${options}\n}`)
      const { reply, tookMs } = await bench.timed('www.example.org A', rest)
      t.equal(reply.answer[0]!.rdata[3], 2)
      t.equal(tookMs, expectedMs)
    }
  }
})

t.test('all silent: SERVFAIL before a stub resolver gives up, and the words of CoreDNS', async t => {
  const [one, two] = [await startStub(t, silent), await startStub(t, silent)]
  const bench = startBench(t, `forward . ${one.to} ${two.to} {\nmax_fails 0\npolicy sequential\n}`)
  const { reply, tookMs } = await bench.timed('www.example.org A')
  t.equal(reply.rcode, 2)
  t.ok(tookMs >= 4000 && tookMs < 5000, `${tookMs} ms`)
  t.match(reply.error, /^read udp 127\.0\.0\.1:\d+->127\.0\.0\.1:\d+: i\/o timeout$/)
  t.strictSame(reply.extendedError, {
    code: 23,
    text: `all upstreams failed: ${one.to} i/o timeout, ${two.to} i/o timeout`,
  })
  t.ok(one.log.length + two.log.length <= 6, 'and no flood of questions')
})

t.test('all refuse: as many attempts as allowed, none of them waited for', async t => {
  const [one, two] = [await startStub(t), await startStub(t)]
  await Promise.all([one.pause(), two.pause()])
  for (const [options, attempts] of [
    ['', 4],
    ['max_connect_attempts 1', 1],
    ['max_connect_attempts 3', 3],
    ['max_connect_attempts 0', 60],
  ] as const) {
    const bench = startBench(t, `forward . ${one.to} ${two.to} {\nmax_fails 0\n${options}\n}`)
    const reply = await bench.ask('www.example.org A')
    t.match(reply, {
      rcode: 2,
      extendedError: { code: 23 },
      error: /^read udp .*: (?:read: )?connection refused$/,
    })
    t.equal(bench.count('coredns_proxy_conn_cache_misses_total'), attempts)
  }
  const bench = startBench(t, `forward . ${one.to} {\nmax_fails 0\nforce_tcp\n}`)
  t.match(await bench.ask('www.example.org A'), { error: `dial tcp ${one.to}: connect: connection refused` })
})

t.test('down after more failed checks than max_fails, back within an interval', async t => {
  const { stub, bench } = await benchTo(t, silent)
  const first = bench.timed('www.example.org A')
  await first
  const checks = (): number => stub.log.filter(line => line === 'udp . IN NS').length
  t.ok(checks() >= 1, 'a check begins with the first error')
  const failedMs = await untilWithin(bench.clock, 5000, 'down', () =>
    bench.thread.lines.some(line => line.endsWith(`${stub.to} is down: its health checks fail`)),
  )
  t.ok(failedMs <= 2000, `down after ${failedMs} ms`)
  t.ok(bench.count('coredns_proxy_healthcheck_failures_total') >= 3)
  stub.script = answerAll
  const backMs = await untilWithin(bench.clock, 5000, 'back', () =>
    bench.thread.lines.some(line => line.endsWith(`${stub.to} answers again`)),
  )
  t.ok(backMs <= 1000, `back after ${backMs} ms`)
  t.equal(await bench.line('www.example.org A'), 'NOERROR ra | www.example.org. 30 A c0000201')
  const seen = stub.asked.length
  bench.clock.advance(10_000)
  await until('input', () => true)
  t.equal(stub.asked.length, seen, 'nobody checks what is well')
})

t.test('an upstream that is out is not waited for', async t => {
  const [dead, well] = [await startStub(t, silent), await startStub(t, answering('192.0.2.2'))]
  const bench = startBench(t, `forward . ${dead.to} ${well.to} {\npolicy sequential\n}`)
  t.equal((await bench.timed('www.example.org A')).tookMs, RETRY_FIRST_MS)
  await untilWithin(
    bench.clock,
    2000,
    'a failed check',
    () => bench.count('coredns_proxy_healthcheck_failures_total') > 0,
  )
  // One failed check is not three, but enough to come last.
  t.equal((await bench.timed('www.example.org A')).tookMs, 0)
  await untilWithin(bench.clock, 5000, 'down', () => bench.thread.lines.length > 0)
  t.equal((await bench.timed('www.example.org A')).tookMs, 0)
  t.equal(queries(dead.log).length, 1)
  dead.script = answering('192.0.2.9')
  await untilWithin(bench.clock, 2000, 'back', () => bench.thread.lines.length > 1)
  t.equal(await bench.line('www.example.org A'), 'NOERROR ra | www.example.org. 30 A c0000209')
})

t.test('all down: one at random is tried once, or none', async t => {
  for (const [options, tookMs, text] of [
    ['', 2000, /i\/o timeout$/],
    ['failfast_all_unhealthy_upstreams', 0, /^no healthy proxies$/],
  ] as const) {
    const [one, two] = [await startStub(t, silent), await startStub(t, silent)]
    const bench = startBench(t, `forward . ${one.to} ${two.to} {\npolicy sequential\n${options}\n}`)
    await bench.timed('first.example.org A')
    await untilWithin(bench.clock, 8000, 'both down', () => bench.thread.lines.length === 2)
    const before = queries([...one.log, ...two.log]).length
    const broken = bench.count('coredns_forward_healthcheck_broken_total')
    const { reply, tookMs: took } = await bench.timed('www.example.org A')
    t.match(reply, { rcode: 2, error: text, extendedError: { code: tookMs === 0 ? 22 : 23 } })
    t.equal(took, tookMs)
    t.equal(queries([...one.log, ...two.log]).length - before, tookMs === 0 ? 0 : 1)
    t.equal(bench.count('coredns_forward_healthcheck_broken_total') - broken, 1)
    two.script = answering('192.0.2.2')
    await untilWithin(bench.clock, 2000, 'one back', () => bench.thread.lines.length === 3)
    t.equal(await bench.line('www.example.org A'), A2)
  }
})

t.test('1,000 names while all are dead: bounded queries, bounded checks, memory free again', async t => {
  const { stub, bench } = await benchTo(t, silent)
  const asking = Promise.all(Array.from({ length: 1000 }, (_, i) => bench.ask(`n${i}.example.org A`)))
  let over = false
  asking.then(() => {
    over = true
  })
  const tookMs = await untilWithin(bench.clock, 6000, 'all answers', () => over)
  t.ok((await asking).every(({ rcode: code }) => code === 2))
  t.ok(tookMs < 5000)
  t.ok(queries(stub.log).length <= 2000, `${queries(stub.log).length} queries`)
  t.ok(stub.log.length - queries(stub.log).length <= 8, 'one loop of checks')
})

for (const [options, asked] of [
  ['', { what: '. IN NS', flags: { rd: true }, transport: 'udp' }],
  [
    'health_check 1s no_rec domain example.org',
    { what: 'example.org. IN NS', flags: { rd: false }, transport: 'udp' },
  ],
  [
    'health_check 200ms domain Example.org no_rec',
    { what: 'example.org. IN NS', flags: { rd: false }, transport: 'udp' },
  ],
  ['force_tcp', { what: '. IN NS', flags: { rd: true }, transport: 'tcp' }],
] as const) {
  t.test(`health checks: ${options || 'plain'}`, async t => {
    const { stub, bench } = await benchTo(t, silent, `${options}\nmax_connect_attempts 1`)
    await bench.timed('www.example.org A')
    const checks = () => stub.asked.filter(({ what }) => what.endsWith(' IN NS'))
    await until('a check', () => checks().length === 1)
    t.match(checks()[0], { ...asked, edns: undefined })
    // Whatever it says, it is alive.
    stub.script = rcode(5)
    await untilWithin(bench.clock, 3000, 'a check that is answered', () => checks().length > 1)
    const seen = stub.asked.length
    await untilWithin(bench.clock, 9999, 'silence', () => bench.clock.nowMs() % 10_000 < 100)
    t.ok(stub.asked.length - seen <= 1)
  })
}

t.test('max_fails 0: never checked, never down', async t => {
  const { stub, bench } = await benchTo(t, silent, 'max_fails 0')
  await bench.timed('www.example.org A')
  await bench.timed('www.example.org A')
  t.equal(queries(stub.log).length, stub.log.length)
  t.strictSame(bench.thread.lines, [])
})

t.test('failover: other rcodes, then the last reply', async t => {
  const [one, two, three] = [await startStub(t, rcode(2)), await startStub(t, rcode(5)), await startStub(t)]
  const bench = startBench(
    t,
    `forward . ${one.to} ${two.to} ${three.to} {\npolicy sequential\nfailover SERVFAIL refused\n}`,
  )
  t.equal(await bench.line('www.example.org A'), 'NOERROR ra | www.example.org. 30 A c0000201')
  three.script = rcode(2)
  t.equal(await bench.line('www.example.org A'), 'SERVFAIL ra')
  t.strictSame([one.log.length, two.log.length, three.log.length], [2, 2, 2])
  two.script = rcode(3)
  t.equal(await bench.line('www.example.org A'), 'NXDOMAIN ra')
  await three.pause()
  two.script = rcode(5)
  t.equal(await bench.line('www.example.org A'), 'SERVFAIL ra', 'a reply is better than a failure')
})

t.test('policies', async t => {
  const stubs = await Promise.all([1, 2, 3].map(i => startStub(t, answering(`192.0.2.${i}`))))
  const tos = stubs.map(({ to }) => to).join(' ')
  const asked = async (policy: string, random?: () => number): Promise<number[]> => {
    const bench = startBench(t, `forward . ${tos} {\npolicy ${policy}\n}`, random)
    const last: number[] = []
    for (let i = 0; i < 6; i++) last.push((await bench.ask('www.example.org A')).answer[0]!.rdata[3]!)
    return last
  }
  t.strictSame(await asked('sequential'), [1, 1, 1, 1, 1, 1])
  t.strictSame(await asked('round_robin'), [2, 3, 1, 2, 3, 1])
  let turn = 0
  const random = (): number => {
    turn += 0.37
    return turn % 1
  }
  t.equal(new Set(await asked('random', random)).size, 3)
})

t.test('max_concurrent: REFUSED above it, counted, with a reason', async t => {
  const wakes: (() => void)[] = []
  const { stub, bench } = await benchTo(
    t,
    (asked, back) => wakes.push(() => back.send(replyTo(asked, { answer: [a(nameOf(asked), 30)] }))),
    'max_concurrent 2',
  )
  const one = bench.ask('www.example.org A')
  const two = bench.ask('www.example.org A')
  t.match(await bench.ask('www.example.org A'), { rcode: 5, error: 'concurrent queries exceeded maximum 2' })
  t.equal(bench.count('coredns_forward_max_concurrent_rejects_total'), 1)
  await until('the query', () => wakes.length === 1)
  wakes[0]!()
  t.strictSame([(await one).rcode, (await two).rcode], [0, 0])
  const three = bench.ask('www.example.org A')
  await until('a query again', () => stub.asked.length === 2)
  wakes[1]!()
  t.equal((await three).rcode, 0)
})

t.test('several rules: the first that covers the name, except, next', async t => {
  const [inner, outer, last] = [
    await startStub(t, answering('192.0.2.1')),
    await startStub(t, answering('192.0.2.2')),
    await startStub(t, answering('192.0.2.3')),
  ]
  const bench = startBench(
    t,
    `forward example.org ${inner.to} {
      except not.example.org
      next NXDOMAIN SERVFAIL
      next_on_nodata
    }
    forward org ${outer.to}
    forward net ${last.to} {
      next NXDOMAIN
      next_on_nodata
    }`,
  )
  const last4 = async (question: string): Promise<number> => {
    const { rcode: code, answer } = await bench.ask(question)
    return code === 0 ? (answer[0]?.rdata[3] ?? 0) : -code
  }
  t.equal(await last4('www.example.org A'), 1)
  t.equal(await last4('EXAMPLE.org A'), 1)
  t.equal(await last4('x.not.example.org A'), 2)
  t.equal(await last4('notexample.org A'), 2)
  t.equal(await last4('xexample.org A'), 2)
  t.equal(await last4('example.com A'), -BEHIND, 'the rest of the chain')
  inner.script = rcode(3)
  t.equal(await last4('www.example.org A'), 2, 'next NXDOMAIN')
  inner.script = rcode(0)
  t.equal(await last4('www.example.org A'), 2, 'next_on_nodata')
  inner.script = rcode(5)
  t.equal(await last4('www.example.org A'), -5, 'REFUSED was not named')
  await inner.pause()
  t.equal(await last4('www.example.org A'), -2, 'no reply is not an rcode')
  last.script = rcode(3)
  t.equal(await last4('example.net A'), -3, 'no later rule covers the name')
  last.script = (asked, back) =>
    back.send(replyTo(asked, { answer: [named(nameOf(asked), 'CNAME', 9, 'b.net')] }))
  t.equal(bench.thread.lines.length, 0)
  t.match(await bench.ask('example.net A'), { rcode: 0, answer: [{ type: 5 }] })
})

t.test('except never covers the apex of FROM', async t => {
  const stub = await startStub(t, rcode(3))
  const bench = startBench(t, `forward example.org ${stub.to} {\nexcept example.org\n}`)
  t.equal((await bench.ask('Example.org A')).rcode, 3)
  t.equal((await bench.ask('www.example.org A')).rcode, BEHIND)
})

t.test('stop ends what is under way', async t => {
  const { stub, bench } = await benchTo(t, silent)
  const asking = [bench.ask('www.example.org A'), bench.ask('www.example.org A', tcpClient)]
  await until('the queries', () => stub.asked.length === 2)
  await bench.handler.stop()
  for (const reply of await Promise.all(asking))
    t.match(reply, { rcode: 2, error: 'proxy: transport stopped' })
})

t.test('metrics and metadata', async t => {
  const { stub, bench } = await benchTo(t)
  const query = bench.query('www.example.org A')
  await askHandler(bench.handler, query, () => {
    throw new Error('nobody is behind')
  })
  t.equal(query.metadata.get('forward/upstream'), stub.to)
  await bench.ask('www.example.org A', tcpClient)
  await bench.ask('www.example.org A', tcpClient)
  const { counted } = bench.thread
  const labels = `proxy_name=forward,to=${stub.to}`
  t.equal(counted.get(`coredns_proxy_request_duration_seconds{${labels},rcode=NOERROR}`), 3)
  t.equal(counted.get(`coredns_proxy_conn_cache_misses_total{${labels},proto=udp}`), 1)
  t.equal(counted.get(`coredns_proxy_conn_cache_misses_total{${labels},proto=tcp}`), 1)
  t.equal(counted.get(`coredns_proxy_conn_cache_hits_total{${labels},proto=tcp}`), 1)
})
