// The same load on Seamark and then on Knot. Where both lose packets the machine was busy: that is void and repeated a few
// times, and then noted as doubtful.

import type { LoadResult } from '../common/dnsperf.ts'
import { droppedAt } from '../common/process-stat.ts'
import type { Subject } from '../common/servers.ts'
import type { LoadContext } from './context.ts'

const REPEATS_MAX = 3

/** What came of it. */
export interface BesideKnot {
  readonly own: LoadResult
  /** Undefined where Knot is not installed. */
  readonly knot: LoadResult | undefined
  /** Datagrams that found Seamark's receive buffers full. */
  readonly dropped: number
  /** Set where both lost packets each time. */
  readonly doubt: string | undefined
}

/** Loads both. */
export async function besideKnot(
  context: LoadContext,
  load: (subject: Subject) => Promise<LoadResult>,
): Promise<BesideKnot> {
  const seamark = await context.subject('seamark')
  const [knotId] = context.available(['knot'])
  for (let repeats = 0; ; repeats++) {
    const before = droppedAt(seamark.port)
    const own = await load(seamark)
    const dropped = droppedAt(seamark.port) - before
    const knot = knotId && (await load(await context.subject(knotId)))
    const isVoid = own.lost > 0 && knot !== undefined && knot.lost > 0
    if (isVoid) context.say(`  Seamark lost ${own.lost} and Knot ${knot.lost} packets: the machine is busy`)
    if (isVoid && repeats < REPEATS_MAX) continue
    const doubt = isVoid ? `doubtful: Knot lost ${knot.lost}` : undefined
    return { own, knot, dropped, doubt }
  }
}
