// One query on its way down the plugins of a server block, and its reply on the way back up. A packet is filled again for
// every query: whoever keeps anything of it copies it first. Nothing in it is a tree: the question is octets that were
// scanned, the reply is octets that are written, walked and changed where they lie (wire/walk.ts, wire/composer.ts,
// wire/ttls.ts, wire/sections.ts, wire/order.ts).
//
//   what came     octets[start … end), `from` whom, at when        the listener fills these in
//   the question  scan: as it is now; level 0 is the client's      `ask` changes it for who stands behind, `unask` back
//   the reply     out[outAt … outAt + length): header, question, records; no OPT, which the road writes last of all
//                 code, plugin, error, reason, options             beside it
//
// A handler that cannot answer at once parks the packet, which makes a small record of it (waiting.ts), says WAIT, and
// wakes it later: then it goes on as if it had never waited.

import { Composer } from '../wire/composer.ts'
import { REASON_MAX_OCTETS } from '../wire/extended-error.ts'
import { FLAG_AD, FLAG_QR, FLAG_TC, HEADER_OCTETS, MESSAGE_MAX, readU16, writeU16 } from '../wire/header.ts'
import { NAME_MAX_OCTETS, type Name } from '../wire/name.ts'
import { CLASS } from '../wire/rrtype.ts'
import { OPTIONS_MAX, Scan } from '../wire/scan.ts'
import { dropSections } from '../wire/sections.ts'
import { RecordWalk } from '../wire/walk.ts'
import { addressKey, type Endpoint, readSockaddr, type Transport } from './sockaddr.ts'
import type { RecordStream } from './zone-copy.ts'

/** Not mine, or nothing to do on the way back: on to the handler behind. */
export const NEXT = 0 as const
/** On to the handler behind, and then the reply comes to my `back`, with what I kept. */
export const BACK = 1 as const
/** The reply is in the packet. */
export const DONE = 2 as const
/** Nobody gets a reply. */
export const DROP = 3 as const
/** The packet is parked; who has its record wakes it. */
export const WAIT = 4 as const
/** Only from `back` and `found`: down again from the handler behind me, with the question as it is now; then back to me. */
export const AGAIN = 5 as const
/** The whole server is asked the question of `wish`; its reply comes to my `found`, with what I kept. */
export const LOOKUP = 6 as const

/** What a handler says. */
export type Step =
  | typeof NEXT
  | typeof BACK
  | typeof DONE
  | typeof DROP
  | typeof WAIT
  | typeof AGAIN
  | typeof LOOKUP

/** What a handler keeps for its way back: a number where that does. */
export type Kept = unknown

/** What belongs to a note beside its words: addresses, codes, seconds. */
export type NoteFacts = Readonly<Record<string, string | number | boolean>>

/** Somebody who wants to know what becomes of a packet, and of what is looked up for it. */
export interface Trace {
  /** The handler `packet.at` has said that, on the way down or up. */
  said(packet: Packet, step: Step): void
  /** What a plugin did with the packet, by its word ('' is the server), in words for a person. Made only where there is a trace. */
  note(word: string, text: string, facts?: NoteFacts): void
}

/** What of the server block plugins know by a packet: labels of metrics, and bounds. */
export interface Served {
  /** The listener: `dns://:53`. */
  readonly server: string
  /** The zone of the server block: `.`. */
  readonly zoneText: string
  /** Its view, or ''. */
  readonly view: string
  readonly udpMaxOctets: number
  /** Leaves what the block's plugins know of the packet among its labels; absent without `metadata`. */
  readonly annotate?: ((packet: Packet, labels: Map<string, string>) => void) | undefined
}

/** Where a packet came from: a socket, a connection, or a packet that it was asked for. */
export interface Origin {
  readonly transport: Transport
  /** The address at which the packet came. */
  localOf(packet: Packet): Endpoint
  /** The packet waits; `reply` will follow. */
  parked(): void
  /** What became of a packet that had to wait: that many octets at `slot`; 0 is silence, or a transfer in `messages`. */
  reply(packet: Packet, octets: number): void
}

/**
 * The record of one parked packet (waiting.ts). Whoever has it calls `wake` once, or nobody gets a reply; not before the
 * handler that parked it has said WAIT.
 */
