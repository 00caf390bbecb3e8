// How old what is served is, once it is older than it should be: a watch that is silent, refused or cannot be reached
// changes no answer, so this is what tells. The age goes to the table's head for the reasons of answers
// (plugin/kubernetes/age.ts), to /ready?verbose and the metrics, and to the log at growing intervals.

import type { Kind } from '../objects/objects.ts'
import type { ResourceStatus } from '../objects/source.ts'
import type { Clock, Timer } from '../shared/clock.ts'
import { packAge } from '../table/layout.ts'

/** How often it is looked while all is well, and while the age is told. */
const LOOK_MS = 5000
const LOOK_OLD_MS = 1000
/** The log repeats itself when the age has doubled, but not sooner and not later than that. */
const REPEAT_MIN_MS = 60_000
const REPEAT_MAX_MS = 3_600_000

/** What is looked at and who is told. */
export interface FreshnessOptions {
  readonly clock: Clock
  readonly watches: () => readonly Pick<
    ResourceStatus,
    'resource' | 'kind' | 'ageMs' | 'stale' | 'lastError'
  >[]
  /** When the snapshot that is served was saved, wall time; undefined where none is. */
  readonly restoredAtMs: () => number | undefined
  readonly table: { setAge(age: number): void }
  readonly log: (level: 'INFO' | 'WARNING', text: string) => void
}

/** A state that is old. */
interface Old {
  readonly ageMs: number
  /** Where one watch alone is behind. */
  readonly kind: Kind | undefined
  readonly text: string
  /** It is a snapshot's. */
  readonly restored: boolean
}

/** Looks from `start` to `stop`. */
export class Freshness {
  readonly #options: FreshnessOptions
  #timer: Timer | undefined
  #old: Old | undefined
  #repeatMs = 0

  constructor(options: FreshnessOptions) {
    this.#options = options
  }

  start(): void {
    this.look()
  }

  stop(): void {
    this.#timer?.cancel()
  }

  /** The age in ms, 0 while the state is followed. */
  get ageMs(): number {
    return this.#old?.ageMs ?? 0
  }

  /** What is old, for how long and why, in one line; undefined while the state is followed. */
  get text(): string | undefined {
    return this.#old?.text
  }

  /** Looks now. */
  look(): void {
    const { clock, table, log } = this.#options
    this.#timer?.cancel()
    const before = this.#old
    const old = this.#judge()
    this.#old = old
    table.setAge(old === undefined ? 0 : packAge(old.ageMs / 1000, old.kind))
    if (old !== undefined && (before === undefined || old.ageMs >= this.#repeatMs)) {
      this.#repeatMs = old.ageMs + Math.max(REPEAT_MIN_MS, Math.min(old.ageMs, REPEAT_MAX_MS))
      // Who begins with a snapshot says so, and when it is out of use.
      if (before !== undefined || !old.restored) log('WARNING', `${old.text}: answers may be old`)
    }
    if (old === undefined && before !== undefined && !before.restored)
      log('INFO', `answers are up to date again, after ${seconds(before.ageMs)} s`)
    this.#timer = clock.after(old === undefined ? LOOK_MS : LOOK_OLD_MS, () => this.look())
  }

  #judge(): Old | undefined {
    const { clock, watches, restoredAtMs } = this.#options
    const savedAtMs = restoredAtMs()
    if (savedAtMs !== undefined) {
      const ageMs = Math.max(0, clock.wallMs() - savedAtMs)
      return { ageMs, kind: undefined, restored: true, text: `the snapshot is ${seconds(ageMs)} s old` }
    }
    const all = watches()
    const stale = all.filter(watch => watch.stale)
    const oldest = stale.toSorted((a, b) => (b.ageMs ?? 0) - (a.ageMs ?? 0)).at(0)
    if (oldest === undefined) return undefined
    const ageMs = oldest.ageMs ?? 0
    const alone = stale.length < all.length
    const whose = alone ? `${oldest.resource} were last heard of` : 'the API server was last heard'
    const why = oldest.lastError === undefined ? '' : ` (${oldest.lastError})`
    return {
      ageMs,
      kind: alone ? oldest.kind : undefined,
      restored: false,
      text: `${whose} ${seconds(ageMs)} s ago${why}`,
    }
  }
}

const seconds = (ms: number): number => Math.round(ms / 1000)
