// The writer's side of the index that leads from an address to the services that may have it (layout.ts): pairs of words [hash of
// the address, owner]. One owner stands in its pair as its mark; several stand in a block of their own, a set by open addressing,
// so that ten thousand services with one address cost each of them no more than the first.
//
//   pair    [hash, mark]     one service: the mark is odd
//           [hash, offset]   several: offset of a set, which is a multiple of 16
//   set     u32 slots, u32 of them live, u32 not EMPTY, then the slots: a mark, EMPTY or REMOVED
//
// A pair and a set are published and changed by one store each.

import type { Steps } from '../shared/steps.ts'
import { EMPTY, isMark, REMOVED, SET, SET_SLOTS_MIN, slotOf } from './layout.ts'
import type { IndexMemory, TableIndex } from './table-index.ts'

const sizeOf = (slots: number): number => 4 * (SET.SLOTS_AT + slots)

export class AddressIndex {
  readonly #memory: IndexMemory
  readonly #index: TableIndex

  constructor(memory: IndexMemory, index: TableIndex) {
    this.#memory = memory
    this.#index = index
  }

  /** Makes room for so many addresses more. */
  *room(addresses: number): Steps<void> {
    yield* this.#index.room(addresses)
  }

  /** Tells that the service with that mark has the address with that hash. Returns false where that was known. */
  add(addressHash: number, mark: number): boolean {
    const { words } = this.#memory
    const pair = this.#pairOf(addressHash)
    if (pair < 0) {
      this.#index.insert(addressHash, mark)
      return true
    }
    const owner = words[pair + 1]!
    if (owner === mark) return false
    if (!isMark(owner)) return this.#addToSet(pair, owner, mark)
    const set = this.#makeSet(SET_SLOTS_MIN, [owner, mark])
    Atomics.store(words, pair + 1, set)
    return true
  }

  /** It has it no more. */
  remove(addressHash: number, mark: number): void {
    const { words } = this.#memory
    const pair = this.#pairOf(addressHash)
    if (pair < 0) return
    const owner = words[pair + 1]!
    if (owner === mark) this.#index.removeAt(pair)
    else if (!isMark(owner)) this.#removeFromSet(pair, owner, mark)
  }

  /** The word offset of the pair with that hash, or -1. */
  #pairOf(addressHash: number): number {
    const { words } = this.#memory
    const { base, mask } = this.#index
    for (let i = slotOf(addressHash, mask); ; i = (i + 1) & mask) {
      const owner = words[base + 2 * i + 1]!
      if (owner === EMPTY) return -1
      if (owner !== REMOVED && words[base + 2 * i] === addressHash) return base + 2 * i
    }
  }

  #addToSet(pair: number, set: number, mark: number): boolean {
    const { words } = this.#memory
    const head = set >> 2
    const at = this.#slotIn(set, mark)
    if (words[at] === mark) return false
    const slots = words[head + SET.SLOTS]!
    if (5 * (words[head + SET.USED]! + 1) > 4 * slots) {
      const owners = this.#ownersOf(set)
      owners.push(mark)
      // Removed ones fill it, too: it is written anew, and larger where it needs to be.
      this.#replaceSet(pair, set, owners.length * 2 > slots ? 2 * slots : slots, owners)
      return true
    }
    if (words[at] === EMPTY) words[head + SET.USED]!++
    words[head + SET.LIVE]!++
    Atomics.store(words, at, mark)
    return true
  }

  #removeFromSet(pair: number, set: number, mark: number): void {
    const { words } = this.#memory
    const head = set >> 2
    const at = this.#slotIn(set, mark)
    if (words[at] !== mark) return
    Atomics.store(words, at, REMOVED)
    const live = --words[head + SET.LIVE]!
    const slots = words[head + SET.SLOTS]!
    if (live === 1) {
      const [last] = this.#ownersOf(set)
      Atomics.store(words, pair + 1, last!)
      this.#memory.retire(set, sizeOf(slots))
    } else if (slots > SET_SLOTS_MIN && live * 8 < slots) {
      this.#replaceSet(pair, set, slots / 2, this.#ownersOf(set))
    }
  }

  /** The word offset where the mark is in the set, or where it may be put. */
  #slotIn(set: number, mark: number): number {
    const { words } = this.#memory
    const base = (set >> 2) + SET.SLOTS_AT
    const mask = words[(set >> 2) + SET.SLOTS]! - 1
    let free = -1
    for (let i = slotOf(mark, mask); ; i = (i + 1) & mask) {
      const held = words[base + i]!
      if (held === mark) return base + i
      if (held === REMOVED && free < 0) free = base + i
      if (held === EMPTY) return free < 0 ? base + i : free
    }
  }

  #ownersOf(set: number): number[] {
    const { words } = this.#memory
    const base = (set >> 2) + SET.SLOTS_AT
    const owners: number[] = []
    for (let i = 0; i < words[(set >> 2) + SET.SLOTS]!; i++)
      if (isMark(words[base + i]!)) owners.push(words[base + i]!)
    return owners
  }

  #replaceSet(pair: number, set: number, slots: number, owners: readonly number[]): void {
    const { words } = this.#memory
    Atomics.store(words, pair + 1, this.#makeSet(slots, owners))
    this.#memory.retire(set, sizeOf(words[(set >> 2) + SET.SLOTS]!))
  }

  #makeSet(slots: number, owners: readonly number[]): number {
    const { words } = this.#memory
    const set = this.#memory.allocate(sizeOf(slots))
    const head = set >> 2
    words[head + SET.SLOTS] = slots
    words[head + SET.LIVE] = words[head + SET.USED] = owners.length
    words.fill(EMPTY, head + SET.SLOTS_AT, head + SET.SLOTS_AT + slots)
    for (const mark of owners) words[this.#slotIn(set, mark)] = mark
    return set
  }
}
