// HOT: a cached answer from a query's octets to the reply's octets. Nothing is allocated. The stored octets are copied out of
// memory that all threads share, and count once it is sure that they were there all the time (half.ts); then id,
// flags, the question's spelling and the TTLs are patched in place and, for `loadbalance`, the addresses shuffled.
// Budget: 1 µs, of which half is used (`npm run bench:micro`); ../../../test/plugin/cache/fast.test.ts shows that every
// answer equals the handler's.
//
//   -1 (MISS) unless the entry is fresh, fits, is not due for prefetching; then the
//   handler answers. Nothing is counted on a MISS: the handler counts it.

import type { Trace } from '../../query/packet.ts'
import { REASON_MAX_OCTETS } from '../../wire/extended-error.ts'
import { FLAG_AD, FLAG_CD, FLAG_RD, HEADER_OCTETS, readU16, writeU16, writeU32 } from '../../wire/header.ts'
import { addExtendedError, EDE_OCTETS, OPT_OCTETS, writeOpt } from '../../wire/opt.ts'
import type { Scan } from '../../wire/scan.ts'
import { RUN_MIXED } from './address-run.ts'
import type { CacheConfig } from './config.ts'
import { copyOctets } from './copy.ts'
import type { CacheCounters } from './counters.ts'
import { RECORDS_MAX, ttlAt } from './entry.ts'
import { EMPTY, ENTRY, ENTRY_WORDS } from './layout.ts'
import { noteEntry } from './notes.ts'
import { isPopular } from './prefetch.ts'
import { SlotView } from './slot.ts'
import type { ResponseStore } from './store.ts'

/** The handler must answer this one. */
export const MISS = -1

/** What stands around the cache in its server block, as far as it changes answers. */
export interface FastOptions {
  /** Whether `loadbalance` (round robin) stands before the cache: addresses are then shuffled for each answer. */
  readonly shuffle: boolean
  /** Whether clients with EDNS are told why they get nothing (`ede`). */
  readonly reasons: boolean
  /** 0 ≤ n < 1. */
  readonly random: () => number
}

/** Answers scanned queries of one listener out of a store. */
export class FastCache {
  readonly #store: ResponseStore
  readonly #config: CacheConfig
  readonly #counters: CacheCounters
  readonly #options: FastOptions
  readonly #originMs: number
  readonly #slot = new SlotView()
  /** Where the TTLs of the message at hand are. */
  readonly #ttlAts = new Uint16Array(RECORDS_MAX)
  /** The text of its reason. */
  readonly #reason = new Uint8Array(REASON_MAX_OCTETS)
  /** Why the last answer was empty (RFC 8914), told or not; -1 where it was not. */
  reasonCode = -1

  /** `originMs` is what this thread's clock counts from, on the one that all have in common. */
  constructor(
    store: ResponseStore,
    config: CacheConfig,
    counters: CacheCounters,
    options: FastOptions,
    originMs: number,
  ) {
    this.#store = store
    this.#config = config
    this.#counters = counters
    this.#options = options
    this.#originMs = originMs
  }