export interface Waiting {
  /** The next one in a list of whoever has it. */
  next: Waiting | undefined
  /** Nobody cares any more: waking it frees it. */
  isAbandoned: boolean
  /** The packet for which it was asked. */
  asker: Waiting | undefined
  /** Of whoever has it: for whom it is held. */
  holder: string | number
  /** On the monotonic clock, in ms: when nobody waits for a reply any more. */
  readonly deadlineMs: number
  /** Makes a packet of the record again, which goes on by `Packet.goOn`; undefined where it was abandoned. */
  wake(): Packet | undefined
}

/** What the packet's road does for the handlers on it (serving/road.ts). */
export interface PacketRoad {
  /** See `Packet.park`. */
  park(packet: Packet): Waiting | undefined
  /** See `Waiting.wake`. */
  wake(waiting: Waiting): Packet | undefined
  /** See `Packet.goOn`. */
  goOn(packet: Packet, step: Step): void
  /** Ends the way of a packet that was woken, with a bug. */
  broken(packet: Packet, error: unknown): void
  /** See `Packet.behind`. */
  behind(packet: Packet): Packet
  /** See `Packet.behindLater`. */
  behindLater(packet: Packet): Waiting | undefined
  /** See `Packet.send`. */
  send(packet: Packet, kept: Kept): void
}

/** The messages of a zone transfer, drawn one by one as the peer takes them. */
export interface Messages {
  /** The next message; `complete` after the last one; `cut` where the transfer cannot go on: the connection is to end. */
  next(): Uint8Array | 'complete' | 'cut'
  /** Nothing more is drawn. To be called once, however it ends. */
  end(): void
}

/** A reply that was put aside. */
export interface KeptReply {
  readonly octets: Uint8Array
  readonly rcode: number
  readonly plugin: number
  readonly error: string | undefined
  readonly reasonCode: number
  readonly reason: Uint8Array
}

/** How long a client waits at most for an answer: what every plugin's deadlines start from. */
export const PATIENCE_MS = 5000
/** How many look-ups one client query may start in all: chains and loops end here (RFC 1034 5.2.2). */
export const LOOKUPS_MAX = 12

/** Octets of a question's name, type and class. */
const QUESTION_MAX_OCTETS = NAME_MAX_OCTETS + 4
/** Options that the server adds to a reply: a cookie, NSID, keepalive, and what a Corefile shows. */
const OPTIONS_MAX_OCTETS = 1024
/** A reply of any size, and room to write the last record before it is seen not to fit. */
const BIG_OCTETS = MESSAGE_MAX + 1

/** Of a client: its socket address, and the control message of its query (listen/batch-memory.ts). */
export const FROM_MAX_OCTETS = 72

const NOTHING = new Uint8Array(0)
const encoder = new TextEncoder()

/** What replies are written with: one for the thread, as no two are written at once. */
const composer = new Composer()
/** What replies are read with: likewise. */
const walk = new RecordWalk()

/** Where a reply is written anew from its former form: swapped with the big buffer of the packet. */
let spare: Uint8Array | undefined

export class Packet {
  // What came. The listener fills in this part.

  octets: Uint8Array = NOTHING
  start = 0
  end = 0
  /** The client's socket address (sockaddr.ts) is at from[fromAt …); `fromOctets` are the origin's to be kept with it. */
  from: Uint8Array = NOTHING
  fromAt = 0
  fromOctets = 0
  family: 4 | 6 = 4
  origin!: Origin
  /** Where the listener wants the finished reply, and how much of it. */
  slot: Uint8Array = NOTHING
  slotAt = 0
  slotOctets = 0

  /** Who wants to know what becomes of it; undefined: nobody. It stays with the packet from query to query. */
  trace: Trace | undefined

  // How far it came. The road fills in this part.

