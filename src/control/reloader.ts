// The `reload` directive at work (CoreDNS plugin/reload): looks at the Corefile with all it imports from time to time, and
// hands a changed one over. One that was refused is tried again with every look: what it lacks, a port, a descriptor, a host name, may
// come to be without any change of it.

import type { ThreadLog } from '../observe/thread-log.ts'
import type { Configuration } from '../setup/configuration.ts'
import type { Clock } from '../shared/clock.ts'
import { Polled } from '../shared/polled.ts'

export interface ReloaderOptions {
  readonly clock: Clock
  /** 0 ≤ n < 1 */
  readonly random: () => number
  readonly log: ThreadLog
  /** The configuration now; undefined where its hash is the given one. */
  readonly read: (unlessHash: string) => Promise<Configuration | undefined>
  /** Takes the changed configuration, or refuses it; whether it is served. `isRetry`: it was refused before, as it is. */
  readonly apply: (configuration: Configuration, isRetry: boolean) => Promise<boolean>
}

export class Reloader {
  readonly #options: ReloaderOptions
  readonly #polled: Polled
  #seenHash = ''
  #period: { readonly intervalMs: number; readonly jitterMs: number } | undefined
  /** Whether the next look takes an unchanged configuration, too. */
  #force = false
  #isRefused = false

  constructor(options: ReloaderOptions) {
    this.#options = options
    this.#polled = new Polled({
      clock: options.clock,
      look: () => this.#look(),
      intervalMs: () => this.#intervalMs(),
      // What is wrong with a Corefile `apply` tells; this is a bug.
      trouble: text => options.log.write('ERROR', 'plugin/reload', text),
    })
  }

  /** `served` is the configuration that serves, `seen` the one in the Corefile. */
  start(served: Configuration, seen: Configuration): void {
    this.#seenHash = seen.hash
    this.#isRefused = served !== seen
    this.#period = served.setup.reload
    this.#polled.start()
  }

  stop(): void {
    void this.#polled.stop()
  }

  /** Looks now; `force` takes an unchanged configuration too. Looks do not overlap. */
  look(force: boolean): Promise<void> {
    this.#force ||= force
    return this.#polled.look()
  }

  async #look(): Promise<undefined> {
    const isForced = this.#force
    this.#force = false
    const next = await this.#options.read(isForced || this.#isRefused ? '' : this.#seenHash)
    if (!next) return
    const isRetry = !isForced && next.hash === this.#seenHash
    this.#seenHash = next.hash
    this.#isRefused = !(await this.#options.apply(next, isRetry))
    if (next.errors === 0) this.#period = next.setup.reload
  }

  /** CoreDNS adds between minus and plus half the jitter; without `reload` it never looks. */
  #intervalMs(): number {
    if (!this.#period) return 0
    const { intervalMs, jitterMs } = this.#period
    return intervalMs + (this.#options.random() - 0.5) * jitterMs
  }
}
