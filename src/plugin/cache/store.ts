// The two halves of the cache of one server block, as one serving thread sees them: answers, and denials with failures. Each is
// bounded in entries and octets; expiry is ours, against one clock, and takes nothing out: what has expired is replaced, served
// stale or forgotten in its turn.

import type { Packet } from '../../query/packet.ts'
import { hashOf } from '../../shared/hash-index.ts'
import { RCODE } from '../../wire/rcode.ts'
import type { Scan } from '../../wire/scan.ts'
import type { CacheConfig, Side } from './config.ts'
import type { CacheCounters } from './counters.ts'
import { draftEntry, Entry, type EntryFacts, ttlAt } from './entry.ts'
import { CacheHalf } from './half.ts'
import { KEY_MAX_OCTETS, writePacketKey, writeScanKey } from './key.ts'
import { cacheMemory, ENTRY, layoutOf } from './layout.ts'

export class ResponseStore {
  readonly #success: CacheHalf
  readonly #denial: CacheHalf
  readonly #staleSeconds: number
  readonly #preferPositive: boolean
  readonly #key = new Uint8Array(KEY_MAX_OCTETS)
  #keyOctets = 0
  #hash = 0
  /** What `select` has found: the half, and whether it is the one of answers. */
  half: CacheHalf
  side: Side = 'success'

  /** `seed` is of the first thread's drawing: nobody foresees which questions share a chain. */
  constructor(config: CacheConfig, thread: number, seed: number) {
    const memory = config.memory ?? cacheMemory(config.success, config.denial)
    const success = layoutOf(config.success)
    this.#success = new CacheHalf(memory, 0, success, thread, seed)
    this.#denial = new CacheHalf(memory, success.octets, layoutOf(config.denial), thread, seed)
    this.half = this.#success
    this.#staleSeconds = config.stale?.maxSeconds ?? 0
    this.#preferPositive = config.preferPositive && this.#staleSeconds > 0
  }

  /** HOT: the place of the entry that answers the scanned question now; see `select`. */
  selectScan(scan: Scan, nowMs: number): number {
    this.#keyOctets = writeScanKey(this.#key, scan)
    return this.#select(nowMs)
  }

  /** The entry that answers the packet's question now. */
  select(packet: Packet, nowMs: number): Entry | undefined {
    this.#keyOctets = writePacketKey(this.#key, packet)
    const place = this.#select(nowMs)
    return place === 0 ? undefined : Entry.read(this.half, place, this.side)
  }

  /**
   * The entry that answers the key now, fresh or stale as far as staleness is served: the denial before the answer,
   * but no SERVFAIL where there is a usable answer (CoreDNS 1.14.4); under `prefer_positive` what answers before all. What is read
   * of it is to be trusted once `half.isThere` has said so.
   */
  #select(nowMs: number): number {
    const key = this.#key
    const octets = this.#keyOctets
    if (octets === 0) return 0
    this.#hash = hashOf(this.#success.seed, key, 0, octets)
    const hash = this.#hash
    if (this.#preferPositive) {
      const answering = usable(
        this.#success,
        this.#success.find(hash, key, octets, true),
        nowMs,
        this.#staleSeconds,
      )
      if (answering !== 0) return this.#found(this.#success, 'success', answering)
    }
    const denial = usable(this.#denial, this.#denial.find(hash, key, octets), nowMs, this.#staleSeconds)
    if (denial !== 0 && rcodeAt(this.#denial, denial) !== RCODE.SERVFAIL)
      return this.#found(this.#denial, 'denial', denial)
    const success = usable(this.#success, this.#success.find(hash, key, octets), nowMs, this.#staleSeconds)
    if (success !== 0) return this.#found(this.#success, 'success', success)
    return this.#found(this.#denial, 'denial', denial)
  }

  #found(half: CacheHalf, side: Side, place: number): number {
    this.half = half
    this.side = side
    return place
  }

  /**
   * Keeps the newest reply to a question. What is new takes the other half's place too, so that an answer that was
   * refreshed to a denial does not come back when the denial expires first, nor the other way round; a SERVFAIL says
   * nothing about the name and displaces no answer, and under `prefer_positive` no denial does.
   */
  put(packet: Packet, side: Side, facts: EntryFacts, counters: CacheCounters): void {
    this.#keyOctets = writePacketKey(this.#key, packet)
    const octets = this.#keyOctets
    const half = side === 'success' ? this.#success : this.#denial
    const key = this.#key
    const hash = hashOf(this.#success.seed, key, 0, octets)
    const { answering } = facts
    const isLastKnownGood = this.#preferPositive && side === 'success' && !answering
    if (side === 'success') {
      if (!isLastKnownGood) this.#denial.remove(hash, key, octets)
    } else if (!this.#preferPositive && !isFailure(packet.rcode)) this.#success.remove(hash, key, octets)
    const evicted = half.evicted
    const entry = draftEntry(packet, key, octets, hash, facts)
    const isKept = octets > 0 && half.put(entry, hash, octets, isLastKnownGood ? false : undefined)
    if (!isKept) counters.drops.add()
    if (half.evicted > evicted) counters.evictions[side].add(half.evicted - evicted)
    this.gauge(counters)
  }

  /** Tells how many entries there are: what all threads say together. */
  gauge(counters: CacheCounters): void {
    counters.entries.success.set(this.#success.balance)
    counters.entries.denial.set(this.#denial.balance)
  }

  /** The entry stored last for the packet's question, whatever its age. */
  newest(packet: Packet): Entry | undefined {
    this.#keyOctets = writePacketKey(this.#key, packet)
    return this.#newest()
  }

  /** The same for a scanned question. */
  newestOf(scan: Scan): Entry | undefined {
    this.#keyOctets = writeScanKey(this.#key, scan)
    return this.#newest()
  }

  #newest(): Entry | undefined {
    const hash = hashOf(this.#success.seed, this.#key, 0, this.#keyOctets)
    for (const [half, side] of [[this.#denial, 'denial'] as const, [this.#success, 'success'] as const]) {
      const place = half.find(hash, this.#key, this.#keyOctets)
      if (place !== 0) return Entry.read(half, place, side)
    }
    return undefined
  }

  /** Entries and octets of a half. */
  usage(side: Side): { readonly entries: number; readonly octets: number } {
    const half = side === 'success' ? this.#success : this.#denial
    return { entries: half.entries, octets: half.usedOctets }
  }
}

/** The place, if what is there is fresh, or stale for less than so long; 0 if not. */
function usable(half: CacheHalf, place: number, nowMs: number, staleSeconds: number): number {
  if (place === 0) return 0
  const at = half.wordAt(place)
  const ttl = ttlAt(half.words[at + ENTRY.TTL]!, half.doubles[(at + ENTRY.STORED) / 2]!, nowMs)
  // A failure is never served stale: it would keep from a client what has come back (RFC 8767 section 4).
  const allowed = isFailure(half.words[at + ENTRY.REPLY]! & 15) ? 0 : staleSeconds
  return ttl > 0 || -ttl < allowed ? place : 0
}

const rcodeAt = (half: CacheHalf, place: number): number => half.words[half.wordAt(place) + ENTRY.REPLY]! & 15

const isFailure = (rcode: number): boolean => rcode !== RCODE.NOERROR && rcode !== RCODE.NXDOMAIN
