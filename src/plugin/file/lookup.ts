// The answer of one zone (RFC 1034 4.3.2, as CoreDNS plugin/file gives it). The name is walked from the apex down:
//
//   DNAME on the way      the alias it makes, and what that leads to
//   NS below the apex     a referral: the name is another zone's
//   the whole name        CNAME: what it leads to; the type asked for; else NODATA
//   a label missing       the wildcard of the closest encloser (RFC 4592), else NXDOMAIN
//
// Empty non-terminals are nodes like any other, so they are NODATA and no wildcard reaches past them. Where the zone is signed
// and the client wants to know (DO), each of these carries its proof (proofs.ts).

import { equalNames, formatName, joinNames, type Name } from '../../wire/name.ts'
import { RCODE } from '../../wire/rcode.ts'
import { cname } from '../../wire/record.ts'
import { TYPE } from '../../wire/rrtype.ts'
import { SECTION } from '../../wire/walk.ts'
import { followAlias, followTarget } from './chase.ts'
import type { Node, ZoneImage } from './image.ts'
import { labelStarts, wildcardOf } from './names.ts'
import { proveExpansion, proveNoName, proveNoType, proveNoWildcardType } from './proofs.ts'
import { refer } from './referral.ts'
import { ZoneReply } from './reply.ts'

const { ANSWER } = SECTION

/** Answers a question about a name that the zone covers, in lower case. */
export function lookupZone(zone: ZoneImage, qname: Name, qtype: number, dnssecOk: boolean): ZoneReply {
  const reply = new ZoneReply(zone, qtype, dnssecOk)
  let at = qname.length - zone.origin.length
  let node = zone.apex
  if (at === 0 && (qtype === TYPE.SOA || qtype === TYPE.NS)) return atApex(reply)
  const starts = labelStarts(qname, at)
  for (let i = 0; ; i++) {
    if (at > 0 && zone.has(node, TYPE.DNAME)) return substitute(reply, qname, node)
    if (reply.isCut(node, at === 0)) return referTo(reply, node)
    if (at === 0) return atNode(reply, node, qname)
    const child = zone.find(qname, starts[i]!)
    if (child === 0 || zone.isHashed(child)) break
    node = child
    at = starts[i]!
  }
  const wildcard = zone.find(wildcardOf(qname, at))
  return wildcard === 0 ? noName(reply, qname, at) : fromWildcard(reply, qname, at, wildcard)
}

function atApex(reply: ZoneReply): ZoneReply {
  const { apex } = reply.zone
  if (reply.qtype === TYPE.NS) {
    reply.add(ANSWER, apex, TYPE.NS)
    reply.addGlue(apex)
    return reply
  }
  reply.addSoa()
  return reply.addNameservers()
}

function referTo(reply: ZoneReply, cut: Node): ZoneReply {
  reply.isAuthoritative = false
  return refer(reply, cut)
}

/** RFC 2308 2.2. */
function noData(reply: ZoneReply): ZoneReply {
  reply.addNegativeSoa()
  return reply
}

function atNode(reply: ZoneReply, node: Node, qname: Name): ZoneReply {
  if (!reply.isBare(node)) return atRecords(reply, node)
  reply.isMissing = true
  proveNoType(noData(reply), node, qname)
  return reply
}

/** What is at a node that has records, under another name where a wildcard gives them. */
function atRecords(reply: ZoneReply, node: Node, owner?: Name): ZoneReply {
  if (reply.isAlias(node)) return followAlias(reply, node, owner)
  if (reply.add(ANSWER, node, reply.qtype, owner)) return reply.addTargets().addNameservers()
  noData(reply)
  if (owner === undefined) proveNoType(reply, node, reply.zone.nameOf(node))
  return reply
}

/** RFC 4592 3.3: the wildcard's records under the name asked for. */
function fromWildcard(reply: ZoneReply, qname: Name, encloserAt: number, wildcard: Node): ZoneReply {
  if (reply.zone.isEmpty(wildcard)) {
    proveNoWildcardType(noData(reply), qname, encloserAt, wildcard)
    return reply
  }
  reply.wildcard = wildcardOf(qname, encloserAt)
  atRecords(reply, wildcard, qname)
  if (reply.hasAnswer) proveExpansion(reply, qname, encloserAt)
  else proveNoWildcardType(reply, qname, encloserAt, wildcard)
  return reply
}

/** RFC 2308 2.1; the proofs are of the name and of the wildcard that would have stood in for it. */
function noName(reply: ZoneReply, qname: Name, encloserAt: number): ZoneReply {
  reply.rcode = RCODE.NXDOMAIN
  reply.isMissing = true
  proveNoName(noData(reply), qname, encloserAt)
  return reply
}

/** RFC 6672 2.2, 3.2: the name with the DNAME's owner exchanged for its target, as a CNAME made for this question. */
function substitute(reply: ZoneReply, qname: Name, node: Node): ZoneReply {
  const { zone } = reply
  const owner = zone.nameOf(node)
  const { rdata, ttlSeconds } = zone.firstRecord(node, TYPE.DNAME)
  reply.add(ANSWER, node, TYPE.DNAME)
  const prefix = Uint8Array.of(...qname.subarray(0, qname.length - owner.length), 0)
  const target = joinNames(prefix, rdata)
  if (!target) {
    reply.rcode = RCODE.YXDOMAIN
    return reply.addNameservers()
  }
  if (equalNames(target, qname)) {
    reply.fault = `the DNAME at ${formatName(owner)} leads to itself`
    return reply
  }
  reply.addRecord(ANSWER, cname(qname, ttlSeconds, target))
  return reply.qtype === TYPE.CNAME ? reply.addNameservers() : followTarget(reply, qname, target)
}
