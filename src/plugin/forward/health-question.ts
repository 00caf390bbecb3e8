// The question that tells whether an upstream is well: NS of a name, without EDNS, asked once. Any reply will do, whatever it
// says.

import type { Clock } from '../../shared/clock.ts'
import { foldName, name } from '../../wire/name.ts'
import { CLASS, TYPE } from '../../wire/rrtype.ts'
import { Attempt, Question } from './attempt.ts'
import type { HealthCheckConfig } from './config.ts'
import { isOurs } from './error-text.ts'
import { CHECK_TIMEOUT_MS } from './health.ts'
import type { Upstream } from './upstream.ts'

export class HealthQuestion extends Question {
  override withEdns = false
  readonly #attempt = new Attempt()
  readonly #done: (well: boolean | undefined) => void

  /** Asks now; `done` is told once whether the upstream answered, undefined where that could not be found out. */
  constructor(
    { domain, recursionDesired }: HealthCheckConfig,
    overTcp: boolean,
    upstream: Upstream,
    clock: Clock,
    done: (well: boolean | undefined) => void,
  ) {
    super(clock)
    this.#done = done
    this.overTcp = overTcp
    const asked = foldName(name(domain))
    const flags = { recursionDesired, checkingDisabled: false, dnssecOk: false }
    this.write(asked, asked.length, TYPE.NS, CLASS.IN, flags, 0, undefined)
    const nowMs = this.nowMs()
    this.#attempt.begin(this, upstream, nowMs, nowMs + CHECK_TIMEOUT_MS)
    this.dueChanged()
  }

  dueChanged(): void {
    if (!this.#attempt.isOpen) return
    this.dueMs = this.#attempt.dueMs
    this.wheel.set(this)
  }

  answered(): void {
    this.wheel.cancel(this)
    this.#done(true)
  }

  failed(_: Attempt, text: string): void {
    this.wheel.cancel(this)
    this.#done(isOurs(text) ? undefined : false)
  }

  onDue(): void {
    this.#attempt.expire()
  }
}
