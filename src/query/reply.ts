// The reply of a packet (packet.ts): octets that are written, walked and changed where they lie (wire/walk.ts,
// wire/composer.ts, wire/sections.ts, wire/order.ts), with the code, plugin, error, reason and options beside them. It has no
// OPT record, which the road writes last of all (serving/finish.ts).

import { Composer } from '../wire/composer.ts'
import { REASON_MAX_OCTETS } from '../wire/extended-error.ts'
import { FLAG_AD, FLAG_QR, FLAG_TC, HEADER_OCTETS, MESSAGE_MAX, readU16, writeU16 } from '../wire/header.ts'
import { dropSections } from '../wire/sections.ts'
import { RecordWalk } from '../wire/walk.ts'
import { Question } from './question.ts'
import { DONE } from './steps.ts'

/** A reply that was put aside. */
export interface KeptReply {
  readonly octets: Uint8Array
  readonly rcode: number
  readonly plugin: number
  readonly error: string | undefined
  readonly reasonCode: number
  readonly reason: Uint8Array
  readonly recursionDesired: boolean | undefined
}

/** Options that the server adds to a reply: a cookie, NSID, keepalive, and what a Corefile shows. */
const OPTIONS_MAX_OCTETS = 1024
/** A reply of any size, and room to write the last record before it is seen not to fit. */
const BIG_OCTETS = MESSAGE_MAX + 1

const NOTHING = new Uint8Array(0)
const encoder = new TextEncoder()

/** What replies are written with: one for the thread, as no two are written at once. */
const composer = new Composer()
/** What replies are read with: likewise. */
const walk = new RecordWalk()

/** Where a reply is written anew from its former form: swapped with the big buffer of the packet. */
let spare: Uint8Array | undefined

/** The second part of a packet: a reply to its question as it is now. */
export class Reply extends Question {
  /** Where the listener wants the finished reply, and how much of it. */
  slot: Uint8Array = NOTHING
  slotAt = 0
  slotOctets = 0

  out: Uint8Array = NOTHING
  outAt = 0
  /** 0: there is none yet. */
  length = 0
  /** With the bits of the OPT record; the header has the lower four. */
  rcode = 0
  /** Who wrote it (observe/query-meters.ts pluginIndex), 0 is the server itself. */
  plugin = 0
  /** What went wrong on the way, for `errors`; the client never sees it. */
  error: string | undefined
  /** An extended error (RFC 8914) by its code, -1 for none; its text in UTF-8. */
  reasonCode = -1
  readonly reason = new Uint8Array(REASON_MAX_OCTETS)
  reasonOctets = 0
  /** RD of the reply where it is another than the query's. */
  replyRecursionDesired: boolean | undefined
  /** Whether it is finished already, OPT and all, but for the options: it goes out as it is. */
  isWhole = false
  /** Whether the question in `out` is of another level than the client's name: it is written anew before it leaves. */
  isQuestionStale = false
  /** Options that the reply has besides the reason, in wire form. */
  readonly options = new Uint8Array(OPTIONS_MAX_OCTETS)
  optionsOctets = 0
  /** Nobody gets a reply; `back` of those who want to know is called all the same. */
  isDropped = false

  #big: Uint8Array | undefined

  /** Forgets the reply. */
  clear(): void {
    this.out = this.slot
    this.outAt = this.slotAt
    this.length = 0
    this.rcode = 0
    this.plugin = 0
    this.error = undefined
    this.reasonCode = -1
    this.replyRecursionDesired = undefined
    this.isWhole = false
    this.isQuestionStale = false
    this.isDropped = false
  }

  /** Takes the question back that was before `ask`. A reply to the other one is written anew before it leaves. */
  unask(): void {
    if (this.level === 0) throw new Error('a handler takes back a question that nobody changed')
    const level = --this.level
    this.scan = this.scanAt(level)
    this.question = this.questionAt(level)
    if (this.length > 0) this.isQuestionStale = true
  }

  /** Gives the reply room for 64 KiB, wherever the listener wants it in the end. What was written is not copied. */
  enlarge(): void {
    this.#big ??= new Uint8Array(BIG_OCTETS)
    this.out = this.#big
    this.outAt = 0
  }

  /**
   * Begins the reply of a plugin to the question as it is now: records go to the composer, `composed` ends it. Nothing is
   * cut here that a message can hold.
   */
  compose(): Composer {
    this.enlarge()
    this.#composeInto(this.out)
    return composer
  }

  /** Ends what `compose` began: the code, bits of the header (AA, TC, RA, AD), and who wrote it. */
  composed(rcode: number, plugin: number, bits2 = 0, bits3 = 0): typeof DONE {
    const { out, outAt } = this
    this.length = composer.finish() - outAt
    out[outAt + 2]! |= FLAG_QR | bits2
    out[outAt + 3] = bits3 | (rcode & 15)
    this.rcode = rcode
    this.plugin = plugin
    this.isQuestionStale = false
    return DONE
  }

