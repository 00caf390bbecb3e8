// The writer's side of an index of the table (layout.ts): pairs of words [hash, value] by open addressing. One that fills is
// written anew in steps beside the old one, which readers go on using until it is replaced by one store.

import { PIECES_A_STEP, type Steps } from '../shared/steps.ts'
import { EMPTY, REMOVED, slotOf } from './layout.ts'

/** The memory that indexes lie in. */
export interface IndexMemory {
  readonly words: Int32Array
  /** The byte offset of new memory. Throws TableFullError at the bound. */
  allocate(octets: number): number
  /** Frees it when no reader can hold it any more. */
  retire(at: number, octets: number): void
}

const PAIRS_MIN = 1024
const sizeOf = (pairs: number): number => 4 + pairs * 8

export class TableIndex {
  readonly #memory: IndexMemory
  /** The head's word that says where it is. */
  readonly #word: number
  #at: number
  #pairs = PAIRS_MIN
  /** Slots in use, removed ones included, and live ones. */
  #used = 0
  #live = 0

  constructor(memory: IndexMemory, word: number) {
    this.#memory = memory
    this.#word = word
    this.#at = this.#make(PAIRS_MIN)
    Atomics.store(memory.words, word, this.#at)
  }

  /** The word offset of the first pair. */
  get base(): number {
    return (this.#at >> 2) + 1
  }

  get mask(): number {
    return this.#pairs - 1
  }

  get live(): number {
    return this.#live
  }

  /** Adds a pair; there is room for it after `room(1)`, or else it is made at once. */
  insert(hash: number, value: number): void {
    if (!this.#hasRoom(1)) for (const _ of this.room(1));
    if (this.#put(this.#at, this.#pairs, hash, value)) this.#used++
    this.#live++
  }

  /** Takes out the pair at that word offset. */
  removeAt(pair: number): void {
    Atomics.store(this.#memory.words, pair + 1, REMOVED)
    this.#live--
  }

  /** Makes room for so many pairs more: past 60 % it is written anew, larger if its live pairs need it. */
  *room(more: number): Steps<void> {
    if (this.#hasRoom(more)) return
    const { words } = this.#memory
    let pairs = this.#pairs
    while ((this.#live + more) * 10 > pairs * 4) pairs *= 2
    const at = this.#make(pairs)
    const old = { at: this.#at, pairs: this.#pairs }
    for (let i = 0; i < old.pairs; i++) {
      const value = words[this.base + 2 * i + 1]!
      if (value !== EMPTY && value !== REMOVED) this.#put(at, pairs, words[this.base + 2 * i]!, value)
      if ((i + 1) % PIECES_A_STEP === 0) yield
    }
    Atomics.store(words, this.#word, at)
    this.#at = at
    this.#pairs = pairs
    this.#used = this.#live
    this.#memory.retire(old.at, sizeOf(old.pairs))
  }

  #hasRoom(more: number): boolean {
    return (this.#used + more) * 5 < this.#pairs * 3
  }

  #make(pairs: number): number {
    const at = this.#memory.allocate(sizeOf(pairs))
    const first = at >> 2
    this.#memory.words[first] = pairs
    this.#memory.words.fill(EMPTY, first + 1, first + 1 + 2 * pairs)
    return at
  }

  /** Returns whether the slot was never used. */
  #put(at: number, pairs: number, hash: number, value: number): boolean {
    const { words } = this.#memory
    const base = (at >> 2) + 1
    const mask = pairs - 1
    for (let i = slotOf(hash, mask); ; i = (i + 1) & mask) {
      const slot = base + 2 * i
      const held = words[slot + 1]!
      if (held !== EMPTY && held !== REMOVED) continue
      // The hash first: a reader looks at it only after it has seen the value.
      Atomics.store(words, slot, hash)
      Atomics.store(words, slot + 1, value)
      return held === EMPTY
    }
  }
}
