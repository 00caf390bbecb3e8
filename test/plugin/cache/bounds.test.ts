// Memory under names that nobody asks twice (test/hostile/README.md): both halves stay within their entries and octets, and the
// heap does not grow.

import { setFlagsFromString } from 'node:v8'
import { runInNewContext } from 'node:vm'
import t from 'tap'
import { defaultConfig, ENTRIES_DEFAULT } from '../../../src/plugin/cache/config.ts'
import { name } from '../../../src/wire/name.ts'
import { rr } from '../../../src/wire/record.ts'
import { TYPE } from '../../../src/wire/rrtype.ts'
import { shortOrLong } from '../../support/long.ts'
import { Bench, configOf, reply as makeReply, nxdomain, positive, question } from './cache-bench.ts'

const config = defaultConfig(['.'])
setFlagsFromString('--expose-gc')
/** Collects garbage, so that the heap holds what is kept and nothing else. */
const collect = runInNewContext('gc') as () => void

/** A million names, and caches of the stock size, in the long form. */
const ROUNDS = 10
const NAMES = shortOrLong(10_000, 100_000)
const ENTRIES = shortOrLong(1000, ENTRIES_DEFAULT)

t.test('random names without end', async t => {
  const bench = new Bench(configOf(ENTRIES))
  const query = question('xxxxxxxxxx.example.org')
  const { qname } = query.question
  let state = 1
  const heapOctets: number[] = []
  for (let round = 0; round < ROUNDS; round++) {
    for (let i = 0; i < NAMES; i++) {
      for (let at = 1; at <= 10; at++) {
        state = (Math.imul(state, 1103515245) + 12345) >>> 0
        qname[at] = 0x61 + ((state >>> 16) % 26)
      }
      bench.upstream = i % 2 ? nxdomain(60) : positive(60)
      bench.asked.length = 0
      void bench.askNow(query)
      if (i % 10 === 0) bench.clock.advance(1)
    }
    collect()
    heapOctets.push(process.memoryUsage().heapUsed)
  }
  t.equal(bench.count('entries', 'success'), ENTRIES)
  t.equal(bench.count('entries', 'denial'), ENTRIES)
  t.ok(bench.cache.usage.octets <= config.success.octetsMax + config.denial.octetsMax)
  t.equal(bench.count('evictions_total'), ROUNDS * NAMES - 2 * ENTRIES, 'what went is counted')
  const growth = heapOctets.at(-1)! - heapOctets[0]!
  t.ok(growth < 512 * 1024, `the heap grew by ${growth} octets in nine rounds`)
})

t.test('octets bound before entries where replies are large', async t => {
  const octetsMax = 256 * 1024
  const bench = new Bench({ success: { ...config.success, octetsMax } })
  const text = new Uint8Array(20_000)
  bench.upstream = ({ question: { qname } }) => makeReply({ answer: [rr(qname, TYPE.TXT, 60, text)] })
  for (let i = 0; i < 50; i++) {
    await bench.ask(`n${i}.example.org TXT`)
    t.ok(bench.cache.usage.octets <= octetsMax)
  }
  t.equal(bench.cache.usage.entries, 13)
  t.equal(bench.count('evictions_total', 'success'), 37)
})

t.test('a reply that no bound holds is passed on and counted', async t => {
  const bench = new Bench({ success: { ...config.success, octetsMax: 10_000 } })
  bench.upstream = () => makeReply({ answer: [rr(name('x.org'), TYPE.TXT, 60, new Uint8Array(20_000))] })
  t.equal(await bench.line('x.org TXT'), 'NOERROR ra | x.org. 60 TXT |  |')
  t.equal(bench.count('drops_total'), 1)
  t.same(bench.cache.usage, { entries: 0, octets: 0 })
})

t.test('what is used stays, what is not goes', async t => {
  const bench = new Bench({ denial: { ...config.denial, entriesMax: 100 } })
  bench.upstream = nxdomain(1800)
  await bench.ask('popular.example.org')
  for (let i = 0; i < 1000; i++) {
    await bench.ask(`n${i}.example.org`)
    if (i % 50 === 0) await bench.ask('popular.example.org')
  }
  t.equal(bench.asked.filter(({ question: { qname } }) => qname[1] === 0x70).length, 1)
  t.equal(bench.count('entries', 'denial'), 100)
})
