// What `npm run bench:watch` measures, in words, and what is promised of it.

import { atMost, atMostOf, medianOf, type RowResult } from '../common/results.ts'
import { CHANGES_PER_SECOND } from './churn-latency.ts'

const CHANGING = `while ${CHANGES_PER_SECOND.toLocaleString('en')} slices a second change`

/** The lines of the report. */
export const TITLES = {
  start: 'start to first complete answer, all objects listed',
  startCpu: 'processor time until then',
  smallStart: 'start to first complete answer in a small cluster, under 100m CPU',
  smallStartCpu: 'processor time until then, under 100m CPU',
  smallReady: 'resident memory then, under 100m CPU',
  ready: 'resident memory then',
  readyPeak: 'highest resident memory until then',
  freshP50: "a new Service's first answer after the API server's reply to the POST, p50",
  freshP99: "a new Service's first answer after the API server's reply to the POST, p99",
  outage: 'highest resident memory after the API server was killed and came back',
  outageSampled: 'the same, looked at 20 times a second',
  checkOctets: 'what the API server sends for a check of consistency',
  checkServer: "the API server's processor time for it",
  checkOwn: 'own processor time for it',
  anewOctets: 'what it sends where all is listed anew',
  anewServer: "the API server's processor time for that",
  anewOwn: 'own processor time for that',
  calmP99: 'p99 latency, nothing changes',
  churnP99: `p99 latency ${CHANGING}`,
  churnLost: `answers lost ${CHANGING}`,
} as const

const START_SECONDS = 1
/** Of CoreDNS's start under the same limit of processor time. */
const SMALL_START_SHARE = 2
const READY_MIB = 120
const PEAK_MIB = 120
/** How far Seamark may be behind CoreDNS, in ms. */
const BEHIND_P50_MS = 0.5
const BEHIND_P99_MS = 2

/** The goal not to be further behind CoreDNS than that. */
function behind(margin: number, figures: RowResult['figures']): Pick<RowResult, 'goal' | 'met'> {
  const [own, other] = [medianOf(figures, 'seamark'), medianOf(figures, 'coredns')]
  const met = own === undefined || other === undefined ? undefined : own <= other + margin
  return { goal: `≤ CoreDNS + ${margin}`, met }
}

/** Goal and verdict of a line. */
export function goalOf(title: string, figures: RowResult['figures']): Pick<RowResult, 'goal' | 'met'> {
  switch (title) {
    case TITLES.start:
      return atMost(START_SECONDS, figures)
    case TITLES.smallStart:
      return atMostOf({ coredns: SMALL_START_SHARE }, figures)
    case TITLES.ready:
      return atMost(READY_MIB, figures)
    case TITLES.outage:
    case TITLES.outageSampled:
      return atMost(PEAK_MIB, figures)
    case TITLES.freshP50:
      return behind(BEHIND_P50_MS, figures)
    case TITLES.freshP99:
      return behind(BEHIND_P99_MS, figures)
    case TITLES.churnLost:
      return atMost(0, figures)
    default:
      return {}
  }
}
