// serve_stale in its forms and serve_stale_policy (docs/coredns.md 4.3, RFC 8767, RFC 8914), told as what a client sees when
// it asks again after the entry expired.

import { setImmediate as turn } from 'node:timers/promises'
import t from 'tap'
import type { CacheConfig, StaleConfig } from '../../../src/plugin/cache/config.ts'
import { REFRESHES_MAX, VERIFIED_MAX_OCTETS } from '../../../src/plugin/cache/handler.ts'
import { RCODE } from '../../../src/wire/rcode.ts'
import { rr } from '../../../src/wire/record.ts'
import { TYPE } from '../../../src/wire/rrtype.ts'
import type { Query } from '../../support/query.ts'
import { DROP, failure, type Outcome, type Reply } from '../../support/reply.ts'
import {
  alias,
  Bench,
  configOf,
  lineOf,
  nodata,
  nxdomain,
  positive,
  question,
  reply,
  servfail,
} from './cache-bench.ts'

const WWW = 'www.example.org'
const STALE = 'NOERROR aa ra ede3 | www.example.org. 0 A .1 |  |'
const immediate: StaleConfig = {
  maxSeconds: 3600,
  verify: false,
  verifyTimeoutMs: 0,
  ttlSeconds: 0,
  recheckMs: 0,
}
const verify: StaleConfig = { ...immediate, verify: true }

/** A cache that holds an answer of 30 seconds, `afterMs` after its expiry. */
async function expired(stale: StaleConfig, afterMs = 0, further: Partial<CacheConfig> = {}): Promise<Bench> {
  const bench = new Bench({ stale, ...further })
  bench.upstream = positive(30)
  await bench.ask(WWW)
  bench.clock.advance(30_000 + afterMs)
  bench.asked.length = 0
  return bench
}

/** A reply that comes when the test says so. */
function later(bench: Bench): (outcome: Outcome) => Promise<void> {
  let answer = (_outcome: Outcome): void => undefined
  bench.upstream = () =>
    new Promise(resolve => {
      answer = resolve
    })
  return async outcome => {
    answer(outcome)
    await turn()
  }
}

t.test('immediate: stale at once, one refresh behind', async t => {
  const bench = await expired(immediate)
  const answer = later(bench)
  t.equal(await bench.line(WWW), STALE)
  t.equal(await bench.line(WWW), STALE)
  t.equal(bench.asked.length, 1, 'one refresh at a time')
  const [refresh] = bench.asked
  t.equal(refresh!.transport, 'tcp', 'over TCP, so that nothing is cut')
  t.equal(refresh!.replyMaxOctets, 65535)
  t.equal(refresh!.deadlineMs - refresh!.receivedAtMs, 5000, 'with time of its own')
  t.ok(refresh!.authenticData, 'AD is asked for')
  await answer(positive(30, 2)(question(WWW)))
  t.equal(await bench.line(WWW), 'NOERROR aa ra | www.example.org. 30 A .2 |  |')
  t.equal(bench.count('served_stale_total'), 2)
  t.equal(bench.count('prefetch_total'), 1)
})

t.test('stale answers end', async t => {
  const bench = await expired({ ...immediate, maxSeconds: 60 }, 59_999)
  bench.upstream = servfail()
  t.equal(await bench.line(WWW), STALE, 'in the last millisecond')
  bench.clock.advance(1)
  t.match(await bench.line(WWW), /^SERVFAIL/)
})

t.test('the TTL of stale answers', async t => {
  const cases: [string, StaleConfig, boolean, number][] = [
    ['0', immediate, false, 0],
    ['as told', { ...immediate, ttlSeconds: 30 }, false, 30],
    ['as told, with keepttl', { ...immediate, ttlSeconds: 7 }, true, 7],
    ['the first one, with keepttl alone', immediate, true, 30],
  ]
  for (const [title, stale, keepTtl, expected] of cases) {
    const bench = await expired(stale, 0, { keepTtl })
    t.equal(await bench.line(WWW), STALE.replace(' 0 A', ` ${expected} A`), title)
  }
})

