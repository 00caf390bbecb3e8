// The memory of a cache that all threads share: what is found is what was put, whatever is put, moved and taken away meanwhile, and
// a thread that ended while it wrote leaves nothing behind.

import { Worker } from 'node:worker_threads'
import t from 'tap'
import type { SideConfig } from '../../../src/plugin/cache/config.ts'
import { CacheHalf, type EntryDraft } from '../../../src/plugin/cache/half.ts'
import { ENTRY, ENTRY_WORDS, HEAD, layoutOf } from '../../../src/plugin/cache/layout.ts'
import { hashOf } from '../../../src/shared/hash-index.ts'
import { shortOrLong } from '../../support/long.ts'
import { seededRandom } from '../../support/random.ts'
import { filledWith, KEY_OCTETS, keyOf, readWhole, sideOf } from './half-thread.ts'

const openHalf = (memory: SharedArrayBuffer, side: SideConfig, thread = 0): CacheHalf =>
  new CacheHalf(memory, 0, layoutOf(side), thread, 1)

const memoryOf = (side: SideConfig): SharedArrayBuffer => new SharedArrayBuffer(layoutOf(side).octets)

t.test('what is found is what was put last, or nothing', t => {
  const side = sideOf(50, 8 * 1024)
  const half = openHalf(memoryOf(side), side)
  const random = seededRandom(7)
  const model = new Map<number, number>()
  let found = 0
  for (let i = 1; i <= shortOrLong(20_000, 500_000); i++) {
    const name = Math.floor(random() * 80)
    const key = keyOf(name)
    const hash = hashOf(half.seed, key, 0, KEY_OCTETS)
    if (random() < 0.1) {
      half.remove(hash, key, KEY_OCTETS)
      model.delete(name)
    } else if (random() < 0.5) {
      const octets = Math.floor(random() * (random() < 0.05 ? 3000 : 200))
      if (!half.put(filledWith(name, i, octets, hash), hash, KEY_OCTETS)) t.fail('nobody else writes')
      model.set(name, i)
    } else {
      const place = half.find(hash, key, KEY_OCTETS)
      const version = place === 0 ? undefined : readWhole(half, place, name)
      if (place !== 0) {
        found++
        half.used(half.words[half.wordAt(place) + ENTRY.SLOT]!)
      }
      if (version !== undefined && version !== model.get(name))
        t.equal(version, model.get(name), `name ${name}`)
      if (place !== 0 && version === undefined) t.fail('what is found is whole')
    }
    if (half.entries > 50 || half.usedOctets > 8 * 1024) t.fail('within its bounds')
  }
  t.ok(found > 2000, `${found} found`)
  t.equal(half.balance, half.entries, 'what one thread put is what there is')
  t.end()
})

t.test('of the memory only what its entries need is touched, however many come and go', t => {
  const side = sideOf(50, 512 * 1024)
  // One that is never full, as the same names come again; one that always is; and one whose entries are used all the time.
  for (const [names, used] of [
    [40, false],
    [500, false],
    [60, true],
  ] as const) {
    const half = openHalf(memoryOf(side), side)
    for (let i = 1; i <= 20_000; i++) {
      const name = i % names
      const key = keyOf(name)
      const hash = hashOf(half.seed, key, 0, KEY_OCTETS)
      half.put(filledWith(name, i, 100, hash), hash, KEY_OCTETS)
      const place = half.find(hash, key, KEY_OCTETS)
      if (readWhole(half, place, name) !== i) t.fail(`${name} is what was put last`)
      if (used) half.used(half.words[half.wordAt(place) + ENTRY.SLOT]!)
    }
    const touched = half.words.findLastIndex(word => word !== 0) / half.words.length
    t.ok(touched > 0.2 && touched < 0.3, `${names} names: ${touched.toFixed(2)} of the ring`)
    t.equal(half.entries, Math.min(names, 50), `${names} names`)
    t.ok(half.usedOctets < 50 * 400, `${names} names: ${half.usedOctets} octets`)
  }
  t.end()
})

t.test('entries that answer, and that do not, beside each other', t => {
  const side = sideOf(10, 4096)
  const half = openHalf(memoryOf(side), side)
  const key = keyOf(1)
  const hash = hashOf(half.seed, key, 0, KEY_OCTETS)
  const draft = (version: number, answers: boolean): EntryDraft => {
    const made = filledWith(1, version, 20, hash)
    made.head[ENTRY.REPLY] = answers ? 16 : 0
    return made
  }
  half.put(draft(1, true), hash, KEY_OCTETS)
  half.put(draft(2, false), hash, KEY_OCTETS, false)
  half.put(draft(3, false), hash, KEY_OCTETS, false)
  const read = (answering?: boolean): number | undefined =>
    readWhole(half, half.find(hash, key, KEY_OCTETS, answering), 1)
  t.strictSame([read(true), read(false), read()], [1, 3, 3])
  half.put(draft(4, true), hash, KEY_OCTETS)
  t.strictSame([read(), half.entries], [4, 1])
  t.end()
})

