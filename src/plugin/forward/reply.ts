// HOT: an upstream's reply: whether it fits the question (RFC 1035 4.1, RFC 5452 section 9, RFC 6891 section 7), and what of it
// is believed, all of it where it lies.
//
//   what came                                              over UDP      over TCP
//   other ID, QR 0, other opcode, other question, garbage  MISMATCH      MISMATCH
//   FORMERR, NOTIMP without OPT where an OPT was sent      NO_EDNS       NO_EDNS
//   larger than announced                                  FITS, cut     -
//   no question, an error code                             MISMATCH      FITS
//   all else                                               FITS          FITS
//
// What fits is written down once as the reply that all who asked get: header, question in lower case, and the records that
// `chain.ts` believes. Where nothing must go, and every owner that is the asked name is a pointer to it, these are the octets
// that came.

import { Composer } from '../../wire/composer.ts'
import { REASON_MAX_OCTETS } from '../../wire/extended-error.ts'
import {
  FLAG_AA, FLAG_AD, FLAG_QR, FLAG_RA, FLAG_TC, HEADER_OCTETS, MESSAGE_MAX, PAYLOAD_MIN, readU16, writeU16,
} from '../../wire/header.ts' // biome-ignore format: one import
import { sameName } from '../../wire/message-name.ts'
import { NAME_MAX_OCTETS } from '../../wire/name.ts'
import { OPCODE, RCODE } from '../../wire/rcode.ts'
import { TYPE } from '../../wire/rrtype.ts'
import { OPTION } from '../../wire/scan.ts'
import { RecordWalk, SECTION } from '../../wire/walk.ts'
import { believe, isBelieved, type Question } from './chain.ts'

/** What a message is good for. */
export const FITS = 1
export const MISMATCH = 2
export const NO_EDNS = 3
export type Judgement = typeof FITS | typeof MISMATCH | typeof NO_EDNS

/** The question as it was sent (asked.ts). */
export interface Sent extends Question {
  readonly question: Uint8Array
  readonly questionEnd: number
  /** The payload size that was announced. */
  readonly payloadSize: number
  /** Options that the Corefile added, in wire form. */
  readonly addedOptions: Uint8Array | undefined
}

const walk = new RecordWalk()
const composer = new Composer()

/** A reply that was put aside. */
export type KeptUpstreamReply = Pick<
  UpstreamReply,
  'octets' | 'rcode' | 'truncated' | 'reasonCode' | 'reason' | 'options'
>

/** Room for options that came back for those that the Corefile added. */
const OPTIONS_MAX_OCTETS = 512

/** The reply at hand, of which a thread has one: it is whoever's that judged last. */
export class UpstreamReply {
  /** The message that all who asked get: octets[0 … length); names and flags are each client's own. */
  readonly octets = new Uint8Array(MESSAGE_MAX + 1)
  length = 0
  /** With the bits of the OPT record, as it came. */
  rcode = 0
  truncated = false
  /** An extended error (RFC 8914) that came along, by its code; -1 for none. */
  reasonCode = -1
  readonly reason = new Uint8Array(REASON_MAX_OCTETS)
  reasonOctets = 0
  /** Options that came along for those that the Corefile added, in wire form. */
  readonly options = new Uint8Array(OPTIONS_MAX_OCTETS)
  optionsOctets = 0
  #from: Uint8Array = new Uint8Array(0)
  #optionsAt = 0
  #optionsEnd = 0
  #start = 0
  #end = 0
  #hasOpt = false

