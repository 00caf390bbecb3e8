// Several values under one name, in a few typed arrays: a hosts file of a hundred thousand lines must cost every serving
// thread little memory, nothing of its heap, and the fast path no string.
//
//   octets  names and values, as they were added
//   rows    five words each: hash of the name, where it is, where the value is, its octets, the name's row before + 1
//   index   open addressing by hash: a name's latest row + 1, or 0

import { halfSipHash, randomSeed } from '../../shared/half-siphash.ts'
import { NAME_MAX_OCTETS, type Name } from '../../wire/name.ts'

const [K0, K1] = randomSeed()
const ROW_WORDS = 5
const HASH = 0
const NAME_AT = 1
const VALUE_AT = 2
const VALUE_OCTETS = 3
const BEFORE = 4

/** Names with their values. Names are in lower case and in wire form, so that none is the beginning of another. */
export class NameMultimap {
  #octets = new Uint8Array(256)
  #octetsUsed = 0
  #rows = new Int32Array(16 * ROW_WORDS)
  #size = 0
  #names = 0
  /** Its length is a power of two, and at least twice the number of names. */
  #index = new Int32Array(16)
  /** Whether there is a name of that many octets: most look-ups end here. */
  readonly #lengths = new Uint8Array(NAME_MAX_OCTETS + 1)

  /** How many values there are, of all names. */
  get size(): number {
    return this.#size
  }

  /** Adds a value behind those that the name has. */
  add(name: Name, value: Uint8Array): void {
    if (this.#names * 2 >= this.#index.length) this.#growIndex()
    const hash = halfSipHash(K0, K1, name, 0, name.length)
    const slot = this.#slotOf(hash, name, 0, name.length)
    const before = this.#index[slot]!
    const nameAt = before === 0 ? this.#append(name) : this.#word(before - 1, NAME_AT)
    if (before === 0) this.#names++
    this.#lengths[name.length] = 1
    const at = this.#size * ROW_WORDS
    if (at === this.#rows.length) this.#rows = grown(this.#rows, new Int32Array(2 * at + ROW_WORDS))
    this.#rows.set([hash, nameAt, this.#append(value), value.length, before], at)
    this.#index[slot] = ++this.#size
  }

  /** HOT: whether octets[at … end) is a name with a value. */
  has(octets: Uint8Array, at: number, end: number): boolean {
    if (this.#lengths[end - at] !== 1) return false
    return this.#index[this.#slotOf(halfSipHash(K0, K1, octets, at, end), octets, at, end)] !== 0
  }

  /** Copies of the values of the name in octets[at … end), in the order they were added; the latest `max` of them. */
  values(octets: Uint8Array, at: number, end: number, max: number): Uint8Array[] {
    if (this.#lengths[end - at] !== 1) return []
    const values: Uint8Array[] = []
    let row = this.#index[this.#slotOf(halfSipHash(K0, K1, octets, at, end), octets, at, end)]!
    while (row !== 0 && values.length < max) {
      const valueAt = this.#word(row - 1, VALUE_AT)
      values.push(this.#octets.slice(valueAt, valueAt + this.#word(row - 1, VALUE_OCTETS)))
      row = this.#word(row - 1, BEFORE)
    }
    return values.reverse()
  }

  /** Gives back the room for more, when all is added. */
  trim(): void {
    this.#octets = this.#octets.slice(0, this.#octetsUsed)
    this.#rows = this.#rows.slice(0, this.#size * ROW_WORDS)
  }

  #word(row: number, word: number): number {
    return this.#rows[row * ROW_WORDS + word]!
  }

  /** Where the name is in the index, or the empty slot where it would be. */
  #slotOf(hash: number, octets: Uint8Array, at: number, end: number): number {
    const mask = this.#index.length - 1
    for (let slot = hash & mask; ; slot = (slot + 1) & mask) {
      const row = this.#index[slot]!
      if (row === 0) return slot
      if (this.#word(row - 1, HASH) === hash && this.#equals(this.#word(row - 1, NAME_AT), octets, at, end))
        return slot
    }
  }

  #equals(nameAt: number, octets: Uint8Array, at: number, end: number): boolean {
    for (let i = at; i < end; i++) if (this.#octets[nameAt + i - at] !== octets[i]) return false
    return true
  }

  #append(octets: Uint8Array): number {
    const at = this.#octetsUsed
    const end = at + octets.length
    if (end > this.#octets.length) this.#octets = grown(this.#octets, new Uint8Array(2 * end))
    this.#octets.set(octets, at)
    this.#octetsUsed = end
    return at
  }

  #growIndex(): void {
    const rows = this.#index
    this.#index = new Int32Array(2 * rows.length)
    const mask = this.#index.length - 1
    for (const row of rows) {
      if (row === 0) continue
      let slot = this.#word(row - 1, HASH) & mask
      while (this.#index[slot] !== 0) slot = (slot + 1) & mask
      this.#index[slot] = row
    }
  }
}

function grown<T extends Uint8Array | Int32Array>(from: T, to: T): T {
  to.set(from)
  return to
}
