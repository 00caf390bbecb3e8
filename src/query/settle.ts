// HOT: what others wrote becomes the reply of a packet as handlers see it: to the question as it is now, of a size that is taken,
// without an OPT record.

import { readU16, writeU16 } from '../wire/header.ts'
import { EDE_OCTETS, OPT_OCTETS, optAtEnd } from '../wire/opt.ts'
import { DONE, type Packet } from './packet.ts'

/** A reply to a changed question becomes one to the question as it is now: the records stay as they are. */
export function settleQuestion(packet: Packet): void {
  if (packet.isQuestionStale) copyAnew(packet)
}

/** Writes the reply anew for the question as it is now, with the records that fit. */
export function copyAnew(packet: Packet, limit?: number): void {
  const composer = packet.composeAnew(limit)
  for (const walk = packet.records(); walk.next(); ) if (!composer.copy(walk)) break
  packet.endAnew()
}

/**
 * The octets that were written to `out` as a whole message to the question as it is now become the reply: OPT, which stands last
 * where the question had one, goes, and its reason stands beside the octets.
 */
export function takeWhole(packet: Packet, octets: number, plugin: number): typeof DONE {
  const { out, outAt, reason } = packet
  packet.length = octets
  packet.rcode = out[outAt + 3]! & 15
  packet.plugin = plugin
  packet.isWhole = false
  packet.isQuestionStale = false
  packet.reasonCode = -1
  if (!packet.scan.edns) return DONE
  const end = outAt + octets
  const optAt = optAtEnd(out, outAt, end)
  packet.length = optAt - outAt
  writeU16(out, outAt + 10, readU16(out, outAt + 10) - 1)
  // Our own OPT record has no other option than the reason.
  const textAt = optAt + OPT_OCTETS + EDE_OCTETS
  if (end < textAt) return DONE
  packet.reasonCode = readU16(out, textAt - 2)
  packet.reasonOctets = end - textAt
  for (let i = textAt; i < end; i++) reason[i - textAt] = out[i]!
  return DONE
}
