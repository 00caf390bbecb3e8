// What `ratelimit` is told, as data.

/** How much may be asked: so many queries a second for ever, so many at once. */
export interface Allowance {
  readonly perSecond: number
  readonly burst: number
}

/** Of all queries, and of those among them that nobody here can answer; undefined is no limit. */
export interface Allowances {
  readonly queries: Allowance | undefined
  readonly misses: Allowance | undefined
}

/** The configuration of `ratelimit`. */
export interface RatelimitConfig {
  /** Of one address. */
  readonly client: Allowances
  /** Of all Pods of one namespace together. */
  readonly namespace: Allowances
  /** Networks in CIDR notation that are not limited. */
  readonly exempt: readonly string[]
  /** IPv6 addresses that have so many bits in common are one client. */
  readonly ipv6Bits: number
  /** Who asked how much, for all serving threads: memory that buckets.ts made. */
  readonly table: SharedArrayBuffer
}

export const IPV6_BITS_DEFAULT = 128
export const IPV6_BITS_MIN = 32
/** Addresses that are remembered. */
export const CLIENTS_DEFAULT = 16_384
export const CLIENTS_MIN = 1024
export const CLIENTS_MAX = 1_048_576
/** Of a rate and of a burst. */
export const RATE_MAX = 1_000_000
/** Without a number of its own a burst is as much as comes in so many seconds. */
export const BURST_DEFAULT_SECONDS = 2
