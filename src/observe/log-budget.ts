// How many lines each source may log: a bucket of tokens that fills with time. A flood of failures costs a bounded
// number of lines and one summary (docs/costs.md L15: a million failing queries, at most a thousand lines).

import type { Clock } from '../shared/clock.ts'

/** What one source may log: `burst` lines at once, then `perSecond`. */
export interface Rate {
  readonly burst: number
  readonly perSecond: number
}

/** Sources such as plugin/forward: what is logged when something happens, not for every query. */
const SOURCE_RATE: Rate = { burst: 100, perSecond: 5 }
/** The source '': the query log, which was asked for, and the server's own lines. */
const QUERY_LOG_RATE: Rate = { burst: 20_000, perSecond: 20_000 }
/** Different sources; they are plugins, so more would be a bug, and the rest shares one bucket. */
const SOURCES_MAX = 100

interface Bucket {
  readonly rate: Rate
  tokens: number
  filledAtMs: number
  dropped: number
}

/** The budgets of all sources. */
export class LogBudget {
  readonly #clock: Clock
  readonly #rateOf: (from: string) => Rate
  readonly #buckets = new Map<string, Bucket>()

  constructor(clock: Clock, rateOf = (from: string): Rate => (from === '' ? QUERY_LOG_RATE : SOURCE_RATE)) {
    this.#clock = clock
    this.#rateOf = rateOf
  }

  /** Takes the price of one line; false, and counted, where the source has none left. */
  take(from: string): boolean {
    const bucket = this.#bucket(from)
    const nowMs = this.#clock.nowMs()
    const { burst, perSecond } = bucket.rate
    bucket.tokens = Math.min(burst, bucket.tokens + ((nowMs - bucket.filledAtMs) * perSecond) / 1000)
    bucket.filledAtMs = nowMs
    if (bucket.tokens < 1) {
      bucket.dropped++
      return false
    }
    bucket.tokens--
    return true
  }

  /** The lines dropped by source since the last call, and whose rates they exceeded; the counts begin anew. */
  takeDropped(): readonly { readonly from: string; readonly lines: number; readonly rate: Rate }[] {
    const dropped: { from: string; lines: number; rate: Rate }[] = []
    for (const [from, bucket] of this.#buckets) {
      if (bucket.dropped === 0) continue
      dropped.push({ from, lines: bucket.dropped, rate: bucket.rate })
      bucket.dropped = 0
    }
    return dropped
  }

  #bucket(from: string): Bucket {
    const known = this.#buckets.get(from)
    if (known !== undefined) return known
    const source = this.#buckets.size < SOURCES_MAX ? from : 'others'
    let bucket = this.#buckets.get(source)
    if (bucket === undefined) {
      const rate = this.#rateOf(source)
      bucket = { rate, tokens: rate.burst, filledAtMs: this.#clock.nowMs(), dropped: 0 }
      this.#buckets.set(source, bucket)
    }
    return bucket
  }
}
