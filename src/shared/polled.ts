// Something outside that may change (a file, a folder, a host name), looked at again and again. One look at a time; what is
// wrong is told once, and once that nothing is any more.

import type { Clock, Timer } from './clock.ts'

export interface PolledOptions {
  readonly clock: Clock
  /**
   * Looks once, and does what is to be done about what it sees. Resolves to what is wrong, undefined where nothing is; what
   * it rejects with is what is wrong, too.
   */
  readonly look: () => Promise<string | undefined>
  /** How long after a look the next one comes; 0 is never. Asked after each look. */
  readonly intervalMs: () => number
  /** Told of what is wrong, each time that it is another thing. */
  readonly trouble: (text: string) => void
  /** Told when nothing is wrong any more. */
  readonly well?: () => void
  /** What is wrong before the first look, and was told by somebody else. */
  readonly known?: string | undefined
}

export class Polled {
  readonly #options: PolledOptions
  #trouble: string | undefined
  #timer: Timer | undefined
  /** The look under way, and whether another one was asked for meanwhile. */
  #looking: Promise<void> | undefined
  #again = false
  #stopped = false

  constructor(options: PolledOptions) {
    this.#options = options
    this.#trouble = options.known
  }

  /** What was wrong at the last look. */
  get trouble(): string | undefined {
    return this.#trouble
  }

  /** Whether `stop` was called: a look under way changes nothing any more. */
  get stopped(): boolean {
    return this.#stopped
  }

  /** Begins; the first look comes after an interval. */
  start(): void {
    this.#schedule(this.#options.intervalMs())
  }

  /** Looks now, or behind the look that is under way; resolves when that is done. */
  look(): Promise<void> {
    if (this.#stopped) return Promise.resolve()
    this.#again = true
    this.#looking ??= this.#run()
    return this.#looking
  }

  /** Looks in so many milliseconds, sooner or later than it would have; a look under way is soon enough. */
  lookIn(delayMs: number): void {
    if (!this.#looking) this.#schedule(delayMs)
  }

  /** Ends it; resolves when no look is under way any more. */
  async stop(): Promise<void> {
    this.#stopped = true
    this.#timer?.cancel()
    await this.#looking
  }

  async #run(): Promise<void> {
    this.#timer?.cancel()
    while (this.#again && !this.#stopped) {
      this.#again = false
      await this.#lookOnce()
    }
    this.#looking = undefined
    this.#schedule(this.#options.intervalMs())
  }

  async #lookOnce(): Promise<void> {
    const { look, trouble, well } = this.#options
    let found: string | undefined
    try {
      found = await look()
    } catch (error) {
      found = error instanceof Error ? error.message : String(error)
    }
    if (this.#stopped || found === this.#trouble) return
    this.#trouble = found
    if (found === undefined) well?.()
    else trouble(found)
  }

  #schedule(delayMs: number): void {
    this.#timer?.cancel()
    if (this.#stopped || delayMs === 0) return
    this.#timer = this.#options.clock.after(delayMs, () => void this.look())
  }
}
