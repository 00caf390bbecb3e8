// The weight file of `loadbalance weighted FILE` (CoreDNS plugin/loadbalance, "Weightfile"): a name on a line of its own,
// below it addresses with weights of 1 … 255. An address that is not listed weighs 1.
//
//   # comment
//   www.example.com
//   100.64.1.1 3
//   100.64.1.2 1

import { type HashSeed, halfSipHash, randomSeed } from '../../shared/half-siphash.ts'
import { parseIp } from '../../shared/ip.ts'
import { nameKey, parseName } from '../../wire/name.ts'

/** Octets of a weight file; a larger one is refused. */
export const WEIGHT_FILE_MAX_OCTETS = 4 * 1024 * 1024

/** Weights by nameKey of the owner, then by `addressKey`. */
export type Weights = ReadonlyMap<string, ReadonlyMap<string, number>>

/** The octets of an address as a key, one a character. */
export const addressKey = (octets: Uint8Array): string => Buffer.prototype.latin1Slice.call(octets)

/** Reads a weight file's text; a string says what is wrong with which line. */
export function parseWeights(text: string): Weights | string {
  const weights = new Map<string, Map<string, number>>()
  let current: Map<string, number> | undefined
  for (const [index, line] of text.split('\n').entries()) {
    const [first, second, ...further] = line.trim().split(/\s+/)
    if (first === undefined || first === '' || first.startsWith('#')) continue
    const at = (what: string): string => `line ${index + 1}: ${what}`
    const ip = parseIp(first)
    if (further.length > 0) return at('neither a name nor an address with its weight')
    if (second === undefined) {
      const name = parseName(first)
      if (ip !== undefined) return at(`the address ${first} has no weight`)
      if (name === undefined) return at(`${first} is no domain name`)
      const key = nameKey(name)
      current = weights.get(key) ?? new Map()
      weights.set(key, current)
      continue
    }
    const weight = /^\d{1,3}$/.test(second) ? Number(second) : 0
    if (ip === undefined) return at(`${first} is no IP address`)
    if (weight < 1 || weight > 255) return at(`the weight ${second} is not a number from 1 to 255`)
    if (current === undefined) return at('a domain name must come before the first address')
    // Of two lines for one address the first counts, as in CoreDNS.
    const key = addressKey(ip.bytes)
    if (!current.has(key)) current.set(key, weight)
  }
  return weights
}

/** Names of an index by the slots that it has for each, at least. */
const SLOTS_PER_NAME = 2

/**
 * HOT: the weights by names as octets, in two arrays, so that no string is made of a name that is asked for and a name costs two
 * or three lines of the processor's cache:
 *
 *   index   open addressing by hash: where a name's octets begin, or 0
 *   octets  name, then for each address its octets' number, itself and its weight; 0 behind the last one
 */
export class WeightIndex {
  readonly #seed: HashSeed = randomSeed()
  readonly #index: Int32Array
  readonly #octets: Uint8Array
  /** The weights of the name at hand, and the one that is expected next: addresses mostly come in the file's order. */
  #from = 0
  #next = 0

  constructor(weights: Weights) {
    const parts: number[] = [0]
    this.#index = new Int32Array(2 ** Math.ceil(Math.log2(SLOTS_PER_NAME * weights.size + 2)))
    const starts: [name: Uint8Array, at: number][] = []
    for (const [key, addresses] of weights) {
      const name = Uint8Array.from(Buffer.from(key, 'latin1'))
      starts.push([name, parts.length])
      for (const octet of name) parts.push(octet)
      for (const [address, weight] of addresses) {
        const octets = Buffer.from(address, 'latin1')
        parts.push(octets.length, ...octets, weight)
      }
      parts.push(0)
    }
    this.#octets = Uint8Array.from(parts)
    for (const [name, at] of starts) this.#index[this.#slotOf(name, name.length)] = at
  }

  /** Looks for the name in owner[0 … length), whose case is folded; `weightOf` is of its addresses from here on. */
  open(owner: Uint8Array, length: number): void {
    const at = this.#index[this.#slotOf(owner, length)]!
    // The first octet is a 0: no addresses.
    this.#from = this.#next = at === 0 ? 0 : at + length
  }

  /** The weight of the address octets[from … to); 1 where the file has none. */
  weightOf(octets: Uint8Array, from: number, to: number): number {
    const first = this.#weightIn(this.#next, octets, from, to)
    return first > 0 ? first : Math.max(1, this.#weightIn(this.#from, octets, from, to))
  }

  #weightIn(at: number, address: Uint8Array, from: number, to: number): number {
    const octets = this.#octets
    for (let length = octets[at]!; length !== 0; length = octets[at]!) {
      at++
      let same = 0
      if (length === to - from) while (same < length && octets[at + same] === address[from + same]) same++
      at += length + 1
      if (same !== length) continue
      this.#next = at
      return octets[at - 1]!
    }
    return 0
  }

  #hash(name: Uint8Array, length: number): number {
    return halfSipHash(this.#seed[0], this.#seed[1], name, 0, length)
  }

  /** The slot of the name, or the empty one where it would be. */
  #slotOf(name: Uint8Array, length: number): number {
    const mask = this.#index.length - 1
    for (let slot = this.#hash(name, length) & mask; ; slot = (slot + 1) & mask) {
      const at = this.#index[slot]!
      if (at === 0) return slot
      let same = 0
      while (same < length && this.#octets[at + same] === name[same]) same++
      // Whole names: none is the beginning of another.
      if (same === length) return slot
    }
  }
}
