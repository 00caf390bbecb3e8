// The one TTL that every record of a reply leaves the cache with: the smallest in the message, raised to the minimum and
// lowered to the maximum of its half (coredns plugin/cache WriteMsg, plugin/pkg/dnsutil/ttl.go). Replies that are never
// stored get it too. A denial's TTL is that of its records, not the SOA's minimum field.

import type { Reply } from '../../query/reply.ts'
import { type Name, name, zoneOffset } from '../../wire/name.ts'
import { type Rr, withTtl } from '../../wire/record.ts'
import type { ReplyKind } from './classify.ts'
import { type CacheConfig, type Side, type SideConfig, TTL_MIN_SECONDS } from './config.ts'

/** Which half of the cache a reply of that kind belongs to. */
export const sideOf = (kind: ReplyKind): Side =>
  kind === 'nodata' || kind === 'nxdomain' || kind === 'failure' ? 'denial' : 'success'

/** The TTL, in whole seconds, of all records of a reply of that kind. */
export function replyTtl(config: CacheConfig, kind: ReplyKind, reply: Reply): number {
  if (kind === 'failure') return Math.floor(config.failureMs / 1000)
  return clamp(config[sideOf(kind)], smallestTtl(kind, reply))
}

/** The smallest TTL in the message; five seconds for replies without records and of kinds that promise nothing. */
function smallestTtl(kind: ReplyKind, reply: Reply): number {
  if (kind !== 'positive' && kind !== 'nodata' && kind !== 'nxdomain') return TTL_MIN_SECONDS
  let smallest = Number.POSITIVE_INFINITY
  for (const section of [reply.answer, reply.authority, reply.additional]) {
    for (const { ttlSeconds } of section) smallest = Math.min(smallest, ttlSeconds)
  }
  return smallest === Number.POSITIVE_INFINITY ? TTL_MIN_SECONDS : smallest
}

const clamp = ({ ttlMinSeconds, ttlMaxSeconds }: SideConfig, ttlSeconds: number): number =>
  Math.min(Math.max(ttlSeconds, ttlMinSeconds), ttlMaxSeconds)

/** The same reply with that TTL on every record. */
export function withReplyTtl(reply: Reply, ttlSeconds: number): Reply {
  const flatten = (records: readonly Rr[]): readonly Rr[] =>
    records.every(record => record.ttlSeconds === ttlSeconds)
      ? records
      : records.map(record => withTtl(record, ttlSeconds))
  return {
    ...reply,
    answer: flatten(reply.answer),
    authority: flatten(reply.authority),
    additional: flatten(reply.additional),
  }
}

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

/** Zone texts as names, for `isWithinAny`. */
export const zoneNames = (zones: readonly string[]): readonly Name[] => zones.map(text => name(text))
