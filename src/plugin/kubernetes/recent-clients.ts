// HOT: what the table said of the clients that asked lately, by address, so that the next query of one costs one comparison and
// no look-up. It holds until a client's place or Pod changes (HEAD.CLIENTS); a client that shares its entry with another one is
// looked up again, which is what it cost before.
//
//   entry   0 … 3  the address, IPv4 ones mapped     4  HEAD.CLIENTS when it was learnt     5  a number for it

import { ipv4At } from '../../query/sockaddr.ts'

const ENTRIES_BITS = 10
const ENTRY_WORDS = 8
const STAMP = 4
const NUMBER = 5
/** No stamp. */
const UNKNOWN = 0
const MAPPED = 0xffff
/** 2^32 divided by the golden ratio (Knuth, The Art of Computer Programming 6.4). */
const SPREAD = 0x9e3779b1

const wordAt = (octets: Uint8Array, at: number): number =>
  (octets[at]! << 24) | (octets[at + 1]! << 16) | (octets[at + 2]! << 8) | octets[at + 3]!

export class RecentClients {
  readonly #words = new Int32Array(ENTRY_WORDS << ENTRIES_BITS)
  /** The entry of the address that was asked for last, below `RecentClients.ENTRIES`. */
  entry = 0
  static readonly ENTRIES = 1 << ENTRIES_BITS

  /** Whether the socket address at octets[at …) was learnt as of that stamp; if not, the entry is its own from now on. */
  has(octets: Uint8Array, at: number, stamp: number): boolean {
    const words = this.#words
    const v4At = ipv4At(octets, at)
    const isV4 = v4At >= 0
    const w0 = isV4 ? 0 : wordAt(octets, at + 8)
    const w1 = isV4 ? 0 : wordAt(octets, at + 12)
    const w2 = isV4 ? MAPPED : wordAt(octets, at + 16)
    const w3 = wordAt(octets, isV4 ? v4At : at + 20)
    this.entry = Math.imul(w3 ^ Math.imul(w0 ^ w1 ^ w2, SPREAD), SPREAD) >>> (32 - ENTRIES_BITS)
    const from = this.entry * ENTRY_WORDS
    if (
      words[from + 3] === w3 &&
      words[from + 2] === w2 &&
      words[from + 1] === w1 &&
      words[from] === w0 &&
      words[from + STAMP] === stamp
    )
      return true
    words[from] = w0
    words[from + 1] = w1
    words[from + 2] = w2
    words[from + 3] = w3
    words[from + STAMP] = UNKNOWN
    return false
  }

  /** The number of the address that was asked for last. */
  get number(): number {
    return this.#words[this.entry * ENTRY_WORDS + NUMBER]!
  }

  /** The same is learnt, as of that stamp, which was read before it was looked up. */
  learn(stamp: number, number: number): void {
    const from = this.entry * ENTRY_WORDS
    this.#words[from + NUMBER] = number
    this.#words[from + STAMP] = stamp
  }
}
