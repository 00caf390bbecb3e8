// HOT: who has asked how much lately: token buckets by address in a table of a fixed size, which all serving threads share.
//
// A bucket is one number, the time at which it is full again (the generic cell rate algorithm, ITU-T I.371 annex A): a
// query moves it on by the time that one token takes to come, and finds no token where it lies further ahead than a burst
// takes. Times are those of the monotonic clock that threads have in common; a bucket further ahead than it can be is full.
//
// An address may have one of eight places, told by a keyed hash. Where all eight are somebody's, the one whose buckets are
// fullest makes room: nobody gets rid of what he owes by making up addresses, and nobody else is limited because of them.
// Threads take no lock: two that come to one place in the same moment may forget one query, or one address what it owed.
//
//   words 0, 1   the key of the hash     then, of 64 octets each:
//   words 0 … 3  the address, IPv4 ones mapped, or the hash of a namespace     words 4 … 15  six buckets

import type { Counter } from '../../observe/meters.ts'
import { ipv4At } from '../../query/sockaddr.ts'
import { halfSipHash, randomSeed } from '../../shared/half-siphash.ts'
import type { Allowance } from './config.ts'

/**
 * What the buckets of one address are for: what is answered as ever; what is told to come over TCP; what is answered of a
 * client that has shown that the address is its own. Nobody who makes up its address empties that one.
 */
export const BUCKET = {
  QUERIES: 0,
  QUERIES_CUT: 1,
  QUERIES_PROVEN: 2,
  MISSES: 3,
  MISSES_CUT: 4,
  MISSES_PROVEN: 5,
} as const
export type Bucket = (typeof BUCKET)[keyof typeof BUCKET]

const encoder = new TextEncoder()
const BUCKETS = 6
const WAYS = 8
const PLACE_OCTETS = 64
const PLACE_WORDS = PLACE_OCTETS / 4
const PLACE_TIMES = PLACE_OCTETS / 8
/** Where the first bucket is among the doubles of a place. */
const TIMES_AT = 2
const MAPPED = -65_536 // ::ffff:0:0/96, as the machine reads 00 00 ff ff

/** Memory for so many addresses, rounded up to a power of two. */
export function bucketMemory(clients: number): SharedArrayBuffer {
  const sets = 2 ** Math.ceil(Math.log2(Math.max(1, clients / WAYS)))
  const buffer = new SharedArrayBuffer(PLACE_OCTETS * (1 + sets * WAYS))
  new Int32Array(buffer).set(randomSeed())
  return buffer
}

export class Buckets {
  readonly #words: Int32Array
  readonly #times: Float64Array
  readonly #setMask: number
  readonly #k0: number
  readonly #k1: number
  readonly #forgotten: Counter
  readonly #ipv6Bits: number
  readonly #key = new Int32Array(4)
  readonly #keyOctets = new Uint8Array(this.#key.buffer)
  readonly #text = new Uint8Array(64)

  /** `forgotten` counts addresses that still owed something when another one took their place; IPv6 addresses with as many bits in common are one. */
  constructor(buffer: SharedArrayBuffer, forgotten: Counter, ipv6Bits = 128) {
    this.#words = new Int32Array(buffer)
    this.#times = new Float64Array(buffer)
    this.#setMask = (buffer.byteLength / PLACE_OCTETS - 1) / WAYS - 1
    this.#k0 = this.#words[0]!
    this.#k1 = this.#words[1]!
    this.#forgotten = forgotten
    this.#ipv6Bits = ipv6Bits
  }

  /** The place of the socket address at octets[at …), found or made; for `take`, at once. */
  placeOf(octets: Uint8Array, at: number, nowMs: number): number {
    const key = this.#key
    const keyOctets = this.#keyOctets
    const v4At = ipv4At(octets, at)
    if (v4At >= 0) {
      key[0] = key[1] = 0
      key[2] = MAPPED
      for (let i = 0; i < 4; i++) keyOctets[12 + i] = octets[v4At + i]!
    } else {
      const bits = this.#ipv6Bits
      const whole = bits >> 3
      for (let i = 0; i < 16; i++) keyOctets[i] = i < whole ? octets[at + 8 + i]! : 0
      if (whole < 16) keyOctets[whole] = octets[at + 8 + whole]! & ~(0xff >> (bits & 7))
    }
    return this.#place(nowMs)
  }

  /** The place of a namespace; ffff:ffff::, which its key begins with, is the address of nobody. */
  placeOfNamespace(namespace: string, nowMs: number): number {
    const { written } = encoder.encodeInto(namespace, this.#text)
    const key = this.#key
    key[0] = -1
    key[1] = halfSipHash(this.#k0, this.#k1, this.#text, 0, written)
    key[2] = halfSipHash(this.#k1, this.#k0, this.#text, 0, written)
    key[3] = written
    return this.#place(nowMs)
  }

  #place(nowMs: number): number {
    const keyOctets = this.#keyOctets
    const set = halfSipHash(this.#k0, this.#k1, keyOctets, 0, 16) & this.#setMask
    const first = 1 + set * WAYS
    for (let place = first; place < first + WAYS; place++) if (this.#isAt(place)) return place
    return this.#makeAt(first, nowMs)
  }

  /** Whether the bucket had a token, which is taken. */
  take(place: number, bucket: Bucket, { perSecond, burst }: Allowance, nowMs: number): boolean {
    const times = this.#times
    const at = place * PLACE_TIMES + TIMES_AT + bucket
    const tokenMs = 1000 / perSecond
    const burstMs = burst * tokenMs
    const fullAt = times[at]!
    const from = fullAt > nowMs && fullAt <= nowMs + burstMs ? fullAt : nowMs
    // Rounding must not cost the last token of a burst.
    if (from + tokenMs > nowMs + burstMs + tokenMs / 1000) return false
    times[at] = Math.min(from + tokenMs, nowMs + burstMs)
    return true
  }

  #isAt(place: number): boolean {
    const at = place * PLACE_WORDS
    const words = this.#words
    const key = this.#key
    return (
      words[at + 3] === key[3] && words[at + 2] === key[2] && words[at + 1] === key[1] && words[at] === key[0]
    )
  }

  /** The place of the eight that owes least becomes that of the key. */
  #makeAt(first: number, nowMs: number): number {
    let chosen = first
    let least = Number.POSITIVE_INFINITY
    for (let place = first; place < first + WAYS; place++) {
      const owed = this.#owedAt(place, nowMs)
      if (owed >= least) continue
      least = owed
      chosen = place
    }
    if (least > 0) this.#forgotten.add()
    const at = chosen * PLACE_WORDS
    for (let i = 0; i < 4; i++) this.#words[at + i] = this.#key[i]!
    const timesAt = chosen * PLACE_TIMES + TIMES_AT
    for (let i = 0; i < BUCKETS; i++) this.#times[timesAt + i] = 0
    return chosen
  }

  /** In how many ms all its buckets are full, together. */
  #owedAt(place: number, nowMs: number): number {
    let owed = 0
    const at = place * PLACE_TIMES + TIMES_AT
    for (let i = 0; i < BUCKETS; i++) owed += Math.max(0, this.#times[at + i]! - nowMs)
    return owed
  }
}
