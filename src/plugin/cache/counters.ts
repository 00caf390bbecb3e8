// What the cache counts, under CoreDNS's names (plugin/cache/metrics.go), once per listener whose queries it sees. The
// first few lookups make the handles; afterwards counting is a store.

import type { Counter, Gauge, Meters } from '../../observe/meters.ts'
import type { Side } from './config.ts'

/** The handles of one listener and view. */
export interface CacheCounters {
  readonly requests: Counter
  readonly misses: Counter
  readonly hits: Readonly<Record<Side, Counter>>
  readonly prefetches: Counter
  /** Replies that were not stored because no message holds them. */
  readonly drops: Counter
  readonly servedStale: Counter
  /** Refreshes that were put off because too many were under way; ours, CoreDNS has no such bound. */
  readonly refreshesSkipped: Counter
  readonly evictions: Readonly<Record<Side, Counter>>
  readonly entries: Readonly<Record<Side, Gauge>>
}

/** Makes the handles of one listener (`dns://:53`) and view; `zones` are those of the directive. */
export function makeCounters(
  meters: Meters,
  server: string,
  view: string,
  zones: readonly string[],
): CacheCounters {
  const labels = { server, zones: zones.join(','), view }
  const typed = (type: Side) => ({ ...labels, type })
  return {
    requests: meters.counter('coredns_cache_requests_total', labels),
    misses: meters.counter('coredns_cache_misses_total', labels),
    hits: {
      success: meters.counter('coredns_cache_hits_total', typed('success')),
      denial: meters.counter('coredns_cache_hits_total', typed('denial')),
    },
    prefetches: meters.counter('coredns_cache_prefetch_total', labels),
    drops: meters.counter('coredns_cache_drops_total', labels),
    servedStale: meters.counter('coredns_cache_served_stale_total', labels),
    refreshesSkipped: meters.counter('seamark_cache_refreshes_skipped_total', labels),
    evictions: {
      success: meters.counter('coredns_cache_evictions_total', typed('success')),
      denial: meters.counter('coredns_cache_evictions_total', typed('denial')),
    },
    entries: {
      success: meters.gauge('coredns_cache_entries', typed('success')),
      denial: meters.gauge('coredns_cache_entries', typed('denial')),
    },
  }
}

/** Hands out the handles by listener and view; each pair is made once. */
export class CounterSets {
  readonly #make: (server: string, view: string) => CacheCounters
  readonly #sets = new Map<string, Map<string, CacheCounters>>()

  constructor(make: (server: string, view: string) => CacheCounters) {
    this.#make = make
  }

  of(server: string, view: string): CacheCounters {
    let views = this.#sets.get(server)
    if (!views) {
      views = new Map()
      this.#sets.set(server, views)
    }
    let counters = views.get(view)
    if (!counters) {
      counters = this.#make(server, view)
      views.set(view, counters)
    }
    return counters
  }
}
