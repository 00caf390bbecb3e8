// HOT: the TTLs of a message of our own making, where they stand, and its size as CoreDNS counts it. OPT is not among its
// records: a reply gets its own last of all.

import { HEADER_OCTETS, writeU32 } from './header.ts'
import { RecordWalk } from './walk.ts'

const walk = new RecordWalk()

/** The smallest TTL of the records in octets[start … end); Infinity where there are none. */
export function smallestTtl(octets: Uint8Array, start: number, end: number): number {
  let smallest = Number.POSITIVE_INFINITY
  for (walk.open(octets, start, end); walk.next(); ) if (walk.ttl < smallest) smallest = walk.ttl
  return smallest
}

/** Gives all records one TTL. */
export function setTtls(octets: Uint8Array, start: number, end: number, ttlSeconds: number): void {
  for (walk.open(octets, start, end); walk.next(); ) writeU32(octets, walk.ttlAt, ttlSeconds)
}

/** Raises TTLs to a least and lowers them to a greatest. */
export function boundTtls(
  octets: Uint8Array,
  start: number,
  end: number,
  minSeconds: number,
  maxSeconds: number,
): void {
  for (walk.open(octets, start, end); walk.next(); )
    writeU32(octets, walk.ttlAt, Math.min(maxSeconds, Math.max(minSeconds, walk.ttl)))
}

/** Octets of a message with every name written out, OPT left out: CoreDNS's sizes. */
export function uncompressedOctets(octets: Uint8Array, start: number, end: number): number {
  if (!walk.open(octets, start, end)) return end - start
  // The question's name is never compressed.
  let total = HEADER_OCTETS + (walk.questionEnd - start - HEADER_OCTETS)
  while (walk.next()) total += walk.uncompressedOctets
  return total
}
