// Which entries are worth refreshing before they expire (coredns plugin/cache/freq and handler.go shouldPrefetch): those
// hit N times without a gap longer than the window, when no more than P percent of their TTL is left.

import type { PrefetchConfig } from './config.ts'

/** What is counted about an entry. */
export interface Popularity {
  readonly hits: number
  readonly lastHitMs: number
  isRefreshing(nowMs: number): boolean
  setHits(hits: number, nowMs: number): void
}

/**
 * Counts a hit on a fresh entry, unless the entry is due for a refresh that has not begun: then nothing is counted and
 * the answer is true, so that the fast path may leave the same hit to the handler.
 */
export function isPopular(
  config: PrefetchConfig,
  entry: Popularity,
  ttlSeconds: number,
  ttl: number,
  nowMs: number,
): boolean {
  const hits = nextHits(config, entry, nowMs)
  const due = hits >= config.hits && ttl <= Math.ceil((config.percent / 100) * ttlSeconds)
  if (due && !entry.isRefreshing(nowMs)) return true
  countHit(config, entry, nowMs)
  return false
}

/** Counts a hit. */
export function countHit(config: PrefetchConfig, entry: Popularity, nowMs: number): void {
  entry.setHits(nextHits(config, entry, nowMs), nowMs)
}

const nextHits = ({ windowMs }: PrefetchConfig, { hits, lastHitMs }: Popularity, nowMs: number): number =>
  hits === 0 || ((nowMs - lastHitMs) | 0) > windowMs ? 1 : hits + 1
