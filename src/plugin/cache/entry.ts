// A stored reply. It is kept as the octets that a client gets, in a latin1 string: a string lies in V8's own heap with 16
// octets of bookkeeping, an array of the same octets costs 350 more. Behind the message stand the offsets of its TTL
// fields, two octets each, so that a hit copies and patches and never parses.
//
//   id 0  QR|AA  RA|AD|rcode  counts  question  answer  authority  additional  |  ttl at, ttl at, …
//                                                          messageOctets ──────┘  (16 bits each, big-endian)
//
// Owners are mostly pointers to the question's name and so follow the spelling of whoever asks (RFC 4343). AA is set in
// all that comes from the cache, as CoreDNS does for resolvers that take nothing else.

import { DONE, type Packet } from '../../query/packet.ts'
import {
  FLAG_AA,
  FLAG_AD,
  FLAG_CD,
  FLAG_QR,
  HEADER_OCTETS,
  MESSAGE_MAX,
  writeU32,
} from '../../wire/header.ts'
import { sameName } from '../../wire/message-name.ts'
import { RCODE } from '../../wire/rcode.ts'
import { TYPE } from '../../wire/rrtype.ts'
import { RecordWalk, SECTION } from '../../wire/walk.ts'
import { isEmpty } from '../why.ts'
import type { Side } from './config.ts'

/** `runLength` of a reply that cannot be re-ordered by moving address octets alone. */
export const RUN_MIXED = -1

/** What an entry takes beside its octets and its key's: objects, the map's and the list's slots (measured). */
export const ENTRY_OVERHEAD_OCTETS = 300

export class Entry {
  readonly side: Side
  readonly rcode: number
  /** The message, then the offsets of its TTL fields. */
  readonly octets: string
  readonly messageOctets: number
  /** On the monotonic clock: wall-clock jumps move nothing. */
  readonly storedAtMs: number
  readonly ttlSeconds: number
  /** Whether it holds what was asked for. */
  readonly answering: boolean
  /** The extended error that a client with EDNS gets (RFC 8914); -1 for none. */
  readonly reasonCode: number
  readonly reasonText: string
  /** Whether there is nothing in it that a client could use. */
  readonly isEmpty: boolean
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
    this.octets = fields.octets
    this.messageOctets = fields.messageOctets
    this.storedAtMs = fields.storedAtMs
    this.ttlSeconds = fields.ttlSeconds
    this.answering = fields.answering
    this.reasonCode = fields.reasonCode
    this.reasonText = fields.reasonText
    this.isEmpty = fields.isEmpty
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
   * Becomes the reply of a packet whose question has this entry's key, with that TTL on every record and AD where the client
   * gets to know it.
   */
  answer(packet: Packet, plugin: number, ttlSeconds: number, keepsAuthenticData: boolean): typeof DONE {
    packet.clear()
    packet.enlarge()
    const { out, outAt, scan, question } = packet
    copyText(this.octets, this.messageOctets, out, outAt)
    const from = scan.start + HEADER_OCTETS
    for (let i = 0; i < scan.foldedLength; i++) out[outAt + HEADER_OCTETS + i] = question[from + i]!
    if (!keepsAuthenticData) out[outAt + 3]! &= ~FLAG_AD
    for (let i = 0; i < this.records; i++) writeU32(out, outAt + this.ttlOffset(i), ttlSeconds)
    packet.length = this.messageOctets
    packet.rcode = this.rcode
    packet.plugin = plugin
    packet.setReason(this.reasonCode, this.reasonText)
    return DONE
  }

  /** What it takes, with a key of that length: what the cache's bound in octets counts. */
  octetsTaken(key: string): number {
    const good = this.lastKnownGood?.octetsTaken('') ?? 0
    return this.octets.length + key.length + this.reasonText.length + good + ENTRY_OVERHEAD_OCTETS
  }
}

interface EntryFields {
  readonly side: Side
  readonly rcode: number
  readonly octets: string
  readonly messageOctets: number
  readonly storedAtMs: number
  readonly ttlSeconds: number
  readonly answering: boolean
  readonly reasonCode: number
  readonly reasonText: string
  readonly isEmpty: boolean
  readonly runStart: number
  readonly runLength: number
}

/** A message and the offsets of its TTL fields: a record takes eleven octets at least. */
const scratch = Buffer.alloc(MESSAGE_MAX + 2 * Math.ceil(MESSAGE_MAX / 11))
const walk = new RecordWalk()