t.test('a stale denial says so', async t => {
  const cases: [string, () => Reply, string][] = [
    ['NXDOMAIN', nxdomain(30), 'NXDOMAIN aa ra ede19 |  | example.org. 0 SOA |'],
    ['NODATA', nodata(30), 'NOERROR aa ra ede3 |  | example.org. 0 SOA |'],
  ]
  for (const [title, upstream, expected] of cases) {
    const bench = new Bench({ stale: immediate })
    bench.upstream = upstream
    await bench.ask(WWW)
    bench.clock.advance(30_000)
    bench.upstream = servfail()
    t.equal(await bench.line(WWW), expected, title)
    bench.upstream = positive(30)
    await bench.ask(WWW)
    await turn()
    t.equal(
      await bench.line(WWW),
      'NOERROR aa ra | www.example.org. 30 A .1 |  |',
      `${title}: no stuck denial`,
    )
  }
})

t.test('a failure is never served stale', async t => {
  for (const stale of [immediate, verify]) {
    const bench = new Bench({ stale })
    bench.upstream = servfail()
    await bench.ask(WWW)
    bench.clock.advance(5000)
    bench.upstream = positive(30)
    t.equal(await bench.line(WWW), 'NOERROR ra | www.example.org. 30 A .1 |  |')
    t.equal(await bench.line(WWW), 'NOERROR aa ra | www.example.org. 30 A .1 |  |')
  }
})

t.test('what may take the place of a stale answer', async t => {
  const cases: [string, Outcome, string][] = [
    ['an answer', positive(30, 2)(question(WWW)), 'NOERROR ra | www.example.org. 30 A .2 |  |'],
    ['NXDOMAIN', nxdomain(60)(), 'NXDOMAIN ra |  | example.org. 60 SOA |'],
    ['NODATA', nodata(60)(), 'NOERROR ra |  | example.org. 60 SOA |'],
    ['SERVFAIL', servfail()(), STALE],
    ['REFUSED', reply({ rcode: RCODE.REFUSED }), STALE],
    ['the server\'s own failure', failure(RCODE.SERVFAIL), STALE],
    ['a cut reply', positive(30, 2, { truncated: true })(question(WWW)), STALE],
    ['silence', DROP, STALE],
  ] // biome-ignore format: a table
  for (const [title, outcome, expected] of cases) {
    const bench = await expired(verify)
    bench.upstream = () => outcome
    t.equal(await bench.line(WWW), expected, `verify: ${title}`)
    bench.upstream = servfail()
    t.match(await bench.line(WWW), expected.slice(0, 7), `verify: ${title}, and then`)
    const behind = await expired(immediate)
    behind.upstream = () => outcome
    t.equal(await behind.line(WWW), STALE, `immediate: ${title}`)
    await turn()
    behind.upstream = servfail()
    t.match(
      await behind.line(WWW),
      expected === STALE ? STALE : expected.slice(0, 7),
      `immediate: ${title}, and then`,
    )
  }
})

t.test('a chain that throws is told of, and stale is served', async t => {
  for (const stale of [immediate, verify]) {
    const bench = await expired(stale)
    bench.upstream = () => {
      throw new Error('a bug')
    }
    t.equal(await bench.line(WWW), STALE)
    await turn()
    t.same(bench.log, ['Error: a bug'])
  }
})

t.test('verify waits no longer than told', async t => {
  const bench = await expired({ ...verify, verifyTimeoutMs: 500 })
  const answer = later(bench)
  const first = bench.line(WWW)
  await turn()
  bench.clock.advance(499)
  await answer(positive(30, 2)(question(WWW)))
  t.match(await first, 'NOERROR ra | www.example.org. 30 A .2', 'in time')
  bench.clock.advance(30_000)
  const again = later(bench)
  const second = bench.line(WWW)
  await turn()
  bench.clock.advance(500)
  t.match(await second, 'NOERROR aa ra ede3 | www.example.org. 0 A .2', 'too late: stale')
  await again(positive(30, 3)(question(WWW)))
  t.match(await bench.line(WWW), 'NOERROR aa ra | www.example.org. 30 A .3', 'but what comes late is kept')
})

