// L1 and L2: nothing is lost below saturation, and answers come soon.

import { receiveBufferErrors } from '../../support/process-stat.ts'
import { besideKnot } from './beside-knot.ts'
import type { LoadRow } from './context.ts'
import { BOUNDS, promised } from './goals.ts'

const perMillion = ({ lost, sent }: { readonly lost: number; readonly sent: number }): number =>
  (lost / sent) * 1e6

/** The rate that was reached, in words. */
const rateOf = ({ perSecond }: { readonly perSecond: number }): string =>
  `${Math.round(perSecond).toLocaleString('en')}/s`

export const lossRow: LoadRow = {
  title: 'L1 loss below saturation',
  async run(context) {
    const saturation = await context.saturation()
    const { seconds } = context.effort
    const at = (share: number) =>
      besideKnot(context, subject => context.load(subject, { rate: saturation * share, seconds }))
    const errors = receiveBufferErrors()
    const half = await at(0.5)
    const most = await at(0.8)
    return [
      promised({
        title: `L1 lost at 50 % of saturation (${seconds} s, ${rateOf(half.own)})`,
        unit: 'queries',
        values: { seamark: half.own.lost, ...(half.knot && { knot: half.knot.lost }) },
        most: BOUNDS.lostAtHalf,
        notes: [half.doubt],
      }),
      promised({
        title: `L1 lost at 80 % of saturation (${seconds} s, ${rateOf(most.own)})`,
        unit: 'of a million',
        values: { seamark: perMillion(most.own), ...(most.knot && { knot: perMillion(most.knot) }) },
        most: BOUNDS.lostPerMillion,
        notes: [most.doubt],
      }),
      promised({
        title: "L1 datagrams that found Seamark's receive buffer full, both rates",
        unit: 'datagrams',
        values: { seamark: half.dropped + most.dropped },
        notes: [`RcvbufErrors, dnsperf's and Knot's sockets too: ${receiveBufferErrors() - errors}`],
      }),
    ]
  },
}

export const tailRow: LoadRow = {
  title: 'L2 tail of latencies',
  async run(context) {
    const { own, knot, doubt } = await context.tail()
    const at = `at 50 % of saturation (${context.tailSeconds} s)`
    const line = (what: 'p99' | 'p999' | 'max', words: string, most: number, because?: string) =>
      promised({
        title: `L2 ${words} ${at}`,
        unit: 'ms',
        values: {
          seamark: own.latencies?.[what] ?? Number.NaN,
          ...(knot?.latencies && { knot: knot.latencies[what] }),
        },
        most,
        ...(because !== undefined && { because }),
        notes: [doubt],
      })
    const { tailOfKnot, tailP99Ms, tailP999Ms, tailMaxMs } = BOUNDS
    return [
      line('p99', 'p99', await context.tailBoundMs(), `${tailOfKnot} × Knot, or ${tailP99Ms}`),
      line('p999', 'p99.9', tailP999Ms),
      line('max', 'longest', tailMaxMs),
    ]
  },
}
