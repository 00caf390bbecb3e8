// HOT: a cached answer from a query's octets to the reply's octets. One string is made for the key; nothing else is
// allocated. The string and the map's look-up cost 220 ns among 20,000 names; an index of our own would still have to
// hash and compare the name (150 ns) and need rules for what the map forgets. The stored octets are copied, then id,
// flags, the question's spelling and the TTLs are patched in place and, for `loadbalance`, the addresses shuffled.
// Budget: 1 µs, of which half is used (`npm run bench:micro`); ../../../test/plugin/cache/fast.test.ts shows that every
// answer equals the handler's.
//
//   -1 (MISS) unless the entry is fresh, fits and is not due for prefetching; then the
//   handler answers. Nothing is counted on a MISS: the handler counts it.

import type { Trace } from '../../query/packet.ts'
import { FLAG_AD, FLAG_CD, FLAG_RD, HEADER_OCTETS, writeU16, writeU32 } from '../../wire/header.ts'
import { addExtendedError, EDE_OCTETS, OPT_OCTETS, writeOpt } from '../../wire/opt.ts'
import type { Scan } from '../../wire/scan.ts'
import type { CacheConfig } from './config.ts'
import type { CacheCounters } from './counters.ts'
import { copyText, type Entry, writeText } from './entry.ts'
import { scanKey } from './key.ts'
import { noteEntry } from './notes.ts'
import { isPopular } from './prefetch.ts'
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
  /** Why the last answer was empty (RFC 8914), told or not; -1 where it was not. */
  reasonCode = -1

  constructor(store: ResponseStore, config: CacheConfig, counters: CacheCounters, options: FastOptions) {
    this.#store = store
    this.#config = config
    this.#counters = counters
    this.#options = options
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
    const entry = this.#store.select(scanKey(scan), nowMs)
    if (entry === undefined) return MISS
    const ttl = entry.ttlAt(nowMs)
    let length = entry.messageOctets + (scan.edns ? OPT_OCTETS : 0)
    if (ttl <= 0 || length > limit) return MISS
    // Who writes an empty reply mostly says why; for those who do not, the road does.
    if (entry.isEmpty && entry.reasonCode < 0 && scan.edns && this.#options.reasons) return MISS
    if (this.#options.shuffle && entry.runLength < 0) return MISS
    const { prefetch, keepTtl } = this.#config
    if (prefetch !== undefined && isPopular(prefetch, entry, ttl, nowMs)) return MISS
    copyText(entry.octets, entry.messageOctets, out, outAt)
    patchHead(scan, octets, out, outAt)
    patchTtls(entry, keepTtl ? entry.ttlSeconds : ttl, out, outAt)
    if (this.#options.shuffle && entry.runLength > 1) shuffle(entry, this.#options.random, out, outAt)
    if (scan.edns) {
      writeOpt(out, outAt + entry.messageOctets, 0, scan.dnssecOk)
      writeU16(out, outAt + 10, ((out[outAt + 10]! << 8) | out[outAt + 11]!) + 1)
      if (entry.reasonCode >= 0 && this.#options.reasons)
        length = addReason(entry, out, outAt, length, outAt + limit) - outAt
    }
    this.#counters.requests.add()
    this.#counters.hits[entry.side].add()
    this.reasonCode = entry.reasonCode
    return length
  }

  /** Tells which entry has just answered. */
  note(trace: Trace, scan: Scan, nowMs: number): void {
    const entry = this.#store.newest(scanKey(scan))
    if (entry !== undefined) noteEntry(trace, entry, nowMs)
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

/** The reason behind the OPT record, which ends the reply, where it fits before `limit`; returns where the reply ends. */
function addReason(
  { messageOctets, reasonCode, reasonText }: Entry,
  out: Uint8Array,
  outAt: number,
  octets: number,
  limit: number,
): number {
  const end = outAt + octets
  // A character is three octets of UTF-8 at most; whose are not ASCII may miss a narrow fit.
  if (end + EDE_OCTETS + 3 * reasonText.length > limit) return end
  const written = writeText(reasonText, out, end + EDE_OCTETS)
  return addExtendedError(out, outAt + messageOctets, end, reasonCode, written)
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

function patchTtls(entry: Entry, ttlSeconds: number, out: Uint8Array, outAt: number): void {
  const { records } = entry
  for (let i = 0; i < records; i++) writeU32(out, outAt + entry.ttlOffset(i), ttlSeconds)
}

/** Shuffles the addresses of the answer (Fisher and Yates); owners, types and lengths are all the same. */
function shuffle(entry: Entry, random: () => number, out: Uint8Array, outAt: number): void {
  const { runStart, runLength } = entry
  for (let i = runLength - 1; i > 0; i--) {
    const j = Math.floor(random() * (i + 1))
    if (i === j) continue
    const a = outAt + entry.ttlOffset(runStart + i)
    const b = outAt + entry.ttlOffset(runStart + j)
    // Behind the TTL stand two octets of length, then the address.
    const octets = out[a + 5]!
    for (let k = 6; k < 6 + octets; k++) {
      const octet = out[a + k]!
      out[a + k] = out[b + k]!
      out[b + k] = octet
    }
  }
}