  road!: PacketRoad
  served!: Served
  /** On the monotonic clock, in ms: when it came, and when nobody waits for a reply any more. */
  receivedAtMs = 0
  deadlineMs = 0
  /** Octets that the client sent. */
  requestOctets = 0
  /** The largest reply that the client takes, over this transport. */
  limit = 0
  /** Look-ups that may still be started for the client's query, those of look-ups included. */
  lookupsLeft = 0
  /** The handler that has the packet, by its number in the chain. */
  at = 0
  /** Handlers that said BACK or LOOKUP, with what they kept; `depth` of them. */
  readonly stackAt: number[] = []
  readonly stackKept: Kept[] = []
  depth = 0
  /** Whether it waited: its reply goes to `origin.reply`. */
  late = false
  /** The record of it that somebody has. */
  waiting: Waiting | undefined
  /** Whether it has one of the places for waiting packets. */
  hasPlace = false
  /** The packet for which this one is asked (LOOKUP), as a record where it waits; undefined for a client's. */
  asker: Packet | Waiting | undefined
  /** Whether it is asked for nobody: to refresh what is cached, to see whether a server answers. */
  isForNobody = false
  /** Whether it is asked on the way of another query, of the whole server (LOOKUP). */
  isLookUp = false

  // The question.

  /** As it is now. */
  scan: Scan
  /** The message that `scan` is of: from scan.start + 12 to scan.questionEnd is the question in its spelling. */
  question: Uint8Array = NOTHING
  /** 0 is the client's question. */
  level = 0
  readonly #scans: Scan[] = [new Scan()]
  readonly #questions: Uint8Array[] = []
  /** RD of what upstreams are asked: set, whoever asks, unless `header` clears it. */
  recursionDesired = true
  /** Whether the client gets to know what is authentic: AD, which `cache` sets for what it keeps. */
  authenticData = false
  /** What the client takes over UDP; `bufsize` lowers it. */
  payloadSize = 512
  /** Whether a handler that sees the reply may make it smaller: what does not fit by then may fit in the end. */
  becomesSmaller = false
  /** Options that the Corefile adds for upstreams (`rewrite edns0`), in wire form. */
  addedOptions: Uint8Array | undefined
  /** Codes of the client's options from 32 on, once the octets of the packet are gone: it was parked. */
  readonly heldCodes = new Uint16Array(OPTIONS_MAX)
  heldCount = 0
  /** What LOOKUP asks. */
  wishName: Uint8Array = NOTHING
  wishType = 0

  // The reply.

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
  /** A zone transfer in place of an answer section, over TCP and TLS only. */
  transfer: RecordStream | undefined
  /** The messages of a transfer, once the reply is finished. */
  messages: Messages | undefined

  #labels: Map<string, string> | undefined
  /** Whether the block's plugins have left theirs. */
  #isLabelled = false
  #from: Uint8Array | undefined
  #big: Uint8Array | undefined
  #client: Endpoint | undefined

  constructor() {
    this.scan = this.#scans[0]!
  }

  /** Forgets the former query; `octets` … `slotOctets` are the new one's. To be called before all else. */
  begin(nowMs: number): void {
    this.receivedAtMs = nowMs
    this.requestOctets = this.end - this.start
    this.depth = 0
    this.late = false
    this.waiting = undefined
    this.hasPlace = false
    this.asker = undefined
    this.isForNobody = this.isLookUp = false
    this.recursionDesired = true
    this.level = 0
    this.scan = this.#scans[0]!
    this.question = this.octets
    this.heldCount = 0
    this.becomesSmaller = false
    this.addedOptions = undefined
    this.#labels = undefined
    this.#isLabelled = false
    this.optionsOctets = 0
    this.transfer = undefined
    this.messages = undefined
    this.#client = undefined
    this.clear()
  }

  /** Begins a packet that is asked on behalf of another one; its question comes next, by `askFirst`. */
  follow(packet: Packet): void {
    this.enlarge()
    this.slot = this.out
    this.slotAt = 0
    this.slotOctets = MESSAGE_MAX
    this.begin(packet.receivedAtMs)
    this.from = packet.from
    this.fromAt = packet.fromAt
    this.fromOctets = packet.fromOctets
    this.family = packet.family
    this.origin = packet.origin
    this.road = packet.road
    this.deadlineMs = packet.deadlineMs
    this.requestOctets = packet.requestOctets
    this.limit = packet.limit
    this.lookupsLeft = packet.lookupsLeft
    this.recursionDesired = packet.recursionDesired
    this.authenticData = packet.authenticData
    this.payloadSize = packet.payloadSize
    this.becomesSmaller = packet.becomesSmaller
    this.trace = packet.trace
    this.asked.takeFlags(packet.scan)
  }

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

