// The table's one writer. A new version of a block is written beside the old one and published by one Atomics.store; the
// old one is freed when every reader has passed the epoch that ended with it (reader.ts).

import { Arena } from './arena.ts'
import {
  EMPTY, HEAD, HEAD_WORDS, hashOctets, LAYOUT_VERSION, READER_STRIDE_WORDS, READERS_MAX, REMOVED,
} from './layout.ts' // biome-ignore format: one import
import { blockKeyEquals, findBlock } from './reader.ts'

/** The default bound of a table; only what is used is ever touched. */
const TABLE_MAX_OCTETS = 1 << 30
const INDEX_PAIRS_MIN = 1024

interface Index {
  /** The head's word that holds its offset. */
  readonly word: number
  at: number
  pairs: number
  /** Slots in use, removed ones included, and live ones. */
  used: number
  live: number
}

export class TableWriter {
  readonly buffer: SharedArrayBuffer
  readonly #words: Int32Array
  readonly #octets: Uint8Array
  readonly #arena: Arena
  readonly #names: Index
  readonly #addresses: Index
  /** Blocks out of use since an epoch: [epoch, offset, octets] in the order they came. */
  #retired: { readonly epoch: number; readonly at: number; readonly octets: number }[] = []

  constructor(maxOctets = TABLE_MAX_OCTETS) {
    this.buffer = new SharedArrayBuffer(maxOctets)
    this.#words = new Int32Array(this.buffer)
    this.#octets = new Uint8Array(this.buffer)
    this.#arena = new Arena(maxOctets)
    this.#words[HEAD.VERSION] = LAYOUT_VERSION
    this.#words[HEAD.EPOCH] = 1
    this.#names = this.#makeIndex(HEAD.NAMES, INDEX_PAIRS_MIN)
    this.#addresses = this.#makeIndex(HEAD.ADDRESSES, INDEX_PAIRS_MIN)
  }

  get octets(): Uint8Array {
    return this.#octets
  }

  get words(): Int32Array {
    return this.#words
  }

  get synced(): boolean {
    return this.#words[HEAD.SYNCED] === 1
  }

  /** Names published: services, namespaces and Pods. */
  get nameCount(): number {
    return this.#names.live
  }

  get touchedOctets(): number {
    return this.#arena.touchedOctets
  }

  get liveOctets(): number {
    return this.#arena.liveOctets
  }

  /** Blocks that wait until no reader can hold them. */
  get retiredCount(): number {
    return this.#retired.length
  }