let target: Uint8Array = new Uint8Array(0)
let view: Buffer = Buffer.alloc(0)

/** The first octets of a latin1 string, to out[at …). */
export function copyText(text: string, octets: number, out: Uint8Array, at: number): void {
  viewOf(out).write(text, at, octets, 'latin1')
}

/** A text in UTF-8, to out[at …); returns its octets. */
export const writeText = (text: string, out: Uint8Array, at: number): number =>
  viewOf(out).write(text, at, 'utf8')

function viewOf(out: Uint8Array): Buffer {
  if (target !== out) {
    target = out
    view = Buffer.from(out.buffer, out.byteOffset, out.length)
  }
  return view
}

/**
 * Makes the entry of a packet's reply, which answers its question as it is now and whose records all carry `ttlSeconds` already;
 * `reasonCode` is the extended error to be told.
 */
export function buildEntry(
  packet: Packet,
  reasonCode: number,
  answering: boolean,
  side: Side,
  ttlSeconds: number,
  storedAtMs: number,
): Entry {
  const { out, outAt, length, rcode } = packet
  scratch.set(out.subarray(outAt, outAt + length))
  // The client's own: id, RD, CD.
  scratch[0] = scratch[1] = 0
  scratch[2] = FLAG_QR | FLAG_AA
  scratch[3]! &= ~FLAG_CD
  let at = length
  for (walk.open(scratch, 0, length); walk.next(); at += 2) scratch.writeUInt16BE(walk.ttlAt, at)
  const run = rcode === RCODE.NOERROR ? addressRun(length) : NO_RUN
  return new Entry({
    side,
    rcode,
    octets: scratch.toString('latin1', 0, at),
    messageOctets: length,
    storedAtMs,
    ttlSeconds,
    answering,
    reasonCode,
    reasonText: reasonCode < 0 ? '' : Buffer.from(packet.reason.subarray(0, packet.reasonOctets)).toString(),
    isEmpty: isEmpty(packet),
    runStart: run.start,
    runLength: run.length,
  })
}

interface Run {
  readonly start: number
  readonly length: number
}

const NO_RUN: Run = { start: 0, length: 0 }
const MIXED: Run = { start: 0, length: RUN_MIXED }

/**
 * The records of the message in `scratch` that `loadbalance` shuffles, where it leaves all others in their place: its order is
 * CNAMEs, others, addresses, MX, each section for itself.
 */
function addressRun(length: number): Run {
  let section = -1
  let rankBefore = 0
  let mxs = 0
  let addresses = 0
  const run = { start: 0, length: 0, type: 0, rrclass: 0, ownerAt: 0 }
  let i = 0
  for (walk.open(scratch, 0, length); walk.next(); i++) {
    const { type, rrclass, ownerAt } = walk
    if (walk.section !== section) {
      section = walk.section
      rankBefore = mxs = addresses = 0
    }
    const rank = rankOf(type)
    if (rank < rankBefore) return MIXED
    rankBefore = rank
    if (rank === RANK_MX && ++mxs > 1) return MIXED
    if (rank !== RANK_ADDRESS) continue
    addresses++
    if (section !== SECTION.ANSWER) {
      if (addresses > 1) return MIXED
      continue
    }
    if (addresses === 1) {
      run.start = i
      run.length = 1
      run.type = type
      run.rrclass = rrclass
      run.ownerAt = ownerAt
      if (walk.rdataEnd - walk.rdataAt !== addressOctets(type)) run.type = 0
      continue
    }
    const isAlike =
      type === run.type &&
      rrclass === run.rrclass &&
      walk.rdataEnd - walk.rdataAt === addressOctets(type) &&
      sameName(scratch, ownerAt, 0, scratch, run.ownerAt, 0)
    if (!isAlike) return MIXED
    run.length++
  }
  return run.length > 1 ? { start: run.start, length: run.length } : NO_RUN
}

const RANK_ADDRESS = 2
const RANK_MX = 3

const addressOctets = (type: number): number => (type === TYPE.A ? 4 : 16)

function rankOf(type: number): number {
  if (type === TYPE.CNAME) return 0
  if (type === TYPE.A || type === TYPE.AAAA) return RANK_ADDRESS
  return type === TYPE.MX ? RANK_MX : 1
}
