// One case measured: the median time of a run by mitata, and what a run allocates.

import { measure } from 'mitata'
import type { MicroCase } from './case.ts'

const NS_PER_MS = 1e6
const QUICK_CPU_MS = 1
const CPU_MS = 600
/** Before, so that the optimizing compiler is done, on a busy machine too. */
const WARM_MS = 500
/** Runs whose allocation is looked at: so few that no collection falls into them, most of the time. */
const RUNS_MAX = 1000
const LOOK_MS = 20
const LOOKS = 20
/** For a look at whether a case runs. */
const QUICK_LOOK_MS = 1

/** What was measured. */
export interface Measured {
  readonly ns: number
  readonly octets: number
}

/** Octets of heap that a run leaves behind: the least of several looks, but for those that a collection fell into. */
function allocatedOctets(run: () => unknown, ns: number, lookMs: number): number {
  const runs = Math.max(1, Math.min(RUNS_MAX, Math.round((lookMs * NS_PER_MS) / ns)))
  const looks: number[] = []
  for (let i = 0; i < LOOKS; i++) {
    const before = process.memoryUsage().heapUsed
    for (let n = 0; n < runs; n++) run()
    looks.push((process.memoryUsage().heapUsed - before) / runs)
  }
  return Math.round(Math.min(...looks.filter(octets => octets >= 0)))
}

function warm(run: () => unknown, forMs: number): void {
  const end = performance.now() + forMs
  while (performance.now() < end) run()
}

/** Measures a case. `quick`: for a look at whether it runs. */
export async function measureCase({ run }: MicroCase, quick: boolean): Promise<Measured> {
  if (!quick) warm(run, WARM_MS)
  const stats = await measure(run, { min_cpu_time: (quick ? QUICK_CPU_MS : CPU_MS) * NS_PER_MS })
  return { ns: stats.p50, octets: allocatedOctets(run, stats.p50, quick ? QUICK_LOOK_MS : LOOK_MS) }
}
