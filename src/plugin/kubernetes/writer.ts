// HOT: writes one answer of the cluster's zone straight into the listener's buffer: header, the question as the client
// spelled it, records whose owners point at it (0xC00C), names in the zone as pointers into it, so that the client's
// spelling of the zone is kept and nothing is allocated.

import {
  FLAG_AA, FLAG_CD, FLAG_QR, FLAG_RD, FLAG_TC, HEADER_OCTETS, readU16, writeU16, writeU32,
} from '../../wire/header.ts' // biome-ignore format: one import
import { addExtendedError, EDE_OCTETS, OPT_OCTETS, writeOpt } from '../../wire/opt.ts'
import { CLASS, TYPE } from '../../wire/rrtype.ts'
import type { Scan } from '../../wire/scan.ts'
import { staleCode, writeAge } from './age.ts'
import type { Request } from './parse-name.ts'
import { type Reason, writeReason } from './reason.ts'

/** The pointer to the question's name. */
const QNAME_POINTER = 0xc000 | HEADER_OCTETS
/** Pointers reach no further (RFC 1035 4.1.4). */
const POINTER_MAX = 0x3fff

/** The serial 7200 1800 86400 of every SOA (docs/coredns.md 1.9). */
const SOA_REFRESH = 7200
const SOA_RETRY = 1800
const SOA_EXPIRE = 86400

export class AnswerWriter {
  out: Uint8Array = new Uint8Array(0)
  /** Where the message begins in `out`, and where writing goes on. */
  start = 0
  at = 0
  /** Records must end here: the OPT record has its place behind. */
  #limit = 0
  #scan!: Scan
  readonly #request: Request
  answers = 0
  authorities = 0
  additionals = 0
  truncated = false
  readonly #minimal: boolean

  /**
   * `request` is what the question was read as, for reasons; with `minimal` nothing is written beside the answer but a
   * denial's SOA.
   */
  constructor(request: Request, minimal = false) {
    this.#request = request
    this.#minimal = minimal
  }

  /** Begins a message of at most `maxOctets` by copying the question of `octets`. */
  begin(scan: Scan, octets: Uint8Array, out: Uint8Array, outAt: number, maxOctets: number): void {
    this.#scan = scan
    this.out = out
    this.start = outAt
    this.answers = this.authorities = this.additionals = 0
    this.truncated = false
    let at = outAt + HEADER_OCTETS
    for (let i = scan.start + HEADER_OCTETS; i < scan.questionEnd; i++) out[at++] = octets[i]!
    this.at = at
    this.#limit = outAt + maxOctets - (scan.edns ? OPT_OCTETS : 0)
  }

  /** Room left for records, in octets. */
  get room(): number {
    return this.#limit - this.at
  }

  /**
   * Writes OPT, with the reason and the state's age (HEAD.AGE) where there is one and room is left for it (the OPT record
   * itself has its place), and the header; returns the message's octets.
   */
  finish(rcode: number, authoritative: boolean, reason?: Reason, age = 0): number {
    const { out, start } = this
    const scan = this.#scan
    if (scan.edns) this.#opt(rcode, reason, age)
    writeU16(out, start, scan.id)
    out[start + 2] =
      FLAG_QR |
      (authoritative ? FLAG_AA : 0) |
      (this.truncated ? FLAG_TC : 0) |
      (scan.recursionDesired ? FLAG_RD : 0)
    out[start + 3] = (scan.checkingDisabled ? FLAG_CD : 0) | rcode
    writeU16(out, start + 4, 1)
    writeU16(out, start + 6, this.answers)
    writeU16(out, start + 8, this.authorities)
    writeU16(out, start + 10, this.additionals + (scan.edns ? 1 : 0))
    return this.at - start
  }

  #opt(rcode: number, reason: Reason | undefined, age: number): void {
    const { out } = this
    const optAt = this.at
    const scan = this.#scan
    this.at = writeOpt(out, optAt, 0, scan.dnssecOk)
    if (reason === undefined && age === 0) return
    const limit = this.#limit + OPT_OCTETS
    const from = this.at + EDE_OCTETS
    let to = from
    if (reason !== undefined) to = writeReason(reason, out, from, limit, scan, this.#request)
    if (to < 0) return
    if (age !== 0) {
      const end = writeAge(age, to > from, out, to, limit)
      if (end >= 0) to = end
      // Without words the code alone says that it is old.
      else if (to > limit) return
    }
    const code = age !== 0 ? staleCode(rcode) : reason!.code
    this.at = addExtendedError(out, optAt, this.at, code, to - from)
  }