  /** Judges what came in octets[start … end) where a reply to a question that was sent with that id is waited for. */
  judge(
    octets: Uint8Array,
    start: number,
    end: number,
    sent: Sent,
    id: number,
    edns: boolean,
    protocol: 'udp' | 'tcp',
  ): Judgement {
    if (end - start < HEADER_OCTETS || readU16(octets, start) !== id) return MISMATCH
    const flags = octets[start + 2]!
    if ((flags & FLAG_QR) === 0 || ((flags >> 3) & 15) !== OPCODE.QUERY) return MISMATCH
    this.#from = octets
    this.#start = start
    this.#end = end
    this.rcode = octets[start + 3]! & 15
    this.truncated = (flags & FLAG_TC) !== 0
    this.reasonCode = -1
    this.reasonOctets = 0
    this.optionsOctets = this.#optionsAt = this.#optionsEnd = 0
    if (readU16(octets, start + 4) === 0) {
      if (edns && refusesEdns(this.rcode) && readU16(octets, start + 10) === 0) return NO_EDNS
      if (protocol === 'udp' || this.rcode === RCODE.NOERROR) return MISMATCH
    } else if (!isAsked(octets, start, end, sent)) return MISMATCH
    if (protocol === 'udp' && end - start > (edns ? sent.payloadSize : PAYLOAD_MIN)) return this.#cut(sent)
    const hasOpt = this.#read()
    if (hasOpt === undefined) return this.truncated ? this.#cut(sent) : MISMATCH
    this.#hasOpt = hasOpt
    if (edns && (this.rcode === RCODE.BADVERS || (refusesEdns(this.rcode) && !hasOpt))) return NO_EDNS
    this.#readReason()
    if (sent.addedOptions) this.#readOptions(sent.addedOptions)
    this.#write(sent)
    return FITS
  }

