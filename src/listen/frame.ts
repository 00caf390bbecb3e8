// Messages on a stream: each stands behind its length in two octets (RFC 1035 4.2.2, RFC 7766 8).

import { HEADER_OCTETS, readU16 } from '../wire/header.ts'

/** Octets of the length before each message. */
export const LENGTH_OCTETS = 2
/**
 * The first piece of a frame that arrives in pieces gets this much room, which doubles until the frame fits.
 */
const CARRY_MIN_OCTETS = 512

/**
 * Whether octets[at … end), the beginning of a frame that is not complete, cannot become a query: HTTP, a TLS
 * hello, a banner. Judged by the counts of the header, which no query has higher; too short to say is false.
 */
export function isGarbage(octets: Uint8Array, at: number, end: number): boolean {
  if (end - at >= LENGTH_OCTETS && readU16(octets, at) < HEADER_OCTETS) return true
  if (end - at < LENGTH_OCTETS + HEADER_OCTETS) return false
  const counts = at + LENGTH_OCTETS + 4
  return (
    readU16(octets, counts) > 1 ||
    readU16(octets, counts + 2) > 1 ||
    readU16(octets, counts + 4) > 1 ||
    readU16(octets, counts + 6) > 2
  )
}

/**
 * The octets of a frame that has not arrived whole. Its memory follows what has come, not what the length
 * promises.
 */
export class Carry {
  #octets = new Uint8Array(0)
  #length = 0

  get length(): number {
    return this.#length
  }

  /** What it keeps. */
  get octets(): number {
    return this.#octets.length
  }

  /** Takes what octets[at …] has for the frame; returns how much that was. */
  take(octets: Uint8Array, at: number): number {
    const before = at
    while (this.#length < LENGTH_OCTETS && at < octets.length) this.#push(octets, at, ++at)
    if (this.#length < LENGTH_OCTETS) return at - before
    const missing = LENGTH_OCTETS + readU16(this.#octets, 0) - this.#length
    const end = Math.min(octets.length, at + missing)
    this.#push(octets, at, end)
    return end - before
  }

  /** The frame with its length, once it is whole: a view that is valid until `clear`. */
  whole(): Uint8Array | undefined {
    if (this.#length < LENGTH_OCTETS) return undefined
    const total = LENGTH_OCTETS + readU16(this.#octets, 0)
    return this.#length >= total ? this.#octets.subarray(0, total) : undefined
  }

  /** Whether what came so far can never be a query. */
  isGarbage(): boolean {
    return isGarbage(this.#octets, 0, this.#length)
  }

  clear(): void {
    this.#length = 0
    this.#octets = new Uint8Array(0)
  }

  #push(octets: Uint8Array, from: number, to: number): void {
    const needed = this.#length + to - from
    if (needed > this.#octets.length) {
      const grown = new Uint8Array(Math.max(CARRY_MIN_OCTETS, needed, this.#octets.length * 2))
      grown.set(this.#octets.subarray(0, this.#length))
      this.#octets = grown
    }
    this.#octets.set(octets.subarray(from, to), this.#length)
    this.#length = needed
  }
}
