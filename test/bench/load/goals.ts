// What `npm run bench:load` and `npm run soak` hold Seamark to: the bounds of every promise, by its number, and the lines of the
// report that are made of a figure and its bound.

import type { RowResult } from '../common/results.ts'
import type { SubjectId } from '../common/servers.ts'
import { median } from '../common/statistics.ts'

export const BOUNDS = {
  /** L1: queries lost at half of saturation, and of a million at four fifths of it. */
  lostAtHalf: 0,
  lostPerMillion: 10,
  /** L2, in ms. Against Knot's p99 at the same rate, or at least so much. */
  tailOfKnot: 3,
  tailP99Ms: 5,
  tailP999Ms: 25,
  tailMaxMs: 100,
  /** L3: the share of saturation that is still answered, s until L2 holds again, MiB more. */
  goodputShare: 0.8,
  recoverySeconds: 2,
  overloadMib: 32,
  /** L4: p99 against that of an idle forwarder. */
  isolation: 1.2,
  /** L5, in ms from the event to the first right answer. */
  freshP50Ms: 5,
  freshP99Ms: 50,
  freshMaxMs: 250,
  /** L6: queries lost, and the control thread's event loop. */
  lostUnderChurn: 0,
  loopDelayMs: 20,
  /** L7 */
  torn: 0,
  /** L8: MiB after the first million random names, and for each million. */
  growthMib: 8,
  slopeMib: 1,
  /** L9, in MiB. */
  idleMib: 70,
  fullMib: 150,
  /** L10 */
  startSeconds: 5,
  startOfCoredns: 2,
  /** L11 */
  lostInReplacement: 0,
  /** L12: the share of the rate over UDP, and connections that ended early. */
  tcpShare: 0.6,
  tcpDropped: 0,
  /** L14: queries lost, p99 against L2's bound, and what the fuzzer finds. */
  lostUnderAttack: 0,
  attackOfTail: 2,
  findings: 0,
  /** L15: lines of the log, and the share of the throughput that is left. */
  logLines: 1000,
  loggedShare: 0.9,
} as const

/** A line of the report as rows say it. */
export interface Promised {
  readonly title: string
  readonly unit: string
  /** One figure or one a round, by server. */
  readonly values: Readonly<Partial<Record<SubjectId, number | readonly number[]>>>
  /** What Seamark's median may reach at most, or must reach at least. */
  readonly most?: number
  readonly least?: number
  /** How the bound came about, where it is not the promise's own number. */
  readonly because?: string
  readonly notes?: readonly (string | undefined)[]
}

/** The line with its verdict. */
export function promised({ title, unit, values, most, least, because, notes = [] }: Promised): RowResult {
  const lists = Object.entries(values).map(([id, value]) => [id as SubjectId, [value].flat()] as const)
  const figures = new Map(lists.map(([id, list]) => [id, list.map(value => ({ value }))]))
  const own = median(lists.find(([id]) => id === 'seamark')?.[1] ?? [])
  const bound = most ?? least
  const words = notes.filter(note => note !== undefined)
  if (bound === undefined) return { title, unit, figures, notes: words }
  const sign = most === undefined ? '≥' : '≤'
  const met = most === undefined ? own >= bound : own <= bound
  const number = bound.toLocaleString('en', { maximumFractionDigits: 2 })
  return {
    title,
    unit,
    figures,
    notes: words,
    goal: `${sign} ${number}${because === undefined ? '' : ` (${because})`}`,
    met: Number.isNaN(own) ? undefined : met,
  }
}

/** L2's bound on the 99th percentile, in ms, where Knot's at the same rate is known. */
export const tailBoundMs = (knotP99Ms: number | undefined): number =>
  Math.max(BOUNDS.tailP99Ms, BOUNDS.tailOfKnot * (knotP99Ms ?? 0))