  setSynced(synced: boolean): void {
    Atomics.store(this.#words, HEAD.SYNCED, synced ? 1 : 0)
  }

  get serial(): number {
    return this.#words[HEAD.SERIAL]! >>> 0
  }

  /** The serial of imported services' zones. */
  get importSerial(): number {
    return this.#words[HEAD.IMPORT_SERIAL]! >>> 0
  }

  /** Whether the state is a snapshot's. */
  get restored(): boolean {
    return this.#words[HEAD.RESTORED] === 1
  }

  setRestored(restored: boolean): void {
    Atomics.store(this.#words, HEAD.RESTORED, restored ? 1 : 0)
  }

  /** How old the state is, as packAge() has it; 0 while it is followed. */
  get age(): number {
    return this.#words[HEAD.AGE]!
  }

  setAge(age: number): void {
    Atomics.store(this.#words, HEAD.AGE, age)
  }

  /** The SOA's serial, unix seconds. */
  setSerial(serial: number): void {
    Atomics.store(this.#words, HEAD.SERIAL, serial | 0)
  }

  /** The serial of services with addresses outside the cluster. */
  setExternalSerial(serial: number): void {
    Atomics.store(this.#words, HEAD.EXTERNAL_SERIAL, serial | 0)
  }

  setImportSerial(serial: number): void {
    Atomics.store(this.#words, HEAD.IMPORT_SERIAL, serial | 0)
  }

  /** The block of a key, or 0. */
  find(key: Uint8Array): number {
    return findBlock(
      this.#words,
      this.#octets,
      this.#names.at,
      hashOctets(key, 0, key.length),
      key,
      0,
      key.length,
    )
  }

  /**
   * Publishes `block` (a whole block with its key, layout.ts) in place of the key's former one. Returns whether anything
   * changed: an equal block is left alone. Throws TableFullError, having changed nothing.
   */
  publish(key: Uint8Array, block: Uint8Array): boolean {
    const hash = hashOctets(key, 0, key.length)
    const slot = this.#slotOf(hash, key)
    const old = slot < 0 ? 0 : this.#words[slot + 1]!
    if (old !== 0 && this.#equalBlocks(old, block)) return false
    if (slot < 0) this.#reserve(this.#names)
    const at = this.#arena.allocate(block.length)
    this.#octets.set(block, at)
    if (slot >= 0) Atomics.store(this.#words, slot + 1, at)
    else this.#insert(this.#names, hash, at)
    if (old !== 0) this.#retire(old)
    return true
  }

  /** Throws TableFullError where a block of that size has no room. */
  checkRoom(octets: number): void {
    this.#arena.check(octets)
  }

  /** Takes a key out. Returns whether it was there. */
  remove(key: Uint8Array): boolean {
    const slot = this.#slotOf(hashOctets(key, 0, key.length), key)
    if (slot < 0) return false
    const at = this.#words[slot + 1]!
    Atomics.store(this.#words, slot + 1, REMOVED)
    this.#names.live--
    this.#retire(at)
    return true
  }

  /** Tells that the service with that key's hash has the address with that hash; once for each such pair. */
  addAddress(addressHash: number, serviceHash: number): void {
    this.#reserve(this.#addresses)
    this.#insert(this.#addresses, addressHash, serviceHash)
  }

  removeAddress(addressHash: number, serviceHash: number): void {
    const words = this.#words
    const index = this.#addresses
    const base = (index.at >> 2) + 1
    const mask = index.pairs - 1
    for (let i = addressHash & mask; ; i = (i + 1) & mask) {
      const slot = base + 2 * i
      if (words[slot + 1] === EMPTY) return
      if (words[slot] === addressHash && words[slot + 1] === serviceHash) {
        Atomics.store(words, slot + 1, REMOVED)
        index.live--
        return
      }
    }
  }

  /** Ends a batch of changes: what it put out of use is freed once every reader has moved on. */
  endBatch(): void {
    // The count comes round after 2^32 batches; 0 would be a reader that is outside.
    Atomics.store(this.#words, HEAD.EPOCH, (this.#words[HEAD.EPOCH]! + 1) | 0 || 1)
    this.reclaim()
  }

  /** Frees what no reader can hold any more. */
  reclaim(): void {
    if (this.#retired.length === 0) return
    let oldest = this.#words[HEAD.EPOCH]!
    for (let reader = 0; reader < READERS_MAX; reader++) {
      const epoch = Atomics.load(this.#words, HEAD_WORDS + reader * READER_STRIDE_WORDS)
      if (epoch !== 0 && isBefore(epoch, oldest)) oldest = epoch
    }
    let done = 0
    for (const block of this.#retired) {
      if (!isBefore(block.epoch, oldest)) break
      this.#arena.release(block.at, block.octets)
      done++
    }
    if (done > 0) this.#retired = this.#retired.slice(done)
  }

  #retire(at: number): void {
    this.#retired.push({ epoch: this.#words[HEAD.EPOCH]!, at, octets: this.#words[at >> 2]! })
  }

  #equalBlocks(at: number, block: Uint8Array): boolean {
    if (this.#words[at >> 2] !== block.length) return false
    for (let i = 0; i < block.length; i++) if (this.#octets[at + i] !== block[i]) return false
    return true
  }

  /** The word offset of the pair that holds the key, or -1. */
  #slotOf(hash: number, key: Uint8Array): number {
    const words = this.#words
    const base = (this.#names.at >> 2) + 1
    const mask = this.#names.pairs - 1
    for (let i = hash & mask; ; i = (i + 1) & mask) {
      const slot = base + 2 * i
      const at = words[slot + 1]!
      if (at === EMPTY) return -1
      if (
        at !== REMOVED &&
        words[slot] === hash &&
        blockKeyEquals(words, this.#octets, at, key, 0, key.length)
      )
        return slot
    }
  }

  #insert(index: Index, hash: number, value: number): void {
    const words = this.#words
    const base = (index.at >> 2) + 1
    const mask = index.pairs - 1
    for (let i = hash & mask; ; i = (i + 1) & mask) {
      const slot = base + 2 * i
      const held = words[slot + 1]!
      if (held !== EMPTY && held !== REMOVED) continue
      // The hash first: a reader looks at it only after it has seen the value.
      Atomics.store(words, slot, hash)
      Atomics.store(words, slot + 1, value)
      if (held === EMPTY) index.used++
      index.live++
      return
    }
  }

  #makeIndex(word: number, pairs: number): Index {
    const octets = 4 + pairs * 8
    const at = this.#arena.allocate(octets)
    this.#octets.fill(0, at, at + octets)
    this.#words[at >> 2] = pairs
    Atomics.store(this.#words, word, at)
    return { word, at, pairs, used: 0, live: 0 }
  }

  /** Makes room for one more: past 60 % the index is written anew, twice as large if its live slots need it. */
  #reserve(index: Index): void {
    if ((index.used + 1) * 5 < index.pairs * 3) return
    const pairs = index.live * 10 > index.pairs * 3 ? index.pairs * 2 : index.pairs
    const old = { at: index.at, pairs: index.pairs }
    const grown = { word: index.word, at: this.#arena.allocate(4 + pairs * 8), pairs, used: 0, live: 0 }
    this.#octets.fill(0, grown.at, grown.at + 4 + pairs * 8)
    this.#words[grown.at >> 2] = pairs
    const base = (old.at >> 2) + 1
    for (let i = 0; i < old.pairs; i++) {
      const value = this.#words[base + 2 * i + 1]!
      if (value !== EMPTY && value !== REMOVED) this.#insert(grown, this.#words[base + 2 * i]!, value)
    }
    Atomics.store(this.#words, index.word, grown.at)
    Object.assign(index, grown)
    this.#retired.push({ epoch: this.#words[HEAD.EPOCH]!, at: old.at, octets: 4 + old.pairs * 8 })
  }
}

/** Whether epoch `a` ended before epoch `b` began; right across the wrap-around, as serial numbers are (RFC 1982). */
const isBefore = (a: number, b: number): boolean => ((a - b) | 0) < 0
