// A set of names of which each stands for itself and all below it, a hundred thousand of them in memory that threads share: a
// hash table whose look-up asks for each ending of a name, the longest first.
//
//   words 0, 1  key of the hash   2  mask   then places: where a name begins, in octets, or 0; then the names in wire form

import { halfSipHash, randomSeed } from '../../shared/half-siphash.ts'
import { foldName, type Name } from '../../wire/name.ts'
import type { NameView } from './name-view.ts'

const HEAD_WORDS = 3

/** Memory with these names. */
export function packSuffixes(names: readonly Name[]): SharedArrayBuffer {
  const places = 2 ** Math.ceil(Math.log2(2 * names.length + 2))
  const octetsAt = 4 * (HEAD_WORDS + places)
  const buffer = new SharedArrayBuffer(octetsAt + names.reduce((sum, name) => sum + name.length, 0))
  const words = new Int32Array(buffer, 0, octetsAt >> 2)
  const octets = new Uint8Array(buffer)
  const [k0, k1] = randomSeed()
  words.set([k0, k1, places - 1])
  let at = octetsAt
  for (const name of names) {
    const folded = foldName(name)
    octets.set(folded, at)
    let place = halfSipHash(k0, k1, folded, 0, folded.length) & (places - 1)
    while (words[HEAD_WORDS + place] !== 0) place = (place + 1) & (places - 1)
    words[HEAD_WORDS + place] = at
    at += folded.length
  }
  return buffer
}

export class Suffixes {
  readonly #words: Int32Array
  readonly #octets: Uint8Array

  constructor(buffer: SharedArrayBuffer) {
    this.#words = new Int32Array(buffer, 0, buffer.byteLength >> 2)
    this.#octets = new Uint8Array(buffer)
  }

  /** HOT: labels of the longest name of the set that the name is or is below; -1 where there is none. */
  longest({ folded, length, labelAt, labelCount }: NameView): number {
    for (let i = 0; i < labelCount; i++) if (this.#has(folded, labelAt[i]!, length)) return labelCount - i
    return this.#has(folded, length - 1, length) ? 0 : -1
  }

  #has(folded: Uint8Array, at: number, end: number): boolean {
    const words = this.#words
    const mask = words[2]!
    let place = halfSipHash(words[0]!, words[1]!, folded, at, end) & mask
    for (; ; place = (place + 1) & mask) {
      const known = words[HEAD_WORDS + place]!
      if (known === 0) return false
      if (this.#isAt(known, folded, at, end)) return true
    }
  }

  #isAt(known: number, folded: Uint8Array, at: number, end: number): boolean {
    for (; at < end; at++, known++) if (this.#octets[known] !== folded[at]) return false
    return true
  }
}
