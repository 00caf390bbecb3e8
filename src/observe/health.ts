// `health`: /health says 200 OK as long as the process can answer at all, and the process asks itself once a second how
// long that takes (CoreDNS plugin/health): an overloaded control thread shows in coredns_health_request_duration_seconds
// before a kubelet's probe fails.

import type { Clock, Timer } from '../shared/clock.ts'
import { formatDuration } from '../shared/duration.ts'
import { lazy } from '../shared/lazy.ts'
import type { HttpRoute } from './http-answers.ts'
import type { Counter, Histogram, Meters } from './meters.ts'
import type { ThreadLog } from './thread-log.ts'

const PERIOD_MS = 1000
const PATIENCE_MS = 3000
/** A local request that takes longer is worth a warning. */
const SLOW_MS = 1000

/** What /health answers. */
export const healthRoute: HttpRoute = () => ({ status: 200, body: 'OK' })

/** Asks a URL once; resolves to undefined, or to why there was no answer. */
export type Ask = (url: string, patienceMs: number) => Promise<string | undefined>

/** What a probe is made of. */
export interface HealthProbeOptions {
  /** Where the process's own /health is. */
  readonly url: string
  readonly clock: Clock
  readonly meters: Meters
  readonly log: ThreadLog
  /** Over HTTP unless a test says otherwise. */
  readonly ask?: Ask
}

/** The URL at which a process asks itself: localhost where it listens on every address. */
export function healthUrl(host: string, port: number): string {
  const name = host === '' ? 'localhost' : host.includes(':') ? `[${host}]` : host
  return `http://${name}:${port}/health`
}

/** Asks the process's own /health once a second. */
export class HealthProbe {
  readonly #url: string
  readonly #clock: Clock
  readonly #log: ThreadLog
  readonly #ask: Ask
  readonly #duration: Histogram
  readonly #failures: Counter
  #timer: Timer | undefined
  #running = false

  constructor({ url, clock, meters, log, ask = askHttp }: HealthProbeOptions) {
    this.#url = url
    this.#clock = clock
    this.#log = log
    this.#ask = ask
    this.#duration = meters.histogram('coredns_health_request_duration_seconds')
    this.#failures = meters.counter('coredns_health_request_failures_total')
  }

  /** Begins; a second call does nothing. */
  start(): void {
    if (this.#running) return
    this.#running = true
    this.#schedule()
  }

  /** Ends; an answer under way is not counted any more. */
  stop(): void {
    this.#running = false
    this.#timer?.cancel()
  }

  #schedule(): void {
    this.#timer = this.#clock.after(PERIOD_MS, () => {
      this.#probe().then(() => this.#running && this.#schedule())
    })
  }

  async #probe(): Promise<void> {
    const startMs = this.#clock.nowMs()
    const problem = await this.#ask(this.#url, PATIENCE_MS)
    if (!this.#running) return
    const elapsedMs = this.#clock.nowMs() - startMs
    this.#duration.observe(elapsedMs / 1000)
    if (problem !== undefined) {
      this.#failures.add()
      this.#log.write('WARNING', 'plugin/health', `Local health request to "${this.#url}" failed: ${problem}`)
    } else if (elapsedMs > SLOW_MS) {
      const elapsed = formatDuration(elapsedMs)
      this.#log.write(
        'WARNING',
        'plugin/health',
        `Local health request to "${this.#url}" took more than 1s: ${elapsed}`,
      )
    }
  }
}

/** Asks over HTTP. Any answer counts, as in CoreDNS: it is the time that matters. */
export const askHttp: Ask = (url, patienceMs) =>
  new Promise(resolve => {
    const request = lazy.http.get(url, { timeout: patienceMs, agent: false }, response => {
      response.resume()
      response.once('end', () => resolve(undefined))
      response.once('error', error => resolve(error.message))
    })
    request.once('timeout', () => request.destroy(new Error('no answer in time')))
    request.once('error', error => resolve(error.message))
  })
