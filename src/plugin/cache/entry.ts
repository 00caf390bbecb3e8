// A stored reply. It is kept as the octets that a client gets, in a latin1 string: a string lies in V8's own heap with 16
// octets of bookkeeping, an array of the same octets costs 350 more. Behind the message stand the offsets of its TTL
// fields, two octets each, so that a hit copies and patches and never parses.
//
//   id 0  QR|AA  RA|AD|rcode  counts  question  answer  authority  additional  |  ttl at, ttl at, …
//                                                          messageOctets ──────┘  (16 bits each, big-endian)
//
// Owners are mostly pointers to the question's name and so follow the spelling of whoever asks (RFC 4343). AA is set in
// all that comes from the cache, as CoreDNS does for resolvers that take nothing else.

import type { Reply } from '../../query/reply.ts'
import type { ExtendedError } from '../../wire/extended-error.ts'
import { HEADER_OCTETS, MESSAGE_MAX, readU16 } from '../../wire/header.ts'
import { decodeMessage, MessageWriter, type Question } from '../../wire/message.ts'
import { equalNames } from '../../wire/name.ts'
import { RCODE } from '../../wire/rcode.ts'
import type { Rr } from '../../wire/record.ts'
import { TYPE } from '../../wire/rrtype.ts'
import type { Side } from './config.ts'
import { withReplyTtl } from './ttl.ts'

/** `runLength` of a reply that cannot be re-ordered by moving address octets alone. */
export const RUN_MIXED = -1

/** What an entry takes beside its octets and its key's: objects, the map's and the list's slots (measured). */
export const ENTRY_OVERHEAD_OCTETS = 300

export class Entry {
  readonly side: Side
  readonly rcode: number
  readonly authenticData: boolean
  /** The message, then the offsets of its TTL fields. */
  readonly octets: string
  readonly messageOctets: number
  /** On the monotonic clock: wall-clock jumps move nothing. */
  readonly storedAtMs: number
  readonly ttlSeconds: number
  /** Whether it holds what was asked for. */
  readonly answering: boolean
  /** The extended error a client with EDNS gets (RFC 8914). */
  readonly extendedError: ExtendedError | undefined
  /**
   * Which records of the answer may be shuffled by swapping their data: equal owner, type and length, behind all others.
   * A `runLength` of 0 is nothing to shuffle.
   */
  readonly runStart: number
  readonly runLength: number
  /** Under `prefer_positive`: the answer that this one took the place of without answering anything itself. */
  lastKnownGood: Entry | undefined = undefined
  /** Hits without a gap, and the last of them; counted only for `prefetch`. */
  hits = 0
  lastHitMs = 0
  #refreshing = false
  #retryAtMs = 0

  constructor(fields: EntryFields) {
    this.side = fields.side
    this.rcode = fields.rcode
    this.authenticData = fields.authenticData
    this.octets = fields.octets
    this.messageOctets = fields.messageOctets
    this.storedAtMs = fields.storedAtMs
    this.ttlSeconds = fields.ttlSeconds
    this.answering = fields.answering
    this.extendedError = fields.extendedError
    this.runStart = fields.runStart
    this.runLength = fields.runLength
  }

  /** What is left of its TTL; 0 and below: that long expired. */
  ttlAt(nowMs: number): number {
    return this.ttlSeconds - Math.floor((nowMs - this.storedAtMs) / 1000)
  }

  /** Whether it is fresh, or stale for less than `staleSeconds`. */
  isUsable(nowMs: number, staleSeconds: number): boolean {
    const ttl = this.ttlAt(nowMs)
    return ttl > 0 || -ttl < staleSeconds
  }

  /** Where record i of the message has its TTL field. */
  ttlOffset(i: number): number {
    const at = this.messageOctets + 2 * i
    return (this.octets.charCodeAt(at) << 8) | this.octets.charCodeAt(at + 1)
  }

  /** The number of records in the message. */
  get records(): number {
    return (this.octets.length - this.messageOctets) >> 1
  }

