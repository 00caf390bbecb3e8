// How a resource fares (reflector.ts): when its server was last heard, and what was begun again, for status and metrics.

import type { ResourceStatus } from '../objects/source.ts'
import type { Clock } from '../shared/clock.ts'
import type { RestartCause } from './reflector-options.ts'

/** What of a resource's status is counted and timed. */
type Counted = 'synced' | 'lastByteAgeMs' | 'ageMs' | 'stale' | 'relists' | 'restartsByCause'

export class Progress {
  readonly #clock: Clock
  readonly #restarts = new Map<RestartCause, number>()
  #relists = 0
  #heardMs: number | undefined
  #followedMs: number | undefined

  constructor(clock: Clock) {
    this.#clock = clock
  }

  /** Whether a complete state was taken. */
  get synced(): boolean {
    return this.#relists > 0
  }

  get heardMs(): number | undefined {
    return this.#heardMs
  }

  /** When the live watch was last heard, or a complete state taken. */
  get followedMs(): number | undefined {
    return this.#followedMs
  }

  /** An octet came. */
  heard(): void {
    this.#heardMs = this.#clock.nowMs()
  }

  /** The state is the server's, as far as anybody can know. */
  followed(): void {
    this.#followedMs = this.#clock.nowMs()
  }

  /** A complete state was taken; returns whether it is the first. */
  relisted(): boolean {
    this.followed()
    return ++this.#relists === 1
  }

  restarted(cause: RestartCause): void {
    this.#restarts.set(cause, (this.#restarts.get(cause) ?? 0) + 1)
  }

  /** Where nothing was heard for longer than `staleMs`, the state is stale. */
  status(staleMs: number): Pick<ResourceStatus, Counted> {
    const nowMs = this.#clock.nowMs()
    const since = (atMs: number | undefined): number | undefined =>
      atMs === undefined ? undefined : nowMs - atMs
    const ageMs = since(this.#followedMs)
    return {
      synced: this.synced,
      lastByteAgeMs: since(this.#heardMs),
      ageMs,
      stale: ageMs !== undefined && ageMs > staleMs,
      relists: this.#relists,
      restartsByCause: Object.fromEntries(this.#restarts),
    }
  }
}
