// HOT: what is found by octets, without a string made of them: numbers by their hash, which is seeded, so that nobody outside
// knows which names meet. Several numbers may have one hash: whoever looks compares what they stand for.
//
//   for (let n = index.first(hash); n !== 0; n = index.next()) if (isEqual(n)) …
//
// Open addressing with backward shifts: what is taken out leaves nothing behind.

/** Slots that are looked at for one hash at most: what somebody made to collide costs no more, and finds no place. */
const PROBES_MAX = 64

export class HashIndex {
  readonly #hashes: Int32Array
  readonly #values: Int32Array
  readonly #mask: number
  #size = 0
  #hash = 0
  #slot = 0
  #probes = 0

  /** For so many numbers at most, none of them 0. */
  constructor(capacity: number) {
    const slots = 2 ** Math.ceil(Math.log2(2 * Math.max(4, capacity)))
    this.#hashes = new Int32Array(slots)
    this.#values = new Int32Array(slots)
    this.#mask = slots - 1
  }

  get size(): number {
    return this.#size
  }

  /** The first number with that hash; 0 for none. */
  first(hash: number): number {
    this.#hash = hash
    this.#slot = hash & this.#mask
    this.#probes = 0
    return this.next()
  }

  /** The next one with the hash of `first`, as long as nothing was added or removed; 0 for none. */
  next(): number {
    for (; this.#probes < PROBES_MAX; this.#probes++) {
      const slot = this.#slot
      const value = this.#values[slot]!
      if (value === 0) return 0
      this.#slot = (slot + 1) & this.#mask
      if (this.#hashes[slot] === this.#hash) {
        this.#probes++
        return value
      }
    }
    return 0
  }

  /** Adds a number; false where there is no place for that hash. */
  add(hash: number, value: number): boolean {
    let slot = hash & this.#mask
    for (let probes = 0; probes < PROBES_MAX; probes++, slot = (slot + 1) & this.#mask) {
      if (this.#values[slot] !== 0) continue
      this.#hashes[slot] = hash
      this.#values[slot] = value
      this.#size++
      return true
    }
    return false
  }

  /** Puts another number in the place of one that is there; false where it is not. */
  replace(hash: number, value: number, other: number): boolean {
    const slot = this.#slotOf(hash, value)
    if (slot >= 0) this.#values[slot] = other
    return slot >= 0
  }

  /** Takes a number out; false where it is not there. */
  remove(hash: number, value: number): boolean {
    let hole = this.#slotOf(hash, value)
    if (hole < 0) return false
    this.#size--
    const mask = this.#mask
    for (let slot = (hole + 1) & mask; this.#values[slot] !== 0; slot = (slot + 1) & mask) {
      // What would not be found from its own place behind the hole stays where it is.
      if (((slot - (this.#hashes[slot]! & mask)) & mask) < ((slot - hole) & mask)) continue
      this.#hashes[hole] = this.#hashes[slot]!
      this.#values[hole] = this.#values[slot]!
      hole = slot
    }
    this.#values[hole] = 0
    return true
  }

  clear(): void {
    this.#values.fill(0)
    this.#size = 0
  }

  #slotOf(hash: number, value: number): number {
    let slot = hash & this.#mask
    for (let probes = 0; probes < PROBES_MAX; probes++, slot = (slot + 1) & this.#mask) {
      if (this.#values[slot] === 0) return -1
      if (this.#values[slot] === value && this.#hashes[slot] === hash) return slot
    }
    return -1
  }
}

/** Hashes octets[at … end), beginning with a seed: FNV-1a, and MurmurHash3's mixing at the end. */
export function hashOf(seed: number, octets: Uint8Array, at: number, end: number): number {
  let hash = seed
  for (; at < end; at++) hash = Math.imul(hash ^ octets[at]!, 0x01000193)
  return mix(hash)
}

/** Hashes a number. */
export const hashNumber = (seed: number, number: number): number => mix(Math.imul(seed ^ number, 0x9e3779b1))

function mix(hash: number): number {
  hash ^= hash >>> 16
  hash = Math.imul(hash, 0x85ebca6b)
  hash ^= hash >>> 13
  hash = Math.imul(hash, 0xc2b2ae35)
  return hash ^ (hash >>> 16)
}
