// What work costs beside other work in the same run: the only kind of bound on time that a busy or a slow machine does not
// break. Works take turns, so that whatever happens to the machine happens to all of them; each counts by its best turns.

import { setTimeout as after } from 'node:timers/promises'
import { cpuNs } from './process-stat.ts'

/** Rounds; the best ones are those in which nothing came between. */
const ROUNDS = 15
/** Shorter times are read off the clock: Linux counts the processor time of a thread in ticks of some ms. */
const COUNTED_MIN_US = 20_000

/** The µs that each takes on this thread, as its best round shows. A work takes either a few ms, or 30 ms and more. */
export function costsOf(works: readonly (() => unknown)[], rounds = ROUNDS): number[] {
  const best = works.map(() => Number.POSITIVE_INFINITY)
  // The first round warms up.
  for (let round = 0; round <= rounds; round++) {
    for (const [i, work] of works.entries()) {
      const cost = costOnce(work)
      if (round > 0) best[i] = Math.min(best[i]!, cost)
    }
  }
  return best
}

function costOnce(work: () => unknown): number {
  const [startMs, before] = [performance.now(), process.threadCpuUsage()]
  work()
  const { user, system } = process.threadCpuUsage(before)
  return user + system > COUNTED_MIN_US ? user + system : (performance.now() - startMs) * 1000
}

/** How many times as much the first work costs as the second, the reference. */
export function costBeside(work: () => unknown, reference: () => unknown, rounds = ROUNDS): number {
  const [cost = 0, base = 0] = costsOf([work, reference], rounds)
  return cost / base
}

/** The time in ms that each takes in this process, as its best rounds show: the `share` best of all (a quarter). */
export async function elapsedCosts(
  exchanges: readonly (() => Promise<unknown>)[],
  rounds: number,
  share = 0.25,
): Promise<number[]> {
  const times = exchanges.map((): number[] => [])
  for (let round = 0; round < rounds; round++) {
    for (const [i, exchange] of exchanges.entries()) {
      const startMs = performance.now()
      await exchange()
      times[i]!.push(performance.now() - startMs)
    }
  }
  return times.map(list => list.sort((one, other) => one - other)[Math.floor(rounds * share)]!)
}

/** Something that is asked of another process. */
export interface Asked {
  readonly pid: number
  ask(): Promise<unknown>
}

/**
 * The ms of processor that each costs its server, as its best rounds show: the `share` best of all (a quarter). Who else has
 * the processor meanwhile does not count; where the kernel does not say, the time counts that an answer takes.
 */
export async function serverCosts(works: readonly Asked[], rounds: number, share = 0.25): Promise<number[]> {
  const costs = works.map((): number[] => [])
  for (let round = 0; round < rounds; round++) {
    for (const [i, { pid, ask }] of works.entries()) {
      const beforeMs = await usedMs(pid)
      await ask()
      costs[i]!.push((await usedMs(pid)) - beforeMs)
    }
  }
  return costs.map(list => list.sort((one, other) => one - other)[Math.floor(rounds * share)]!)
}

/** The processor time so far of a process that has nothing to do any more. */
async function usedMs(pid: number): Promise<number> {
  if (process.platform !== 'linux') return performance.now()
  for (let before = cpuNs(pid); ; ) {
    await after(1)
    const now = cpuNs(pid)
    if (now === undefined) return performance.now()
    if (now === before) return now / 1e6
    before = now
  }
}
