// prefetch N [D [P%]]: which entries are refreshed before they expire (docs/coredns.md 4.3).

import { setImmediate as turn } from 'node:timers/promises'
import t from 'tap'
import type { PrefetchConfig } from '../../../src/plugin/cache/config.ts'
import { cacheMemory } from '../../../src/plugin/cache/layout.ts'
import { RCODE } from '../../../src/wire/rcode.ts'
import { failure } from '../../support/reply.ts'
import { Bench, configOf, positive, question } from './cache-bench.ts'

const WWW = 'www.example.org'
const prefetch: PrefetchConfig = { hits: 2, windowMs: 60_000, percent: 10 }

/** A cache with an answer of 100 seconds in it, hit at these times after it was stored; gives the number of refreshes. */
async function hitAt(prefetch: PrefetchConfig, timesSeconds: readonly number[]): Promise<number> {
  const bench = new Bench({ prefetch })
  bench.upstream = positive(100)
  await bench.ask(WWW)
  let atSeconds = 0
  for (const time of timesSeconds) {
    bench.clock.advance((time - atSeconds) * 1000)
    atSeconds = time
    await bench.ask(WWW)
    await turn()
  }
  return bench.count('prefetch_total')
}

t.test('which hits refresh', async t => {
  const cases: [string, PrefetchConfig, number[], number][] = [
    ['enough hits, nearly expired', prefetch, [50, 90], 1],
    ['too early', prefetch, [50, 89], 0],
    ['too few hits', prefetch, [95], 0],
    ['one hit is enough', { ...prefetch, hits: 1 }, [95], 1],
    ['a gap longer than the window', { ...prefetch, windowMs: 30_000 }, [50, 90], 0],
    ['a gap as long as the window', { ...prefetch, windowMs: 40_000 }, [50, 90], 1],
    ['a larger share of the TTL', { ...prefetch, percent: 60 }, [10, 40], 1],
    ['a hit in time before a refresh is not lost', prefetch, [50, 89, 91], 1],
    ['and begins anew with the entry', prefetch, [50, 90, 120, 150], 1],
    ['the new entry is as popular', prefetch, [50, 95, 140, 186], 2],
  ]
  for (const [title, config, times, refreshes] of cases) t.equal(await hitAt(config, times), refreshes, title)
})

t.test('what is asked once a second of several threads is refreshed, as it would be on one', async t => {
  for (const threads of [1, 2, 4]) {
    const shared = configOf()
    const memory = cacheMemory(shared.success, shared.denial)
    const benches = Array.from({ length: threads }, (_, thread) => {
      const bench = new Bench(
        { ...shared, memory, prefetch: { hits: 1, windowMs: 30_000, percent: 10 } },
        thread,
      )
      bench.upstream = positive(30)
      return bench
    })
    for (let second = 1; second <= 300; second++) {
      for (const { clock } of benches) clock.advance(1000)
      await benches[second % threads]!.ask(WWW)
      await turn()
    }
    const misses = benches.reduce((sum, bench) => sum + bench.count('misses_total'), 0)
    t.equal(misses, 1, `of ${threads}`)
  }
})

t.test('one refresh at a time, and the client never waits', async t => {
  const bench = new Bench({ prefetch })
  bench.upstream = positive(100)
  await bench.ask(WWW)
  let answer = (): void => undefined
  bench.upstream = query =>
    new Promise(resolve => {
      answer = () => resolve(positive(100, 2)(query))
    })
  bench.clock.advance(95_000)
  for (let i = 0; i < 5; i++) t.match(await bench.line(WWW), 'NOERROR aa ra | www.example.org. 5 A .1')
  t.equal(bench.asked.length, 2)
  answer()
  await turn()
  t.match(await bench.line(WWW), 'NOERROR aa ra | www.example.org. 100 A .2')
})

t.test('a failed refresh changes nothing and is tried again', async t => {
  const bench = new Bench({ prefetch })
  bench.upstream = positive(100)
  await bench.ask(WWW)
  bench.clock.advance(95_000)
  bench.upstream = () => failure(RCODE.SERVFAIL)
  for (let i = 0; i < 3; i++) {
    t.match(await bench.line(WWW), 'NOERROR aa ra | www.example.org. 5 A .1')
    await turn()
  }
  t.equal(bench.count('prefetch_total'), 2)
})

t.test('threads share what they have: answers, hits that count for a refresh, and the refresh', async t => {
  const shared = configOf()
  const memory = cacheMemory(shared.success, shared.denial)
  const [one, other] = [0, 1].map(thread => new Bench({ ...shared, memory, prefetch }, thread)) as [
    Bench,
    Bench,
  ]
  for (const bench of [one, other]) bench.upstream = positive(100)
  await one.ask(WWW)
  for (const bench of [one, other]) bench.clock.advance(50_000)
  t.match(await other.line(WWW), 'NOERROR aa ra | www.example.org. 50 A .1')
  for (const bench of [one, other]) bench.clock.advance(45_000)
  one.upstream = () => new Promise(() => undefined)
  await one.ask(WWW)
  await other.ask(WWW)
  t.strictSame(
    [one.asked.length, other.asked.length],
    [2, 0],
    'one hit on each is two, and one refresh is enough',
  )
  t.equal(one.count('entries') + other.count('entries'), 1)
})

t.test('a refresh asks with the bits of its entry', async t => {
  const bench = new Bench({ prefetch: { ...prefetch, hits: 1 } })
  bench.upstream = positive(100)
  const query = question(WWW, { dnssecOk: true, checkingDisabled: true })
  await bench.ask(query)
  bench.clock.advance(95_000)
  await bench.ask(query)
  const refresh = bench.asked[1]!
  t.ok(refresh.edns?.dnssecOk && refresh.checkingDisabled && refresh.authenticData)
  await turn()
  bench.clock.advance(10_000)
  t.match(await bench.line(query), 'NOERROR aa ra | www.example.org. 90 A')
})
