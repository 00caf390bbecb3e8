// Several values under one name, as octets: gathered in a few growing arrays, written once into memory that every serving
// thread reads (layout.ts), so that a hosts file of half a million lines costs no thread any of its heap, and the fast path no
// string.
//
//   octets  names and values, as they were added
//   rows    four words each: where the name is, where the value is, its octets, the name's row before + 1
//   index   open addressing by hash: a name's latest row + 1, or 0

import { type HashSeed, halfSipHash } from '../../shared/half-siphash.ts'
import { NAME_MAX_OCTETS, type Name } from '../../wire/name.ts'

export const ROW_WORDS = 4
const NAME_AT = 0
const VALUE_AT = 1
const VALUE_OCTETS = 2
const BEFORE = 3

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
    for (let i = 0, j = count - 1; i < j; i++, j--) {
      const [at, length] = [ats[i]!, lengths[i]!]
      ats[i] = ats[j]!
      lengths[i] = lengths[j]!
      ats[j] = at
      lengths[j] = length
    }
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

/** The arrays of a multimap, wherever they lie. */
export interface MultimapArrays {
  readonly octets: Uint8Array
  readonly rows: Int32Array
  /** Its length is a power of two, and at least twice the number of names. */
  readonly index: Int32Array
  /** Whether there is a name of that many octets: most look-ups end here. */
  readonly lengths: Uint8Array
}

/** Names with their values. Names are in lower case and in wire form, so that none is the beginning of another. */
export class NameMultimap {
  readonly #seed: HashSeed
  readonly #octets: Uint8Array
  readonly #rows: Int32Array
  readonly #index: Int32Array
  readonly #lengths: Uint8Array

  constructor(seed: HashSeed, { octets, rows, index, lengths }: MultimapArrays) {
    this.#seed = seed
    this.#octets = octets
    this.#rows = rows
    this.#index = index
    this.#lengths = lengths
  }

  /** How many values there are, of all names. */
  get size(): number {
    return this.#rows.length / ROW_WORDS
  }

  /** HOT: whether octets[at … end) is a name with a value. */
  has(octets: Uint8Array, at: number, end: number): boolean {
    return this.#latest(octets, at, end) !== 0
  }

  /**
   * HOT: finds the values of the name in octets[at … end), those of `valueOctets` octets where that is not 0, each once, in the
   * order they were added; of more than VALUES_MAX the latest.
   */
  find(octets: Uint8Array, at: number, end: number, valueOctets: number, found: FoundValues): void {
    const rows = this.#rows
    found.octets = this.#octets
    found.count = 0
    let row = this.#latest(octets, at, end)
    for (let i = 0; row !== 0 && i < VALUES_MAX; i++) {
      const word = (row - 1) * ROW_WORDS
      const length = rows[word + VALUE_OCTETS]!
      if (valueOctets === 0 || length === valueOctets) found.push(rows[word + VALUE_AT]!, length)
      row = rows[word + BEFORE]!
    }
    if (found.count > 1) found.settle()
  }

  #latest(octets: Uint8Array, at: number, end: number): number {
    if (this.#lengths[end - at] !== 1) return 0
    const [k0, k1] = this.#seed
    const hash = halfSipHash(k0, k1, octets, at, end)
    return this.#index[slotOf(this.#index, this.#rows, this.#octets, hash, octets, at, end)]!
  }
}

/** Where the name is in the index, or the empty slot where it would be. */
function slotOf(
  index: Int32Array,
  rows: Int32Array,
  known: Uint8Array,
  hash: number,
  octets: Uint8Array,
  at: number,
  end: number,
): number {
  const mask = index.length - 1
  for (let slot = hash & mask; ; slot = (slot + 1) & mask) {
    const row = index[slot]!
    if (row === 0) return slot
    const nameAt = rows[(row - 1) * ROW_WORDS + NAME_AT]!
    let same = at
    while (same < end && known[nameAt + same - at] === octets[same]) same++
    if (same === end) return slot
  }
}

/** Gathers the values of a multimap. */
export class MultimapBuilder {
  readonly #seed: HashSeed
  #octets = new Uint8Array(256)
  #octetsUsed = 0
  #rows = new Int32Array(16 * ROW_WORDS)
  #size = 0
  #names = 0
  #index: Int32Array
  readonly #lengths = new Uint8Array(NAME_MAX_OCTETS + 1)

  /** `names` of them are expected: for more its index is made anew. */
  constructor(seed: HashSeed, names = 0) {
    this.#seed = seed
    this.#index = new Int32Array(Math.max(16, 2 ** Math.ceil(Math.log2(2 * names + 2))))
  }

  /** How many values there are, of all names. */
  get size(): number {
    return this.#size
  }

  /** Adds a value behind those that the name has. */
  add(name: Name, value: Uint8Array): void {
    if (this.#names * 2 >= this.#index.length) this.#growIndex()
    const slot = this.#slotOf(this.#index, name, 0, name.length)
    const before = this.#index[slot]!
    const nameAt = before === 0 ? this.#append(name) : this.#rows[(before - 1) * ROW_WORDS + NAME_AT]!
    if (before === 0) this.#names++
    this.#lengths[name.length] = 1
    const at = this.#size * ROW_WORDS
    if (at === this.#rows.length) this.#rows = grown(this.#rows, new Int32Array(2 * at))
    this.#rows[at + NAME_AT] = nameAt
    this.#rows[at + VALUE_AT] = this.#append(value)
    this.#rows[at + VALUE_OCTETS] = value.length
    this.#rows[at + BEFORE] = before
    this.#index[slot] = ++this.#size
  }

  /** What was gathered. It is good until something is added. */
  get arrays(): MultimapArrays {
    return {
      octets: this.#octets.subarray(0, this.#octetsUsed),
      rows: this.#rows.subarray(0, this.#size * ROW_WORDS),
      index: this.#index,
      lengths: this.#lengths,
    }
  }

  #slotOf(index: Int32Array, octets: Uint8Array, at: number, end: number): number {
    const [k0, k1] = this.#seed
    const hash = halfSipHash(k0, k1, octets, at, end)
    return slotOf(index, this.#rows, this.#octets, hash, octets, at, end)
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
    const before = this.#index
    const index = new Int32Array(2 * before.length)
    for (const row of before) {
      if (row === 0) continue
      const nameAt = this.#rows[(row - 1) * ROW_WORDS + NAME_AT]!
      index[this.#slotOf(index, this.#octets, nameAt, nameEnd(this.#octets, nameAt))] = row
    }
    this.#index = index
  }
}

/** Behind the name that begins there. */
function nameEnd(octets: Uint8Array, at: number): number {
  while (octets[at] !== 0) at += octets[at]! + 1
  return at + 1
}

function grown<T extends Uint8Array | Int32Array>(from: T, to: T): T {
  to.set(from)
  return to
}
