// HOT: the last thing that happens to a reply: cut to what its client takes, whole records from the end with TC (RFC 2181
// 9), and given the client's id and flags and an OPT record of our own, where the query had one and only there (RFC 6891
// 6.1.1, 7), with the options and the reason that the road collected. It ends where the listener wants it.

import { pluginIndex } from '../observe/query-meters.ts'
import type { Packet } from '../query/packet.ts'
import { copyAnew } from '../query/settle.ts'
import { FLAG_CD, FLAG_QR, FLAG_RD, readU16, writeU16 } from '../wire/header.ts'
import { addExtendedError, addOptions, EDE_OCTETS, OPT_OCTETS, optAtEnd, writeOpt } from '../wire/opt.ts'
import { OPTION } from '../wire/scan.ts'
import { SECTION } from '../wire/walk.ts'

const FORWARD = pluginIndex('forward')
const CACHE = pluginIndex('cache')

const isForwarded = ({ plugin }: Packet): boolean => plugin === FORWARD || plugin === CACHE

/** Finishes a reply whose question is settled, in packet.slot at packet.slotAt; returns its octets. */
export function finish(packet: Packet): number {
  const { asked, slot, slotAt, limit } = packet
  const { edns } = asked
  const optionsOctets = edns ? fittingOptions(packet) : 0
  const recordsMax = edns ? limit - OPT_OCTETS - optionsOctets : limit
  // What an upstream put beside its answer is no part of it: without there is nothing missing (RFC 2181 9).
  if (packet.length > recordsMax && isForwarded(packet) && packet.countOf(SECTION.ANSWER) > 0)
    packet.dropSections(SECTION.ADDITIONAL)
  if (packet.length > recordsMax) copyAnew(packet, recordsMax)
  const { out, outAt, length } = packet
  if (out !== slot || outAt !== slotAt) slot.set(out.subarray(outAt, outAt + length), slotAt)
  const recursionDesired = packet.replyRecursionDesired ?? asked.recursionDesired
  writeU16(slot, slotAt, asked.id)
  slot[slotAt + 2] = (slot[slotAt + 2]! & ~FLAG_RD) | FLAG_QR | (recursionDesired ? FLAG_RD : 0)
  slot[slotAt + 3] = (slot[slotAt + 3]! & ~FLAG_CD) | (asked.checkingDisabled ? FLAG_CD : 0)
  if (!edns) return length
  const optAt = slotAt + length
  let at = writeOpt(slot, optAt, packet.rcode, asked.dnssecOk)
  writeU16(slot, slotAt + 10, readU16(slot, slotAt + 10) + 1)
  if (optionsOctets > 0) {
    slot.set(packet.options.subarray(0, optionsOctets), at)
    at += optionsOctets
    writeU16(slot, optAt + 9, optionsOctets)
  }
  const { reasonCode, reasonOctets } = packet
  if (reasonCode >= 0 && at + EDE_OCTETS + reasonOctets <= slotAt + limit) {
    for (let i = 0; i < reasonOctets; i++) slot[at + EDE_OCTETS + i] = packet.reason[i]!
    at = addExtendedError(slot, optAt, at, reasonCode, reasonOctets)
  }
  return isPadded(packet) ? pad(packet, optAt, at) : at - slotAt
}

/** Gives a reply that is whole, of so many octets in packet.slot, the options that the road collected; returns its octets. */
export function finishWhole(packet: Packet, octets: number): number {
  const { slot, slotAt, options, optionsOctets } = packet
  const padded = isPadded(packet)
  if (optionsOctets === 0 && !padded) return octets
  const end = slotAt + octets
  const optAt = optAtEnd(slot, slotAt, end)
  const at = optionsOctets === 0 ? end : addOptions(slot, optAt, end, options, optionsOctets)
  return padded ? pad(packet, optAt, at) : at - slotAt
}

/** Replies become a multiple of so many octets (RFC 8467 4.1). */
const PADDED_OCTETS = 468
/** Octets of the option's head. */
const PADDING_HEAD_OCTETS = 4

/** Whether a reply is padded: who looks on sees its length alone, and the client has asked for it (RFC 7830 3, 6). */
const isPadded = ({ transport, asked }: Packet): boolean =>
  (transport === 'tls' || transport === 'https') && asked.hasOption(OPTION.PADDING)

/** Pads the reply that ends at `end`, its OPT record the last thing in it, as far as there is room; returns its octets. */
function pad({ slot, slotAt, limit }: Packet, optAt: number, end: number): number {
  const octets = end - slotAt
  const bare = octets + PADDING_HEAD_OCTETS
  const padded = Math.min(Math.ceil(bare / PADDED_OCTETS) * PADDED_OCTETS, limit)
  if (padded < bare) return octets
  writeU16(slot, end, OPTION.PADDING)
  writeU16(slot, end + 2, padded - bare)
  slot.fill(0, end + PADDING_HEAD_OCTETS, slotAt + padded)
  writeU16(slot, optAt + 9, readU16(slot, optAt + 9) + padded - octets)
  return padded
}

/** How long a connection may be idle (RFC 7828 3.1), in units of 100 ms: the data of the option. */
export function keepaliveData(idleMs: number): Uint8Array {
  const data = new Uint8Array(2)
  writeU16(data, 0, Math.min(0xffff, Math.floor(idleMs / 100)))
  return data
}

/** Octets of the options that fit beside the whole question; the others are taken away. */
function fittingOptions(packet: Packet): number {
  const { options, asked } = packet
  const room = packet.limit - OPT_OCTETS - (asked.questionEnd - asked.start)
  if (packet.optionsOctets <= room) return packet.optionsOctets
  let to = 0
  for (let at = 0; at < packet.optionsOctets; ) {
    const next = at + 4 + readU16(options, at + 2)
    if (to + next - at <= room) {
      options.copyWithin(to, at, next)
      to += next - at
    }
    at = next
  }
  packet.optionsOctets = to
  return to
}
