// HOT: one half of a cache in the memory that all serving threads share (layout.ts). Whoever reads locks nothing: it copies what it
// needs and then asks whether the entry was there all the time (`isThere`). Whoever writes has the half alone for some
// microseconds; one that does not get it soon gives up, and what it has is not kept. What is to go goes at the tail of the ring,
// but an entry that somebody was served from is moved to its head instead.

import { copyOctets } from './copy.ts'
import {
  ANSWERING,
  ENTRY,
  ENTRY_WORDS,
  type HalfLayout,
  HEAD,
  SLOT,
  SLOT_WORDS,
  UNIT_OCTETS,
  UNIT_WORDS,
} from './layout.ts'

/** Tries to get the half before a writer gives up: 20 µs or so. */
const LOCK_TRIES = 2000
/** Entries of a chain that are looked at. */
const HOPS_MAX = 64
/** Entries that are moved to make room for one. */
const MOVES_MAX = 16
/**
 * The share of the ring that is used in any case. Of each round all places are gone, whatever was used of them: with less, places
 * would begin anew, and with them the half, before ten million entries were written.
 */
const ROUND_SHARE = 1 / 4
/** Places begin anew before they are larger. */
const PLACES_MAX = 0x7fffffff
/** Longer waits for a refresh than a configuration may name are none: the clock's 32 bits began anew. */
const RETRY_MAX_MS = 600_000

/** Written to and read for the order of memory alone; a word of one thread costs the others nothing. */
const FENCE = new Int32Array(new SharedArrayBuffer(4))

/** An entry that is to be put: its head, and what stands behind that. */
export interface EntryDraft {
  readonly head: Int32Array
  /** key, message, offsets, text. */
  readonly octets: Uint8Array
  length: number
  storedAtMs: number
}

export class CacheHalf {
  /** The ring, for readers. */
  readonly octets: Uint8Array
  readonly words: Int32Array
  readonly doubles: Float64Array
  /** Entries that this thread has taken away to make room, and how many more there are because of it. */
  evicted = 0
  balance = 0
  readonly #words: Int32Array
  readonly #layout: HalfLayout
  readonly #owner: number
  readonly #indexAt: number
  readonly #indexMask: number
  readonly #ringUnits: number
  #moved = new Int32Array(0)

  /** `thread` is the number of this serving thread; one that ended while it wrote left the half locked, and is followed by this one. */
  constructor(memory: SharedArrayBuffer, at: number, layout: HalfLayout, thread: number, seed: number) {
    this.#layout = layout
    this.#owner = thread + 1
    this.#indexAt = layout.indexAt
    this.#indexMask = layout.indexSize - 1
    this.#ringUnits = layout.ringUnits
    this.#words = new Int32Array(memory, at, layout.ringAt)
    this.words = new Int32Array(memory, at + 4 * layout.ringAt, layout.ringUnits * UNIT_WORDS)
    this.doubles = new Float64Array(memory, at + 4 * layout.ringAt, layout.ringUnits)
    this.octets = new Uint8Array(memory, at + 4 * layout.ringAt, layout.ringUnits * UNIT_OCTETS)
    const head = this.#words
    if (Atomics.load(head, HEAD.LOCK) === this.#owner) this.#unlockAfter(() => this.#empty())
    if (Atomics.load(head, HEAD.HEAD) === 0 && this.#lock())
      this.#unlockAfter(() => {
        if (head[HEAD.HEAD] !== 0) return
        Atomics.compareExchange(head, HEAD.SEED, 0, seed | 1)
        this.#empty()
      })
  }

