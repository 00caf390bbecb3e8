// Why a reply is empty, where whoever wrote it has not said so (RFC 8914): who wrote it, and what it says. A reason with more to
// tell is the plugin's own business; this one stands behind every other.

import { pluginName } from '../observe/query-meters.ts'
import type { Packet } from '../query/packet.ts'
import { EDE } from '../wire/extended-error.ts'
import { RCODE, rcodeName } from '../wire/rcode.ts'
import { TYPE } from '../wire/rrtype.ts'
import { SECTION } from '../wire/walk.ts'

/** Gives a packet's reply a reason where it is empty and has none. */
export function giveReason(packet: Packet): void {
  if (packet.reasonCode >= 0 || !isEmpty(packet)) return
  packet.setReason(EDE.OTHER, `${pluginName(packet.plugin) || 'this server'} ${whatItSays(packet)}`)
}

/** Whether a reply holds nothing that a client could use, and nothing was cut from it. */
export const isEmpty = (packet: Packet): boolean =>
  packet.transfer === undefined &&
  !packet.truncated &&
  (packet.rcode !== RCODE.NOERROR ||
    (packet.countOf(SECTION.ANSWER) === 0 && packet.countOf(SECTION.ADDITIONAL) === 0) ||
    isReferral(packet))

/** What an empty reply says, behind the name of who says it: `says NXDOMAIN`. */
export function whatItSays(packet: Packet): string {
  if (packet.rcode !== RCODE.NOERROR) return `says ${rcodeName(packet.rcode)}`
  return isReferral(packet) ? 'refers to other servers' : 'has no record of this type'
}

function isReferral(packet: Packet): boolean {
  if (packet.countOf(SECTION.ANSWER) > 0 || packet.countOf(SECTION.AUTHORITY) === 0) return false
  const walk = packet.records()
  return walk.next() && walk.type === TYPE.NS
}
