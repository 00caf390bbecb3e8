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

import { createHmac, timingSafeEqual } from 'node:crypto'
import type { Clock } from '../shared/clock.ts'
import { parseIp } from '../shared/ip.ts'
import { SIPHASH_KEY_OCTETS, SIPHASH_OCTETS, sipHash24 } from '../shared/siphash.ts'
import { readU32, writeU32 } from '../wire/header.ts'
import type { EdnsOption } from '../wire/message.ts'
import { OPTION } from '../wire/scan.ts'

/** Octets of the random secret that the daily ones are made of. */
export const COOKIE_SECRET_OCTETS = 32

const CLIENT_OCTETS = 8
const VERSION = 1
/** Where parts of the option begin. */
const TIMESTAMP_AT = CLIENT_OCTETS + 4
const HASH_AT = TIMESTAMP_AT + 4
const COOKIE_OCTETS = HASH_AT + SIPHASH_OCTETS

/** RFC 9018 4.3: how old a cookie may be, how far ahead of our clock, and from which age on the client gets a new one. */
const AGE_MAX_SECONDS = 3600
const AHEAD_MAX_SECONDS = 300
const RENEW_SECONDS = 1800
const DAY_SECONDS = 86_400

/** What became of a client's cookie. */
export interface JudgedCookie {
  /** `client`: it has none of ours yet. */
  readonly state: 'client' | 'valid' | 'invalid'
  /** The COOKIE option of the reply. */
  readonly option: EdnsOption
}

/** Makes and checks cookies; all that were made from one secret know each other's. */
export class ServerCookies {
  readonly #secret: Uint8Array
  readonly #clock: Clock
  #day = -1
  #daySecret: Uint8Array = new Uint8Array(0)

  constructor(secret: Uint8Array, clock: Clock) {
    this.#secret = secret
    this.#clock = clock
  }

  /** Judges the data of a COOKIE option of 8 or of 16 to 40 octets, from a client of that canonical address. */
  judge(data: Uint8Array, address: string): JudgedCookie {
    const nowSeconds = Math.floor(this.#clock.wallMs() / 1000)
    const valid = this.#isOurs(data, address, nowSeconds)
    const state = valid ? 'valid' : data.length === CLIENT_OCTETS ? 'client' : 'invalid'
    const young = valid && ageOf(data, nowSeconds) < RENEW_SECONDS
    return {
      state,
      option: { code: OPTION.COOKIE, data: young ? data : this.#make(data, address, nowSeconds) },
    }
  }

  #isOurs(data: Uint8Array, address: string, nowSeconds: number): boolean {
    if (data.length !== COOKIE_OCTETS || data[CLIENT_OCTETS] !== VERSION) return false
    const age = ageOf(data, nowSeconds)
    if (age > AGE_MAX_SECONDS || age < -AHEAD_MAX_SECONDS) return false
    const secret = this.#secretAt(nowSeconds - age)
    return timingSafeEqual(cookieHash(secret, data, address), data.subarray(HASH_AT))
  }

  #make(data: Uint8Array, address: string, nowSeconds: number): Uint8Array {
    const cookie = new Uint8Array(COOKIE_OCTETS)
    cookie.set(data.subarray(0, CLIENT_OCTETS))
    cookie[CLIENT_OCTETS] = VERSION
    writeU32(cookie, TIMESTAMP_AT, nowSeconds)
    cookie.set(cookieHash(this.#secretAt(nowSeconds), cookie, address), HASH_AT)
    return cookie
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

/** The hash that a cookie of that client ends with, over the octets before it. */
export function cookieHash(secret: Uint8Array, cookie: Uint8Array, address: string): Uint8Array {
  const octets = parseIp(address)?.bytes ?? Buffer.from(address)
  const input = new Uint8Array(HASH_AT + octets.length)
  input.set(cookie.subarray(0, HASH_AT))
  input.set(octets, HASH_AT)
  return sipHash24(secret, input)
}

/** In seconds; below 0 ahead of our clock. Timestamps are serial numbers of 32 bits (RFC 1982). */
const ageOf = (cookie: Uint8Array, nowSeconds: number): number =>
  (nowSeconds - readU32(cookie, TIMESTAMP_AT)) | 0
