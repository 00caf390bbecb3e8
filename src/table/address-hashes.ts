// The hashes of the addresses that a block has in the address index, each once: eight octets for each of a hundred thousand.

import type { Steps } from '../shared/steps.ts'
import { addressSteps } from './block.ts'

/** What hashes an address. */
interface Hashing {
  hashOf(octets: Uint8Array, at: number, end: number): number
}

const EMPTY = 0

/** A list of words that grows. */
export class Words {
  #words = new Int32Array(16)
  #length = 0

  get length(): number {
    return this.#length
  }

  at(place: number): number {
    return this.#words[place]!
  }

  push(word: number): this {
    if (this.#length === this.#words.length) {
      const grown = new Int32Array(2 * this.#length)
      grown.set(this.#words)
      this.#words = grown
    }
    this.#words[this.#length++] = word
    return this
  }
}

export class AddressHashes {
  /** In the order of the block. */
  readonly list = new Words()
  /** Open addressing; a hash is never EMPTY. So long that V8 makes it on its heap: most services have one address. */
  #slots = new Int32Array(16)

  /** Those of the block at that offset of the octets. */
  static *of(hashing: Hashing, words: Int32Array, octets: Uint8Array, block: number): Steps<AddressHashes> {
    const hashes = new AddressHashes()
    yield* addressSteps(words, octets, block, (at, end) => hashes.#add(hashing.hashOf(octets, at, end)))
    return hashes
  }

  has(hash: number): boolean {
    return this.#slots[this.#slotOf(hash)] !== EMPTY
  }

  #add(hash: number): void {
    const slot = this.#slotOf(hash)
    if (this.#slots[slot] !== EMPTY) return
    this.#slots[slot] = hash
    this.list.push(hash)
    if (2 * this.list.length <= this.#slots.length) return
    this.#slots = new Int32Array(2 * this.#slots.length)
    for (let i = 0; i < this.list.length; i++) this.#slots[this.#slotOf(this.list.at(i))] = this.list.at(i)
  }

  #slotOf(hash: number): number {
    const mask = this.#slots.length - 1
    for (let slot = hash & mask; ; slot = (slot + 1) & mask) {
      const held = this.#slots[slot]
      if (held === EMPTY || held === hash) return slot
    }
  }
}
