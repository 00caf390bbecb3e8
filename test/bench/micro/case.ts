// One thing that is measured by `npm run bench:micro`.

import type { BudgetName } from './budget.ts'

/** A piece of work; `run` does it once, again and again with other input where a cache would notice. */
export interface MicroCase {
  readonly title: string
  readonly budget?: BudgetName
  /** It may cost so many times what the reference of the same run does: an A of a ClusterIP, the whole road. */
  readonly timesMax?: number
  /** It may leave so many octets of garbage. */
  readonly octetsMax?: number
  readonly run: () => unknown
}

/** Cycles through values: the next one at each call. */
export function cycle<Value>(values: readonly Value[]): () => Value {
  let at = 0
  return () => {
    at = at + 1 === values.length ? 0 : at + 1
    return values[at]!
  }
}
