// What `cache` is told, as data: one type, its defaults and its bounds. The Corefile's text is read in parse.ts.
// Defaults are CoreDNS 1.14.7's (plugin/cache/cache.go); the bounds in octets are ours.

/** The two halves of the cache: answers, and the denials and failures (RFC 2308). */
export type Side = 'success' | 'denial'

export interface SideConfig {
  /** Entries held at most. */
  readonly entriesMax: number
  /** Octets held at most, keys and bookkeeping included. */
  readonly octetsMax: number
  /** No TTL above it leaves the cache. */
  readonly ttlMaxSeconds: number
  /** No TTL below it leaves the cache, unless the maximum is lower still. */
  readonly ttlMinSeconds: number
  /** Zones whose replies are not stored; their TTLs are flattened all the same. Lower-case absolute names. */
  readonly exceptZones: readonly string[]
}

/** Refreshing what is popular before it expires. */
export interface PrefetchConfig {
  /** That many hits, no two of them further apart than the window, make an entry popular. */
  readonly hits: number
  readonly windowMs: number
  /** Refreshed when no more than that share of its TTL is left. */
  readonly percent: number
}

/** Serving what has expired (RFC 8767). */
export interface StaleConfig {
  /** How long after its expiry an entry is served. */
  readonly maxSeconds: number
  /** `verify`: ask first, serve stale where that fails. Otherwise `immediate`: serve stale, ask behind. */
  readonly verify: boolean
  /** How long `verify` makes a client wait; 0 is as long as the rest of the chain takes. */
  readonly verifyTimeoutMs: number
  /** The TTL of a stale answer. */
  readonly ttlSeconds: number
  /** How long after a failed refresh the next one waits; 0 is not at all. */
  readonly recheckMs: number
}

export interface CacheConfig {
  /** What all serving threads keep replies in (layout.ts); absent: each has its own. */
  readonly memory?: SharedArrayBuffer | undefined
  /** Names the cache is for, lower-case absolute. */
  readonly zones: readonly string[]
  readonly success: SideConfig
  readonly denial: SideConfig
  /** How long SERVFAIL and NOTIMP are kept; 0 is not at all. */
  readonly failureMs: number
  readonly prefetch: PrefetchConfig | undefined
  readonly stale: StaleConfig | undefined
  /** `serve_stale_policy prefer_positive`: the last good answer outlives what denies it. */
  readonly preferPositive: boolean
  /** TTLs do not count down. */
  readonly keepTtl: boolean
}

/** Entries of each half; what CoreDNS makes of its 10,000 by dividing them into 256 shards. */
export const ENTRIES_DEFAULT = 9984
/** More entries than this would be reserved memory for nothing. */
export const ENTRIES_MAX = 1_000_000
/**
 * Octets that an entry may take on average, its bookkeeping included; what an entry takes beyond it, others lack. With the
 * default capacity the two halves together stay below 18 MiB, for all threads.
 */
export const OCTETS_PER_ENTRY: Readonly<Record<Side, number>> = { success: 1024, denial: 768 }
/** A cache of few entries still takes one reply of any size. */
export const OCTETS_MIN = 256 * 1024

/** The longest TTL of an answer. */
export const SUCCESS_TTL_MAX_SECONDS = 3600
/** The longest TTL of a denial. */
export const DENIAL_TTL_MAX_SECONDS = 1800
/** The shortest TTL of either; also the TTL of replies that have none of their own. */
export const TTL_MIN_SECONDS = 5
/** How long a failure is kept unless `servfail` says otherwise. */
export const FAILURE_DEFAULT_MS = 5000
/** RFC 2308 section 7.1: a failure is kept for five minutes at most. */
export const FAILURE_MAX_MS = 300_000
/** How long stale answers are served where `serve_stale` stands alone. */
export const STALE_DEFAULT_MS = 3_600_000
/** The longest wait between two refreshes of a stale entry. */
export const RECHECK_MAX_MS = 300_000
/** The window of `prefetch N`. */
export const PREFETCH_WINDOW_DEFAULT_MS = 60_000
/** The share of the TTL of `prefetch N D`. */
export const PREFETCH_PERCENT_DEFAULT = 10

/** The octets that a half of that many entries may hold. */
export const octetsMax = (side: Side, entriesMax: number): number =>
  Math.max(OCTETS_MIN, entriesMax * OCTETS_PER_ENTRY[side])

/** What plain `cache` means in a block of these zones. */
export function defaultConfig(zones: readonly string[]): CacheConfig {
  const side = (name: Side, ttlMaxSeconds: number): SideConfig => ({
    entriesMax: ENTRIES_DEFAULT,
    octetsMax: octetsMax(name, ENTRIES_DEFAULT),
    ttlMaxSeconds,
    ttlMinSeconds: TTL_MIN_SECONDS,
    exceptZones: [],
  })
  return {
    zones,
    success: side('success', SUCCESS_TTL_MAX_SECONDS),
    denial: side('denial', DENIAL_TTL_MAX_SECONDS),
    failureMs: FAILURE_DEFAULT_MS,
    prefetch: undefined,
    stale: undefined,
    preferPositive: false,
    keepTtl: false,
  }
}
