// When to try again: the delay that an error asks for, and the timer that waits for it.

import type { Clock, Timer } from '../shared/clock.ts'
import type { ApiError } from './api-error.ts'
import { Backoff } from './backoff.ts'
import type { ReflectorTiming } from './reflector-options.ts'

/** One action that is tried again for ever. */
export class Retry {
  readonly #clock: Clock
  readonly #timing: ReflectorTiming
  readonly #backoff: Backoff
  readonly #run: () => void
  #timer: Timer | undefined

  constructor(clock: Clock, random: () => number, timing: ReflectorTiming, run: () => void) {
    const { backoffBaseMs: baseMs, backoffCeilingMs: ceilingMs } = timing
    this.#clock = clock
    this.#timing = timing
    this.#backoff = new Backoff({ baseMs, ceilingMs, random })
    this.#run = run
  }

  /** An attempt waits for its time. */
  get pending(): boolean {
    return this.#timer !== undefined
  }

  /** The last attempt was a success. */
  get fresh(): boolean {
    return this.#backoff.fresh
  }

  /** Runs at the next turn of the clock. */
  atOnce(): void {
    this.#after(0)
  }

  /** Runs after the delay that this error asks for; undefined is an end without a reason. */
  afterFailure(error: ApiError | undefined, synced: boolean): void {
    this.#after(this.#delayMs(error, synced))
  }

  /** Forgets an attempt that waits. */
  cancel(): void {
    this.#timer?.cancel()
    this.#timer = undefined
  }

  /** After a success the delays begin at the base again. */
  reset(): void {
    this.#backoff.reset()
  }

  #after(delayMs: number): void {
    this.cancel()
    this.#timer = this.#clock.after(delayMs, () => {
      this.#timer = undefined
      this.#run()
    })
  }

  #delayMs(error: ApiError | undefined, synced: boolean): number {
    const { slowMs, unsyncedCeilingMs } = this.#timing
    if (error?.retryAfterMs !== undefined)
      return this.#backoff.next(1 + error.retryAfterMs / 10, error.retryAfterMs)
    if (error?.code === 'forbidden' || error?.code === 'not-found')
      return this.#backoff.next(undefined, slowMs)
    // Before the first sync nothing can be answered, and a connection that is refused costs nobody anything.
    const unreachable = error?.code === 'network' || error?.code === 'tls' || error?.code === 'credentials'
    return this.#backoff.next(!synced && unreachable ? unsyncedCeilingMs : undefined)
  }
}
