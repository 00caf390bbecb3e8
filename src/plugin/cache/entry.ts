// A stored reply: as it is put into the memory of a cache, and as it is taken out of it. What is kept is the message that a client
// gets, and behind it where its TTL fields are, so that a hit copies and patches and never parses (layout.ts).
//
//   id 0  QR|AA  RA|AD|rcode  counts  question  answer  authority  additional  |  ttl at, ttl at, …
//                                                          messageOctets ──────┘  (16 bits each, big-endian)
//
// Owners are mostly pointers to the question's name and so follow the spelling of whoever asks (RFC 4343). AA is set in
// all that comes from the cache, as CoreDNS does for resolvers that take nothing else.

import { DONE, type Packet } from '../../query/packet.ts'
import { REASON_MAX_OCTETS } from '../../wire/extended-error.ts'
import {
  FLAG_AA, FLAG_AD, FLAG_CD, FLAG_QR, HEADER_OCTETS, MESSAGE_MAX, readU16, writeU16, writeU32,
} from '../../wire/header.ts' // biome-ignore format: one import
import { RCODE } from '../../wire/rcode.ts'
import { RecordWalk } from '../../wire/walk.ts'
import { isEmpty } from '../why.ts'
import { addressRun } from './address-run.ts'
import type { Side } from './config.ts'
import { copyOctets } from './copy.ts'
import type { CacheHalf, EntryDraft } from './half.ts'
import { KEY_MAX_OCTETS } from './key.ts'
import { ANSWERING, EMPTY, ENTRY, ENTRY_WORDS } from './layout.ts'
import { SlotView } from './slot.ts'

/** How long a refresh may be under way: longer than any of a chain's. */
export const REFRESH_MAX_MS = 10_000
/** A record takes eleven octets at least. */
export const RECORDS_MAX = Math.ceil(MESSAGE_MAX / 11)
const walk = new RecordWalk()

/** The thread's: an entry that is to be put. */
const draft: EntryDraft = {
  head: new Int32Array(ENTRY_WORDS),
  octets: new Uint8Array(KEY_MAX_OCTETS + MESSAGE_MAX + 2 * RECORDS_MAX + REASON_MAX_OCTETS),
  length: 0,
  storedAtMs: 0,
}

/** What is kept beside the octets of a reply. */
export interface EntryFacts {
  /** The extended error to be told; -1 is none. */
  readonly reasonCode: number
  /** Whether it holds what was asked for. */
  readonly answering: boolean
  readonly ttlSeconds: number
  /** On the machine's clock. */
  readonly storedAtMs: number
}

/**
 * Makes the entry of a packet's reply, which answers its question as it is now and whose records all carry the TTL already; it is
 * another one's after the next call.
 */
export function draftEntry(
  packet: Packet,
  key: Uint8Array,
  keyOctets: number,
  hash: number,
  { reasonCode, answering, ttlSeconds, storedAtMs }: EntryFacts,
): EntryDraft {
  const { out, outAt, length, rcode } = packet
  const { head, octets } = draft
  for (let i = 0; i < keyOctets; i++) octets[i] = key[i]!
  copyOctets(out, outAt, length, octets, keyOctets)
  // The client's own: id, RD, CD.
  octets[keyOctets] = octets[keyOctets + 1] = 0
  octets[keyOctets + 2] = FLAG_QR | FLAG_AA
  octets[keyOctets + 3]! &= ~FLAG_CD
  const messageEnd = keyOctets + length
  let at = messageEnd
  for (walk.open(octets, keyOctets, messageEnd); walk.next(); at += 2)
    writeU16(octets, at, walk.ttlAt - keyOctets)
  const records = (at - messageEnd) / 2
  const run = rcode === RCODE.NOERROR ? addressRun(octets, keyOctets, messageEnd) : 0
  const reasonOctets = reasonCode < 0 ? 0 : packet.reasonOctets
  copyOctets(packet.reason, 0, reasonOctets, octets, at)
  draft.length = at + reasonOctets
  draft.storedAtMs = storedAtMs
  head[ENTRY.HASH] = hash
  head[ENTRY.TTL] = ttlSeconds
  head[ENTRY.LENGTHS] = keyOctets | (length << 16)
  const flags = (answering ? ANSWERING : 0) | (isEmpty(packet) ? EMPTY : 0)
  head[ENTRY.REPLY] = rcode | flags | (records << 16)
  head[ENTRY.RUN] = run
  head[ENTRY.REASON] = (reasonCode + 1) | (reasonOctets << 16)
  return draft
}

