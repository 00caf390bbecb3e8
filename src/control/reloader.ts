// The `reload` directive at work (CoreDNS plugin/reload): looks at the Corefile with all it imports from time to time, and
// hands a changed one over. One that was refused is not tried again until it changes again.

import type { ThreadLog } from '../observe/thread-log.ts'
import type { Configuration } from '../setup/configuration.ts'
import type { Clock, Timer } from '../shared/clock.ts'

export interface ReloaderOptions {
  readonly clock: Clock
  /** 0 ≤ n < 1 */
  readonly random: () => number
  readonly log: ThreadLog
  /** The configuration now; undefined where its hash is the given one. */
  readonly read: (unlessHash: string) => Configuration | undefined
  /** Takes the changed configuration, or refuses it. */
  readonly apply: (configuration: Configuration) => Promise<void>
}

export class Reloader {
  readonly #options: ReloaderOptions
  #seenHash = ''
  #period: { readonly intervalMs: number; readonly jitterMs: number } | undefined
  #timer: Timer | undefined
  #looking: Promise<void> | undefined
  #stopped = false

  constructor(options: ReloaderOptions) {
    this.#options = options
  }

  /** `served` is the configuration that serves, `seen` the one in the Corefile. */
  start(served: Configuration, seen: Configuration): void {
    this.#seenHash = seen.hash
    this.#period = served.setup.reload
    this.#schedule()
  }

  stop(): void {
    this.#stopped = true
    this.#timer?.cancel()
  }

  /** Looks now; `force` takes an unchanged configuration too. Looks do not overlap. */
  async look(force: boolean): Promise<void> {
    const before = this.#looking ?? Promise.resolve()
    const looking = before.then(() => this.#look(force))
    this.#looking = looking
    await looking
  }

  async #look(force: boolean): Promise<void> {
    if (this.#stopped) return
    const next = this.#options.read(force ? '' : this.#seenHash)
    if (!next) return
    this.#seenHash = next.hash
    await this.#options.apply(next)
    if (next.errors === 0) this.#period = next.setup.reload
  }

  #schedule(): void {
    if (this.#stopped || !this.#period) return
    const { intervalMs, jitterMs } = this.#period
    // CoreDNS adds between minus and plus half the jitter.
    const delayMs = intervalMs + (this.#options.random() - 0.5) * jitterMs
    this.#timer = this.#options.clock.after(delayMs, () => {
      void this.look(false).finally(() => this.#schedule())
    })
  }
}
