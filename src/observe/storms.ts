// Storms: one client that asks for one missing name again and again, which costs the node's connection tracking and the
// operator an evening (a Pod in a crash loop, a search path gone wrong). The fast path never asks who a client is; it
// names every SAMPLE_EVERY-th denial, and a small table of the most frequent pairs of client and name tells a storm from
// the rest (Metwally's "space saving" counts: what is frequent cannot be missed).
//
//   [WARNING] storm: 10.244.3.7 asks some 2300 times a second for nope.default.svc.cluster.local., which does not exist

import type { Clock } from '../shared/clock.ts'
import type { Counter, Meters } from './meters.ts'
import type { ThreadLog } from './thread-log.ts'

/** One denial in so many is looked at; a power of two. */
export const SAMPLE_EVERY = 64
/** Pairs of client and name that are counted at a time. */
const PAIRS_MAX = 64
const WINDOW_MS = 10_000
/** Denials of one pair in a window, and so some 200 a second, from which on it is a storm. */
const STORM_MIN = 2000
/** A rate is told of at least so long a time. */
const RATE_MIN_MS = 100
/** A storm that goes on is told this often. */
const TOLD_EVERY_MS = 300_000
/** Storms that are remembered as told; beyond it the oldest may be told again. */
const TOLD_MAX = 256

interface Pair {
  readonly client: string
  readonly name: string
  denials: number
  /** What it may have been overestimated by: the count of the pair whose place it took. */
  error: number
}

/** The storms that one serving thread sees. */
export class Storms {
  readonly #clock: Clock
  readonly #log: ThreadLog
  readonly #queries: Counter
  readonly #pairs = new Map<string, Pair>()
  readonly #toldMs = new Map<string, number>()
  #windowMs: number

  constructor(clock: Clock, log: ThreadLog, meters: Meters) {
    this.#clock = clock
    this.#log = log
    this.#queries = meters.counter('seamark_storm_queries_total')
    this.#windowMs = clock.nowMs()
  }

  /** Counts a sampled denial: it stands for SAMPLE_EVERY of them. */
  denied(client: string, name: string): void {
    const nowMs = this.#clock.nowMs()
    if (nowMs - this.#windowMs >= WINDOW_MS) {
      this.#pairs.clear()
      this.#windowMs = nowMs
    }
    const pair = this.#pair(client, name)
    pair.denials += SAMPLE_EVERY
    const sure = pair.denials - pair.error
    if (sure < STORM_MIN) return
    this.#queries.add(SAMPLE_EVERY)
    this.#tell(pair, sure, nowMs)
  }

  /** The pair's count, in the place of the least frequent one where there is no room. */
  #pair(client: string, name: string): Pair {
    const key = `${client} ${name}`
    const known = this.#pairs.get(key)
    if (known) return known
    let least: [key: string, pair: Pair] | undefined
    if (this.#pairs.size >= PAIRS_MAX) {
      for (const entry of this.#pairs) if (!least || entry[1].denials < least[1].denials) least = entry
    }
    if (least) this.#pairs.delete(least[0])
    const from = least?.[1].denials ?? 0
    const pair = { client, name, denials: from, error: from }
    this.#pairs.set(key, pair)
    return pair
  }

  #tell({ client, name }: Pair, denials: number, nowMs: number): void {
    const key = `${client} ${name}`
    if (nowMs - (this.#toldMs.get(key) ?? Number.NEGATIVE_INFINITY) < TOLD_EVERY_MS) return
    if (this.#toldMs.size >= TOLD_MAX) this.#toldMs.delete(this.#toldMs.keys().next().value!)
    this.#toldMs.delete(key)
    this.#toldMs.set(key, nowMs)
    const perSecond = Math.round((denials / Math.max(RATE_MIN_MS, nowMs - this.#windowMs)) * 1000)
    this.#log.write(
      'WARNING',
      '',
      `storm: ${client} asks some ${perSecond} times a second for ${name}, which does not exist`,
    )
  }
}
