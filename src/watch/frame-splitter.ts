// The body of a watch in protocol buffers: frames, each behind its length in four octets, the highest first. Chunks may cut one
// anywhere and may hold a thousand. A frame that is not complete when the stream ends was cut: it is never handed on.

import { ApiError } from './api-error.ts'
import { EVENT_MAX_OCTETS } from './line-splitter.ts'
import { OctetCarry } from './octet-carry.ts'

const LENGTH_OCTETS = 4

/** Cuts chunks into frames and hands each on as octets[at … end), which are valid during the call only. */
export class FrameSplitter {
  readonly #onFrame: (octets: Buffer, at: number, end: number) => void
  readonly #carry = new OctetCarry()

  constructor(onFrame: (octets: Buffer, at: number, end: number) => void) {
    this.#onFrame = onFrame
  }

  /** Takes the next chunk; throws an ApiError `protocol` when a frame says that it is larger than EVENT_MAX_OCTETS. */
  push(chunk: Buffer): void {
    let at = this.#carry.length > 0 ? this.#complete(chunk) : 0
    while (chunk.length - at >= LENGTH_OCTETS) {
      const from = at + LENGTH_OCTETS
      const end = from + lengthOf(chunk, at)
      if (end > chunk.length) break
      this.#onFrame(chunk, from, end)
      at = end
    }
    if (at < chunk.length) this.#carry.add(chunk, at)
  }

  /** Completes the frame that waits, as far as the chunk goes; gives how many of its octets that took. */
  #complete(chunk: Buffer): number {
    const carry = this.#carry
    let at = 0
    const fill = (octets: number): boolean => {
      const to = Math.min(chunk.length, at + Math.max(0, octets - carry.length))
      carry.add(chunk, at, to)
      at = to
      return carry.length >= octets
    }
    if (!fill(LENGTH_OCTETS)) return at
    const end = LENGTH_OCTETS + lengthOf(carry.octets, 0)
    if (!fill(end)) return at
    this.#onFrame(carry.octets, LENGTH_OCTETS, end)
    carry.clear()
    return at
  }
}

function lengthOf(octets: Buffer, at: number): number {
  const length = octets.readUInt32BE(at)
  if (length <= EVENT_MAX_OCTETS) return length
  throw new ApiError('protocol', `reading a watch: an event of more than ${EVENT_MAX_OCTETS} octets`)
}