/** What is left of a TTL; 0 and below: that long expired. Another thread may have stored the entry a moment later than this one's now. */
export const ttlAt = (ttlSeconds: number, storedAtMs: number, nowMs: number): number =>
  ttlSeconds - Math.max(0, Math.floor((nowMs - storedAtMs) / 1000))

/** A stored reply as somebody took it out: a copy. */
export class Entry extends SlotView {
  readonly side: Side
  readonly rcode: number
  readonly reasonCode: number
  readonly ttlSeconds: number
  readonly storedAtMs: number
  readonly #octets: Uint8Array
  readonly #messageOctets: number
  readonly #records: number

  private constructor(half: CacheHalf, place: number, side: Side) {
    super()
    const { words, doubles, octets } = half
    const at = half.wordAt(place)
    const lengths = words[at + ENTRY.LENGTHS]!
    const reply = words[at + ENTRY.REPLY]!
    const reason = words[at + ENTRY.REASON]!
    this.half = half
    this.slot = words[at + ENTRY.SLOT]!
    this.side = side
    this.rcode = reply & 15
    this.reasonCode = (reason & 0xffff) - 1
    this.ttlSeconds = words[at + ENTRY.TTL]!
    this.storedAtMs = doubles[(at + ENTRY.STORED) / 2]!
    this.#messageOctets = lengths >>> 16
    this.#records = reply >>> 16
    const from = 4 * (at + ENTRY_WORDS) + (lengths & 0xffff)
    const behind = 2 * this.#records + (reason >>> 16)
    this.#octets = new Uint8Array(octets.subarray(from, from + this.#messageOctets + behind))
  }

  /** Takes an entry out; undefined where it went meanwhile. */
  static read(half: CacheHalf, place: number, side: Side): Entry | undefined {
    const entry = new Entry(half, place, side)
    return half.isThere(place) ? entry : undefined
  }

  /** What the copy keeps. */
  get octets(): number {
    return this.#octets.length
  }

  /** What is left of its TTL; 0 and below: that long expired. */
  ttlAt(nowMs: number): number {
    return ttlAt(this.ttlSeconds, this.storedAtMs, nowMs)
  }

  /** Somebody was served from it. */
  used(): void {
    this.half.used(this.slot)
  }

  /** Whether no refresh was under way; if so, one is now, until `endRefresh`. */
  beginRefresh(nowMs: number): boolean {
    return this.half.beginRefresh(this.slot, nowMs, REFRESH_MAX_MS)
  }

  /** Ends a refresh; none begins before `retryAtMs`, 0 is now. */
  endRefresh(retryAtMs: number): void {
    this.half.endRefresh(this.slot, retryAtMs)
  }

  /**
   * Becomes the reply of a packet whose question has this entry's key, with that TTL on every record and AD where the client
   * gets to know it.
   */
  answer(packet: Packet, plugin: number, ttlSeconds: number, keepsAuthenticData: boolean): typeof DONE {
    packet.clear()
    packet.enlarge()
    const { out, outAt, scan, question } = packet
    const octets = this.#octets
    const end = this.#messageOctets
    out.set(octets.subarray(0, end), outAt)
    const from = scan.start + HEADER_OCTETS
    for (let i = 0; i < scan.foldedLength; i++) out[outAt + HEADER_OCTETS + i] = question[from + i]!
    if (!keepsAuthenticData) out[outAt + 3]! &= ~FLAG_AD
    const textAt = end + 2 * this.#records
    for (let at = end; at < textAt; at += 2) writeU32(out, outAt + readU16(octets, at), ttlSeconds)
    packet.length = end
    packet.rcode = this.rcode
    packet.plugin = plugin
    packet.reasonCode = this.reasonCode
    packet.reasonOctets = octets.length - textAt
    packet.reason.set(octets.subarray(textAt))
    return DONE
  }
}