  // Who asks.

  get transport(): Transport {
    return this.origin.transport
  }

  /** Who asks, in words; made when somebody wants to know. */
  get client(): Endpoint {
    this.#client ??= readSockaddr(this.from, this.fromAt)
    return this.#client
  }

  /** The address at which the packet came. */
  get local(): Endpoint {
    return this.origin.localOf(this)
  }

  // The question.

  /** The client's own question. */
  get asked(): Scan {
    return this.#scans[0]!
  }

  /** The name of the question as it is now, in its spelling: a copy. */
  get qname(): Name {
    const { start, questionEnd } = this.scan
    return this.question.slice(start + HEADER_OCTETS, questionEnd - 4)
  }

  /** Where that name begins in `question`: whole, and without pointers. */
  get qnameAt(): number {
    return this.scan.start + HEADER_OCTETS
  }

  /**
   * Changes the question for the handlers behind: name[at … at + octets) is a whole legal name. The former question comes
   * back with `unask`, on the way up.
   */
  ask(name: Uint8Array, at: number, octets: number, qtype: number, qclass: number = CLASS.IN): void {
    const level = ++this.level
    this.#questions[level] ??= new Uint8Array(HEADER_OCTETS + QUESTION_MAX_OCTETS)
    this.#scans[level] ??= new Scan()
    const question = this.#questions[level]
    const end = writeQuestion(question, name, at, octets, qtype, qclass)
    const scan = this.#scans[level]
    scan.takeFlags(this.scan)
    scan.readQuestion(question, 0, end)
    this.scan = scan
    this.question = question
  }

  /** Takes the question back that was before `ask`. A reply to the other one is written anew before it leaves. */
  unask(): void {
    const level = --this.level
    this.scan = this.#scans[level]!
    this.question = level === 0 ? this.octets : this.#questions[level]!
    if (this.length > 0) this.isQuestionStale = true
  }

  /** Whether the client sent an option of that code. */
  hasOption(code: number): boolean {
    const { asked } = this
    if (code < 32) return asked.hasOption(code)
    for (let i = 0; i < this.heldCount; i++) if (this.heldCodes[i] === code) return true
    return asked.optionsEnd > asked.optionsAt && asked.findOption(this.octets, code) >= 0
  }

  // Labels (`kubernetes/namespace`), in a block with `metadata`.

