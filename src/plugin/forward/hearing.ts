// Whether somebody who is asked is still heard: an upstream, a connection.

/** Who was asked and said nothing for so long may be gone. */
export const SILENT_MS = 400

export class Hearing {
  /** When something was heard last; on the monotonic clock. */
  heardMs: number
  /** The first question since then. */
  #askedMs = Number.POSITIVE_INFINITY

  constructor(nowMs: number) {
    this.heardMs = nowMs
  }

  asked(nowMs: number): void {
    if (nowMs < this.#askedMs) this.#askedMs = nowMs
  }

  heard(nowMs: number): void {
    this.heardMs = nowMs
    this.#askedMs = Number.POSITIVE_INFINITY
  }

  /** How long a question has waited while nothing was heard. */
  silentMs(nowMs: number): number {
    return Math.max(0, nowMs - this.#askedMs)
  }

  /** When the question was asked since which nothing was heard for SILENT_MS; Infinity where that is not so. */
  silentSinceMs(nowMs: number): number {
    return this.silentMs(nowMs) >= SILENT_MS ? this.#askedMs : Number.POSITIVE_INFINITY
  }
}
