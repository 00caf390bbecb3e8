// What kind of reply a reply is to the cache, and whether it may be stored: pure functions over one reply
// (RFC 2308 sections 2, 5 and 7; coredns plugin/pkg/response/typify.go and plugin/cache/cache.go key()).
//
//   kind        how it is known                                        stored
//   positive    NOERROR with an answer; NOERROR with nothing           unless its CNAME chain ends short of the type
//   nodata      NOERROR and an SOA, no answer or a chain ending short  yes
//   nxdomain    NXDOMAIN without an answer                             with an SOA
//   failure     SERVFAIL, NOTIMP                                       when a plugin or an upstream wrote it
//   delegation  NOERROR, NS in the authority section, nothing else     yes
//   transfer    AXFR, IXFR                                             never; its TTLs are left alone
//   other       everything else, and answers with an expired signature never

import type { Reply } from '../../query/reply.ts'
import type { Question } from '../../wire/message.ts'
import { equalNames, type Name } from '../../wire/name.ts'
import { RCODE } from '../../wire/rcode.ts'
import { type Rr, targetOf } from '../../wire/record.ts'
import { CLASS, TYPE } from '../../wire/rrtype.ts'

export type ReplyKind = 'positive' | 'nodata' | 'nxdomain' | 'failure' | 'delegation' | 'transfer' | 'other'

export interface Classified {
  readonly kind: ReplyKind
  /** Whether it may be stored, whoever wrote it. */
  readonly storable: boolean
  /** Whether it holds what was asked for, at the end of its CNAME chain. */
  readonly answering: boolean
}

/** Classifies a reply to a question; `wallMs` is the time of day, by which signatures are judged where DO was set. */
export function classify(question: Question, reply: Reply, dnssecOk: boolean, wallMs: number): Classified {
  const soa = reply.authority.some(record => record.type === TYPE.SOA)
  const answering = reply.rcode === RCODE.NOERROR && holdsAnswer(question, reply.answer)
  const endsShort = reply.rcode === RCODE.NOERROR && reply.answer.length > 0 && !answering
  const kind = kindOf(question, reply, dnssecOk, wallMs, soa, endsShort)
  const storable =
    !reply.truncated &&
    kind !== 'other' &&
    kind !== 'transfer' &&
    (kind !== 'nxdomain' || soa) &&
    (kind !== 'positive' || !endsShort)
  return { kind, storable, answering }
}

function kindOf(
  question: Question,
  reply: Reply,
  dnssecOk: boolean,
  wallMs: number,
  soa: boolean,
  endsShort: boolean,
): ReplyKind {
  if (question.qtype === TYPE.AXFR || question.qtype === TYPE.IXFR) return 'transfer'
  if (dnssecOk && holdsExpiredSignature(reply, wallMs)) return 'other'
  switch (reply.rcode) {
    case RCODE.NOERROR:
      if (reply.answer.length > 0) return soa && endsShort ? 'nodata' : 'positive'
      if (soa) return 'nodata'
      return reply.authority.some(record => record.type === TYPE.NS) ? 'delegation' : 'positive'
    case RCODE.NXDOMAIN:
      return reply.answer.length > 0 ? 'other' : 'nxdomain'
    case RCODE.SERVFAIL:
    case RCODE.NOTIMP:
      return 'failure'
    default:
      return 'other'
  }
}

/** Longer CNAME chains answer nothing: nobody is served them, and walking them costs (RFC 1034 5.2.2). */
export const CHAIN_LINKS_MAX = 16

/**
 * Whether the records answer the question: the asked type at the end of the one CNAME chain that starts at its name
 * (RFC 1034 3.6.2). A name with two targets (RFC 2181 10.1) or a chain that bites its tail answers nothing.
 */
export function holdsAnswer({ qname, qtype, qclass }: Question, answer: readonly Rr[]): boolean {
  const records = qclass === CLASS.ANY ? answer : answer.filter(record => record.class === qclass)
  if (qtype === TYPE.ANY) return records.some(record => equalNames(record.owner, qname))
  if (qtype === TYPE.CNAME) return typeof target(records, qname) === 'object'
  let owner = qname
  for (let links = 0; links <= CHAIN_LINKS_MAX; links++) {
    const next = target(records, owner)
    if (next === 'several') return false
    if (next === undefined) {
      return records.some(record => record.type === qtype && equalNames(record.owner, owner))
    }
    owner = next
  }
  return false
}

function target(records: readonly Rr[], owner: Name): Name | 'several' | undefined {
  let found: Name | undefined
  for (const record of records) {
    if (record.type !== TYPE.CNAME || !equalNames(record.owner, owner)) continue
    if (found && !equalNames(found, targetOf(record))) return 'several'
    found = targetOf(record)
  }
  return found
}

/** RFC 4034 3.1.5: both ends of a signature's validity are compared in serial number arithmetic. */
function holdsExpiredSignature(reply: Reply, wallMs: number): boolean {
  const nowSeconds = Math.floor(wallMs / 1000)
  return [reply.answer, reply.authority, reply.additional].some(section =>
    section.some(({ type, rdata }) => {
      if (type !== TYPE.RRSIG || rdata.length < 18) return false
      const view = new DataView(rdata.buffer, rdata.byteOffset, rdata.length)
      return ((view.getUint32(8) - nowSeconds) | 0) < 0 || ((nowSeconds - view.getUint32(12)) | 0) < 0
    }),
  )
}
