// What the cache tells somebody who wants to know what becomes of a query.

import type { Trace } from '../../query/packet.ts'
import type { Entry } from './entry.ts'

/** Tells how old an entry is that answers, and how long it stays. */
export function noteEntry(trace: Trace, entry: Entry, nowMs: number): void {
  const ageSeconds = Math.max(0, Math.floor((nowMs - entry.storedAtMs) / 1000))
  const ttlSeconds = entry.ttlAt(nowMs)
  const left = ttlSeconds > 0 ? `${ttlSeconds} s are left of it` : `stale for ${-ttlSeconds} s`
  trace.note('cache', `has an answer that is ${ageSeconds} s old; ${left}`, { ageSeconds, ttlSeconds })
}
