// One case measured: the median processor time of a run, and what a run allocates. It is the thread's own time that counts:
// the clock on the wall would tell of whatever else the machine does.

import type { MicroCase } from './case.ts'

const US_PER_MS = 1000
const NS_PER_US = 1000
/** Processor time that is measured, and before, so that the optimizing compiler is done. */
const CPU_MS = 400
const WARM_MS = 400
const QUICK_CPU_MS = 1
/** Processor time of one batch: the kernel counts it in ticks of 4 ms. */
const BATCH_MS = 40
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
  const runs = Math.max(1, Math.min(RUNS_MAX, Math.round((lookMs * US_PER_MS * NS_PER_US) / ns)))
  const looks: number[] = []
  for (let i = 0; i < LOOKS; i++) {
    const before = process.memoryUsage().heapUsed
    for (let n = 0; n < runs; n++) run()
    looks.push((process.memoryUsage().heapUsed - before) / runs)
  }
  return Math.round(Math.min(...looks.filter(octets => octets >= 0)))
}

/** Processor time of this thread, in µs. */
function cpuUs(): number {
  const { user, system } = process.threadCpuUsage()
  return user + system
}

/** Processor time of a run in each of many batches, in µs, until so much was spent. */
function batchesUs(run: () => unknown, cpuMs: number): number[] {
  const batches: number[] = []
  let runs = 1
  for (let spentUs = 0; spentUs < cpuMs * US_PER_MS; ) {
    const before = cpuUs()
    for (let n = 0; n < runs; n++) run()
    const us = cpuUs() - before
    spentUs += us
    if (us < (BATCH_MS * US_PER_MS) / 2) runs *= 2
    else batches.push(us / runs)
  }
  return batches.length > 0 ? batches : batchesUs(run, 2 * cpuMs)
}

/** Measures a case. `quick`: for a look at whether it runs. */
export async function measureCase({ run }: MicroCase, quick: boolean): Promise<Measured> {
  if (!quick) batchesUs(run, WARM_MS)
  // What the compiler has made meanwhile is put in place between two turns.
  await new Promise(resolve => setImmediate(resolve))
  const batches = batchesUs(run, quick ? QUICK_CPU_MS : CPU_MS).sort((a, b) => a - b)
  const ns = batches[batches.length >> 1]! * NS_PER_US
  return { ns, octets: allocatedOctets(run, ns, quick ? QUICK_LOOK_MS : LOOK_MS) }
}
