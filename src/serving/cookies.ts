// DNS Cookies, the server's side (RFC 7873, in the form of RFC 9018): a client that sends a cookie of its own gets it back
// with one of ours behind it, by which it knows replies that were not made up by somebody off the path.
//
//   client cookie 8 | version 1, reserved 000000, timestamp 4 | hash 8
//                     hash = SipHash-2-4(client cookie | version | reserved | timestamp | client's address)
//
// The secret is random at every start and another one every day: that of the day of the cookie's timestamp, so that nothing
// has to be rolled over. Replicas behind one address do not know each other's. A cookie that is not ours, or old, is
// therefore no reason to refuse anything (RFC 7873 5.2.4): the client gets its answer and a new cookie. BADCOOKIE is for
// queries that ask about a cookie and nothing else (5.4).

import { createHmac } from 'node:crypto'
import { ipv4At } from '../query/sockaddr.ts'
import type { Clock } from '../shared/clock.ts'
import { SIPHASH_KEY_OCTETS, SIPHASH_OCTETS, sipHash24 } from '../shared/siphash.ts'
import { readU32, writeU32 } from '../wire/header.ts'

/** Octets of the random secret that the daily ones are made of. */
export const COOKIE_SECRET_OCTETS = 32

const CLIENT_OCTETS = 8
const VERSION = 1
/** Where parts of the option begin. */
const TIMESTAMP_AT = CLIENT_OCTETS + 4
const HASH_AT = TIMESTAMP_AT + 4
export const COOKIE_OCTETS = HASH_AT + SIPHASH_OCTETS

/** RFC 9018 4.3: how old a cookie may be, how far ahead of our clock, and from which age on the client gets a new one. */
const AGE_MAX_SECONDS = 3600
const AHEAD_MAX_SECONDS = 300
const RENEW_SECONDS = 1800
const DAY_SECONDS = 86_400

/** What a client's cookie is; `client`: it has none of ours yet. */
export type CookieState = 'client' | 'valid' | 'invalid'

/** Makes and checks cookies; all that were made from one secret know each other's. */
export class ServerCookies {
  /** The data of the COOKIE option that the client gets back, from `judge` to the next one. */
  readonly cookie = new Uint8Array(COOKIE_OCTETS)
  readonly #secret: Uint8Array
  readonly #clock: Clock
  #day = -1
  #daySecret: Uint8Array = new Uint8Array(0)
  readonly #hash = new Uint8Array(SIPHASH_OCTETS)

  constructor(secret: Uint8Array, clock: Clock) {
    this.#secret = secret
    this.#clock = clock
  }

  /**
   * HOT: judges the data of a COOKIE option, octets[at … at + length) of 8 or of 16 to 40 octets, from the client whose
   * socket address is at from[fromAt …); `cookie` is then what it gets back.
   */
  judge(octets: Uint8Array, at: number, length: number, from: Uint8Array, fromAt: number): CookieState {
    const { cookie } = this
    const nowSeconds = Math.floor(this.#clock.wallMs() / 1000)
    for (let i = 0; i < CLIENT_OCTETS; i++) cookie[i] = octets[at + i]!
    if (length === COOKIE_OCTETS && octets[at + CLIENT_OCTETS] === VERSION) {
      for (let i = CLIENT_OCTETS; i < HASH_AT; i++) cookie[i] = octets[at + i]!
      const age = (nowSeconds - readU32(cookie, TIMESTAMP_AT)) | 0
      if (this.#isOurs(octets, at, age, nowSeconds, from, fromAt)) {
        if (age >= RENEW_SECONDS) this.#make(nowSeconds, from, fromAt)
        return 'valid'
      }
    }
    this.#make(nowSeconds, from, fromAt)
    return length === CLIENT_OCTETS ? 'client' : 'invalid'
  }

  /** Whether the hash behind `cookie` is ours; `age` in seconds, below 0 ahead of our clock: timestamps are serial numbers (RFC 1982). */
  #isOurs(
    octets: Uint8Array,
    at: number,
    age: number,
    nowSeconds: number,
    from: Uint8Array,
    fromAt: number,
  ): boolean {
    if (age > AGE_MAX_SECONDS || age < -AHEAD_MAX_SECONDS) return false
    const { cookie } = this
    writeCookieHash(this.#secretAt(nowSeconds - age), cookie, from, fromAt, this.#hash)
    // Whatever differs, it takes the same time.
    let difference = 0
    for (let i = 0; i < SIPHASH_OCTETS; i++) {
      const octet = octets[at + HASH_AT + i]!
      difference |= octet ^ this.#hash[i]!
      cookie[HASH_AT + i] = octet
    }
    return difference === 0
  }

  /** Makes a new cookie for the client whose half is in `cookie`. */
  #make(nowSeconds: number, from: Uint8Array, fromAt: number): void {
    const { cookie } = this
    cookie.fill(0, CLIENT_OCTETS)
    cookie[CLIENT_OCTETS] = VERSION
    writeU32(cookie, TIMESTAMP_AT, nowSeconds)
    writeCookieHash(this.#secretAt(nowSeconds), cookie, from, fromAt, this.#hash)
    cookie.set(this.#hash, HASH_AT)
  }

  /** The secret of the day. */
  #secretAt(seconds: number): Uint8Array {
    const day = Math.floor(seconds / DAY_SECONDS)
    if (day !== this.#day) {
      this.#day = day
      this.#daySecret = createHmac('sha256', this.#secret)
        .update(`day ${day}`)
        .digest()
        .subarray(0, SIPHASH_KEY_OCTETS)
    }
    return this.#daySecret
  }
}

const hashed = new Uint8Array(HASH_AT + 16)

/**
 * Writes the hash that a cookie of that client ends with, over the octets before it, to `out`. The client is its address:
 * 4 or 16 octets.
 */
export function writeCookieHash(
  secret: Uint8Array,
  cookie: Uint8Array,
  from: Uint8Array,
  fromAt: number,
  out: Uint8Array,
): void {
  for (let i = 0; i < HASH_AT; i++) hashed[i] = cookie[i]!
  const v4At = ipv4At(from, fromAt)
  const addressAt = v4At >= 0 ? v4At : fromAt + 8
  const octets = v4At >= 0 ? 4 : 16
  for (let i = 0; i < octets; i++) hashed[HASH_AT + i] = from[addressAt + i]!
  sipHash24(secret, hashed, HASH_AT + octets, out, 0)
}
