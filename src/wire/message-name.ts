// HOT: names where they lie in a message: measured, copied out and compared without building anything (RFC 1035 4.1.4). The
// message may stand anywhere in its array: pointers count from `start`. What comes from outside is measured first; the
// others trust that it was.

import { HEADER_OCTETS } from './header.ts'
import { FOLD, LABEL_MAX_OCTETS, NAME_MAX_OCTETS } from './name.ts'

const POINTER = 0xc0

/**
 * Reads over the name at `at` of a message in octets[start … end), pointers followed strictly backwards (RFC 9267 section
 * 2). Gives two numbers in one, for `nameEnd` and `nameOctets`; -1 for a name that is cut, too long, has a reserved label
 * type or a pointer that does not go back.
 */
export function measureName(octets: Uint8Array, at: number, start: number, end: number): number {
  let next = -1
  let length = 1
  let limit = end
  let segment = at
  for (;;) {
    if (at >= limit) return -1
    const label = octets[at]!
    if (label === 0) return (next < 0 ? at + 1 : next) * 256 + length
    if (label >= POINTER) {
      if (at + 1 >= limit) return -1
      const target = start + (((label & 0x3f) << 8) | octets[at + 1]!)
      if (target >= segment || target < start + HEADER_OCTETS) return -1
      if (next < 0) next = at + 2
      limit = segment
      at = target
      segment = target
      continue
    }
    length += label + 1
    if (label > LABEL_MAX_OCTETS || at + 1 + label > limit || length > NAME_MAX_OCTETS) return -1
    at += label + 1
  }
}

/** Where the measured name ends in the message. */
export const nameEnd = (measured: number): number => measured >> 8

/** Octets of the measured name without compression. */
export const nameOctets = (measured: number): number => measured & 255

/** Copies a measured name out of its message, uncompressed and in its spelling; returns its octets. */
export function copyName(
  octets: Uint8Array,
  at: number,
  start: number,
  out: Uint8Array,
  outAt: number,
): number {
  let to = outAt
  for (;;) {
    const label = octets[at]!
    if (label >= POINTER) {
      at = start + (((label & 0x3f) << 8) | octets[at + 1]!)
      continue
    }
    for (const stop = at + label + 1; at < stop; at++) out[to++] = octets[at]!
    if (label === 0) return to - outAt
  }
}

/** The same with the case folded. */
export function copyFoldedName(
  octets: Uint8Array,
  at: number,
  start: number,
  out: Uint8Array,
  outAt: number,
): number {
  const length = copyName(octets, at, start, out, outAt)
  for (let i = outAt; i < outAt + length; i++) out[i] = FOLD[out[i]!]!
  return length
}

/** Whether two measured names, of one message or of two, are the same, ASCII case aside. */
export function sameName(
  a: Uint8Array,
  aAt: number,
  aStart: number,
  b: Uint8Array,
  bAt: number,
  bStart: number,
): boolean {
  for (;;) {
    while (a[aAt]! >= POINTER) aAt = aStart + (((a[aAt]! & 0x3f) << 8) | a[aAt + 1]!)
    while (b[bAt]! >= POINTER) bAt = bStart + (((b[bAt]! & 0x3f) << 8) | b[bAt + 1]!)
    if (a === b && aAt === bAt) return true
    const label = a[aAt]!
    if (label !== b[bAt]) return false
    if (label === 0) return true
    for (let i = 1; i <= label; i++) if (FOLD[a[aAt + i]!] !== FOLD[b[bAt + i]!]) return false
    aAt += label + 1
    bAt += label + 1
  }
}
