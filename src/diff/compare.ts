// Two servers asked the same questions, several at once, each question of both at a time. What differs is asked again: names
// whose answers change by themselves, as load balancers' do, are told apart from differences.

import { ask, type Place, type Said } from './ask.ts'
import type { Asked } from './questions.ts'

/** Questions that wait for replies at a time. */
const AT_ONCE_MAX = 16
/** How often a question is asked before the answers count as different. */
const ROUNDS = 3

/** A question whose answers differ, with the last ones. */
export interface Difference {
  readonly asked: Asked
  readonly here: Said
  readonly there: Said
}

export interface Comparison {
  readonly count: number
  readonly differences: readonly Difference[]
  /** Questions whose answers differ, and which a server did not answer alike each time itself. */
  readonly changing: readonly Difference[]
  /** ms that replies took, in ascending order; where none came there is no time. */
  readonly hereMs: readonly number[]
  readonly thereMs: readonly number[]
}

/** Asks both servers. Never throws. */
export async function compare(
  questions: readonly Asked[],
  here: Place,
  there: Place,
  timeoutMs: number,
): Promise<Comparison> {
  const [differences, changing]: [Difference[], Difference[]] = [[], []]
  const [hereMs, thereMs]: [number[], number[]] = [[], []]
  const pending = questions.values()
  const askBoth = async (asked: Asked): Promise<Difference> => {
    const [first, second] = await Promise.all([ask(here, asked, timeoutMs), ask(there, asked, timeoutMs)])
    if (first.rcode !== '') hereMs.push(first.tookMs)
    if (second.rcode !== '') thereMs.push(second.tookMs)
    return { asked, here: first, there: second }
  }
  const work = async (): Promise<void> => {
    for (const asked of pending) {
      const rounds: Difference[] = []
      do rounds.push(await askBoth(asked))
      while (rounds.length < ROUNDS && !rounds.some(({ here, there }) => isSame(here, there)))
      const last = rounds.at(-1)!
      if (isSame(last.here, last.there)) continue
      const steady = rounds.every(({ here, there }) => isSame(here, last.here) && isSame(there, last.there))
      ;(steady ? differences : changing).push(last)
    }
  }
  await Promise.all(Array.from({ length: AT_ONCE_MAX }, work))
  const ascending = (times: number[]): number[] => times.sort((a, b) => a - b)
  return {
    count: questions.length,
    differences,
    changing,
    hereMs: ascending(hereMs),
    thereMs: ascending(thereMs),
  }
}

const isSame = (a: Said, b: Said): boolean =>
  a.rcode === b.rcode &&
  a.records.length === b.records.length &&
  a.records.every((each, i) => each === b.records[i])
