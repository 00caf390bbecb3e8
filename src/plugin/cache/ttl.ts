// The one TTL that every record of a reply leaves the cache with: the smallest in the message, raised to the minimum and
// lowered to the maximum of its half (coredns plugin/cache WriteMsg, plugin/pkg/dnsutil/ttl.go). Replies that are never
// stored get it too. A denial's TTL is that of its records, not the SOA's minimum field.

import { name, zoneOffset } from '../../wire/name.ts'
import type { ReplyKind } from './classify.ts'
import { type CacheConfig, type Side, type SideConfig, TTL_MIN_SECONDS } from './config.ts'

/** Which half of the cache a reply of that kind belongs to. */
export const sideOf = (kind: ReplyKind): Side =>
  kind === 'nodata' || kind === 'nxdomain' || kind === 'failure' ? 'denial' : 'success'

/** The TTL, in whole seconds, of all records of a reply of that kind; `smallest` is the smallest among them, or Infinity. */
export function replyTtl(config: CacheConfig, kind: ReplyKind, smallest: number): number {
  if (kind === 'failure') return Math.floor(config.failureMs / 1000)
  const promises = kind === 'positive' || kind === 'nodata' || kind === 'nxdomain'
  return clamp(
    config[sideOf(kind)],
    promises && smallest < Number.POSITIVE_INFINITY ? smallest : TTL_MIN_SECONDS,
  )
}

const clamp = ({ ttlMinSeconds, ttlMaxSeconds }: SideConfig, ttlSeconds: number): number =>
  Math.min(Math.max(ttlSeconds, ttlMinSeconds), ttlMaxSeconds)

/**
 * The TTL that an answer from a zone gets on its way through the cache, for whoever writes answers without calling the
 * handler: `smallestTtl` is the smallest TTL among its records, `zoneText` a lower-case absolute name. A zone that the
 * cache is not for keeps its TTL. `disable` changes nothing: it stops storing, not flattening. Where `coverage` is
 * 'some' the answer depends on the name, and the handler must be asked.
 */
export function flattenedTtl(config: CacheConfig, zoneText: string, smallestTtl: number, kind: Side): number {
  return coverage(config, zoneText) === 'all' ? clamp(config[kind], smallestTtl) : smallestTtl
}

/** Whether the cache is for all names of a zone, for none, or for some: those below a name inside the zone. */
export function coverage(config: CacheConfig, zoneText: string): 'all' | 'some' | 'none' {
  const zone = name(zoneText)
  const zones = config.zones.map(text => name(text))
  if (zones.some(cached => zoneOffset(zone, cached) >= 0)) return 'all'
  return zones.some(cached => zoneOffset(cached, zone) >= 0) ? 'some' : 'none'
}
