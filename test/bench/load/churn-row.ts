// L6: a thousand EndpointSlices change every second, and half of what saturates is asked. Nothing is lost and L2 holds. Knot is
// asked while Seamark follows the same changes on the same core: what it loses there, the machine does.

import { setTimeout as delay } from 'node:timers/promises'
import { Churn } from '../common/churn.ts'
import { metric } from '../common/servers.ts'
import { besideKnot } from './beside-knot.ts'
import type { LoadRow } from './context.ts'
import { BOUNDS, promised } from './goals.ts'

const UPDATES_PER_SECOND = 1000
const SECONDS_MAX = 60
/** Everything is put back as it was. */
const SETTLE_MS = 2000
const LAG = 'nodejs_eventloop_lag_p99_seconds'

export const churnRow: LoadRow = {
  title: 'L6 churn',
  async run(context) {
    const { api, services } = context.bench.world
    const subject = await context.subject('seamark')
    const rate = (await context.saturation()) / 2
    const bound = await context.tailBoundMs()
    const seconds = Math.min(SECONDS_MAX, context.effort.seconds)
    let changes = 0
    let lagMs = Number.NaN
    const { own, knot, doubt } = await besideKnot(
      context,
      async asked => {
        // A scrape begins its time anew.
        await metric(subject, LAG)
        const churn = Churn.start(api, services, UPDATES_PER_SECOND)
        const result = await context.timed(asked, { rate, seconds })
        if (asked === subject) lagMs = (await metric(subject, LAG)) * 1000
        changes = Math.round(churn.stop())
        await delay(SETTLE_MS)
        return result
      },
      result => result.lost === 0 && context.keepsTail(result),
    )
    const at = `at 50 % of saturation and ${changes.toLocaleString('en')} changes a second (${seconds} s)`
    const late = (what: 'p99' | 'p999' | 'max', words: string, most: number) =>
      promised({
        title: `L6 ${words} ${at}`,
        unit: 'ms',
        values: {
          seamark: own.latencies?.[what] ?? Number.NaN,
          ...(knot?.latencies && { knot: knot.latencies[what] }),
        },
        most,
        notes: [doubt],
      })
    return [
      promised({
        title: `L6 lost ${at}`,
        unit: 'queries',
        values: { seamark: own.lost, ...(knot && { knot: knot.lost }) },
        most: BOUNDS.lostUnderChurn,
        notes: [doubt],
      }),
      late('p99', 'p99', bound),
      late('p999', 'p99.9', BOUNDS.tailP999Ms),
      late('max', 'longest', BOUNDS.tailMaxMs),
      promised({
        title: `L6 p99 of the delay of the control thread's event loop ${at}`,
        unit: 'ms',
        values: { seamark: lagMs },
        most: BOUNDS.loopDelayMs,
      }),
    ]
  },
}
