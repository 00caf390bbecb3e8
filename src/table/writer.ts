// The table's one writer. A new version of a block is written beside the old one and published by one Atomics.store; the
// old one is freed when every reader has passed the epoch that ended with it (reader.ts).

import { type HashSeed, randomSeed } from '../shared/half-siphash.ts'
import { finish, type Steps } from '../shared/steps.ts'
import { AddressIndex } from './address-index.ts'
import { Arena } from './arena.ts'
import { endOf } from './block.ts'
import {
  EMPTY, HEAD, HEAD_WORDS, hashOctets, LAYOUT_VERSION, READER_STRIDE_WORDS, READERS_MAX, REMOVED, slotOf,
} from './layout.ts' // biome-ignore format: one import
import { blockKeyEquals } from './reader.ts'
import { type IndexMemory, TableIndex } from './table-index.ts'

/** The default bound of a table; only what is used is ever touched. */
const TABLE_MAX_OCTETS = 1 << 30

export class TableWriter {
  readonly buffer: SharedArrayBuffer
  readonly #words: Int32Array
  readonly #octets: Uint8Array
  readonly #arena: Arena
  readonly #seed: HashSeed
  readonly #names: TableIndex
  readonly #addresses: AddressIndex
  /** Blocks out of use since an epoch: [epoch, offset, octets] in the order they came. */
  #retired: { readonly epoch: number; readonly at: number; readonly octets: number }[] = []

  /** `seed` is random unless a test says otherwise. */
  constructor(maxOctets = TABLE_MAX_OCTETS, seed: HashSeed = randomSeed()) {
    this.buffer = new SharedArrayBuffer(maxOctets)
    this.#words = new Int32Array(this.buffer)
    this.#octets = new Uint8Array(this.buffer)
    this.#arena = new Arena(maxOctets)
    this.#words[HEAD.VERSION] = LAYOUT_VERSION
    this.#words[HEAD.EPOCH] = this.#words[HEAD.CLIENTS] = 1
    this.#seed = seed
    this.#words.set(seed, HEAD.SEED)
    const memory: IndexMemory = {
      words: this.#words,
      allocate: octets => this.#arena.allocate(octets),
      retire: (at, octets) => this.#retire(at, octets),
    }
    this.#names = new TableIndex(memory, HEAD.NAMES)
    this.#addresses = new AddressIndex(memory, new TableIndex(memory, HEAD.ADDRESSES))
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

  /** The labels of a namespace are others now: behind their publication. */
  labelsChanged(): void {
    Atomics.add(this.#words, HEAD.LABELS, 1)
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

  /** What a key or an address in octets[at … end) is found by. */
  hashOf(octets: Uint8Array, at: number, end: number): number {
    return hashOctets(this.#seed[0], this.#seed[1], octets, at, end)
  }

  /** The block of a key, or 0. */
  find(key: Uint8Array): number {
    const pair = this.#pairOf(this.hashOf(key, 0, key.length), key)
    return pair < 0 ? 0 : this.#words[pair + 1]!
  }

  /** Makes room in the index for one name more. */
  *nameRoom(): Steps<void> {
    yield* this.#names.room(1)
  }

  /**
   * Publishes `block` (a whole block with its key, layout.ts) in place of the key's former one. Returns whether anything
   * changed: an equal block is left alone. Throws TableFullError, having changed nothing.
   */
  publish(key: Uint8Array, block: Uint8Array): boolean {
    const hash = this.hashOf(key, 0, key.length)
    const pair = this.#pairOf(hash, key)
    const old = pair < 0 ? 0 : this.#words[pair + 1]!
    if (old !== 0 && this.equals(old, block)) return false
    if (pair < 0) finish(this.nameRoom())
    const at = this.#arena.allocate(block.length)
    this.#octets.set(block, at)
    if (pair >= 0) Atomics.store(this.#words, pair + 1, at)
    else this.#names.insert(hash, at)
    if (old !== 0) this.#retire(old, sizeOf(this.#words, old))
    return true
  }

  /** Throws TableFullError where a block of that size has no room. */
  checkRoom(octets: number): void {
    this.#arena.check(octets)
  }

  /** Takes a key out. Returns whether it was there. */
  remove(key: Uint8Array): boolean {
    const pair = this.#pairOf(this.hashOf(key, 0, key.length), key)
    if (pair < 0) return false
    const at = this.#words[pair + 1]!
    this.#names.removeAt(pair)
    this.#retire(at, sizeOf(this.#words, at))
    return true
  }

  /** Makes room in the index for so many addresses more. */
  *addressRoom(addresses: number): Steps<void> {
    yield* this.#addresses.room(addresses)
  }

  /** Tells that the service with that mark has the address with that hash. Returns false where that was known. */
  addAddress(addressHash: number, mark: number): boolean {
    return this.#addresses.add(addressHash, mark)
  }

  removeAddress(addressHash: number, mark: number): void {
    this.#addresses.remove(addressHash, mark)
  }

  /** A client or a place has changed, and is published: what readers remember of any of them holds no more. */
  clientsChanged(): void {
    Atomics.store(this.#words, HEAD.CLIENTS, (this.#words[HEAD.CLIENTS]! + 1) | 0 || 1)
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

  #retire(at: number, octets: number): void {
    this.#retired.push({ epoch: this.#words[HEAD.EPOCH]!, at, octets })
  }

  /** Whether the block at that offset has the same octets. */
  equals(at: number, block: Uint8Array): boolean {
    if (sizeOf(this.#words, at) !== block.length) return false
    return Buffer.compare(this.#octets.subarray(at, at + block.length), block) === 0
  }

  /** The word offset of the pair that holds the key, or -1. */
  #pairOf(hash: number, key: Uint8Array): number {
    const words = this.#words
    const { base, mask } = this.#names
    for (let i = slotOf(hash, mask); ; i = (i + 1) & mask) {
      const pair = base + 2 * i
      const at = words[pair + 1]!
      if (at === EMPTY) return -1
      if (
        at !== REMOVED &&
        words[pair] === hash &&
        blockKeyEquals(words, this.#octets, at, key, 0, key.length)
      )
        return pair
    }
  }
}

/** Octets of the block at that offset. */
const sizeOf = (words: Int32Array, block: number): number => endOf(words, block) - block

/** Whether epoch `a` ended before epoch `b` began; right across the wrap-around, as serial numbers are (RFC 1982). */
const isBefore = (a: number, b: number): boolean => ((a - b) | 0) < 0