  #composeInto(out: Uint8Array, limit = MESSAGE_MAX): void {
    const { scan, question } = this
    composer.begin(out, 0, limit)
    out[0] = out[1] = out[2] = out[3] = 0
    composer.question(question, scan.start + HEADER_OCTETS, scan.qtype, scan.qclass)
  }

  /**
   * Begins to write the reply anew, for the question as it is now: `records` walks over what it was, the composer takes
   * what it becomes, of at most `limit` octets; `endAnew` ends it. Code and bits of the header stay.
   */
  composeAnew(limit: number = MESSAGE_MAX): Composer {
    spare ??= new Uint8Array(BIG_OCTETS)
    this.#composeInto(spare, limit)
    return composer
  }

  /** Ends what `composeAnew` began. */
  endAnew(): void {
    const written = spare!
    const length = composer.finish()
    written[2]! |= this.out[this.outAt + 2]!
    written[3] = this.out[this.outAt + 3]!
    this.#takeSpare(length)
    this.isQuestionStale = false
  }

  /** The reply is what was written to the spare buffer. */
  #takeSpare(length: number): void {
    const written = spare!
    spare = this.#big ?? new Uint8Array(BIG_OCTETS)
    this.#big = written
    this.out = written
    this.outAt = 0
    this.length = length
  }

  /**
   * Gives the records of the reply another order. `write` does it where they lie and returns 0, or writes the message to
   * the buffer that it is given last, and returns its end there.
   */
  reorder(
    write: (octets: Uint8Array, start: number, end: number, composer: Composer, spare: Uint8Array) => number,
  ): void {
    spare ??= new Uint8Array(BIG_OCTETS)
    const { out, outAt } = this
    const length = write(out, outAt, outAt + this.length, composer, spare)
    if (length > 0) this.#takeSpare(length)
  }

  /** A walk over the records of the reply; it is the thread's only one. */
  records(): RecordWalk {
    walk.open(this.out, this.outAt, this.outAt + this.length)
    return walk
  }

  /** Records in a section of the reply. */
  countOf(section: number): number {
    return this.length === 0 ? 0 : readU16(this.out, this.outAt + 6 + 2 * section)
  }

  /** Leaves out that section and those behind it (SECTION). */
  dropSections(from: number): void {
    const { out, outAt } = this
    this.length = dropSections(out, outAt, outAt + this.length, from) - outAt
  }

  /** Says that nobody has validated the reply, as it is now: no AD (RFC 4035 3.2.3). */
  clearAuthentic(): void {
    this.out[this.outAt + 3]! &= ~FLAG_AD
  }

  /** Whether something was left out of the reply: TC. */
  get truncated(): boolean {
    return (this.out[this.outAt + 2]! & FLAG_TC) !== 0
  }

  set truncated(truncated: boolean) {
    const { out, outAt } = this
    out[outAt + 2] = truncated ? out[outAt + 2]! | FLAG_TC : out[outAt + 2]! & ~FLAG_TC
  }

  /** Gives the reply another code. */
  setRcode(rcode: number): void {
    this.rcode = rcode
    this.out[this.outAt + 3] = (this.out[this.outAt + 3]! & 0xf0) | (rcode & 15)
  }

  /**
   * A reply of nothing but its code, by nobody: what the server says where no plugin wrote anything. `error` is for
   * `errors`, the reason for the client.
   */
  fail(rcode: number, code = -1, text = '', error?: string): typeof DONE {
    const { scan, question } = this
    this.out = this.slot
    this.outAt = this.slotAt
    const { out, outAt } = this
    let at = outAt + HEADER_OCTETS
    for (let i = scan.start + HEADER_OCTETS; i < scan.questionEnd; i++) out[at++] = question[i]!
    for (let i = 0; i < HEADER_OCTETS; i++) out[outAt + i] = 0
    out[outAt + 2] = FLAG_QR
    out[outAt + 3] = rcode & 15
    out[outAt + 5] = 1
    this.length = at - outAt
    this.rcode = rcode
    this.plugin = 0
    this.error = error
    this.isWhole = false
    this.isQuestionStale = false
    this.setReason(code, text)
    return DONE
  }

  /** The extended error of the reply; -1 takes it away. */
  setReason(code: number, text = ''): void {
    this.reasonCode = code
    this.reasonOctets = code < 0 ? 0 : encoder.encodeInto(text, this.reason).written
  }

  /** The extended error is that of another reply. */
  takeReason({ reasonCode, reason, reasonOctets }: Reply): void {
    this.reasonCode = reasonCode
    this.reasonOctets = reasonOctets
    for (let i = 0; i < reasonOctets; i++) this.reason[i] = reason[i]!
  }

  /** Adds an option to the reply; false where there is no room for it. */
  addOption(code: number, data: Uint8Array, from = 0, to: number = data.length): boolean {
    const { options } = this
    let at = this.optionsOctets
    if (at + 4 + to - from > OPTIONS_MAX_OCTETS) return false
    writeU16(options, at, code)
    writeU16(options, at + 2, to - from)
    at += 4
    for (let i = from; i < to; i++) options[at++] = data[i]!
    this.optionsOctets = at
    return true
  }

  /** Puts the reply aside: it comes back with `restore`. */
  keepReply(): KeptReply {
    const { out, outAt, length, rcode, plugin, error, reasonCode } = this
    const octets = Uint8Array.prototype.slice.call(out, outAt, outAt + length)
    const reason = this.reason.slice(0, this.reasonOctets)
    return { octets, rcode, plugin, error, reasonCode, reason, recursionDesired: this.replyRecursionDesired }
  }

  /** The reply is one that was put aside, of this packet while its question was the same. */
  restore({ octets, rcode, plugin, error, reasonCode, reason, recursionDesired }: KeptReply): void {
    this.enlarge()
    this.out.set(octets, this.outAt)
    this.length = octets.length
    this.rcode = rcode
    this.plugin = plugin
    this.error = error
    this.reasonCode = reasonCode
    this.reason.set(reason)
    this.reasonOctets = reason.length
    this.replyRecursionDesired = recursionDesired
  }
}
