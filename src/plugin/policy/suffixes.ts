// A set of names of which each stands for itself and all below it, a hundred thousand of them in memory that threads share: a
// hash table whose look-up asks for each ending of a name, the longest first.
//
//   words 0, 1  key of the hash   2  mask   3  whether there are lines   then places: where a name begins, in octets, or 0; then,
//   where there are lines, that of each place; then the names in wire form

import { halfSipHash, randomSeed } from '../../shared/half-siphash.ts'
import { foldName, type Name } from '../../wire/name.ts'
import type { NameView } from './name-view.ts'

const HEAD_WORDS = 4

/** Memory with these names, and of which line each is where they are of several: a number for each name. */
export function packSuffixes(names: readonly Name[], lines?: readonly number[]): SharedArrayBuffer {
  const places = 2 ** Math.ceil(Math.log2(2 * names.length + 2))
  const octetsAt = 4 * (HEAD_WORDS + places * (lines ? 2 : 1))
  const buffer = new SharedArrayBuffer(octetsAt + names.reduce((sum, name) => sum + name.length, 0))
  const words = new Int32Array(buffer, 0, octetsAt >> 2)
  const octets = new Uint8Array(buffer)
  const [k0, k1] = randomSeed()
  words.set([k0, k1, places - 1, lines ? 1 : 0])
  let at = octetsAt
  for (let i = 0; i < names.length; i++) {
    const folded = foldName(names[i]!)
    let place = halfSipHash(k0, k1, folded, 0, folded.length) & (places - 1)
    let known = words[HEAD_WORDS + place]!
    while (known !== 0 && !isAt(octets, known, folded, 0, folded.length)) {
      place = (place + 1) & (places - 1)
      known = words[HEAD_WORDS + place]!
    }
    // Of equal names the first one counts.
    if (known !== 0) continue
    octets.set(folded, at)
    words[HEAD_WORDS + place] = at
    if (lines) words[HEAD_WORDS + places + place] = lines[i]!
    at += folded.length
  }
  return buffer
}

const NONE = -1

export class Suffixes {
  readonly #words: Int32Array
  readonly #octets: Uint8Array

  constructor(buffer: SharedArrayBuffer) {
    this.#words = new Int32Array(buffer, 0, buffer.byteLength >> 2)
    this.#octets = new Uint8Array(buffer)
  }

  /** HOT: labels of the longest name of the set that the name is or is below; -1 where there is none. */
  longest({ folded, length, labelAt, labelCount }: NameView): number {
    for (let i = 0; i < labelCount; i++)
      if (this.#placeOf(folded, labelAt[i]!, length) !== NONE) return labelCount - i
    return this.#placeOf(folded, length - 1, length) === NONE ? NONE : 0
  }

  /** The line of that longest name; 0 where all are of one. */
  lineOf({ folded, length, labelAt, labelCount }: NameView): number {
    const words = this.#words
    if (words[3] === 0) return 0
    const lineAt = (place: number): number => words[HEAD_WORDS + words[2]! + 1 + place]!
    for (let i = 0; i <= labelCount; i++) {
      const place = this.#placeOf(folded, i < labelCount ? labelAt[i]! : length - 1, length)
      if (place !== NONE) return lineAt(place)
    }
    return 0
  }

  #placeOf(folded: Uint8Array, at: number, end: number): number {
    const words = this.#words
    const mask = words[2]!
    let place = halfSipHash(words[0]!, words[1]!, folded, at, end) & mask
    for (; ; place = (place + 1) & mask) {
      const known = words[HEAD_WORDS + place]!
      if (known === 0) return NONE
      if (isAt(this.#octets, known, folded, at, end)) return place
    }
  }
}

/** Whether the name at octets[known …) is folded[at … end). */
function isAt(octets: Uint8Array, known: number, folded: Uint8Array, at: number, end: number): boolean {
  for (; at < end; at++, known++) if (octets[known] !== folded[at]) return false
  return true
}