  /** All of them; undefined in a block that has none. They are of the client's own question, and made when somebody wants one. */
  get labels(): Map<string, string> | undefined {
    const { annotate } = this.served
    if (annotate === undefined) return undefined
    this.#labels ??= new Map()
    if (!this.#isLabelled) {
      this.#isLabelled = true
      annotate(this, this.#labels)
    }
    return this.#labels
  }

  /** The value of one; undefined where nobody has left it. */
  label(label: string): string | undefined {
    return this.labels?.get(label)
  }

  /** Leaves one for those who come later. */
  setLabel(label: string, value: string): void {
    if (this.served.annotate === undefined) return
    this.#labels ??= new Map()
    this.#labels.set(label, value)
  }

  /** Another block may take the packet: it has other labels. */
  forgetLabels(): void {
    this.#labels = undefined
    this.#isLabelled = false
  }

  /** For the record of a parked packet: the labels that were made so far, and whether all were. */
  get madeLabels(): Map<string, string> | undefined {
    return this.#labels
  }
  get isLabelled(): boolean {
    return this.#isLabelled
  }

  /** The labels are these. */
  takeLabels(labels: Map<string, string> | undefined, isLabelled: boolean): void {
    this.#labels = labels
    this.#isLabelled = isLabelled
  }

  /** Who asks, as a key: the address as a number, or its octets as a string. */
  get clientKey(): string | number {
    return addressKey(this.from, this.fromAt)
  }

  // For the record of a parked packet (waiting.ts).

  /** Notes the codes of the client's options from 32 on; returns how many there are. */
  holdCodes(): number {
    const { octets, asked, heldCodes } = this
    for (let at = asked.optionsAt; at < asked.optionsEnd; at += 4 + readU16(octets, at + 2)) {
      const code = readU16(octets, at)
      if (code >= 32) heldCodes[this.heldCount++] = code
    }
    return this.heldCount
  }

  /** The client's socket address, and what is kept with it, are at octets[at …): copied. */
  hold(octets: Uint8Array, at: number): void {
    this.#from ??= new Uint8Array(FROM_MAX_OCTETS)
    this.from = this.#from
    this.fromAt = 0
    for (let i = 0; i < this.fromOctets; i++) this.from[i] = octets[at + i]!
    this.#client = undefined
    this.messages = undefined
    this.transfer = undefined
    this.enlarge()
    this.slot = this.out
    this.slotAt = 0
    this.clear()
  }

  /** The client's question is this one. */
  askFirst(name: Uint8Array, at: number, octets: number, qtype: number, qclass: number): void {
    this.#questions[0] ??= new Uint8Array(HEADER_OCTETS + QUESTION_MAX_OCTETS)
    this.octets = this.#questions[0]
    this.start = 0
    this.end = writeQuestion(this.octets, name, at, octets, qtype, qclass)
    this.level = 0
    this.scan = this.asked
    this.question = this.octets
    this.scan.readQuestion(this.octets, 0, this.end)
  }

  /** The question of a level. */
  scanAt(level: number): Scan {
    return this.#scans[level]!
  }

  /** For the record of a parked packet: the message that the scan of a level is of. */
  questionAt(level: number): Uint8Array {
    return level === 0 ? this.octets : this.#questions[level]!
  }

  // The reply.

  /** Whether a reply that is written now goes to the client with nobody to see it before. */
  get goesOutAsItIs(): boolean {
    return this.depth === 0 && this.level === 0 && !this.late && this.asker === undefined && !this.isForNobody
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
  takeReason({ reasonCode, reason, reasonOctets }: Packet): void {
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
    return { octets, rcode, plugin, error, reasonCode, reason }
  }

  /** The reply is one that was put aside, of this packet while its question was the same. */
  restore({ octets, rcode, plugin, error, reasonCode, reason }: KeptReply): void {
    this.enlarge()
    this.out.set(octets, this.outAt)
    this.length = octets.length
    this.rcode = rcode
    this.plugin = plugin
    this.error = error
    this.reasonCode = reasonCode
    this.reason.set(reason)
    this.reasonOctets = reason.length
  }

  // The way.

  /** Keeps something for `back` or `found`; to be called once, before BACK, AGAIN or LOOKUP is said. */
  keep(kept: Kept): void {
    this.stackKept[this.depth] = kept
  }

  /**
   * Makes a record of the packet, to be woken when there is a reply; the handler then says WAIT. Undefined where there is
   * no place for it: then the packet has been given the reply that says so.
   */
  park(): Waiting | undefined {
    return this.road.park(this)
  }

  /** Goes on with a packet that was woken, as if the handler that parked it said this now. */
  goOn(step: Step): void {
    this.road.goOn(this, step)
  }

  /** A packet with the same question that is asked for nobody, from behind the handler at hand on: `send` sends it down. */
  behind(): Packet {
    return this.road.behind(this)
  }

  /** The same as a record, to be woken whenever there is something to ask; its question is `askFirst`'s then. */
  behindLater(): Waiting | undefined {
    return this.road.behindLater(this)
  }

  /** Sends a packet of `behind` down; its reply, if there is one, comes to `back` with what is kept, and goes no further. */
  send(kept: Kept): void {
    this.road.send(this, kept)
  }
}

/** Writes a query of one question to out[0 …); returns its end. The header is the caller's, but for the count. */
export function writeQuestion(
  out: Uint8Array,
  name: Uint8Array,
  at: number,
  octets: number,
  qtype: number,
  qclass: number,
): number {
  for (let i = 0; i < HEADER_OCTETS; i++) out[i] = 0
  out[5] = 1
  for (let i = 0; i < octets; i++) out[HEADER_OCTETS + i] = name[at + i]!
  const end = HEADER_OCTETS + octets
  writeU16(out, end, qtype)
  writeU16(out, end + 2, qclass)
  return end + 4
}
