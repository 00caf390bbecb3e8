// Octets that wait for the rest of their line or object, because a chunk of the network ended in the middle: in the
// middle of a character, too, and so text is made only of what is complete.

const FIRST_OCTETS = 16 * 1024
const KEPT_OCTETS = 256 * 1024

/** A buffer that grows by doubling and does not keep its size after one large piece. */
export class OctetCarry {
  #octets = Buffer.allocUnsafe(FIRST_OCTETS)
  #length = 0

  /** Octets waiting. */
  get length(): number {
    return this.#length
  }

  /** What waits is octets[0 … length); valid until the next call of another method. */
  get octets(): Buffer {
    return this.#octets
  }

  /** Adds chunk[from, to). */
  add(chunk: Buffer, from = 0, to = chunk.length): void {
    const needed = this.#length + to - from
    if (needed > this.#octets.length) {
      const grown = Buffer.allocUnsafe(Math.max(needed, this.#octets.length * 2))
      this.#octets.copy(grown, 0, 0, this.#length)
      this.#octets = grown
    }
    chunk.copy(this.#octets, this.#length, from, to)
    this.#length = needed
  }

  /** What has waited followed by chunk[from, to), as text; nothing waits afterwards. */
  take(chunk: Buffer, from = 0, to = chunk.length): string {
    if (this.#length === 0) return chunk.toString('utf8', from, to)
    this.add(chunk, from, to)
    const text = this.#octets.toString('utf8', 0, this.#length)
    this.clear()
    return text
  }

  /** Drops what waits. */
  clear(): void {
    this.#length = 0
    if (this.#octets.length > KEPT_OCTETS) this.#octets = Buffer.allocUnsafe(FIRST_OCTETS)
  }
}
