// How long an upstream takes, and from when on a question is taken for lost on its way (RFC 6298): after the smoothed time and
// four times its variation, measured on questions that were sent once (Karn). What is lost goes out again for as long as there
// is credit: an upstream that answers earns some by every answer, and a little comes by time, so that one that sleeps under
// load is not asked twice as much for it. The next upstream is asked without credit where this one is not heard at all.

import { Hearing } from './hearing.ts'

/** Before anything was measured. */
export const RETRY_FIRST_MS = 400
/** Nothing is taken for lost sooner: what a recursive server has to ask others for takes that long. */
export const RETRY_MIN_MS = 50
/** Questions that may go out again at once. */
export const CREDIT_MAX = 100
/** What an answer earns: a fifth of the questions may be asked twice. */
const CREDIT_PER_ANSWER = 0.2
const CREDIT_PER_SECOND = 10

export class Latency {
  readonly #maxMs: number
  readonly #hearing: Hearing
  #smoothedMs = 0
  #variationMs = 0
  #isMeasured = false
  #credit = CREDIT_MAX
  #creditAtMs: number

  /** `maxMs` is the time after which an upstream is given up. */
  constructor(maxMs: number, nowMs: number) {
    this.#maxMs = maxMs
    this.#hearing = new Hearing(nowMs)
    this.#creditAtMs = nowMs
  }

  /** After this time without an answer a question goes out again. */
  get retryMs(): number {
    if (!this.#isMeasured) return Math.min(RETRY_FIRST_MS, this.#maxMs)
    const retryMs = this.#smoothedMs + 4 * this.#variationMs
    return Math.min(Math.max(retryMs, RETRY_MIN_MS), this.#maxMs)
  }

  /** A question goes out. */
  asked(nowMs: number): void {
    this.#hearing.asked(nowMs)
  }

  /** An answer came; `ms` is how long it took, where the question went out once. */
  answered(nowMs: number, ms: number | undefined): void {
    this.#hearing.heard(nowMs)
    this.#credit = Math.min(CREDIT_MAX, this.#credit + CREDIT_PER_ANSWER)
    if (ms === undefined) return
    if (this.#isMeasured) {
      this.#variationMs += (Math.abs(this.#smoothedMs - ms) - this.#variationMs) / 4
      this.#smoothedMs += (ms - this.#smoothedMs) / 8
    } else {
      this.#isMeasured = true
      this.#smoothedMs = ms
      this.#variationMs = ms / 2
    }
  }

  /** Whether another upstream may be asked what this one has not answered; where it has a credit, that is taken. */
  mayAskAnother(nowMs: number): boolean {
    return this.#hearing.silentMs(nowMs) >= this.retryMs || this.mayAskAgain(nowMs)
  }

  /** Whether a question may go out again; it is counted. */
  mayAskAgain(nowMs: number): boolean {
    const earned = (Math.max(0, nowMs - this.#creditAtMs) / 1000) * CREDIT_PER_SECOND
    this.#credit = Math.min(CREDIT_MAX, this.#credit + earned)
    this.#creditAtMs = nowMs
    if (this.#credit < 1) return false
    this.#credit--
    return true
  }
}
