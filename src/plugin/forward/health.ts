// Whether an upstream is well (CoreDNS plugin/pkg/proxy/health.go, plugin/pkg/up). Nothing is checked until an error says
// so; then a check starts every interval until one succeeds. Checks may overlap: one takes up to a second to fail, and an
// upstream that comes back must be found within an interval.

import type { Clock, Timer } from '../../shared/clock.ts'

/** How long a check waits for its reply. */
export const CHECK_TIMEOUT_MS = 1000
/** Checks of one upstream at one moment. */
export const CHECKS_MAX = 4

export interface HealthOptions {
  readonly clock: Clock
  readonly intervalMs: number
  /** Down when more than this many checks failed in a row; 0: never down, never checked. */
  readonly maxFails: number
  /** Asks the upstream, and says once whether it answered; undefined where it could not be asked. */
  readonly check: (done: (well: boolean | undefined) => void) => void
  /** Told of every failed check. */
  readonly failed: () => void
  /** Told when the upstream goes down or comes back. */
  readonly changed: (down: boolean) => void
}

/** The health of one upstream. */
export class Health {
  readonly #options: HealthOptions
  #fails = 0
  /** Counts the loops: what an earlier one still hears of its checks is void. */
  #loop = 0
  #checks = 0
  #timer: Timer | undefined
  #active = false

  constructor(options: HealthOptions) {
    this.#options = options
  }

  get down(): boolean {
    return this.#options.maxFails > 0 && this.#fails > this.#options.maxFails
  }

  /** A check failed lately and none succeeded since. */
  get suspect(): boolean {
    return this.#fails > 0
  }

  /** Something went wrong with the upstream: starts checking, unless that is under way. */
  accuse(): void {
    if (this.#active || this.#options.maxFails === 0) return
    this.#active = true
    this.#tick(++this.#loop)
  }

  /** The upstream answered something. */
  acquit(): void {
    const { down } = this
    this.#fails = 0
    this.#end()
    if (down) this.#options.changed(false)
  }

  /** Ends checking. */
  stop(): void {
    this.#end()
  }

  #end(): void {
    this.#active = false
    this.#loop++
    this.#timer?.cancel()
    this.#timer = undefined
  }

  #tick(loop: number): void {
    if (this.#checks < CHECKS_MAX) this.#check(loop)
    this.#timer = this.#options.clock.after(this.#options.intervalMs, () => this.#tick(loop))
  }

  #check(loop: number): void {
    this.#checks++
    this.#options.check(well => {
      this.#checks--
      if (loop !== this.#loop || well === undefined) return
      if (well) return this.acquit()
      const { down } = this
      this.#fails++
      this.#options.failed()
      if (!down && this.down) this.#options.changed(true)
    })
  }
}