t.test('verify: stale replies that clients wait beside are bounded in octets', async t => {
  const bench = new Bench({ stale: { ...verify, verifyTimeoutMs: 500 } })
  const text = new Uint8Array(60_000)
  const large = ({ question: { qname } }: Query): Reply => reply({ answer: [rr(qname, TYPE.TXT, 30, text)] })
  bench.upstream = large
  await bench.ask(`${WWW} TXT`)
  bench.clock.advance(30_000)
  const answer = later(bench)
  const places = Math.floor(VERIFIED_MAX_OCTETS / text.length)
  const waiting = Array.from({ length: places + 10 }, () => bench.askNow(question(`${WWW} TXT`)))
  const atOnce = waiting.filter(outcome => !(outcome instanceof Promise))
  t.ok(atOnce.length >= 10 && atOnce.length < 20, `${atOnce.length} beyond ${places} got it at once`)
  t.match(lineOf(atOnce[0] as Outcome), /^NOERROR aa ra ede3 /, 'the stale reply')
  t.equal(bench.meters.sum('seamark_cache_refreshes_skipped_total'), atOnce.length)
  bench.clock.advance(500)
  await Promise.all(waiting)
  t.not(bench.askNow(question(`${WWW} TXT`)) instanceof Promise, true, 'their questions are under way yet')
  await answer(servfail()())
})

t.test('after a failed refresh the next one waits for the recheck time', async t => {
  for (const stale of [immediate, verify, { ...verify, verifyTimeoutMs: 500 }]) {
    const title = `${stale.verify ? 'verify' : 'immediate'} ${stale.verifyTimeoutMs}`
    const bench = await expired({ ...stale, recheckMs: 10_000 })
    bench.upstream = servfail()
    for (const [atMs, asked] of [
      [0, 1],
      [0, 1],
      [9_999, 1],
      [1, 2],
      [0, 2],
    ] as const) {
      bench.clock.advance(atMs)
      t.equal(await bench.line(WWW), STALE, title)
      await turn()
      t.equal(bench.asked.length, asked, title)
    }
    bench.clock.advance(10_000)
    bench.upstream = positive(30, 2)
    await bench.ask(WWW)
    await turn()
    t.match(await bench.line(WWW), 'NOERROR aa ra | www.example.org. 30 A .2', `${title}: a success ends it`)
  }
})

t.test('verify without a recheck time asks for every client, with one only once', async t => {
  for (const [recheckMs, asked] of [
    [0, 3],
    [1000, 1],
  ] as const) {
    const bench = await expired({ ...verify, recheckMs })
    const answer = later(bench)
    const lines = [bench.line(WWW), bench.line(WWW), bench.line(WWW)]
    await turn()
    t.equal(bench.asked.length, asked)
    if (recheckMs > 0) t.equal(await lines[2], STALE)
    await answer(positive(30, 2)(question(WWW)))
  }
})

t.test('prefer_positive: the last good answer outlives what denies it', async t => {
  const denials: [string, () => Reply][] = [
    ['NXDOMAIN', nxdomain(60)],
    ['NODATA', nodata(60)],
    ['SERVFAIL', servfail()],
    ['a chain that ends short', () => reply({ answer: [alias(WWW, 60, 'x.org')] })],
    ['nothing', () => reply()],
  ]
  for (const stale of [immediate, verify]) {
    for (const [title, denial] of denials) {
      const bench = await expired(stale, 0, { preferPositive: true })
      bench.upstream = denial
      for (let i = 0; i < 3; i++) {
        t.equal(await bench.line(WWW), STALE, `${title}, ${stale.verify ? 'verify' : 'immediate'}, ${i}`)
        await turn()
      }
      bench.upstream = positive(30, 2)
      await bench.ask(WWW)
      await turn()
      t.match(
        await bench.line(WWW),
        'NOERROR aa ra | www.example.org. 30 A .2',
        `${title}: until there is a new one`,
      )
    }
  }
})

t.test('prefer_positive: where there was no answer, a denial is served', async t => {
  const bench = new Bench({ stale: immediate, preferPositive: true })
  bench.upstream = nxdomain(60)
  t.match(await bench.line(WWW), 'NXDOMAIN')
  t.match(await bench.line(WWW), 'NXDOMAIN aa')
  t.equal(bench.asked.length, 1)
})

t.test('refreshes behind are bounded and the bound is counted', async t => {
  const bench = new Bench({ ...configOf(2 * REFRESHES_MAX), stale: immediate })
  bench.upstream = positive(30)
  for (let i = 0; i <= REFRESHES_MAX; i++) await bench.ask(`n${i}.example.org`)
  bench.clock.advance(30_000)
  bench.asked.length = 0
  bench.upstream = () => new Promise(() => undefined)
  for (let i = 0; i <= REFRESHES_MAX; i++) {
    t.match(lineOf(await bench.ask(`n${i}.example.org`)), 'ede3')
  }
  t.equal(bench.asked.length, REFRESHES_MAX)
  t.equal(bench.meters.sum('seamark_cache_refreshes_skipped_total'), 1)
})
