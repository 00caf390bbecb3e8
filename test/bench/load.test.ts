// The parts of `npm run bench:load` and `npm run soak` that only compute: verdicts, schedules, the reading of answers and logs.

import { appendFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import t from 'tap'
import { resultLine } from './common/results.ts'
import type { Subject } from './common/servers.ts'
import { BOUNDS, promised, tailBoundMs } from './load/goals.ts'
import { descriptorsChange, growth } from './load/memory-row.ts'
import { addressesOf } from './load/probe-service.ts'
import { isWanted, ROWS } from './load/rows.ts'
import { setOf } from './load/torn-row.ts'
import { FAULTS } from './soak/faults.ts'
import { LogTail } from './soak/log-tail.ts'
import { soakReport, soakResults } from './soak/report.ts'
import type { Soaked } from './soak/run.ts'
import { scheduleOf } from './soak/schedule.ts'

t.test('every promise but the soak has a row, found by its number', async t => {
  for (let number = 1; number <= 15; number++) {
    const rows = ROWS.filter(({ title }) => isWanted(title, `L${number}`))
    t.equal(rows.length, number === 13 ? 0 : 1, `L${number}`)
  }
  t.ok(isWanted('L12 persistent TCP connections', 'TCP'))
  t.notOk(isWanted('L12 persistent TCP connections', 'L1'))
})

t.test('verdicts', async t => {
  const line = { title: 'L0 x', unit: 's' }
  const verdict = (value: number | number[], bound: { most?: number; least?: number }) =>
    promised({ ...line, values: { seamark: value, knot: 1000 }, ...bound }).met
  t.equal(verdict(2, { most: 2 }), true)
  t.equal(verdict(2.1, { most: 2 }), false)
  t.equal(verdict([1, 9, 2], { most: 2 }), true, 'the median counts')
  t.equal(verdict(0.8, { least: 0.8 }), true)
  t.equal(verdict(0.7, { least: 0.8 }), false)
  t.equal(verdict(Number.NaN, { most: 2 }), undefined, 'what was not measured is neither kept nor broken')
  t.equal(verdict(2, {}), undefined)
  const told = promised({
    ...line,
    values: { seamark: 3 },
    most: 5.125,
    because: 'so it is',
    notes: [undefined, 'but'],
  })
  t.equal(resultLine(told), '  L0 x (but), s: Seamark 3.00; goal ≤ 5.13 (so it is): yes')
  t.equal(tailBoundMs(1), BOUNDS.tailP99Ms)
  t.equal(tailBoundMs(4), 12)
  t.equal(tailBoundMs(undefined), BOUNDS.tailP99Ms)
})

/** A reply to a question for `a.b`, with these addresses behind pointers to it. */
const reply = (addresses: readonly string[], rcode = 0): Buffer =>
  Buffer.from([
    ...[0, 1, 0x84, rcode, 0, 1, 0, addresses.length, 0, 0, 0, 0],
    ...[1, 97, 1, 98, 0, 0, 1, 0, 1],
    ...addresses.flatMap(address => [
      0xc0,
      12,
      0,
      1,
      0,
      1,
      0,
      0,
      0,
      5,
      0,
      4,
      ...address.split('.').map(Number),
    ]),
  ])

t.test('addresses are read, and sets told apart', async t => {
  t.strictSame(addressesOf(reply(['10.64.1.2', '10.0.0.1'])), [0x0a400102, 0x0a000001])
  t.strictSame(addressesOf(reply([])), [])
  t.equal(addressesOf(reply(['10.0.0.1'], 3)), undefined)
  t.equal(addressesOf(reply(['10.0.0.1']).subarray(0, 30)), undefined, 'cut short')
  const fifty = (set: number) => Array.from({ length: 50 }, (_, n) => `10.${set}.0.${n}`)
  const set = (addresses: readonly string[]) => setOf(addressesOf(reply(addresses)))
  t.equal(set(fifty(80)), 80)
  t.equal(set(fifty(81).reverse()), 81)
  t.equal(set([...fifty(80).slice(1), '10.81.0.0']), undefined, 'parts of both')
  t.equal(set(fifty(80).slice(1)), undefined, 'one too few')
  t.equal(set([...fifty(80).slice(1), '10.80.0.1']), undefined, 'one twice')
  t.equal(setOf(undefined), undefined)
})

/** Memory that grows by so much a million queries, from 100 MiB on. */
const samples = (mibPerMillion: number) =>
  Array.from({ length: 20 }, (_, n) => ({
    queries: n * 1e6,
    residentMib: 100 + n * mibPerMillion,
    descriptors: 30 + (n % 2),
  }))

t.test('growth', async t => {
  t.strictSame(growth(samples(0)), { mib: 0, mibPerMillion: 0 })
  t.strictSame(growth(samples(2)), { mib: 30, mibPerMillion: 2 })
  t.equal(descriptorsChange(samples(0)), 1)
})

t.test('a schedule has room for every fault', async t => {
  const short = scheduleOf(0.02, 3)
  t.equal(Math.round(short.total), 72)
  t.equal(Math.round(short.betweenFaults), 18)
  t.ok(short.load >= 1 && short.load * 8 <= short.total)
  t.ok(short.away < short.betweenFaults)
  t.match(scheduleOf(12, 3), { total: 43_200, load: 60, betweenFaults: 600, away: 150, betweenSamples: 5 })
})

t.test('a log is read once, in whole lines', async t => {
  const file = join(t.testdir({}), 'log')
  writeFileSync(file, '[INFO] well\n[ERROR] recovered from a b')
  const tail = new LogTail(file)
  t.strictSame(tail.bugs(), [])
  appendFileSync(file, 'ug\n[INFO] well\n')
  t.strictSame(tail.bugs(), ['[ERROR] recovered from a bug'])
  t.equal(tail.bugs().length, 1)
})

const SOAKED: Soaked = {
  seconds: 3600,
  rate: 20_000,
  sent: 72_000_000,
  lost: 0,
  wrong: 0,
  changes: 360_000,
  packets: 1_800_000,
  findings: [],
  faults: [2, 2, 1],
  failed: [],
  bugs: [],
  samples: samples(0.5),
}

t.test('the report of a soak', async t => {
  const page = 'coredns_panics_total 0\nseamark_thread_restarts_total 0\n'
  const subject = (running: boolean) =>
    ({
      program: { running },
      dns: { metrics: async () => page },
    }) as unknown as Subject
  const results = await soakResults(subject(true), SOAKED)
  t.strictSame(
    results.filter(({ met }) => met === false).map(({ title }) => title),
    [],
  )
  const text = soakReport(['a machine'], SOAKED, results)
  for (const { title } of FAULTS) t.ok(text.includes(`- fault ${title}: `), title)
  t.match(text, /^1\.00 hours, 20,000 queries a second/m)
  t.match(text, /slope of resident memory .*\| yes \|$/m)

  const bad = { ...SOAKED, bugs: ['[ERROR] a bug'], failed: ['fault'], wrong: 1, samples: samples(3) }
  const broken = (await soakResults(subject(false), bad)).filter(({ met }) => met === false)
  t.strictSame(
    broken.map(({ title }) => title),
    [
      'L13 crashes',
      'L13 lines of the log about bugs',
      'L13 faults not got over',
      'L13 wrong answers',
      'L13 slope of resident memory',
    ],
  )
})
