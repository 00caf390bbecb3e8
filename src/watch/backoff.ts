// Delays between attempts with full jitter: anything between nothing and a top that doubles with each failure, up to
// a ceiling. Many servers that lost the same API server at the same moment come back spread out, not in step.

/** What a Backoff is made of. */
export interface BackoffOptions {
  /** The top of the first delay. */
  readonly baseMs: number
  /** No delay is longer than this. */
  readonly ceilingMs: number
  /** Numbers in [0, 1). */
  readonly random: () => number
}

/** A source of delays that never gives up; `reset` after a success. */
export class Backoff {
  readonly #options: BackoffOptions
  #failures = 0

  constructor(options: BackoffOptions) {
    this.#options = options
  }

  /** True until the first delay after a reset. */
  get fresh(): boolean {
    return this.#failures === 0
  }

  /**
   * The next delay in ms, in [0, top). `ceilingMs` lowers the ceiling for this one delay, `floorMs` moves the whole
   * range to [floorMs, floorMs + top).
   */
  next(ceilingMs = this.#options.ceilingMs, floorMs = 0): number {
    const ceiling = Math.min(ceilingMs, this.#options.ceilingMs)
    const top = Math.min(ceiling, this.#options.baseMs * 2 ** Math.min(this.#failures, 30))
    this.#failures++
    return floorMs + this.#options.random() * top
  }

  /** Begins at the base again. */
  reset(): void {
    this.#failures = 0
  }
}