  get seed(): number {
    return Atomics.load(this.#words, HEAD.SEED)
  }

  get entries(): number {
    return Atomics.load(this.#words, HEAD.ENTRIES)
  }

  /** Octets of the ring between its ends. */
  get usedOctets(): number {
    const words = this.#words
    const between = Atomics.load(words, HEAD.HEAD) - Atomics.load(words, HEAD.TAIL)
    return Math.max(0, between - Atomics.load(words, HEAD.SKIPPED)) * UNIT_OCTETS
  }

  // For readers. What they read of a place is true if `isThere` says so afterwards.

  /** The newest entry of that key which answers its question, or does not, or whichever it be; 0 where there is none. */
  find(hash: number, key: Uint8Array, keyOctets: number, answering?: boolean): number {
    let place = Atomics.load(this.#words, this.#indexAt + (hash & this.#indexMask))
    for (let hops = 0; place !== 0 && hops < HOPS_MAX; hops++) {
      if (!this.#isRoom(place)) return 0
      const at = this.wordAt(place)
      const { words } = this
      if (words[at + ENTRY.HASH] === hash && (words[at + ENTRY.LENGTHS]! & 0xffff) === keyOctets) {
        const answers = (words[at + ENTRY.REPLY]! & ANSWERING) !== 0
        if ((answering === undefined || answers === answering) && this.#isKey(at, key, keyOctets))
          return place
      }
      place = Atomics.load(words, at + ENTRY.NEXT)
    }
    return 0
  }

  /** Whether the entry of that place was there until now, so that what was read of it is what was written. */
  isThere(place: number): boolean {
    const words = this.#words
    // What was read before must have been read before the tail is.
    Atomics.store(FENCE, 0, 0)
    const tail = Atomics.load(words, HEAD.TAIL)
    return place >= tail && place < Atomics.load(words, HEAD.HEAD)
  }

  /** Where in `words` an entry begins. */
  wordAt(place: number): number {
    return (place % this.#ringUnits) * UNIT_WORDS
  }

  // What changes about an entry. A slot may be another one's by now: then that one is taken for a little more or less popular.

  /** Somebody was served from it. */
  used(slot: number): void {
    const at = this.#slotAt(slot)
    if (this.#words[at + SLOT.USED] === 0) Atomics.store(this.#words, at + SLOT.USED, 1)
  }

  hits(slot: number): number {
    return Atomics.load(this.#words, this.#slotAt(slot) + SLOT.HITS)
  }

  lastHitMs(slot: number): number {
    return Atomics.load(this.#words, this.#slotAt(slot) + SLOT.LAST_HIT)
  }

  setHits(slot: number, hits: number, nowMs: number): void {
    const at = this.#slotAt(slot)
    Atomics.store(this.#words, at + SLOT.HITS, hits)
    Atomics.store(this.#words, at + SLOT.LAST_HIT, nowMs | 0)
  }

  /** Whether no refresh may begin. */
  isRefreshing(slot: number, nowMs: number): boolean {
    return isAhead(Atomics.load(this.#words, this.#slotAt(slot) + SLOT.RETRY), nowMs)
  }

  /** Whether a refresh may begin; if so, no other one does for so long, or until `endRefresh`. */
  beginRefresh(slot: number, nowMs: number, forMs: number): boolean {
    const at = this.#slotAt(slot) + SLOT.RETRY
    const retryMs = Atomics.load(this.#words, at)
    if (isAhead(retryMs, nowMs)) return false
    return Atomics.compareExchange(this.#words, at, retryMs, (nowMs + forMs) | 0) === retryMs
  }

  /** Ends a refresh; none begins before `retryAtMs`, 0 is now. */
  endRefresh(slot: number, retryAtMs: number): void {
    Atomics.store(this.#words, this.#slotAt(slot) + SLOT.RETRY, retryAtMs | 0)
  }

  // For writers.

  /**
   * Keeps an entry in place of those of its key, or of those of them which answer, or do not; false where it is too large, or
   * others write.
   */
  put(draft: EntryDraft, hash: number, keyOctets: number, answering?: boolean): boolean {
    const units = Math.ceil((4 * ENTRY_WORDS + draft.length) / UNIT_OCTETS)
    if (2 * units > this.#layout.ringUnits || !this.#lock()) return false
    const before = this.entries
    try {
      if (this.#head + 2 * this.#layout.ringUnits > PLACES_MAX) this.#empty()
      this.#forgetAll(hash, draft.octets, keyOctets, answering)
      this.#makeRoom(units)
      this.#write(draft, units)
    } finally {
      this.#unlock(before)
    }
    return true
  }

  #write({ head, octets, length, storedAtMs }: EntryDraft, units: number): void {
    const slot = this.#takeSlot()
    const place = this.#head
    const at = this.wordAt(place)
    const { words } = this
    for (let i = 0; i < ENTRY_WORDS; i++) words[at + i] = head[i]!
    words[at + ENTRY.UNITS] = units
    words[at + ENTRY.SLOT] = slot
    this.doubles[(at + ENTRY.STORED) / 2] = storedAtMs
    copyOctets(octets, 0, length, this.octets, 4 * (at + ENTRY_WORDS))
    this.#publish(place, at, units)
  }

  /** Takes away what there is of a key. */
  remove(hash: number, key: Uint8Array, keyOctets: number): void {
    if (this.find(hash, key, keyOctets) === 0 || !this.#lock()) return
    this.#unlockAfter(() => this.#forgetAll(hash, key, keyOctets, undefined))
  }

  #forgetAll(hash: number, key: Uint8Array, keyOctets: number, answering: boolean | undefined): void {
    for (;;) {
      const place = this.find(hash, key, keyOctets, answering)
      if (place === 0) return
      this.#forget(place)
    }
  }

  get #head(): number {
    return Atomics.load(this.#words, HEAD.HEAD)
  }

  get #tail(): number {
    return Atomics.load(this.#words, HEAD.TAIL)
  }

  /** Whether an entry may be at that place. */
  #isRoom(place: number): boolean {
    return place >= this.#tail && place < this.#head
  }

  #slotAt(slot: number): number {
    const { slotsAt, entriesMax } = this.#layout
    return slotsAt + SLOT_WORDS * (slot >= 0 && slot < entriesMax ? slot : 0)
  }

  #isKey(at: number, key: Uint8Array, keyOctets: number): boolean {
    const octets = this.octets
    const from = 4 * (at + ENTRY_WORDS)
    for (let i = 0; i < keyOctets; i++) if (octets[from + i] !== key[i]) return false
    return true
  }

  #lock(): boolean {
    for (let i = 0; i < LOCK_TRIES; i++)
      if (Atomics.compareExchange(this.#words, HEAD.LOCK, 0, this.#owner) === 0) return true
    return false
  }

  #unlockAfter(write: () => void): void {
    const before = this.entries
    try {
      write()
    } finally {
      this.#unlock(before)
    }
  }

  /** Others may write; there were so many entries before. */
  #unlock(before: number): void {
    this.balance += this.entries - before
    Atomics.store(this.#words, HEAD.LOCK, 0)
  }

  /** There is nothing in it. Places go on, so that no reader takes what comes for what it has found. */
  #empty(): void {
    const words = this.#words
    const { entriesMax, freeAt, indexAt, indexSize } = this.#layout
    for (let i = 0; i < indexSize; i++) Atomics.store(words, indexAt + i, 0)
    const head = this.#head + 2 * this.#layout.ringUnits > PLACES_MAX ? 1 : Math.max(1, this.#head)
    Atomics.store(words, HEAD.HEAD, head)
    this.#moveTail(head)
    Atomics.store(words, HEAD.SKIPPED, 0)
    for (let i = 0; i < entriesMax; i++) words[freeAt + i] = i
    words[HEAD.FREE] = entriesMax
    Atomics.store(words, HEAD.ENTRIES, 0)
  }

  #takeSlot(): number {
    const words = this.#words
    const free = words[HEAD.FREE]! - 1
    const slot = words[this.#layout.freeAt + free]!
    words[HEAD.FREE] = free
    const at = this.#slotAt(slot)
    for (let i = 0; i < SLOT_WORDS; i++) Atomics.store(words, at + i, 0)
    Atomics.add(words, HEAD.ENTRIES, 1)
    return slot
  }

  /** What was written at the head is the first of its chain. */
  #publish(place: number, at: number, units: number): void {
    const words = this.#words
    const { indexAt, indexSize } = this.#layout
    const index = indexAt + (this.words[at + ENTRY.HASH]! & (indexSize - 1))
    this.words[at + ENTRY.NEXT] = Atomics.load(words, index)
    Atomics.store(words, HEAD.HEAD, place + units)
    Atomics.store(words, index, place)
  }

  /** Nobody finds the entry any more; its place in the ring stays its own until the tail has passed it. */
  #forget(place: number): void {
    this.#unlink(place)
    const at = this.wordAt(place)
    const words = this.#words
    const free = words[HEAD.FREE]!
    words[this.#layout.freeAt + free] = this.words[at + ENTRY.SLOT]!
    words[HEAD.FREE] = free + 1
    this.words[at + ENTRY.SLOT] = -1
    Atomics.sub(words, HEAD.ENTRIES, 1)
  }

  #unlink(place: number): void {
    const { indexAt, indexSize } = this.#layout
    const ring = this.words
    const next = ring[this.wordAt(place) + ENTRY.NEXT]!
    const index = indexAt + (ring[this.wordAt(place) + ENTRY.HASH]! & (indexSize - 1))
    let before = Atomics.load(this.#words, index)
    if (before === place) {
      Atomics.store(this.#words, index, next)
      return
    }
    while (before !== 0) {
      const at = this.wordAt(before) + ENTRY.NEXT
      before = ring[at]!
      if (before === place) Atomics.store(ring, at, next)
      if (before === place) return
    }
  }

  /** Makes room for one entry more, of so many units, at the head and in one piece. */
  #makeRoom(units: number): void {
    const { entriesMax, ringUnits } = this.#layout
    let moves = MOVES_MAX
    while (this.entries >= entriesMax) if (this.#dropOldest(moves)) moves--
    for (let i = 0; i < MOVES_MAX && this.#isTailForgotten(); i++) this.#dropOldest(0)
    this.#beginAnew()
    for (;;) {
      const left = ringUnits - (this.#head % ringUnits)
      const needed = left < units ? left + units : units
      if (this.#head + needed - this.#tail <= ringUnits) {
        if (left < units) this.#skip(left)
        return
      }
      if (this.#dropOldest(moves)) moves--
    }
  }

  /** Goes back to the beginning of the ring where it is free, and larger than what is in use. */
  #beginAnew(): void {
    const { ringUnits } = this.#layout
    const at = this.#head % ringUnits
    const used = this.#head - this.#tail
    if (at >= ROUND_SHARE * ringUnits && 2 * used <= at) this.#skip(ringUnits - at)
  }

  /** Whether nobody finds what stands at the tail any more. */
  #isTailForgotten(): boolean {
    if (this.#tail === this.#head) return false
    const at = this.wordAt(this.#tail)
    return this.words[at + ENTRY.UNITS]! < 0 || this.words[at + ENTRY.SLOT]! < 0
  }

  /** Leaves the end of the ring empty. */
  #skip(units: number): void {
    this.words[this.wordAt(this.#head) + ENTRY.UNITS] = -units
    Atomics.store(this.#words, HEAD.SKIPPED, units)
    Atomics.store(this.#words, HEAD.HEAD, this.#head + units)
  }

  /** What stands at the tail goes, or is moved to the head, if it may be; whether it was. */
  #dropOldest(movesLeft: number): boolean {
    const tail = this.#tail
    const at = this.wordAt(tail)
    const ring = this.words
    const units = ring[at + ENTRY.UNITS]!
    const slot = ring[at + ENTRY.SLOT]!
    if (units < 0 || slot < 0) {
      if (units < 0) Atomics.store(this.#words, HEAD.SKIPPED, 0)
      this.#moveTail(tail + Math.abs(units))
      return false
    }
    const used = this.#slotAt(slot) + SLOT.USED
    const isMoved = movesLeft > 0 && this.#words[used] !== 0 && this.#fitsAtHead(units)
    if (!isMoved) {
      this.#forget(tail)
      this.evicted++
      this.#moveTail(tail + units)
      return false
    }
    this.#words[used] = 0
    this.#unlink(tail)
    if (this.#moved.length < units * UNIT_WORDS) this.#moved = new Int32Array(units * UNIT_WORDS)
    const copy = this.#moved.subarray(0, units * UNIT_WORDS)
    copy.set(ring.subarray(at, at + units * UNIT_WORDS))
    this.#moveTail(tail + units)
    const place = this.#head
    const to = this.wordAt(place)
    ring.set(copy, to)
    this.#publish(place, to, units)
    return true
  }

  /** Whether so many units fit behind the head, once as many are gone at the tail. */
  #fitsAtHead(units: number): boolean {
    const { ringUnits } = this.#layout
    return ringUnits - (this.#head % ringUnits) >= units
  }

  /** What is behind it is written to only after everybody can see that it is behind it. */
  #moveTail(place: number): void {
    Atomics.store(this.#words, HEAD.TAIL, place)
    Atomics.load(FENCE, 0)
  }
}

/** Whether a time of 32 bits, 0 for none, is still to come. */
function isAhead(timeMs: number, nowMs: number): boolean {
  const leftMs = (timeMs - nowMs) | 0
  return timeMs !== 0 && leftMs > 0 && leftMs <= RETRY_MAX_MS
}
