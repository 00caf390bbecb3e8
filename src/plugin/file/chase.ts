// Where aliases lead (RFC 1034 4.3.2 step 3a): inside the zone along its own records; everywhere else, and to names that the
// zone makes from wildcards or has not, by asking the whole server, as CoreDNS does: another plugin may have them. The code is
// that of the last name (RFC 6604 3).

import { aliasReason } from '../../query/alias.ts'
import type { Packet } from '../../query/packet.ts'
import type { ExtendedError } from '../../wire/extended-error.ts'
import { copyName } from '../../wire/message-name.ts'
import { isWithin, NAME_MAX_OCTETS, type Name, nameKey } from '../../wire/name.ts'
import { RCODE } from '../../wire/rcode.ts'
import { TYPE } from '../../wire/rrtype.ts'
import { SECTION } from '../../wire/walk.ts'
import type { Node } from './image.ts'
import { proveNoType } from './proofs.ts'
import { refer } from './referral.ts'
import type { ZoneReply } from './reply.ts'

const { ANSWER, AUTHORITY } = SECTION

/** Aliases of the zone followed for one question; an answer with this many ends there, as in CoreDNS. */
export const ALIASES_MAX = 10

/** Follows the CNAME at a node, which stands under `owner` where a wildcard gives it. */
export function followAlias(reply: ZoneReply, node: Node, owner: Name | undefined): ZoneReply {
  reply.add(ANSWER, node, TYPE.CNAME, owner)
  return followTarget(reply, owner ?? reply.zone.nameOf(node), reply.zone.firstRecord(node, TYPE.CNAME).rdata)
}

/** Follows an alias that is in the answer already. */
export function followTarget(reply: ZoneReply, alias: Name, first: Name): ZoneReply {
  const { zone, qtype } = reply
  let target = first
  const seen = new Set([nameKey(alias)])
  for (let links = 1; links < ALIASES_MAX && !seen.has(nameKey(target)); links++) {
    seen.add(nameKey(target))
    const inZone = isWithin(target, zone.origin)
    const cut = inZone ? reply.cutAbove(target) : 0
    if (cut !== 0) return refer(reply, cut)
    const node = inZone ? zone.find(target) : 0
    const isApexOfChain = qtype === TYPE.NS || (qtype === TYPE.SOA && node === zone.apex)
    if (node === 0 || zone.isHashed(node) || reply.isBare(node) || isApexOfChain) {
      reply.target = target
      reply.addFound(ANSWER)
      return reply
    }
    if (!reply.isAlias(node)) return close(reply, node)
    reply.add(ANSWER, node, TYPE.CNAME)
    target = zone.firstRecord(node, TYPE.CNAME).rdata
  }
  return reply.addTargets().addNameservers()
}

/** Without the type at the end it is NODATA, which the SOA tells from a referral (RFC 2308 2.2). */
function close(reply: ZoneReply, node: Node): ZoneReply {
  const { qtype } = reply
  if (reply.add(ANSWER, node, qtype)) return reply.addTargets().addNameservers()
  if (qtype === TYPE.ANY) return reply.addNameservers()
  reply.addNegativeSoa()
  proveNoType(reply, node, reply.zone.nameOf(node))
  return reply
}

/** Takes the answer of the whole server to the last name, with the proofs that this zone gave. */
export function takeAsked(reply: ZoneReply, target: Name, asked: Packet): void {
  const { zone, qtype } = reply
  const { rcode } = asked
  const isNegative = rcode === RCODE.NXDOMAIN || (rcode === RCODE.NOERROR && asked.countOf(ANSWER) === 0)
  reply.rcode = rcode === RCODE.NXDOMAIN || rcode === RCODE.SERVFAIL ? rcode : RCODE.NOERROR
  reply.reason = reasonOf(target, asked)
  reply.addTargets(asked)
  if (asked.countOf(AUTHORITY) > 0 && authorityIsOf(asked, zone.origin)) reply.addFound(AUTHORITY)
  else if (isNegative && qtype !== TYPE.ANY) reply.addNegativeSoa()
  else reply.addNameservers()
}

/** Why there is nothing at the end of an alias, or what is to be said of what there is. */
function reasonOf(target: Name, asked: Packet): ExtendedError | undefined {
  const kept = asked.keepReply()
  if (asked.rcode !== RCODE.NOERROR || asked.countOf(ANSWER) === 0) return aliasReason(target, kept)
  const { reasonCode: code, reason } = kept
  return code < 0 ? undefined : { code, text: Buffer.from(reason).toString('utf8') }
}

/** Whether what is in the authority section is about the zone. */
function authorityIsOf(asked: Packet, origin: Name): boolean {
  for (const walk = asked.records(); walk.next(); ) {
    if (walk.section !== AUTHORITY) continue
    const owner = new Uint8Array(NAME_MAX_OCTETS + 1)
    return isWithin(owner.subarray(0, copyName(walk.octets, walk.ownerAt, walk.start, owner, 0)), origin)
  }
  return false
}
