// What the live page shows, as data: figures of the last moments, out of what is counted and sampled anyway.

import type { TrafficLists } from '../traffic.ts'

export interface UpstreamFigures {
  /** `10.0.0.1:53`, as in metrics. */
  readonly to: string
  readonly isDown: boolean
  readonly perSecond: number
  /** Undefined while it is not asked. */
  readonly p50Ms: number | undefined
  readonly p99Ms: number | undefined
  /** Replies a second that are failures (SERVFAIL, REFUSED). */
  readonly failuresPerSecond: number
}

export interface WatchFigures {
  readonly resource: string
  readonly objects: number
  readonly state: 'current' | 'old' | 'not listed yet'
  /** How long ago it was last known to be what the API server has, in seconds; undefined for a folder. */
  readonly ageSeconds: number | undefined
}

export interface StatusData {
  readonly version: string
  readonly upSeconds: number
  readonly queriesPerSecond: number
  /** Answers a second by code, most first. */
  readonly codes: readonly { readonly rcode: string; readonly perSecond: number }[]
  readonly p50Ms: number | undefined
  readonly p99Ms: number | undefined
  /** Of queries that came to a cache: 0 to 1; undefined where none did. */
  readonly cacheHitRatio: number | undefined
  readonly cacheEntries: number
  readonly upstreams: readonly UpstreamFigures[]
  readonly watches: readonly WatchFigures[]
  readonly threads: readonly { readonly name: string; readonly busyRatio: number }[]
  readonly memoryOctets: number
  readonly memoryLimitOctets: number
  readonly lists: TrafficLists
  readonly storms: readonly string[]
  /** Of the Corefile and of what is watched, for anybody to read. */
  readonly problems: readonly string[]
}