  /** An address record owned by the question's name; false (and TC) where it does not fit. */
  address(from: Uint8Array, fromAt: number, length: 4 | 16, ttlSeconds: number): boolean {
    if (!this.#fits(12 + length)) return false
    this.#head(length === 4 ? TYPE.A : TYPE.AAAA, ttlSeconds, length)
    this.#copy(from, fromAt, fromAt + length)
    this.answers++
    return true
  }

  /** The address record of an additional name that was written at `ownerAt` in `out`. */
  glue(ownerAt: number, from: Uint8Array, fromAt: number, length: 4 | 16, ttlSeconds: number): boolean {
    if (this.#minimal) return true
    const { out } = this
    const pointer = ownerAt - this.start
    const type = length === 4 ? TYPE.A : TYPE.AAAA
    if (pointer <= POINTER_MAX) {
      if (!this.#fits(12 + length)) return false
      this.#fixed(0xc000 | pointer, type, ttlSeconds, length)
    } else {
      const end = nameEnd(out, ownerAt)
      if (!this.#fits(10 + end - ownerAt + length)) return false
      // Written once more: its last two octets stand where a pointer would.
      this.#copy(out, ownerAt, end - 2)
      this.#fixed(readU16(out, end - 2), type, ttlSeconds, length)
    }
    this.#copy(from, fromAt, fromAt + length)
    this.additionals++
    return true
  }

  /** Opens a record of the question's name whose data is `octets` long at most; false (and TC) where that cannot fit. */
  open(type: number, ttlSeconds: number, octets: number): boolean {
    if (!this.#fits(12 + octets)) return false
    this.#head(type, ttlSeconds, 0)
    this.#dataAt = this.at
    return true
  }
  #dataAt = 0

  /** Closes the record that `open` began. */
  close(): void {
    writeU16(this.out, this.#dataAt - 2, this.at - this.#dataAt)
    this.answers++
  }

  /** Takes all records back, keeping the question. */
  retract(): void {
    this.at = this.start + HEADER_OCTETS + this.#scan.foldedLength + 4
    this.answers = this.authorities = this.additionals = 0
    this.truncated = false
  }

  /** Raw octets of the record under way. */
  bytes(from: Uint8Array, at: number, end: number): void {
    this.#copy(from, at, end)
  }

  u16(value: number): void {
    writeU16(this.out, this.at, value)
    this.at += 2
  }

  /** The zone's SOA, owned by the zone as the question spells it, `zoneAt` octets into the name (RFC 2308 section 3). */
  soa(
    zoneAt: number,
    ttlSeconds: number,
    minimumSeconds: number,
    serial: number,
    section: 'answer' | 'authority',
  ): void {
    const { out } = this
    const pointer = 0xc000 | (HEADER_OCTETS + zoneAt)
    if (!this.#fits(12 + NS_DNS.length + 2 + HOSTMASTER.length + 2 + 20)) return
    this.#fixed(pointer, TYPE.SOA, ttlSeconds, 0)
    const dataAt = this.at
    this.#text(NS_DNS)
    this.u16(pointer)
    this.#text(HOSTMASTER)
    this.u16(pointer)
    writeU32(out, this.at, serial)
    writeU32(out, this.at + 4, SOA_REFRESH)
    writeU32(out, this.at + 8, SOA_RETRY)
    writeU32(out, this.at + 12, SOA_EXPIRE)
    writeU32(out, this.at + 16, minimumSeconds)
    this.at += 20
    writeU16(out, dataAt - 2, this.at - dataAt)
    if (section === 'answer') this.answers++
    else this.authorities++
  }

  #text(octets: Uint8Array): void {
    this.#copy(octets, 0, octets.length)
  }

  #fits(octets: number): boolean {
    if (this.at + octets <= this.#limit) return true
    this.truncated = true
    return false
  }

  #head(type: number, ttlSeconds: number, length: number): void {
    this.#fixed(QNAME_POINTER, type, ttlSeconds, length)
  }

  #fixed(owner: number, type: number, ttlSeconds: number, length: number): void {
    const { out, at } = this
    out[at] = owner >> 8
    out[at + 1] = owner
    out[at + 2] = type >> 8
    out[at + 3] = type
    out[at + 4] = 0
    out[at + 5] = CLASS.IN
    writeU32(out, at + 6, ttlSeconds)
    out[at + 10] = length >> 8
    out[at + 11] = length
    this.at = at + 12
  }

  #copy(from: Uint8Array, at: number, end: number): void {
    const { out } = this
    let to = this.at
    for (; at < end; at++) out[to++] = from[at]!
    this.at = to
  }
}

/** Behind the name, which may end in a pointer. */
function nameEnd(octets: Uint8Array, at: number): number {
  while (octets[at]! !== 0 && octets[at]! < 0xc0) at += octets[at]! + 1
  return octets[at] === 0 ? at + 1 : at + 2
}

/** 02 n s 03 d n s */
const NS_DNS = Uint8Array.of(2, 0x6e, 0x73, 3, 0x64, 0x6e, 0x73)
/** 0a h o s t m a s t e r */
const HOSTMASTER = Uint8Array.of(10, ...Buffer.from('hostmaster'))
