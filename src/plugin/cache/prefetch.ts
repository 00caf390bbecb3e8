// Which entries are worth refreshing before they expire (coredns plugin/cache/freq and handler.go shouldPrefetch): those
// hit N times without a gap longer than the window, when no more than P percent of their TTL is left.

import type { PrefetchConfig } from './config.ts'
import type { Entry } from './entry.ts'

const PERCENT_MAX = 90

/**
 * What one of several threads goes by, each of which has a cache of its own and sees its part of the queries: what is asked as
 * often in all is as popular as in one cache for all, and is due that much earlier, so that a hit comes in time on each.
 */
export const ofThread = ({ hits, windowMs, percent }: PrefetchConfig, threads: number): PrefetchConfig => ({
  hits: Math.ceil(hits / threads),
  windowMs: windowMs * threads,
  percent: Math.max(percent, Math.min(PERCENT_MAX, percent * threads)),
})

/**
 * Counts a hit on a fresh entry, unless the entry is due for a refresh that has not begun: then nothing is counted and
 * the answer is true, so that the fast path may leave the same hit to the handler.
 */
export function isPopular(config: PrefetchConfig, entry: Entry, ttl: number, nowMs: number): boolean {
  const hits = nextHits(config, entry, nowMs)
  const due = hits >= config.hits && ttl <= Math.ceil((config.percent / 100) * entry.ttlSeconds)
  if (due && !entry.isRefreshing(nowMs)) return true
  countHit(config, entry, nowMs)
  return false
}

/** Counts a hit. */
export function countHit(config: PrefetchConfig, entry: Entry, nowMs: number): void {
  entry.hits = nextHits(config, entry, nowMs)
  entry.lastHitMs = nowMs
}

const nextHits = ({ windowMs }: PrefetchConfig, { hits, lastHitMs }: Entry, nowMs: number): number =>
  lastHitMs < nowMs - windowMs ? 1 : hits + 1
