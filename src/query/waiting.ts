// What is kept of a packet that waits for somebody: its questions, its client, what its handlers kept, and no more. The
// octets of all records of a thread lie in slabs that are made as they are needed and used again; the places are bounded,
// and a client that holds many finds none before the others do (shared/fair-share.ts).
//
//   0   when it came, when nobody waits any more                           two doubles
//   16  id 2, flags 2, options below 32 4, payload sizes 2 and 2, limit 2, slot 2, query 2, options 2
//   36  look-ups left, levels, handler, depth, octets of `from`, codes, family: an octet each
//   48  the numbers of the handlers on the stack                           an octet each
//   …   the client's socket address, and what its listener needs with it   at most 72
//   …   of each level type, class, length and name as it was spelled       at most 260 each
//   …   codes of the client's options from 32 on                           at most 64
//   …   options that the reply gets: a cookie, keepalive, NSID
//
// Two names that are both very long do not fit into RECORD_OCTETS: what is behind 48 then has octets of its own.

import { FairShare } from '../shared/fair-share.ts'
import { HEADER_OCTETS, readU16, readU32, writeU16, writeU32 } from '../wire/header.ts'
import type { Scan } from '../wire/scan.ts'
import {
  type Apart,
  type Kept,
  type Origin,
  Packet,
  type PacketRoad,
  type Served,
  type Trace,
  type Waiting,
} from './packet.ts'
import type { KeptReply } from './reply.ts'
import { settleQuestion } from './settle.ts'

/** Packets that wait on one thread, of all clients and transports together. */
export const WAITING_MAX = 10_000
/** Octets of one record. */
export const RECORD_OCTETS = 512
/** Records of one slab. */
const SLAB_RECORDS = 128
const REST_AT = 48
/** A level's type, class and length. */
const LEVEL_OCTETS = 5

const FLAG = {
  RECURSION: 1,
  AUTHENTIC: 2,
  CHECKING_DISABLED: 4,
  EDNS: 8,
  DNSSEC_OK: 16,
  PLACE: 32,
  NOBODY: 64,
  CLIENT_RECURSION: 128,
  CLIENT_AUTHENTIC: 256,
  LABELLED: 512,
  SMALLER: 1024,
  LOOKUP: 2048,
  CLIENT: 4096,
  COOKIE: 8192,
} as const

class WaitingRecord implements Waiting {
  next: WaitingRecord | undefined
  isAbandoned = false
  asker: Waiting | undefined
  holder: string | number = ''
  #origin: Origin | undefined
  readonly #slab: Uint8Array
  readonly #at: number
  /** The doubles of the slab. */
  readonly #times: Float64Array
  #rest: Uint8Array
  #restAt: number
  #road: PacketRoad | undefined
  #served: Served | undefined
  readonly #kept: Kept[] = []
  #addedOptions: Uint8Array | undefined
  #apart: Apart | undefined
  #labels: Map<string, string> | undefined
  #trace: Trace | undefined
  #reply: KeptReply | undefined

  constructor(slab: Uint8Array, at: number) {
    this.#slab = slab
    this.#at = at
    this.#times = new Float64Array(slab.buffer, at, 2)
    this.#rest = slab
    this.#restAt = at + REST_AT
  }

  get deadlineMs(): number {
    return this.#times[1]!
  }

  wake(): Packet | undefined {
    return this.#road!.wake(this)
  }

  /** For the road: takes over what is needed of the packet. */
  save(packet: Packet): void {
    const { asked } = packet
    this.#origin = packet.origin
    // A look-up that waits once more still has who asked it; where that is a packet yet, the road will put its record here.
    this.asker = packet.asker instanceof Packet ? undefined : packet.asker
    this.next = undefined
    this.isAbandoned = false
    this.#road = packet.road
    this.#served = packet.served
    this.#addedOptions = packet.addedOptions
    this.#apart = packet.apart
    this.#labels = packet.madeLabels
    this.#trace = packet.trace
    if (packet.length > 0) settleQuestion(packet)
    this.#reply = packet.length > 0 ? packet.keepReply() : undefined
    this.#times[0] = packet.receivedAtMs
    this.#times[1] = packet.deadlineMs
    const slab = this.#slab
    const at = this.#at + 16
    writeU16(slab, at, asked.id)
    writeU16(slab, at + 2, flagsOf(packet, asked))
    writeU32(slab, at + 4, asked.optionBits)
    writeU16(slab, at + 8, packet.payloadSize)
    writeU16(slab, at + 10, asked.payloadSize)
    writeU16(slab, at + 12, packet.limit)
    writeU16(slab, at + 14, packet.slotOctets)
    writeU16(slab, at + 16, packet.requestOctets)
    writeU16(slab, at + 18, packet.optionsOctets)
    slab[at + 20] = packet.lookupsLeft
    slab[at + 21] = packet.level
    slab[at + 22] = packet.at
    slab[at + 23] = packet.depth
    slab[at + 24] = packet.fromOctets
    slab[at + 25] = packet.holdCodes()
    slab[at + 26] = packet.family
    this.#saveRest(packet)
  }

