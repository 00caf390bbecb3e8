// SipHash-2-4 (Aumasson and Bernstein): a keyed hash of 64 bits for short inputs, which Node's crypto does not offer by
// itself. Words of 64 bits are pairs of 32: the state is v0 low, v0 high, v1 low, …

/** Octets of a key and of a hash. */
export const SIPHASH_KEY_OCTETS = 16
export const SIPHASH_OCTETS = 8

const COMPRESSION_ROUNDS = 2
const FINAL_ROUNDS = 4
/** "somepseudorandomlygeneratedbytes" */
const INITIAL = Uint32Array.of(
  0x70736575, 0x736f6d65, 0x6e646f6d, 0x646f7261, 0x6e657261, 0x6c796765, 0x79746573, 0x74656462,
) // biome-ignore format: eight words
const V0 = 0
const V1 = 2
const V2 = 4
const V3 = 6

/** The hash of `data` under a key of 16 octets, as the reference implementation writes it (little-endian). */
export function sipHash24(key: Uint8Array, data: Uint8Array): Uint8Array {
  const state = Uint32Array.from(INITIAL)
  for (let word = 0; word < 4; word++) {
    const part = readU32(key, 4 * word)
    state[word]! ^= part
    state[word + 4]! ^= part
  }
  const whole = data.length & ~7
  for (let at = 0; at < whole; at += 8) absorb(state, readU32(data, at), readU32(data, at + 4))
  // The last word holds what is left and the length.
  const last = new Uint8Array(8)
  last.set(data.subarray(whole))
  last[7] = data.length
  absorb(state, readU32(last, 0), readU32(last, 4))
  state[V2]! ^= 0xff
  for (let i = 0; i < FINAL_ROUNDS; i++) round(state)
  const hash = new Uint8Array(SIPHASH_OCTETS)
  const view = new DataView(hash.buffer)
  for (let half = 0; half < 2; half++) {
    const word = state[V0 + half]! ^ state[V1 + half]! ^ state[V2 + half]! ^ state[V3 + half]!
    view.setUint32(4 * half, word, true)
  }
  return hash
}

const readU32 = (octets: Uint8Array, at: number): number =>
  octets[at]! | (octets[at + 1]! << 8) | (octets[at + 2]! << 16) | (octets[at + 3]! << 24)

function absorb(state: Uint32Array, low: number, high: number): void {
  state[V3]! ^= low
  state[V3 + 1]! ^= high
  for (let i = 0; i < COMPRESSION_ROUNDS; i++) round(state)
  state[V0]! ^= low
  state[V0 + 1]! ^= high
}

function round(state: Uint32Array): void {
  mix(state, V0, V1, 13)
  rotate(state, V0, 32)
  mix(state, V2, V3, 16)
  mix(state, V0, V3, 21)
  mix(state, V2, V1, 17)
  rotate(state, V2, 32)
}

/** a += b; b = (b <<< bits) ^ a */
function mix(state: Uint32Array, a: number, b: number, bits: number): void {
  const low = state[a]! + state[b]!
  state[a + 1] = state[a + 1]! + state[b + 1]! + (low > 0xffffffff ? 1 : 0)
  state[a] = low
  rotate(state, b, bits)
  state[b]! ^= state[a]!
  state[b + 1]! ^= state[a + 1]!
}

/** Rotates to the left, by 32 bits at most. */
function rotate(state: Uint32Array, a: number, bits: number): void {
  const low = state[a]!
  const high = state[a + 1]!
  state[a] = bits === 32 ? high : (low << bits) | (high >>> (32 - bits))
  state[a + 1] = bits === 32 ? low : (high << bits) | (low >>> (32 - bits))
}
