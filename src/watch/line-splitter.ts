// The body of a watch: one JSON object a line, ended by a line feed. Chunks may cut a line anywhere and may hold a
// thousand lines. A line that is not ended when the stream is was cut: it is never handed on.

import { ApiError } from './api-error.ts'
import { OctetCarry } from './octet-carry.ts'

/** An object of etcd is at most about 1.5 MB; far more than that is no event. */
export const EVENT_MAX_OCTETS = 8 * 1024 * 1024

const LINE_FEED = 0x0a

/** Cuts chunks into lines and hands each on as text, without the line feed; empty lines are dropped. */
export class LineSplitter {
  readonly #onLine: (line: string) => void
  readonly #carry = new OctetCarry()

  constructor(onLine: (line: string) => void) {
    this.#onLine = onLine
  }

  /** Takes the next chunk; throws an ApiError `protocol` when a line grows beyond EVENT_MAX_OCTETS. */
  push(chunk: Buffer): void {
    let from = 0
    for (;;) {
      const end = chunk.indexOf(LINE_FEED, from)
      const octets = this.#carry.length + (end === -1 ? chunk.length : end) - from
      if (octets > EVENT_MAX_OCTETS) {
        this.#carry.clear()
        throw new ApiError('protocol', `reading a watch: a line of more than ${EVENT_MAX_OCTETS} octets`)
      }
      if (end === -1) break
      const line = this.#carry.take(chunk, from, end)
      from = end + 1
      if (line.trim() !== '') this.#onLine(line)
    }
    if (from < chunk.length) this.#carry.add(chunk, from)
  }
}