  #saveRest(packet: Packet): void {
    const { depth, level, heldCount, fromOctets, optionsOctets } = packet
    let octets = depth + fromOctets + 2 * heldCount + optionsOctets
    for (let i = 0; i <= level; i++) octets += LEVEL_OCTETS + nameOctets(packet.scanAt(i))
    const fits = REST_AT + octets <= RECORD_OCTETS
    this.#rest = fits ? this.#slab : new Uint8Array(octets)
    this.#restAt = fits ? this.#at + REST_AT : 0
    const rest = this.#rest
    let at = this.#restAt
    for (let i = 0; i < depth; i++) {
      rest[at++] = packet.stackAt[i]!
      this.#kept[i] = packet.stackKept[i]
    }
    this.#kept.length = depth
    for (let i = 0; i < fromOctets; i++) rest[at++] = packet.from[packet.fromAt + i]!
    for (let i = 0; i <= level; i++) {
      const scan = packet.scanAt(i)
      const question = packet.questionAt(i)
      const length = nameOctets(scan)
      writeU16(rest, at, scan.qtype)
      writeU16(rest, at + 2, scan.qclass)
      rest[at + 4] = length
      at += LEVEL_OCTETS
      for (let from = scan.start + HEADER_OCTETS, to = from + length; from < to; from++)
        rest[at++] = question[from]!
    }
    for (let i = 0; i < heldCount; i++, at += 2) writeU16(rest, at, packet.heldCodes[i]!)
    for (let i = 0; i < optionsOctets; i++) rest[at++] = packet.options[i]!
  }

  /** For the road: makes the packet what it was, all but its octets. */
  load(packet: Packet): void {
    const slab = this.#slab
    const at = this.#at + 16
    const flags = readU16(slab, at + 2)
    packet.origin = this.#origin!
    packet.asker = this.asker
    packet.road = this.#road!
    packet.served = this.#served!
    packet.waiting = undefined
    packet.receivedAtMs = this.#times[0]!
    packet.deadlineMs = this.#times[1]!
    packet.payloadSize = readU16(slab, at + 8)
    packet.limit = readU16(slab, at + 12)
    packet.slotOctets = readU16(slab, at + 14)
    packet.requestOctets = readU16(slab, at + 16)
    packet.optionsOctets = readU16(slab, at + 18)
    packet.lookupsLeft = slab[at + 20]!
    packet.at = slab[at + 22]!
    packet.depth = slab[at + 23]!
    packet.fromOctets = slab[at + 24]!
    packet.heldCount = slab[at + 25]!
    packet.family = slab[at + 26] === 6 ? 6 : 4
    packet.recursionDesired = (flags & FLAG.RECURSION) !== 0
    packet.authenticData = (flags & FLAG.AUTHENTIC) !== 0
    packet.hasPlace = (flags & FLAG.PLACE) !== 0
    packet.isForNobody = (flags & FLAG.NOBODY) !== 0
    packet.isLookUp = (flags & FLAG.LOOKUP) !== 0
    packet.isForClient = (flags & FLAG.CLIENT) !== 0
    packet.hasOurCookie = (flags & FLAG.COOKIE) !== 0
    packet.becomesSmaller = (flags & FLAG.SMALLER) !== 0
    packet.late = true
    packet.addedOptions = this.#addedOptions
    packet.apart = this.#apart
    packet.takeLabels(this.#labels, (flags & FLAG.LABELLED) !== 0)
    packet.trace = this.#trace
    this.#loadRest(packet, slab[at + 21]!, flags)
    if (this.#reply) packet.restore(this.#reply)
  }

  #loadRest(packet: Packet, level: number, flags: number): void {
    const rest = this.#rest
    let at = this.#restAt
    for (let i = 0; i < packet.depth; i++) {
      packet.stackAt[i] = rest[at++]!
      packet.stackKept[i] = this.#kept[i]
    }
    for (let i = packet.depth; i < packet.stackKept.length; i++) packet.stackKept[i] = undefined
    packet.hold(rest, at)
    at += packet.fromOctets
    for (let i = 0; i <= level; i++) {
      const length = rest[at + 4]!
      const qtype = readU16(rest, at)
      const qclass = readU16(rest, at + 2)
      at += LEVEL_OCTETS
      if (i === 0) {
        packet.askFirst(rest, at, length, qtype, qclass)
        this.#loadScan(packet.asked, flags)
      } else packet.ask(rest, at, length, qtype, qclass)
      at += length
    }
    for (let i = 0; i < packet.heldCount; i++, at += 2) packet.heldCodes[i] = readU16(rest, at)
    for (let i = 0; i < packet.optionsOctets; i++) packet.options[i] = rest[at++]!
  }

  #loadScan(scan: Scan, flags: number): void {
    const slab = this.#slab
    const at = this.#at + 16
    scan.id = readU16(slab, at)
    scan.optionBits = readU32(slab, at + 4) | 0
    scan.payloadSize = readU16(slab, at + 10)
    scan.recursionDesired = (flags & FLAG.CLIENT_RECURSION) !== 0
    scan.authenticData = (flags & FLAG.CLIENT_AUTHENTIC) !== 0
    scan.checkingDisabled = (flags & FLAG.CHECKING_DISABLED) !== 0
    scan.edns = (flags & FLAG.EDNS) !== 0
    scan.dnssecOk = (flags & FLAG.DNSSEC_OK) !== 0
  }

  /** For the room: holds nothing any more. */
  forget(): void {
    this.#kept.length = 0
    this.#rest = this.#slab
    this.#reply = this.#trace = this.#labels = this.#addedOptions = this.#served = this.#road = undefined
    this.#origin = this.asker = this.next = this.#apart = undefined
  }
}