  /**
   * Answers the query that `scan` read from `octets` with verdict 'ok' into out[outAt …), at most `limit` octets (the
   * client's payload size included). Returns the octets written, or MISS, with nothing of use in `out`.
   */
  answer(
    scan: Scan,
    octets: Uint8Array,
    out: Uint8Array,
    outAt: number,
    limit: number,
    nowMs: number,
  ): number {
    const store = this.#store
    const sharedMs = nowMs + this.#originMs
    const place = store.selectScan(scan, sharedMs)
    if (place === 0) return MISS
    const { half } = store
    const { words } = half
    const at = half.wordAt(place)
    const lengths = words[at + ENTRY.LENGTHS]!
    const messageOctets = lengths >>> 16
    const ttlSeconds = words[at + ENTRY.TTL]!
    const ttl = ttlAt(ttlSeconds, half.doubles[(at + ENTRY.STORED) / 2]!, sharedMs)
    let length = messageOctets + (scan.edns ? OPT_OCTETS : 0)
    if (ttl <= 0 || length > limit) return MISS
    const reply = words[at + ENTRY.REPLY]!
    const reason = words[at + ENTRY.REASON]!
    const reasonCode = (reason & 0xffff) - 1
    // Who writes an empty reply mostly says why; for those who do not, the road does.
    if ((reply & EMPTY) !== 0 && reasonCode < 0 && scan.edns && this.#options.reasons) return MISS
    const run = words[at + ENTRY.RUN]!
    if (this.#options.shuffle && run >>> 16 === RUN_MIXED) return MISS
    const slot = words[at + ENTRY.SLOT]!
    const records = reply >>> 16
    const from = 4 * (at + ENTRY_WORDS) + (lengths & 0xffff)
    this.#copy(half.octets, from, messageOctets, records, out, outAt)
    const reasonOctets = Math.min(reason >>> 16, REASON_MAX_OCTETS)
    copyOctets(half.octets, from + messageOctets + 2 * records, reasonOctets, this.#reason, 0)
    if (!half.isThere(place)) return MISS
    const { prefetch, keepTtl } = this.#config
    if (prefetch !== undefined) {
      this.#slot.half = half
      this.#slot.slot = slot
      if (isPopular(prefetch, this.#slot, ttlSeconds, ttl, sharedMs)) return MISS
    }
    half.used(slot)
    patchHead(scan, octets, out, outAt)
    const shown = keepTtl ? ttlSeconds : ttl
    for (let i = 0; i < records; i++) writeU32(out, outAt + this.#ttlAts[i]!, shown)
    if (this.#options.shuffle && run !== 0) this.#shuffle(run & 0xffff, run >>> 16, out, outAt)
    if (scan.edns) {
      writeOpt(out, outAt + messageOctets, 0, scan.dnssecOk)
      writeU16(out, outAt + 10, ((out[outAt + 10]! << 8) | out[outAt + 11]!) + 1)
      if (reasonCode >= 0 && this.#options.reasons && length + EDE_OCTETS + reasonOctets <= limit) {
        copyOctets(this.#reason, 0, reasonOctets, out, outAt + length + EDE_OCTETS)
        const [optAt, end] = [outAt + messageOctets, outAt + length]
        length = addExtendedError(out, optAt, end, reasonCode, reasonOctets) - outAt
      }
    }
    this.#counters.requests.add()
    this.#counters.hits[store.side].add()
    this.reasonCode = reasonCode
    return length
  }

  /** Copies a message to out[outAt …), and the offsets of its TTLs. */
  #copy(
    octets: Uint8Array,
    from: number,
    messageOctets: number,
    records: number,
    out: Uint8Array,
    outAt: number,
  ): void {
    copyOctets(octets, from, messageOctets, out, outAt)
    const ttlAts = this.#ttlAts
    let at = from + messageOctets
    for (let i = 0; i < records && i < RECORDS_MAX; i++, at += 2) ttlAts[i] = readU16(octets, at)
  }

  /** Shuffles the addresses of the answer (Fisher and Yates); owners, types and lengths are all the same. */
  #shuffle(runStart: number, runLength: number, out: Uint8Array, outAt: number): void {
    const ttlAts = this.#ttlAts
    for (let i = runLength - 1; i > 0; i--) {
      const j = Math.floor(this.#options.random() * (i + 1))
      if (i === j) continue
      const a = outAt + ttlAts[runStart + i]!
      const b = outAt + ttlAts[runStart + j]!
      // Behind the TTL stand two octets of length, then the address.
      const octets = out[a + 5]!
      for (let k = 6; k < 6 + octets; k++) {
        const octet = out[a + k]!
        out[a + k] = out[b + k]!
        out[b + k] = octet
      }
    }
  }

  /** Tells which entry has just answered. */
  note(trace: Trace, scan: Scan, nowMs: number): void {
    const entry = this.#store.newestOf(scan)
    if (entry !== undefined) noteEntry(trace, entry, nowMs + this.#originMs)
  }

  /**
   * Counts a query that was answered from the cluster's table without asking the handler, as the handler would have: a
   * request and a miss.
   */
  countPassed(): void {
    this.#counters.requests.add()
    this.#counters.misses.add()
  }
}

/** The client's id, RD, CD and spelling; AD only for those who ask for it or set DO (RFC 6840 5.7, 5.8). */
function patchHead(scan: Scan, octets: Uint8Array, out: Uint8Array, outAt: number): void {
  writeU16(out, outAt, scan.id)
  if (scan.recursionDesired) out[outAt + 2]! |= FLAG_RD
  if (!scan.dnssecOk && !scan.authenticData) out[outAt + 3]! &= ~FLAG_AD
  if (scan.checkingDisabled) out[outAt + 3]! |= FLAG_CD
  const from = scan.start + HEADER_OCTETS
  const to = outAt + HEADER_OCTETS
  for (let i = 0; i < scan.foldedLength; i++) out[to + i] = octets[from + i]!
}
