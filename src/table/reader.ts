// HOT: a serving thread's view of the table. A look-up is a hash over the key's octets, one or two index slots and one
// comparison; nothing is allocated and nothing locks. Budget: 60 ns at 100 names, 400 ns at 100,000 names in random order, most
// of it waiting for memory (`npm run bench:micro`).
//
// Between `enter` and `leave` the thread's epoch holds back the memory it may be reading; offsets that `find` returns
// must not outlive `leave`.

import { blockKeyAt, endOf, keyLengthOf } from './block.ts'
import {
  EMPTY, HEAD, HEAD_WORDS, hashOctets, isMark, markOf, READER_STRIDE_WORDS, REMOVED, SET, slotOf,
} from './layout.ts' // biome-ignore format: one import

export class TableReader {
  readonly words: Int32Array
  readonly octets: Uint8Array
  readonly #slot: number
  readonly #k0: number
  readonly #k1: number
  #depth = 0
  /** What servicesOf() found last. */
  marks = new Int32Array(64)

  /** `reader` is this thread's own number below READERS_MAX: two readers never share one. */
  constructor(buffer: SharedArrayBuffer, reader: number) {
    this.words = new Int32Array(buffer)
    this.octets = new Uint8Array(buffer)
    this.#slot = HEAD_WORDS + reader * READER_STRIDE_WORDS
    this.#k0 = this.words[HEAD.SEED]!
    this.#k1 = this.words[HEAD.SEED + 1]!
  }