  /** The header alone, truncated: what is behind it cannot be used, but that there is more is known. */
  #cut(sent: Sent): Judgement {
    this.truncated = true
    this.#head(sent)
    return FITS
  }

  /** Walks over the whole message; whether it has an OPT record, undefined for what cannot be read. */
  #read(): boolean | undefined {
    const from = this.#from
    let hasOpt = false
    for (walk.open(from, this.#start, this.#end); walk.next(); ) {
      if (walk.type !== TYPE.OPT) {
        if (!walk.isRdataExact()) return undefined
        continue
      }
      if (walk.section !== SECTION.ADDITIONAL || hasOpt || walk.ownerOctets !== 1) return undefined
      hasOpt = true
      this.rcode |= from[walk.ttlAt]! << 4
      this.#optionsAt = walk.rdataAt
      this.#optionsEnd = walk.rdataEnd
      if (!areOptions(from, walk.rdataAt, walk.rdataEnd)) return undefined
    }
    return walk.broken ? undefined : hasOpt
  }

  /** What the upstream says to an option that the Corefile added is for the rule that added it. */
  #readOptions(added: Uint8Array): void {
    const { options } = this
    const from = this.#from
    for (let at = this.#optionsAt; at < this.#optionsEnd; ) {
      const end = at + 4 + readU16(from, at + 2)
      if (hasOption(added, readU16(from, at)) && this.optionsOctets + end - at <= OPTIONS_MAX_OCTETS) {
        options.set(from.subarray(at, end), this.optionsOctets)
        this.optionsOctets += end - at
      }
      at = end
    }
  }

  /** Puts the reply aside. */
  keep(): KeptUpstreamReply {
    const { rcode, truncated, reasonCode } = this
    return {
      octets: this.octets.slice(0, this.length),
      rcode,
      truncated,
      reasonCode,
      reason: this.reason.slice(0, this.reasonOctets),
      options: this.options.slice(0, this.optionsOctets),
    }
  }

  /** The reply is one that was put aside. */
  restore({ octets, rcode, truncated, reasonCode, reason, options }: KeptUpstreamReply): void {
    this.octets.set(octets)
    this.length = octets.length
    this.rcode = rcode
    this.truncated = truncated
    this.reasonCode = reasonCode
    this.reason.set(reason)
    this.reasonOctets = reason.length
    this.options.set(options)
    this.optionsOctets = options.length
  }

  /** What the upstream says of its reply is said on (RFC 8914 section 3). */
  #readReason(): void {
    const { reason } = this
    const from = this.#from
    for (let at = this.#optionsAt; at < this.#optionsEnd; ) {
      const length = readU16(from, at + 2)
      if (readU16(from, at) === OPTION.EDE && length >= 2) {
        this.reasonCode = readU16(from, at + 4)
        let octets = Math.min(length - 2, REASON_MAX_OCTETS)
        for (let i = 0; i < octets; i++) reason[i] = from[at + 6 + i]!
        while (octets > 0 && reason[octets - 1] === 0) octets--
        this.reasonOctets = octets
        return
      }
      at += 4 + length
    }
  }

  /** Header and question of the reply that all get. */
  #head({ question, questionEnd }: Sent): void {
    const { octets } = this
    const from = this.#from
    const start = this.#start
    for (let i = 4; i < questionEnd; i++) octets[i] = question[i]!
    octets[0] = octets[1] = 0
    octets[2] = FLAG_QR | (from[start + 2]! & FLAG_AA) | (this.truncated ? FLAG_TC : 0)
    // A code of more than four bits is about our OPT record, not about the client's question (RFC 6891 6.1.3).
    octets[3] = (from[start + 3]! & (FLAG_RA | FLAG_AD)) | (this.rcode > 15 ? RCODE.SERVFAIL : this.rcode)
    for (let i = 6; i < HEADER_OCTETS; i++) octets[i] = 0
    this.length = questionEnd
  }

  #write(sent: Sent): void {
    const { octets } = this
    const from = this.#from
    const start = this.#start
    this.#head(sent)
    if (readU16(from, start + 6) + readU16(from, start + 8) + readU16(from, start + 10) === 0) return
    const recordsEnd = believe(walk, from, start, this.#end, sent)
    if (recordsEnd > 0 && readU16(from, start + 4) === 1) {
      // All of it: what stands behind the question is what everybody gets.
      const end = start + sent.questionEnd
      octets.set(from.subarray(end, recordsEnd), sent.questionEnd)
      writeU16(octets, 6, readU16(from, start + 6))
      writeU16(octets, 8, readU16(from, start + 8))
      writeU16(octets, 10, readU16(from, start + 10) - (this.#hasOpt ? 1 : 0))
      this.length = recordsEnd - start
      return
    }
    this.#compose(sent)
  }

  #compose(sent: Sent): void {
    const { octets } = this
    const from = this.#from
    const start = this.#start
    const [flags2, flags3] = [octets[2]!, octets[3]!]
    composer.begin(octets, 0, MESSAGE_MAX)
    composer.question(sent.question, HEADER_OCTETS, sent.qtype, sent.qclass)
    const owner = sent.question.subarray(HEADER_OCTETS, sent.questionEnd - 4)
    walk.open(from, start, this.#end)
    for (let record = 0; walk.next(); ) {
      if (walk.section === SECTION.ADDITIONAL && walk.type === TYPE.OPT) continue
      if (!isBelieved(record++)) continue
      // The asked name stands as every client spelled it.
      const isAskedName = walk.section === SECTION.ANSWER && sameName(from, walk.ownerAt, start, owner, 0, 0)
      composer.copy(walk, walk.section, walk.ttl, isAskedName ? owner : undefined)
    }
    octets[2] = flags2
    octets[3] = flags3
    this.length = composer.finish()
  }

  /** What was kept on the way for a while may be kept that much shorter (RFC 8484 5.1). */
  age(seconds: number): void {
    const { octets } = this
    for (walk.open(octets, 0, this.length); walk.next(); ) {
      const ttl = Math.max(0, walk.ttl - Math.floor(seconds))
      writeU16(octets, walk.ttlAt, ttl >>> 16)
      writeU16(octets, walk.ttlAt + 2, ttl & 0xffff)
    }
  }
}

/** The thread's. */
export const reply = new UpstreamReply()

const refusesEdns = (rcode: number): boolean => rcode === RCODE.FORMERR || rcode === RCODE.NOTIMP

/** Where the one question of a message ends; 0 for what is none. */
export function questionEndOf(octets: Uint8Array, start: number, end: number): number {
  if (end - start < HEADER_OCTETS || readU16(octets, start + 4) !== 1) return 0
  let at = start + HEADER_OCTETS
  while (at < end && octets[at] !== 0) at += octets[at]! + 1
  return at + 5 <= end && at - start < HEADER_OCTETS + NAME_MAX_OCTETS ? at + 5 : 0
}

/** Whether the one question of a message is the one that was sent, octet for octet. */
export function isAsked(
  octets: Uint8Array,
  start: number,
  end: number,
  { question, questionEnd }: Pick<Sent, 'question' | 'questionEnd'>,
): boolean {
  if (end - start < questionEnd || readU16(octets, start + 4) !== 1) return false
  for (let i = HEADER_OCTETS; i < questionEnd; i++) if (octets[start + i] !== question[i]) return false
  return true
}

function hasOption(options: Uint8Array, code: number): boolean {
  for (let at = 0; at < options.length; at += 4 + readU16(options, at + 2))
    if (readU16(options, at) === code) return true
  return false
}

function areOptions(octets: Uint8Array, at: number, end: number): boolean {
  while (at < end) {
    if (at + 4 > end) return false
    at += 4 + readU16(octets, at + 2)
  }
  return at === end
}
