// HOT: a set of networks, to be asked whether an address is in one of them. Prefixes are either apart or inside one another,
// so what lies inside another one is left out, and the rest is sorted: a look-up is a binary search, and allocates nothing.
// An IPv4 address is in no IPv6 network, nor the other way round.

import type { Cidr } from './ip.ts'

/** Words of 32 bits of an address. */
type Words = 1 | 4

/** The networks of one family. */
class Family {
  readonly #words: Words
  /** Of each network `words` words: its first address, and its last. */
  readonly #firsts: Uint32Array
  readonly #lasts: Uint32Array
  readonly #count: number

  constructor(words: Words, networks: readonly Cidr[]) {
    this.#words = words
    const kept: Cidr[] = []
    for (const network of networks.toSorted(compare)) {
      const before = kept.at(-1)
      if (before === undefined || !isInside(network, before)) kept.push(network)
    }
    this.#count = kept.length
    this.#firsts = new Uint32Array(words * kept.length)
    this.#lasts = new Uint32Array(words * kept.length)
    kept.forEach(({ network, prefixLength }, n) => {
      for (let i = 0; i < words; i++) {
        const bits = Math.min(32, Math.max(0, prefixLength - 32 * i))
        const first = readWord(network, 4 * i)
        this.#firsts[n * words + i] = first
        this.#lasts[n * words + i] = first | (bits === 32 ? 0 : 0xffffffff >>> bits)
      }
    })
  }

  has(octets: Uint8Array, at: number): boolean {
    let low = 0
    let high = this.#count
    // The last network that does not begin behind the address.
    while (low < high) {
      const middle = (low + high) >> 1
      if (this.#compare(this.#firsts, middle, octets, at) <= 0) low = middle + 1
      else high = middle
    }
    return low > 0 && this.#compare(this.#lasts, low - 1, octets, at) >= 0
  }

  /** Below zero where that address of the table is before the one at octets[at …). */
  #compare(table: Uint32Array, n: number, octets: Uint8Array, at: number): number {
    for (let i = 0; i < this.#words; i++) {
      const difference = table[n * this.#words + i]! - readWord(octets, at + 4 * i)
      if (difference !== 0) return difference
    }
    return 0
  }
}

export class Networks {
  readonly #v4: Family
  readonly #v6: Family

  constructor(networks: readonly Cidr[]) {
    this.#v4 = new Family(
      1,
      networks.filter(({ family }) => family === 4),
    )
    this.#v6 = new Family(
      4,
      networks.filter(({ family }) => family === 6),
    )
  }

  /** Whether the IPv4 address of 4 octets at octets[at …) is in one of them. */
  hasV4(octets: Uint8Array, at: number): boolean {
    return this.#v4.has(octets, at)
  }

  /** The same of an IPv6 address, which is no mapped one, of 16 octets. */
  hasV6(octets: Uint8Array, at: number): boolean {
    return this.#v6.has(octets, at)
  }
}

const readWord = (octets: Uint8Array, at: number): number =>
  ((octets[at]! << 24) | (octets[at + 1]! << 16) | (octets[at + 2]! << 8) | octets[at + 3]!) >>> 0

/** By their first addresses; of several that begin alike the largest is the first. */
function compare(a: Cidr, b: Cidr): number {
  for (let i = 0; i < a.network.length; i++) {
    const difference = a.network[i]! - b.network[i]!
    if (difference !== 0) return difference
  }
  return a.prefixLength - b.prefixLength
}

/** Whether a network lies inside one that begins no later. */
function isInside(network: Cidr, other: Cidr): boolean {
  if (network.prefixLength < other.prefixLength) return false
  for (let i = 0; i < other.prefixLength; i++) {
    const bit = 0x80 >> (i & 7)
    if (((network.network[i >> 3]! ^ other.network[i >> 3]!) & bit) !== 0) return false
  }
  return true
}
