// HOT: one message of dnstap (github.com/dnstap/dnstap.pb, dnstap.proto) as a frame: protocol buffers, whose fields are written
// one behind the other. Who asked whom when, and, where that is wanted, the message of DNS itself.
//
//   Dnstap    1 identity  2 version  3 extra  14 message  15 type (1: message)
//   Message   1 type  2 socket family  3 protocol  4 query address  5 response address  6 query port  7 response port
//             8 query time, s  9 ns  10 query  12 response time, s  13 ns  14 response

import { MESSAGE_MAX, writeU32 } from '../../wire/header.ts'

/** Octets of a frame beside the message of DNS and the texts of the Corefile. */
const FIELDS_MAX_OCTETS = 256
const FAMILY = { 4: 1, 6: 2 } as const
const PROTOCOL = { udp: 1, tcp: 2 } as const
const VARINT = 0
const OCTETS = 2
const FIXED32 = 5
const DNSTAP_MESSAGE = 1
const NS_PER_MS = 1e6

/** An address and port at one end; octets of it, 4 or 16. */
export interface End {
  readonly octets: Uint8Array
  readonly port: number
}

/** What a message tells. */
export interface Tapped {
  /** MESSAGE_TYPES */
  readonly type: number
  readonly protocol: 'udp' | 'tcp'
  /** Who asks; absent where that is not known. */
  readonly asker?: End | undefined
  /** Who is asked. */
  readonly asked?: End | undefined
  /** Wall time in ms since 1970, with fractions; that of the reply for replies only. */
  readonly queriedAtMs: number
  readonly repliedAtMs?: number
  /** The message of DNS, where it is wanted. */
  readonly octets?: Uint8Array | undefined
}

/** Writes frames that one receiver gets. */
export class TapWriter {
  readonly #head: Uint8Array
  #out: Uint8Array
  #at = 0

  constructor(identity: string, version: string) {
    const head = new Uint8Array(FIELDS_MAX_OCTETS + 4 * (identity.length + version.length))
    this.#out = head
    this.#octets(1, Buffer.from(identity))
    this.#octets(2, Buffer.from(version))
    this.#head = head.slice(0, this.#at)
    this.#out = new Uint8Array(2 * FIELDS_MAX_OCTETS + this.#head.length + MESSAGE_MAX)
  }

  /** The frame of a message, length and all; it is good until the next one. */
  frame(tapped: Tapped, extra: Uint8Array | undefined): Uint8Array {
    const octetsMax = 2 * FIELDS_MAX_OCTETS + this.#head.length + MESSAGE_MAX + (extra?.length ?? 0)
    if (this.#out.length < octetsMax) this.#out = new Uint8Array(octetsMax)
    this.#out.set(this.#head, 4)
    this.#at = 4 + this.#head.length
    if (extra !== undefined) this.#octets(3, extra)
    this.#key(14, OCTETS)
    // Its length is known behind it: four octets hold any.
    const lengthAt = this.#at
    this.#at += 4
    this.#message(tapped)
    paddedVarint(this.#out, lengthAt, this.#at - lengthAt - 4)
    this.#number(15, DNSTAP_MESSAGE)
    writeU32(this.#out, 0, this.#at - 4)
    return this.#out.subarray(0, this.#at)
  }

  #message({ type, protocol, asker, asked, queriedAtMs, repliedAtMs, octets }: Tapped): void {
    const isReply = repliedAtMs !== undefined
    this.#number(1, type)
    const some = asker ?? asked
    if (some !== undefined) this.#number(2, FAMILY[some.octets.length === 4 ? 4 : 6])
    this.#number(3, PROTOCOL[protocol])
    if (asker !== undefined) this.#octets(4, asker.octets)
    if (asked !== undefined) this.#octets(5, asked.octets)
    if (asker !== undefined) this.#number(6, asker.port)
    if (asked !== undefined) this.#number(7, asked.port)
    this.#time(8, queriedAtMs)
    if (!isReply && octets !== undefined) this.#octets(10, octets)
    if (!isReply) return
    this.#time(12, repliedAtMs)
    if (octets !== undefined) this.#octets(14, octets)
  }

  /** Seconds, and in the field behind it what is left, in ns. */
  #time(field: number, wallMs: number): void {
    const seconds = Math.floor(wallMs / 1000)
    this.#number(field, seconds)
    this.#key(field + 1, FIXED32)
    const ns = Math.min(999_999_999, Math.round((wallMs - seconds * 1000) * NS_PER_MS))
    for (let i = 0; i < 4; i++) this.#out[this.#at++] = (ns >>> (8 * i)) & 0xff
  }

  #number(field: number, value: number): void {
    this.#key(field, VARINT)
    this.#varint(value)
  }

  #octets(field: number, octets: Uint8Array): void {
    this.#key(field, OCTETS)
    this.#varint(octets.length)
    this.#out.set(octets, this.#at)
    this.#at += octets.length
  }

  /** Fields up to 15 take one octet. */
  #key(field: number, type: number): void {
    this.#out[this.#at++] = (field << 3) | type
  }

  #varint(value: number): void {
    let rest = value
    for (; rest >= 0x80; rest = Math.floor(rest / 0x80)) this.#out[this.#at++] = (rest % 0x80) | 0x80
    this.#out[this.#at++] = rest
  }
}

/** A number below 2^28 in four octets, whatever it is. */
function paddedVarint(out: Uint8Array, at: number, value: number): void {
  for (let i = 0; i < 3; i++) out[at + i] = ((value >>> (7 * i)) & 0x7f) | 0x80
  out[at + 3] = (value >>> 21) & 0x7f
}
