// When noted changes are published: with the next turn of the event loop, so that what arrives together is one batch. The first
// listing is one batch, too, or every Service would be built once more when its slices come; a source that keeps one kind from
// us holds the others up for a moment only.

import type { Clock, Timer } from '../shared/clock.ts'

export class Batches {
  readonly #clock: Clock
  readonly #firstListingMs: number
  readonly #schedule: (publish: () => void) => void
  readonly #publish: () => void
  #firstMs: number | undefined
  #held: Timer | undefined
  #due = false

  /** `schedule` runs `publish` soon, once; from the first change on the first listing is waited for `firstListingMs` at most. */
  constructor(
    clock: Clock,
    firstListingMs: number,
    schedule: (publish: () => void) => void,
    publish: () => void,
  ) {
    this.#clock = clock
    this.#firstListingMs = firstListingMs
    this.#schedule = schedule
    this.#publish = publish
  }

  /** There is something to publish; `listed` is whether all kinds have been listed. */
  note(listed: boolean): void {
    if (this.#due) return
    const nowMs = this.#clock.nowMs()
    this.#firstMs ??= nowMs
    const heldMs = listed ? 0 : this.#firstMs + this.#firstListingMs - nowMs
    if (heldMs > 0) this.#held ??= this.#clock.after(heldMs, () => this.#soon())
    else this.#soon()
  }

  #soon(): void {
    this.#held?.cancel()
    this.#held = undefined
    this.#due = true
    this.#schedule(() => {
      this.#due = false
      this.#publish()
    })
  }
}
