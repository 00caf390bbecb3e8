// HOT: SipHash-2-4 (Aumasson and Bernstein): a keyed hash of 64 bits for short inputs, which Node's crypto does not offer by
// itself. Words of 64 bits are pairs of 32: the state is v0 low, v0 high, v1 low, …

/** Octets of a key and of a hash. */
export const SIPHASH_KEY_OCTETS = 16
export const SIPHASH_OCTETS = 8

/** Where the words of the state lie. */
const V0 = 0
const V2 = 4
const V3 = 6
/** "somepseudorandomlygeneratedbytes" */
const INITIAL = Int32Array.of(
  0x70736575, 0x736f6d65, 0x6e646f6d, 0x646f7261, 0x6e657261, 0x6c796765, 0x79746573, 0x74656462,
) // biome-ignore format: eight words

const state = new Int32Array(8)
const last = new Uint8Array(8)

/** Writes the hash of data[0 … length) under a key of 16 octets to out[at …), as the reference implementation does (little-endian). */
export function sipHash24(
  key: Uint8Array,
  data: Uint8Array,
  length: number,
  out: Uint8Array,
  at: number,
): void {
  for (let word = 0; word < 4; word++) {
    const part = readU32(key, 4 * word)
    state[word] = INITIAL[word]! ^ part
    state[word + 4] = INITIAL[word + 4]! ^ part
  }
  const whole = length & ~7
  for (let from = 0; from < whole; from += 8) absorb(readU32(data, from), readU32(data, from + 4))
  // The last word holds what is left and the length.
  last.fill(0)
  for (let from = whole; from < length; from++) last[from - whole] = data[from]!
  last[7] = length
  absorb(readU32(last, 0), readU32(last, 4))
  state[V2]! ^= 0xff
  for (let i = 0; i < 4; i++) round()
  for (let half = 0; half < 2; half++) {
    const word = state[V0 + half]! ^ state[2 + half]! ^ state[V2 + half]! ^ state[V3 + half]!
    for (let i = 0; i < 4; i++) out[at + 4 * half + i] = word >>> (8 * i)
  }
}

const readU32 = (octets: Uint8Array, at: number): number =>
  octets[at]! | (octets[at + 1]! << 8) | (octets[at + 2]! << 16) | (octets[at + 3]! << 24)

function absorb(low: number, high: number): void {
  state[V3]! ^= low
  state[V3 + 1]! ^= high
  round()
  round()
  state[V0]! ^= low
  state[V0 + 1]! ^= high
}

/** One SipRound: additions carry from the low halves to the high ones, `<<<` rotates both. */
function round(): void {
  let a = state[0]!
  let aHigh = state[1]!
  let b = state[2]!
  let bHigh = state[3]!
  let c = state[4]!
  let cHigh = state[5]!
  let d = state[6]!
  let dHigh = state[7]!
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
  state[0] = a
  state[1] = aHigh
  state[2] = b
  state[3] = bHigh
  state[4] = cHigh
  state[5] = c
  state[6] = d
  state[7] = dHigh
}

/** Whether a sum of 32 bits ran over, by one of what was added. */
const carry = (sum: number, part: number): number => (sum >>> 0 < part >>> 0 ? 1 : 0)
