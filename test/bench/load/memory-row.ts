// L8: what random names leave behind in memory: nothing that grows. They come in pieces; after each one the resident memory is
// looked at, so that every sample stands at a known number of queries.

import { Scope } from '../../e2e/processes.ts'
import { openDescriptors, residentMib } from '../../support/process-stat.ts'
import { dnsperf } from '../common/dnsperf.ts'
import { randomNames, writeQueries } from '../common/queries.ts'
import { start } from '../common/servers.ts'
import { median, slope } from '../common/statistics.ts'
import type { LoadRow } from './context.ts'
import { BOUNDS, promised } from './goals.ts'

const MILLION = 1e6
const PIECE = 100_000
/** As the promise has it; quick runs are about nothing but whether it works. */
const NAMES = 5 * MILLION
const QUICK_NAMES = 200_000
const QUICK_PIECE = 10_000
const WARM_SHARE = 0.2
/** Samples whose median counts, at either end: V8's heaps breathe. */
const ENDS = 5
const CLIENTS = 64
/** So that neither the upstream nor the generator is left behind. */
const OUTSTANDING = 100

/** A look at the server after so many queries. */
export interface Sample {
  readonly queries: number
  readonly residentMib: number
  readonly descriptors: number
}

/** What became of memory after the warm part: MiB in all, and MiB a million queries, by least squares. */
export function growth(samples: readonly Sample[]): { readonly mib: number; readonly mibPerMillion: number } {
  const memory = samples.map(sample => sample.residentMib)
  return {
    mib: median(memory.slice(-ENDS)) - median(memory.slice(0, ENDS)),
    mibPerMillion: slope(
      samples.map(({ queries, residentMib }) => [queries / MILLION, residentMib] as const),
    ),
  }
}

/** The difference between most and fewest open descriptors. */
export const descriptorsChange = (samples: readonly Sample[]): number => {
  const counts = samples.map(({ descriptors }) => descriptors)
  return Math.max(...counts) - Math.min(...counts)
}

/** One look. */
export const sampleOf = (pid: number, queries: number): Sample => ({
  queries,
  residentMib: residentMib(pid),
  descriptors: openDescriptors(pid),
})

export const memoryRow: LoadRow = {
  title: 'L8 memory under random names',
  async run(context) {
    const { bench, cores, effort, folder } = context
    const [names, piece] = effort.quick ? [QUICK_NAMES, QUICK_PIECE] : [NAMES, PIECE]
    const samples: Sample[] = []
    const scope = new Scope()
    try {
      const { port, program } = await start(scope, 'seamark', bench, { cores: cores.server })
      for (let asked = 0; asked < names; ) {
        const file = writeQueries(folder, 'random', randomNames(asked / piece, piece))
        await dnsperf({ port, file, core: cores.load, runs: 1, clients: CLIENTS, outstanding: OUTSTANDING })
        asked += piece
        if (asked >= names * WARM_SHARE) samples.push(sampleOf(program.pid, asked))
      }
    } finally {
      await scope.end()
    }
    const { mib, mibPerMillion } = growth(samples)
    const count = names.toLocaleString('en')
    const warm = (names * WARM_SHARE).toLocaleString('en')
    return [
      promised({
        title: `L8 more resident memory after ${count} random names than after ${warm}`,
        unit: 'MiB',
        values: { seamark: mib },
        most: BOUNDS.growthMib,
        notes: [`${samples[0]!.residentMib.toFixed(1)} then`],
      }),
      promised({
        title: 'L8 slope of resident memory from there on',
        unit: 'MiB a million names',
        values: { seamark: mibPerMillion },
        // Of a tenth of a million it says nothing.
        ...(effort.quick ? {} : { most: BOUNDS.slopeMib }),
      }),
      promised({
        title: 'L8 change of the number of open descriptors from there on',
        unit: 'descriptors',
        values: { seamark: descriptorsChange(samples) },
        most: 0,
      }),
    ]
  },
}
