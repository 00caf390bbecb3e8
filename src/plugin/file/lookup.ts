// The answer of one zone (RFC 1034 4.3.2, as CoreDNS plugin/file gives it). The name is walked from the apex down:
//
//   DNAME on the way      the alias it makes, and what that leads to
//   NS below the apex     a referral: the name is another zone's
//   the whole name        CNAME: what it leads to; the type asked for; else NODATA
//   a label missing       the wildcard of the closest encloser (RFC 4592), else NXDOMAIN
//
// Empty non-terminals are nodes like any other, so they are NODATA and no wildcard reaches past them.

import type { Query } from '../../query/query.ts'
import { answer, type MaybePromise, type Reply, servfail } from '../../query/reply.ts'
import { EDE } from '../../wire/extended-error.ts'
import { equalNames, foldName, formatName, joinNames, type Name } from '../../wire/name.ts'
import { RCODE } from '../../wire/rcode.ts'
import { cname, type Rr } from '../../wire/record.ts'
import { TYPE } from '../../wire/rrtype.ts'
import { followAlias } from './chase.ts'
import type { Node, ZoneImage } from './image.ts'
import { labelStarts, PLUGIN, wildcardOf, ZoneView } from './view.ts'

/** A zone's answer. */
export interface Lookup {
  readonly reply: Reply
  /** There is no such name, or nothing is at it: what `fallthrough` hands on. */
  readonly missing: boolean
}

const found = (reply: Reply): Lookup => ({ reply, missing: false })

/** Answers a question whose name the zone covers. */
export function lookupZone(zone: ZoneImage, query: Query): MaybePromise<Lookup> {
  const { qtype } = query.question
  const qname = foldName(query.question.qname)
  const view = new ZoneView(zone, query.edns?.dnssecOk ?? false)
  let at = qname.length - zone.origin.length
  let node = zone.apex
  if (at === 0 && (qtype === TYPE.SOA || qtype === TYPE.NS)) return found(atApex(view, qtype))
  const starts = labelStarts(qname, at)
  for (let i = 0; ; i++) {
    if (at > 0 && zone.has(node, TYPE.DNAME)) return substitute(view, query, qname, node)
    if (view.isCut(node, at === 0, qtype)) return found(referral(view, node))
    if (at === 0) return atNode(view, query, node)
    const child = zone.find(qname, starts[i]!)
    if (child === 0) break
    node = child
    at = starts[i]!
  }
  const wildcardName = wildcardOf(qname, at)
  const wildcard = zone.find(wildcardName)
  if (wildcard === 0) return noName(view, qname, at)
  if (!zone.isEmpty(wildcard)) query.metadata.set('zone/wildcard', formatName(wildcardName))
  return fromWildcard(view, query, qname, wildcard)
}

function atApex(view: ZoneView, qtype: number): Reply {
  const nameservers = view.nameservers()
  if (qtype === TYPE.NS) return answer(PLUGIN, nameservers, view.glue(nameservers))
  return { ...answer(PLUGIN, view.soa()), authority: nameservers }
}

const referral = (view: ZoneView, cut: Node): Reply => ({
  ...answer(PLUGIN, []),
  ...view.referral(cut),
  authoritative: false,
})

/** RFC 2308 2.2; with DO what `proof` says (RFC 4035 3.1.3). */
const noData = (view: ZoneView, proof: readonly Rr[]): Reply => ({
  ...answer(PLUGIN, []),
  authority: [...view.negativeSoa(), ...proof],
})

function atNode(view: ZoneView, query: Query, node: Node): MaybePromise<Lookup> {
  const { qtype } = query.question
  if (view.isBare(node)) {
    const proof = view.denialOfNames(view.zone.nameOf(node))
    return { reply: noData(view, proof), missing: true }
  }
  if (qtype !== TYPE.CNAME && view.zone.has(node, TYPE.CNAME)) {
    return followAlias(view, query, view.rrset(node, TYPE.CNAME)).then(found)
  }
  const records = view.rrset(node, qtype)
  if (records.length === 0) return found(noData(view, view.denialOfType(node)))
  return found({ ...answer(PLUGIN, records, view.targets(records)), authority: view.nameservers() })
}

/** RFC 4592 3.3: the wildcard's records under the name asked for. */
function fromWildcard(view: ZoneView, query: Query, qname: Name, wildcard: Node): MaybePromise<Lookup> {
  const { qtype } = query.question
  if (view.zone.isEmpty(wildcard)) return found(noData(view, []))
  if (qtype !== TYPE.CNAME && view.zone.has(wildcard, TYPE.CNAME)) {
    return followAlias(view, query, view.rrset(wildcard, TYPE.CNAME, qname)).then(found)
  }
  const records = view.rrset(wildcard, qtype, qname)
  if (records.length === 0) return found(noData(view, view.denialOfType(wildcard)))
  const authority = [...view.nameservers(), ...view.denialOfNames(qname)]
  return found({ ...answer(PLUGIN, records, view.targets(records)), authority })
}

/** RFC 2308 2.1; the proofs are of the name and of the wildcard that would have stood in for it. */
function noName(view: ZoneView, qname: Name, encloserAt: number): Lookup {
  const proof = view.denialOfNames(qname, wildcardOf(qname, encloserAt))
  return { reply: { ...noData(view, proof), rcode: RCODE.NXDOMAIN }, missing: true }
}

/** RFC 6672 2.2, 3.2: the name with the DNAME's owner exchanged for its target, as a CNAME made for this question. */
function substitute(view: ZoneView, query: Query, qname: Name, node: Node): MaybePromise<Lookup> {
  const dnames = view.rrset(node, TYPE.DNAME)
  const { owner, rdata, ttlSeconds } = dnames[0]!
  const prefix = Uint8Array.of(...qname.subarray(0, qname.length - owner.length), 0)
  const target = joinNames(prefix, rdata)
  if (!target)
    return found({ ...answer(PLUGIN, dnames), rcode: RCODE.YXDOMAIN, authority: view.nameservers() })
  if (equalNames(target, qname)) {
    return found(servfail({ code: EDE.OTHER, text: `the DNAME at ${formatName(owner)} leads to itself` }))
  }
  const alias = cname(qname, ttlSeconds, target)
  if (query.question.qtype === TYPE.CNAME) {
    return found({ ...answer(PLUGIN, [...dnames, alias]), authority: view.nameservers() })
  }
  return followAlias(view, query, [alias]).then(reply =>
    found({ ...reply, answer: [...dnames, ...reply.answer] }),
  )
}