  /** Whether a refresh was under way already; if not, one is now, until `endRefresh`. */
  beginRefresh(nowMs: number): boolean {
    if (this.#refreshing || nowMs < this.#retryAtMs) return false
    this.#refreshing = true
    return true
  }

  /** Ends a refresh; none begins before `retryAtMs`. */
  endRefresh(retryAtMs: number): void {
    this.#refreshing = false
    this.#retryAtMs = retryAtMs
  }

  /** Whether `beginRefresh` would say no. */
  isRefreshing(nowMs: number): boolean {
    return this.#refreshing || nowMs < this.#retryAtMs
  }

  /**
   * The reply as a plugin's, with that TTL on every record, to a question that has this entry's key. Undefined where the
   * octets cannot be read, which takes a plugin that wrote record data of the wrong shape.
   */
  reply(question: Question, ttlSeconds: number, keepsAuthenticData: boolean): Reply | undefined {
    const octets = Buffer.from(this.octets, 'latin1')
    octets.set(question.qname, HEADER_OCTETS)
    const message = decodeMessage(octets.subarray(0, this.messageOctets))
    if (!message) return undefined
    const { answer, authority, additional, rcode, recursionAvailable } = message
    const reply: Reply = {
      rcode,
      authoritative: true,
      recursionAvailable,
      authenticData: this.authenticData && keepsAuthenticData,
      truncated: false,
      answer,
      authority,
      additional,
      extendedError: this.extendedError,
      plugin: 'cache',
    }
    return withReplyTtl(reply, ttlSeconds)
  }

  /** What it takes, with a key of that length: what the cache's bound in octets counts. */
  octetsTaken(key: string): number {
    const good = this.lastKnownGood?.octetsTaken('') ?? 0
    const text = this.extendedError?.text.length ?? 0
    return this.octets.length + key.length + text + good + ENTRY_OVERHEAD_OCTETS
  }
}

interface EntryFields {
  readonly side: Side
  readonly rcode: number
  readonly authenticData: boolean
  readonly octets: string
  readonly messageOctets: number
  readonly storedAtMs: number
  readonly ttlSeconds: number
  readonly answering: boolean
  readonly extendedError: ExtendedError | undefined
  readonly runStart: number
  readonly runLength: number
}

const writer = new MessageWriter()
/** A message and the offsets of its TTL fields: a record takes eleven octets at least. */
const scratch = Buffer.alloc(MESSAGE_MAX + 2 * Math.ceil(MESSAGE_MAX / 11))

/**
 * Makes the entry of a reply whose records all carry `ttlSeconds` already; undefined where the reply does not fit a
 * message.
 */
export function buildEntry(
  question: Question,
  reply: Reply,
  answering: boolean,
  side: Side,
  ttlSeconds: number,
  storedAtMs: number,
): Entry | undefined {
  const { rcode, authenticData, recursionAvailable } = reply
  const head = {
    id: 0,
    response: true,
    opcode: 0,
    authoritative: true,
    truncated: false,
    recursionDesired: false,
    recursionAvailable,
    authenticData,
    checkingDisabled: false,
    rcode,
    question,
  }
  const records = reply.answer.length + reply.authority.length + reply.additional.length
  const message = writer.write(head, reply, undefined, MESSAGE_MAX)
  if (readU16(message, 6) + readU16(message, 8) + readU16(message, 10) !== records) return undefined
  scratch.set(message)
  writeTtlOffsets(scratch, HEADER_OCTETS + question.qname.length + 4, message.length, records)
  const [runStart, runLength] = rcode === RCODE.NOERROR ? addressRun(reply) : [0, 0]
  return new Entry({
    side,
    rcode,
    authenticData,
    octets: scratch.toString('latin1', 0, message.length + 2 * records),
    messageOctets: message.length,
    storedAtMs,
    ttlSeconds,
    answering,
    extendedError: reply.extendedError,
    runStart,
    runLength,
  })
}

/** Walks the records of a message of our own making and notes behind it where their TTL fields are. */
function writeTtlOffsets(octets: Buffer, questionEnd: number, messageOctets: number, records: number): void {
  let at = questionEnd
  for (let i = 0; i < records; i++) {
    while (octets[at]! !== 0 && octets[at]! < 0xc0) at += octets[at]! + 1
    at += octets[at] === 0 ? 1 : 2
    octets.writeUInt16BE(at + 4, messageOctets + 2 * i)
    at += 10 + readU16(octets, at + 8)
  }
}

/**
 * The records that `loadbalance` shuffles, where it leaves all others in their place: its order is CNAMEs, others,
 * addresses, MX, each section for itself.
 */
function addressRun({ answer, authority, additional }: Reply): readonly [start: number, length: number] {
  const mixed = [0, RUN_MIXED] as const
  for (const section of [answer, authority, additional]) {
    if (section.some((record, i) => i > 0 && rank(section[i - 1]!) > rank(record))) return mixed
    if (section.filter(record => record.type === TYPE.MX).length > 1) return mixed
  }
  if (authority.filter(isAddress).length > 1 || additional.filter(isAddress).length > 1) return mixed
  const start = answer.findIndex(isAddress)
  const run = answer.filter(isAddress)
  const first = run[0]
  if (first === undefined || run.length === 1) return [0, 0]
  return run.every(
    record =>
      record.type === first.type &&
      record.class === first.class &&
      record.rdata.length === (first.type === TYPE.A ? 4 : 16) &&
      equalNames(record.owner, first.owner),
  )
    ? [start, run.length]
    : mixed
}

const isAddress = ({ type }: Rr): boolean => type === TYPE.A || type === TYPE.AAAA

function rank(record: Rr): number {
  if (record.type === TYPE.CNAME) return 0
  if (isAddress(record)) return 2
  return record.type === TYPE.MX ? 3 : 1
}