const nameOctets = ({ start, questionEnd }: Scan): number => questionEnd - start - HEADER_OCTETS - 4

const flagsOf = (packet: Packet, asked: Scan): number =>
  (packet.recursionDesired ? FLAG.RECURSION : 0) |
  (packet.authenticData ? FLAG.AUTHENTIC : 0) |
  (asked.checkingDisabled ? FLAG.CHECKING_DISABLED : 0) |
  (asked.edns ? FLAG.EDNS : 0) |
  (asked.dnssecOk ? FLAG.DNSSEC_OK : 0) |
  (packet.hasPlace ? FLAG.PLACE : 0) |
  (packet.isForNobody ? FLAG.NOBODY : 0) |
  (packet.isLookUp ? FLAG.LOOKUP : 0) |
  (packet.isForClient ? FLAG.CLIENT : 0) |
  (packet.hasOurCookie ? FLAG.COOKIE : 0) |
  (packet.becomesSmaller ? FLAG.SMALLER : 0) |
  (asked.recursionDesired ? FLAG.CLIENT_RECURSION : 0) |
  (asked.authenticData ? FLAG.CLIENT_AUTHENTIC : 0) |
  (packet.isLabelled ? FLAG.LABELLED : 0)

/** The records of one thread, and the places for packets that wait. */
export class WaitingRoom {
  readonly #places: FairShare<string | number>
  readonly #refused: () => void
  #free: WaitingRecord | undefined
  #slabs = 0

  /** `refused` is told of every packet for which there was no place. */
  constructor(refused: () => void, max: number = WAITING_MAX) {
    this.#places = new FairShare(max, 1)
    this.#refused = refused
  }

  /** Packets that wait, or have waited and are on their way. */
  get waiting(): number {
    return this.#places.held
  }

  /** Octets of all slabs. */
  get octets(): number {
    return this.#slabs * SLAB_RECORDS * RECORD_OCTETS
  }

  /** Makes a record of the packet; undefined where its client has no place left, which is told. */
  take(packet: Packet): Waiting | undefined {
    if (!packet.hasPlace && !packet.isForNobody) {
      if (!this.#places.enter(packet.clientKey)) {
        this.#refused()
        return undefined
      }
      packet.hasPlace = true
    }
    if (this.#free === undefined) this.#grow()
    const waiting = this.#free!
    this.#free = waiting.next
    waiting.save(packet)
    return waiting
  }

  /** Fills the packet from its record, which is free again. */
  wake(waiting: Waiting, packet: Packet): void {
    ;(waiting as WaitingRecord).load(packet)
    this.free(waiting)
  }

  /** Frees a record that nobody wakes. */
  free(waiting: Waiting): void {
    const record = waiting as WaitingRecord
    record.forget()
    record.next = this.#free
    this.#free = record
  }

  /** Gives the place of a packet back that has got its reply. */
  leave(packet: Packet): void {
    if (!packet.hasPlace) return
    packet.hasPlace = false
    this.#places.leave(packet.clientKey)
  }

  #grow(): void {
    const slab = new Uint8Array(SLAB_RECORDS * RECORD_OCTETS)
    this.#slabs++
    for (let i = 0; i < SLAB_RECORDS; i++) {
      const waiting = new WaitingRecord(slab, i * RECORD_OCTETS)
      waiting.next = this.#free
      this.#free = waiting
    }
  }
}
