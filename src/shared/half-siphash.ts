// HalfSipHash-1-3 (Aumasson and Bernstein; the rounds that Linux takes for its hash tables): a keyed hash of 32 bits, for
// tables in memory whose keys others choose. Without the key nobody can find keys that meet in one place.
//
// HOT: 15 to 40 ns for the keys of the answer table.

import { randomInt } from 'node:crypto'

/** A key of two words. */
export type HashSeed = readonly [k0: number, k1: number]

const WORD = 2 ** 32

/** A seed that nobody knows. */
export const randomSeed = (): HashSeed => [randomInt(WORD) | 0, randomInt(WORD) | 0]

/** The hash of octets[at … end) as a signed number of 32 bits. */
export function halfSipHash(k0: number, k1: number, octets: Uint8Array, at: number, end: number): number {
  let v0 = k0
  let v1 = k1
  let v2 = 0x6c796765 ^ k0
  let v3 = 0x74656462 ^ k1
  const left = (end - at) & 3
  const whole = end - left
  const last = (end - at) << 24
  for (; at < whole; at += 4) {
    const word = octets[at]! | (octets[at + 1]! << 8) | (octets[at + 2]! << 16) | (octets[at + 3]! << 24)
    v3 ^= word
    v0 = (v0 + v1) | 0
    v1 = ((v1 << 5) | (v1 >>> 27)) ^ v0
    v0 = (v0 << 16) | (v0 >>> 16)
    v2 = (v2 + v3) | 0
    v3 = ((v3 << 8) | (v3 >>> 24)) ^ v2
    v0 = (v0 + v3) | 0
    v3 = ((v3 << 7) | (v3 >>> 25)) ^ v0
    v2 = (v2 + v1) | 0
    v1 = ((v1 << 13) | (v1 >>> 19)) ^ v2
    v2 = (v2 << 16) | (v2 >>> 16)
    v0 ^= word
  }
  let word = last
  if (left > 2) word |= octets[at + 2]! << 16
  if (left > 1) word |= octets[at + 1]! << 8
  if (left > 0) word |= octets[at]!
  v3 ^= word
  // One round for the last word, then three.
  for (let round = 0; round < 4; round++) {
    v0 = (v0 + v1) | 0
    v1 = ((v1 << 5) | (v1 >>> 27)) ^ v0
    v0 = (v0 << 16) | (v0 >>> 16)
    v2 = (v2 + v3) | 0
    v3 = ((v3 << 8) | (v3 >>> 24)) ^ v2
    v0 = (v0 + v3) | 0
    v3 = ((v3 << 7) | (v3 >>> 25)) ^ v0
    v2 = (v2 + v1) | 0
    v1 = ((v1 << 13) | (v1 >>> 19)) ^ v2
    v2 = (v2 << 16) | (v2 >>> 16)
    if (round === 0) {
      v0 ^= word
      v2 ^= 0xff
    }
  }
  return v1 ^ v3
}
