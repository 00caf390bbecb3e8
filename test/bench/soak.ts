// `npm run soak -- --hours N`: L13, Seamark for hours under a fifth of what saturates it, while slices change, the packet fuzzer
// sends what it can think of, and every ten minutes a fault befalls the API server. Fractions of hours do for trying: then the
// faults are closer together, so that each comes at least once.
//
// Writes results-soak.md. Exit status: 0, 1 a promise was not kept, 2 wrong arguments, 69 (EX_UNAVAILABLE) dnsperf is not there.

import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { parseArgs } from 'node:util'
import { buildBundles } from './common/image.ts'
import { machineLines } from './common/machine.ts'
import { type Inner, runBench } from './common/run.ts'
import { LoadContext } from './load/context.ts'
import { startLoadWorld } from './load/loaded-cluster.ts'
import { FAULTS } from './soak/faults.ts'
import { soakReport, soakResults } from './soak/report.ts'
import { soak } from './soak/run.ts'
import { scheduleOf } from './soak/schedule.ts'

const RESULTS = join(import.meta.dirname, 'results-soak.md')
const SIZE = { services: 1000, endpoints: 10, wide: [] }
/** Of a measurement of saturation. */
const SECONDS = 4
/** A minute: less is no soak of anything. */
const HOURS_MIN = 1 / 60

function readHours(): number {
  const { values } = parseArgs({ options: { hours: { type: 'string' } } })
  const hours = Number(values.hours)
  if (!(hours >= HOURS_MIN)) throw new TypeError('--hours N is needed, a number from 0.017')
  return hours
}

async function bench(inner: Inner, hours: number): Promise<number> {
  const { scope, cores, say, bind } = inner
  const folder = scope.folder('soak')
  const bundles = await buildBundles(folder)
  const world = await startLoadWorld(scope, SIZE)
  const context = new LoadContext({
    bench: { world, bundles, bind, knotd: undefined },
    cores,
    effort: { quick: false, seconds: SECONDS, rounds: 1 },
    folder,
    say,
    subjects: ['seamark'],
  })
  scope.add('servers', () => context.stopAll())
  const subject = await context.subject('seamark')
  const soaked = await soak(context, subject, scheduleOf(hours, FAULTS.length))
  const results = await soakResults(subject, soaked)
  const text = soakReport(machineLines(), soaked, results)
  say(`\n${text}`)
  writeFileSync(RESULTS, text)
  say(`written to ${RESULTS}`)
  return results.some(({ met }) => met === false) ? 1 : 0
}

await runBench(readHours, bench)
