// When noted changes are published: with the next turn of the event loop, so that what arrives together is one batch. The first
// listing is one batch, too, or every Service would be built once more when its slices come; a source that keeps one kind from
// us holds the others up for a moment only. A batch that takes long is put down in between, so that probes are answered and
// signals heard while a hundred thousand endpoints are published; what is noted meanwhile is the next one.

import type { Clock, Timer } from '../shared/clock.ts'
import type { Steps } from '../shared/steps.ts'

/** How long a batch goes on before others have their turn. */
const TURN_MS = 10

export class Batches {
  readonly #clock: Clock
  readonly #firstListingMs: number
  readonly #schedule: (turn: () => void) => void
  readonly #begin: () => Steps<void>
  #firstMs: number | undefined
  #held: Timer | undefined
  #state: 'idle' | 'due' | 'under way' = 'idle'
  /** Whether something was noted while a batch was under way, and whether all kinds had been listed then. */
  #noted: { readonly listed: boolean } | undefined
  #ended: (() => void)[] = []

  /**
   * `schedule` runs something soon, once; `begin` takes what is noted and publishes it in steps; from the first change on the
   * first listing is waited for `firstListingMs` at most.
   */
  constructor(
    clock: Clock,
    firstListingMs: number,
    schedule: (turn: () => void) => void,
    begin: () => Steps<void>,
  ) {
    this.#clock = clock
    this.#firstListingMs = firstListingMs
    this.#schedule = schedule
    this.#begin = begin
  }

  /** There is something to publish; `listed` is whether all kinds have been listed. */
  note(listed: boolean): void {
    if (this.#state === 'under way') this.#noted = { listed }
    if (this.#state !== 'idle') return
    const nowMs = this.#clock.nowMs()
    this.#firstMs ??= nowMs
    const heldMs = listed ? 0 : this.#firstMs + this.#firstListingMs - nowMs
    if (heldMs > 0) this.#held ??= this.#clock.after(heldMs, () => this.#soon())
    else this.#soon()
  }

  /** Publishes what is noted without waiting for a listing; resolves when it is done. */
  now(): Promise<void> {
    return new Promise(resolve => {
      this.#ended.push(resolve)
      if (this.#state === 'idle') this.#soon()
    })
  }

  #soon(): void {
    this.#held?.cancel()
    this.#held = undefined
    this.#state = 'due'
    this.#schedule(() => {
      this.#state = 'under way'
      this.#turn(this.#begin())
    })
  }

  #turn(steps: Steps<void>): void {
    const untilMs = this.#clock.nowMs() + TURN_MS
    while (!steps.next().done) {
      if (this.#clock.nowMs() < untilMs) continue
      this.#schedule(() => this.#turn(steps))
      return
    }
    this.#state = 'idle'
    const noted = this.#noted
    this.#noted = undefined
    for (const ended of this.#ended.splice(0)) ended()
    if (noted) this.note(noted.listed)
  }
}
