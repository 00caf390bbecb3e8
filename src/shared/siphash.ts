// HOT: SipHash-2-4 (Aumasson and Bernstein): a keyed hash of 64 bits for short inputs, which Node's crypto does not offer by
// itself. Words of 64 bits are pairs of 32, v0 low and high, v1 low and high, …, in variables of one function: a state in
// memory took twice the time.

/** Octets of a key and of a hash. */
export const SIPHASH_KEY_OCTETS = 16
export const SIPHASH_OCTETS = 8

/** Rounds for a word, and behind the last one. */
const ROUNDS = 2
const LAST_ROUNDS = 4

const last = new Uint8Array(8)

/** Writes the hash of data[0 … length) under a key of 16 octets to out[at …), as the reference implementation does (little-endian). */
export function sipHash24(
  key: Uint8Array,
  data: Uint8Array,
  length: number,
  out: Uint8Array,
  at: number,
): void {
  const k0 = readU32(key, 0)
  const k0High = readU32(key, 4)
  const k1 = readU32(key, 8)
  const k1High = readU32(key, 12)
  // "somepseudorandomlygeneratedbytes"
  let a = 0x70736575 ^ k0
  let aHigh = 0x736f6d65 ^ k0High
  let b = 0x6e646f6d ^ k1
  let bHigh = 0x646f7261 ^ k1High
  let c = 0x6e657261 ^ k0
  let cHigh = 0x6c796765 ^ k0High
  let d = 0x79746573 ^ k1
  let dHigh = 0x74656462 ^ k1High
  const whole = length & ~7
  // The last word holds what is left and the length.
  last.fill(0)
  for (let from = whole; from < length; from++) last[from - whole] = data[from]!
  last[7] = length
  for (let from = 0; from <= whole + 8; from += 8) {
    const isEnd = from > whole
    const octets = from < whole ? data : last
    const wordAt = from < whole ? from : 0
    const word = isEnd ? 0 : readU32(octets, wordAt)
    const wordHigh = isEnd ? 0 : readU32(octets, wordAt + 4)
    if (isEnd) c ^= 0xff
    d ^= word
    dHigh ^= wordHigh
    for (let round = isEnd ? LAST_ROUNDS : ROUNDS; round > 0; round--) {
      let low: number
      // v0 += v1; v1 = (v1 <<< 13) ^ v0; v0 = v0 <<< 32
      a = (a + b) | 0
      aHigh = (aHigh + bHigh + carry(a, b)) | 0
      low = ((b << 13) | (bHigh >>> 19)) ^ a
      bHigh = ((bHigh << 13) | (b >>> 19)) ^ aHigh
      b = low
      low = a
      a = aHigh
      aHigh = low
      // v2 += v3; v3 = (v3 <<< 16) ^ v2
      c = (c + d) | 0
      cHigh = (cHigh + dHigh + carry(c, d)) | 0
      low = ((d << 16) | (dHigh >>> 16)) ^ c
      dHigh = ((dHigh << 16) | (d >>> 16)) ^ cHigh
      d = low
      // v0 += v3; v3 = (v3 <<< 21) ^ v0
      a = (a + d) | 0
      aHigh = (aHigh + dHigh + carry(a, d)) | 0
      low = ((d << 21) | (dHigh >>> 11)) ^ a
      dHigh = ((dHigh << 21) | (d >>> 11)) ^ aHigh
      d = low
      // v2 += v1; v1 = (v1 <<< 17) ^ v2; v2 = v2 <<< 32
      c = (c + b) | 0
      cHigh = (cHigh + bHigh + carry(c, b)) | 0
      low = ((b << 17) | (bHigh >>> 15)) ^ c
      bHigh = ((bHigh << 17) | (b >>> 15)) ^ cHigh
      b = low
      low = c
      c = cHigh
      cHigh = low
    }
    a ^= word
    aHigh ^= wordHigh
  }
  writeU32(out, at, a ^ b ^ c ^ d)
  writeU32(out, at + 4, aHigh ^ bHigh ^ cHigh ^ dHigh)
}

const readU32 = (octets: Uint8Array, at: number): number =>
  octets[at]! | (octets[at + 1]! << 8) | (octets[at + 2]! << 16) | (octets[at + 3]! << 24)

function writeU32(octets: Uint8Array, at: number, word: number): void {
  for (let i = 0; i < 4; i++) octets[at + i] = word >>> (8 * i)
}

/** Whether a sum of 32 bits ran over, by one of what was added. */
const carry = (sum: number, part: number): number => (sum >>> 0 < part >>> 0 ? 1 : 0)