  /** From here to `leave` nothing that `find` returns is reused. Calls nest. */
  enter(): void {
    if (this.#depth++ === 0) Atomics.store(this.words, this.#slot, Atomics.load(this.words, HEAD.EPOCH))
  }

  /** To be called before the thread waits for anything: a sleeping reader must not hold memory back. */
  leave(): void {
    if (--this.#depth === 0) Atomics.store(this.words, this.#slot, 0)
  }

  get synced(): boolean {
    return Atomics.load(this.words, HEAD.SYNCED) === 1
  }

  /** Whether the state is a snapshot's, which nobody has confirmed yet. */
  get restored(): boolean {
    return Atomics.load(this.words, HEAD.RESTORED) === 1
  }

  /** How old the state is, as packAge() has it; 0 while the watches are heard. */
  get age(): number {
    return Atomics.load(this.words, HEAD.AGE)
  }

  /** Another number with each change of the labels of a namespace. */
  get labelChanges(): number {
    return Atomics.load(this.words, HEAD.LABELS)
  }

  /**
   * Another one when a client or a place has changed. Between `enter` and `leave`: what `find` returned for one while it was
   * the same is still there.
   */
  get clientsStamp(): number {
    return Atomics.load(this.words, HEAD.CLIENTS)
  }

  get serial(): number {
    return Atomics.load(this.words, HEAD.SERIAL) >>> 0
  }

  /** The serial of imported services' zones. */
  get importSerial(): number {
    return Atomics.load(this.words, HEAD.IMPORT_SERIAL) >>> 0
  }

  /** The serial of the zones of addresses outside the cluster. */
  get externalSerial(): number {
    return Atomics.load(this.words, HEAD.EXTERNAL_SERIAL) >>> 0
  }

  /** A copy of the block with that key, for the slow path: it outlives `leave`, and offsets in it begin at 0. */
  copyOf(key: Uint8Array): Uint8Array<ArrayBuffer> | undefined {
    this.enter()
    const block = this.find(key, 0, key.length)
    const copy =
      block === 0 ? undefined : new Uint8Array(this.octets.subarray(block, endOf(this.words, block)))
    this.leave()
    return copy
  }

  /** The block whose key is key[at … end), or 0. */
  find(key: Uint8Array, at: number, end: number): number {
    const index = Atomics.load(this.words, HEAD.NAMES)
    return findBlock(this.words, this.octets, index, this.hashOf(key, at, end), key, at, end)
  }

  /** Calls back with every block of the table, in no order; offsets as of `find`. */
  eachBlock(visit: (block: number) => void): void {
    const { words } = this
    const index = Atomics.load(words, HEAD.NAMES)
    const end = (index >> 2) + 1 + 2 * words[index >> 2]!
    for (let at = (index >> 2) + 1; at < end; at += 2) {
      const block = Atomics.load(words, at + 1)
      if (block !== EMPTY && block !== REMOVED) visit(block)
    }
  }

  /** What an address in octets[at … end), or a key, is found by. */
  hashOf(octets: Uint8Array, at: number, end: number): number {
    return hashOctets(this.#k0, this.#k1, octets, at, end)
  }

  /**
   * The services that may have the address with that hash: their marks into `marks`, until the next call; returns how many. A
   * mark may stand for several services, and the address must be looked for in their blocks.
   */
  servicesOf(addressHash: number): number {
    const { words } = this
    const index = Atomics.load(words, HEAD.ADDRESSES)
    const base = (index >> 2) + 1
    const mask = words[index >> 2]! - 1
    for (let i = slotOf(addressHash, mask); ; i = (i + 1) & mask) {
      const owner = Atomics.load(words, base + 2 * i + 1)
      if (owner === EMPTY) return 0
      if (owner === REMOVED || words[base + 2 * i] !== addressHash) continue
      if (!isMark(owner)) return this.#marksIn(owner)
      this.marks[0] = owner
      return 1
    }
  }

  #marksIn(set: number): number {
    const { words } = this
    const from = (set >> 2) + SET.SLOTS_AT
    const slots = words[(set >> 2) + SET.SLOTS]!
    if (this.marks.length < slots) this.marks = new Int32Array(slots)
    const { marks } = this
    let found = 0
    for (let at = from; at < from + slots; at++) {
      const mark = Atomics.load(words, at)
      if (isMark(mark)) marks[found++] = mark
    }
    return found
  }

  /** The blocks whose keys have that mark, into `blocks`; returns how many. */
  blocksOf(mark: number, blocks: Int32Array): number {
    const { words } = this
    const index = Atomics.load(words, HEAD.NAMES)
    const base = (index >> 2) + 1
    const mask = words[index >> 2]! - 1
    let found = 0
    for (let i = slotOf(mark, mask); found < blocks.length; i = (i + 1) & mask) {
      const block = Atomics.load(words, base + 2 * i + 1)
      if (block === EMPTY) break
      if (block !== REMOVED && markOf(words[base + 2 * i]!) === mark) blocks[found++] = block
    }
    return found
  }
}

/** The block in the index at byte offset `index` whose key is key[at … end), or 0. */
export function findBlock(
  words: Int32Array,
  octets: Uint8Array,
  index: number,
  hash: number,
  key: Uint8Array,
  at: number,
  end: number,
): number {
  const base = (index >> 2) + 1
  const mask = words[index >> 2]! - 1
  for (let i = slotOf(hash, mask); ; i = (i + 1) & mask) {
    const block = Atomics.load(words, base + 2 * i + 1)
    if (block === EMPTY) return 0
    if (block === REMOVED || words[base + 2 * i] !== hash) continue
    if (blockKeyEquals(words, octets, block, key, at, end)) return block
  }
}

/** Whether the block's key is key[at … end). */
export function blockKeyEquals(
  words: Int32Array,
  octets: Uint8Array,
  block: number,
  key: Uint8Array,
  at: number,
  end: number,
): boolean {
  if (keyLengthOf(octets, block) !== end - at) return false
  let keyAt = blockKeyAt(words, block)
  for (; at < end; at++, keyAt++) if (octets[keyAt] !== key[at]) return false
  return true
}

/** Lets go of what a thread held when it died. To be called by the control thread, when nothing of that reader runs. */
export function clearReader(buffer: SharedArrayBuffer, reader: number): void {
  Atomics.store(new Int32Array(buffer), HEAD_WORDS + reader * READER_STRIDE_WORDS, 0)
}