t.test('places begin anew before they are too large, and what was there is not taken for what comes', t => {
  const side = sideOf(10, 1024)
  const memory = memoryOf(side)
  const half = openHalf(memory, side)
  const key = keyOf(1)
  const hash = hashOf(half.seed, key, 0, KEY_OCTETS)
  const words = new Int32Array(memory)
  const far = 0x7fffffff - 2 * layoutOf(side).ringUnits - 20
  words[HEAD.HEAD] = words[HEAD.TAIL] = far
  const places: number[] = []
  for (let i = 1; i <= 40; i++) {
    half.put(filledWith(1, i, 20, hash), hash, KEY_OCTETS)
    const place = half.find(hash, key, KEY_OCTETS)
    t.equal(readWhole(half, place, 1), i)
    places.push(place)
  }
  t.ok(Math.min(...places) < far, 'they began anew')
  t.notOk(half.isThere(places[0]!))
  t.end()
})

t.test('a thread that ended while it wrote: its successor begins with nothing', t => {
  const side = sideOf(10, 4096)
  const memory = memoryOf(side)
  const first = openHalf(memory, side, 0)
  const other = openHalf(memory, side, 1)
  const key = keyOf(1)
  const hash = hashOf(first.seed, key, 0, KEY_OCTETS)
  first.put(filledWith(1, 1, 20, hash), hash, KEY_OCTETS)
  new Int32Array(memory)[HEAD.LOCK] = 1
  t.notOk(other.put(filledWith(1, 2, 20, hash), hash, KEY_OCTETS), 'nobody waits for it')
  t.equal(readWhole(other, other.find(hash, key, KEY_OCTETS), 1), 1, 'and what there is can be read')
  const successor = openHalf(memory, side, 0)
  t.equal(successor.entries, 0)
  t.ok(other.put(filledWith(1, 3, 20, hash), hash, KEY_OCTETS))
  t.equal(readWhole(successor, successor.find(hash, key, KEY_OCTETS), 1), 3)
  t.end()
})

t.test('refreshes: one at a time, and none that lasts for ever', t => {
  const side = sideOf(10, 4096)
  const half = openHalf(memoryOf(side), side)
  const nowMs = 2 ** 31 - 1000
  t.ok(half.beginRefresh(1, nowMs, 10_000))
  t.notOk(half.beginRefresh(1, nowMs + 9999, 10_000), 'across the end of 31 bits')
  t.ok(half.beginRefresh(1, nowMs + 10_000, 10_000))
  half.endRefresh(1, nowMs + 300_000)
  t.ok(half.isRefreshing(1, nowMs + 299_999))
  t.notOk(half.isRefreshing(1, nowMs + 300_000))
  half.endRefresh(1, nowMs + 300_000)
  t.notOk(half.isRefreshing(1, nowMs + 2 ** 32 - 700_000), 'nor when the clock comes round')
  t.end()
})

t.test('threads that write and read at once see whole entries, the newest or none', async t => {
  const side = sideOf(64, 16 * 1024)
  const memory = memoryOf(side)
  openHalf(memory, side)
  const rounds = shortOrLong(30_000, 1_000_000)
  const threads = [0, 1, 2].map(
    thread =>
      new Worker(new URL('half-thread.ts', import.meta.url), {
        workerData: { memory, side, thread, rounds },
      }),
  )
  const results = await Promise.all(
    threads.map(
      worker =>
        new Promise<{ found: number; torn: number; kept: number; balance: number }>((resolve, reject) => {
          worker.once('message', resolve)
          worker.once('error', reject)
        }),
    ),
  )
  const sum = (of: (one: (typeof results)[number]) => number): number =>
    results.reduce((total, one) => total + of(one), 0)
  t.equal(
    sum(one => one.torn),
    0,
    'nothing torn',
  )
  t.ok(sum(one => one.found) > 0 && sum(one => one.kept) > 0, `${sum(one => one.found)} found`)
  t.equal(
    sum(one => one.balance),
    openHalf(memory, side, 3).entries,
    'together they know how many there are',
  )
  t.equal(ENTRY_WORDS % 2, 0)
})
