// The same load on Seamark and then on Knot. Where neither keeps a promise that Knot keeps on a quiet machine, losing packets
// say, the machine was busy: that is void and repeated a few times, and then noted as doubtful.

import { droppedAt } from '../../support/process-stat.ts'
import type { LoadResult } from '../common/dnsperf.ts'
import type { Subject } from '../common/servers.ts'
import { figure } from '../common/table.ts'
import type { LoadContext } from './context.ts'

const REPEATS_MAX = 3

/** What came of it. */
export interface BesideKnot {
  readonly own: LoadResult
  /** Undefined where Knot is not installed. */
  readonly knot: LoadResult | undefined
  /** Datagrams that found Seamark's receive buffers full. */
  readonly dropped: number
  /** Set where it was void each time. */
  readonly doubt: string | undefined
}

/**
 * Loads both.
 * @param keeps - whether a result keeps what is promised; by default that nothing is lost
 */
export async function besideKnot(
  context: LoadContext,
  load: (subject: Subject) => Promise<LoadResult>,
  keeps: (result: LoadResult) => boolean = ({ lost }) => lost === 0,
): Promise<BesideKnot> {
  const seamark = await context.subject('seamark')
  const [knotId] = context.available(['knot'])
  for (let repeats = 0; ; repeats++) {
    const before = droppedAt(seamark.port)
    const own = await load(seamark)
    const dropped = droppedAt(seamark.port) - before
    const knot = knotId && (await load(await context.subject(knotId)))
    const isVoid = knot !== undefined && !keeps(own) && !keeps(knot)
    if (isVoid) context.say(`  void, the machine is busy: Seamark ${inWords(own)}, Knot ${inWords(knot)}`)
    if (isVoid && repeats < REPEATS_MAX) continue
    const doubt = isVoid ? `doubtful: Knot ${inWords(knot)}` : undefined
    return { own, knot, dropped, doubt }
  }
}

const inWords = ({ lost, latencies }: LoadResult): string =>
  `lost ${lost}${latencies === undefined ? '' : `, p99.9 ${figure(latencies.p999)} ms`}`
