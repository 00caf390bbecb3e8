// The hashes under which NSEC3 records stand (RFC 5155 5): SHA-1 of a name and a salt, over and over, in base32 with the
// digits first, as a label before the zone's name.

import { lazy } from '../../shared/lazy.ts'
import { readU16 } from '../../wire/header.ts'
import { foldName, type Name } from '../../wire/name.ts'
import { TYPE } from '../../wire/rrtype.ts'
import type { ZoneImage } from './image.ts'

/** Octets of a SHA-1, and of its text. */
const HASH_OCTETS = 20
const TEXT_OCTETS = 32
const DIGITS = Buffer.from('0123456789abcdefghijklmnopqrstuv')

/**
 * More are refused when a zone is read: each answer about a missing name costs three times as many hashes, and RFC 9276 asks
 * for none. BIND draws the same line.
 */
export const ITERATIONS_MAX = 150

/** The name of the zone at which an NSEC3 record about `name` would stand. */
export function hashedName(zone: ZoneImage, name: Name): Name {
  const { rdata } = zone.firstRecord(zone.apex, TYPE.NSEC3PARAM)
  const salt = rdata.subarray(5, 5 + rdata[4]!)
  const { createHash } = lazy.crypto
  let digest: Uint8Array = foldName(name)
  for (let left = readU16(rdata, 2); left >= 0; left--)
    digest = createHash('sha1').update(digest).update(salt).digest()
  const hashed = new Uint8Array(1 + TEXT_OCTETS + zone.origin.length)
  hashed[0] = TEXT_OCTETS
  for (let i = 0; i < TEXT_OCTETS; i++) hashed[1 + i] = DIGITS[fiveBits(digest, 5 * i)]!
  hashed.set(zone.origin, 1 + TEXT_OCTETS)
  return hashed
}

/** Five bits of a hash, from that one on. */
function fiveBits(digest: Uint8Array, bit: number): number {
  const at = bit >> 3
  const both = (digest[at]! << 8) | (at + 1 < HASH_OCTETS ? digest[at + 1]! : 0)
  return (both >> (11 - (bit & 7))) & 31
}
