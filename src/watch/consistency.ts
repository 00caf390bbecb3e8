// Whether what is kept of a resource is what the API server has, while its watch says that all is well: an event that was lost
// on the way, or a history that is not the one it was, shows in nothing else. Every checkMs the versions of all objects are
// listed and compared, key by key:
//
//   list versions ── all equal ──────────────────────────────────────────────▶ consistent
//        │
//        └─ some differ ── settleMs, for events that are on their way ── still, and the watch said nothing of them ─▶ differs

import type { Clock, Timer } from '../shared/clock.ts'
import type { ApiError } from './api-error.ts'
import type { ApiCall } from './client.ts'
import type { MetadataReceiver } from './metadata-list.ts'
import type { ReflectorTiming } from './reflector-options.ts'

/** What a check asks and tells. */
export interface CheckOptions {
  readonly clock: Clock
  /** Numbers in [0, 1). */
  readonly random: () => number
  readonly timing: Pick<ReflectorTiming, 'checkMs' | 'checkSoonMs' | 'settleMs'>
  /** Lists the versions of all objects. */
  readonly list: (receiver: MetadataReceiver) => ApiCall
  /** The watch is open and nothing is being listed. */
  readonly steady: () => boolean
  /** The version of each object that is kept, by key. */
  readonly versions: () => ReadonlyMap<string, string>
  /** A judge of the version of a list that is asked for now: false where nothing is to be made of that list. */
  readonly judge: () => (version: string) => boolean
  readonly consistent: () => void
  /** These objects are others there. */
  readonly differs: (keys: readonly string[]) => void
  readonly failed: (error: ApiError) => void
}

/** Checks now and then, from `begin` to `stop`. */
export class ConsistencyCheck {
  readonly #options: CheckOptions
  #timer: Timer | undefined
  #dueMs = Infinity
  #list: ApiCall | undefined
  /** What the watch has told since the list was asked for. */
  readonly #told = new Set<string>()

  constructor(options: CheckOptions) {
    this.#options = options
  }

  /** Sets the next check; one under way is given up. */
  begin(): void {
    this.stop()
    this.#arm(this.#options.timing.checkMs, 0.2)
  }

  /** Has a check within seconds: the connection was lost, and who knows what the server was given meanwhile. */
  soon(): void {
    const { clock, timing } = this.#options
    if (this.#dueMs - clock.nowMs() <= 2 * timing.checkSoonMs) return
    this.stop()
    this.#arm(1.5 * timing.checkSoonMs, 2 / 3)
  }

  /** Ends what is under way; nothing is told any more. */
  stop(): void {
    this.#timer?.cancel()
    this.#list?.abort()
    this.#list = undefined
    this.#dueMs = Infinity
  }

  /** The watch told something of an object. */
  told(key: string): void {
    if (this.#list) this.#told.add(key)
  }

  /** After about that long, `spread` of it more or less in all. */
  #arm(aboutMs: number, spread: number): void {
    const { clock, random } = this.#options
    const delayMs = aboutMs * (1 - spread / 2 + spread * random())
    this.#dueMs = clock.nowMs() + delayMs
    this.#timer = clock.after(delayMs, () => this.#check())
  }

  #check(): void {
    const { steady, list, judge, failed, timing } = this.#options
    if (!steady()) {
      this.#arm(timing.checkSoonMs, 0)
      return
    }
    this.#told.clear()
    const listed = new Map<string, string>()
    const isGood = judge()
    this.#list = list({
      item: (key, version) => listed.set(key, version),
      done: version => {
        if (isGood(version)) this.#compare(listed)
        else if (this.#list) this.begin()
      },
      failed: error => {
        this.begin()
        failed(error)
      },
    })
  }

  #compare(listed: ReadonlyMap<string, string>): void {
    const { versions, clock, timing } = this.#options
    const doubtful = (key: string): boolean => !this.#told.has(key) && versions().get(key) !== listed.get(key)
    const suspects = [...listed.keys()].filter(doubtful)
    for (const key of versions().keys()) if (!listed.has(key) && doubtful(key)) suspects.push(key)
    if (suspects.length === 0) this.#conclude([])
    else this.#timer = clock.after(timing.settleMs, () => this.#conclude(suspects.filter(doubtful)))
  }

  #conclude(different: readonly string[]): void {
    const { differs, consistent } = this.#options
    this.begin()
    if (different.length > 0) differs(different)
    else consistent()
  }
}

/** Objects that a line of the log names. */
const NAMED_MAX = 3

/** A line of the log about objects that are others in the API server. */
export function lostText(keys: readonly string[]): string {
  const names = keys.slice(0, NAMED_MAX).join(', ') + (keys.length > NAMED_MAX ? ', …' : '')
  const what = keys.length === 1 ? '1 object is another' : `${keys.length} objects are others`
  return `${what} in the API server (${names}): the watch has lost an event, listing anew`
}
