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

/** Values of one name that are looked at: more fit into no message. */
const VALUES_MAX = 4096
/** Values that are compared with one another; of more, their texts are. */
const COMPARED_MAX = 16

/** Values that were found, where they lie. It is filled again for every name. */
export class FoundValues {
  octets: Uint8Array = new Uint8Array(0)
  count = 0
  readonly ats = new Int32Array(VALUES_MAX)
  readonly lengths = new Uint8Array(VALUES_MAX)

  push(at: number, length: number): void {
    this.ats[this.count] = at
    this.lengths[this.count++] = length
  }

  /** Turns them round, the first one first, and leaves out what was there before. */
  settle(): void {
    const { ats, lengths, count } = this
    ats.subarray(0, count).reverse()
    lengths.subarray(0, count).reverse()
    const texts = count > COMPARED_MAX ? new Set<string>() : undefined
    this.count = 0
    for (let i = 0; i < count; i++) {
      if (texts === undefined ? this.#isKnown(ats[i]!, lengths[i]!) : isOld(texts, this.#text(i))) continue
      this.push(ats[i]!, lengths[i]!)
    }
  }

  #isKnown(at: number, length: number): boolean {
    for (let i = 0; i < this.count; i++)
      if (this.lengths[i] === length && this.#isSame(this.ats[i]!, at, length)) return true
    return false
  }

  #isSame(a: number, b: number, length: number): boolean {
    for (let i = 0; i < length; i++) if (this.octets[a + i] !== this.octets[b + i]) return false
    return true
  }

  #text(i: number): string {
    const at = this.ats[i]!
    return Buffer.prototype.latin1Slice.call(this.octets, at, at + this.lengths[i]!)
  }
}

function isOld(texts: Set<string>, text: string): boolean {
  const before = texts.size
  return texts.add(text).size === before
}

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

  /**
   * HOT: finds the values of the name in octets[at … end), those of `valueOctets` octets where that is not 0, each once, in the
   * order they were added; of more than VALUES_MAX the latest.
   */
  find(octets: Uint8Array, at: number, end: number, valueOctets: number, found: FoundValues): void {
    found.octets = this.#octets
    found.count = 0
    if (this.#lengths[end - at] !== 1) return
    let row = this.#index[this.#slotOf(halfSipHash(K0, K1, octets, at, end), octets, at, end)]!
    for (let i = 0; row !== 0 && i < VALUES_MAX; i++) {
      const length = this.#word(row - 1, VALUE_OCTETS)
      if (valueOctets === 0 || length === valueOctets) found.push(this.#word(row - 1, VALUE_AT), length)
      row = this.#word(row - 1, BEFORE)
    }
    if (found.count > 1) found.settle()
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
