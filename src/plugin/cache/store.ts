// The two caches of one server block on one serving thread: answers, and denials with failures. Each is bounded in
// entries and octets and forgets what was used least recently; expiry is ours, against one clock, and takes nothing out:
// what has expired is replaced, served stale or forgotten in its turn.

import { LRUCache } from 'lru-cache'
import { RCODE } from '../../wire/rcode.ts'
import type { CacheConfig, Side, SideConfig } from './config.ts'
import type { CacheCounters } from './counters.ts'
import type { Entry } from './entry.ts'

export class ResponseStore {
  readonly #success: LRUCache<string, Entry>
  readonly #denial: LRUCache<string, Entry>
  readonly #staleSeconds: number
  readonly #preferPositive: boolean
  #evicted = 0

  constructor(config: CacheConfig) {
    this.#success = this.#half(config.success)
    this.#denial = this.#half(config.denial)
    this.#staleSeconds = config.stale?.maxSeconds ?? 0
    this.#preferPositive = config.preferPositive && this.#staleSeconds > 0
  }

  /**
   * The entry that answers this key now, fresh or stale as far as staleness is served: the denial before the answer,
   * but no SERVFAIL where there is a usable answer (CoreDNS 1.14.4); under `prefer_positive` what answers before all.
   */
  select(key: string, nowMs: number): Entry | undefined {
    if (this.#preferPositive) {
      const answering = this.#usable(answeringEntry(this.#success.get(key)), nowMs)
      if (answering !== undefined) return answering
    }
    const denial = this.#usable(this.#denial.get(key), nowMs)
    if (denial !== undefined && denial.rcode !== RCODE.SERVFAIL) return denial
    return this.#usable(this.#success.get(key), nowMs) ?? denial
  }

  /**
   * Keeps the newest reply to a question. What is new takes the other half's place too, so that an answer that was
   * refreshed to a denial does not come back when the denial expires first, nor the other way round; a SERVFAIL says
   * nothing about the name and displaces no answer, and under `prefer_positive` no denial does.
   */
  put(key: string, entry: Entry, counters: CacheCounters): void {
    const half = entry.side === 'success' ? this.#success : this.#denial
    if (entry.side === 'success') {
      if (!this.#preferPositive || entry.answering) this.#denial.delete(key)
      else entry.lastKnownGood = answeringEntry(this.#success.peek(key))
    } else if (!this.#preferPositive && !isFailure(entry)) this.#success.delete(key)
    this.#evicted = 0
    const size = entry.octetsTaken(key)
    half.set(key, entry, { size })
    if (size > half.maxSize) counters.drops.add()
    if (this.#evicted > 0) counters.evictions[entry.side].add(this.#evicted)
    this.gauge(counters)
  }

  /** Tells how many entries there are. */
  gauge(counters: CacheCounters): void {
    counters.entries.success.set(this.#success.size)
    counters.entries.denial.set(this.#denial.size)
  }

  /** The entry stored last for that key, whatever its age. */
  newest(key: string): Entry | undefined {
    return this.#denial.peek(key) ?? this.#success.peek(key)
  }

  /** Forgets all that is kept for that key. */
  forget(key: string): void {
    this.#success.delete(key)
    this.#denial.delete(key)
  }

  /** Forgets everything. */
  clear(): void {
    this.#success.clear()
    this.#denial.clear()
  }

  /** Entries and octets of a half. */
  usage(side: Side): { readonly entries: number; readonly octets: number } {
    const half = side === 'success' ? this.#success : this.#denial
    return { entries: half.size, octets: half.calculatedSize }
  }

  /** A failure is never served stale: it would keep from a client what has come back (RFC 8767 section 4). */
  #usable(entry: Entry | undefined, nowMs: number): Entry | undefined {
    if (entry === undefined) return undefined
    return entry.isUsable(nowMs, isFailure(entry) ? 0 : this.#staleSeconds) ? entry : undefined
  }

  #half({ entriesMax, octetsMax }: SideConfig): LRUCache<string, Entry> {
    return new LRUCache<string, Entry>({
      max: entriesMax,
      maxSize: octetsMax,
      dispose: (_entry, _key, reason) => {
        if (reason === 'evict') this.#evicted++
      },
    })
  }
}

const isFailure = ({ rcode }: Entry): boolean => rcode !== RCODE.NOERROR && rcode !== RCODE.NXDOMAIN

const answeringEntry = (entry: Entry | undefined): Entry | undefined =>
  entry === undefined || entry.answering ? entry : entry.lastKnownGood
