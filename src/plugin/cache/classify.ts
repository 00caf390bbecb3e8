// What kind of reply a reply is to the cache, and whether it may be stored (RFC 2308 sections 2, 5 and 7; coredns
// plugin/pkg/response/typify.go and plugin/cache/cache.go key()), read where it lies.
//
//   kind        how it is known                                        stored
//   positive    NOERROR with an answer; NOERROR with nothing           unless its CNAME chain ends short of the type
//   nodata      NOERROR and an SOA, no answer or a chain ending short  yes
//   nxdomain    NXDOMAIN without an answer                             with an SOA
//   failure     SERVFAIL, NOTIMP                                       when a plugin or an upstream wrote it
//   delegation  NOERROR, NS in the authority section, nothing else     yes
//   transfer    AXFR, IXFR                                             never; its TTLs are left alone
//   other       everything else, and answers with an expired signature never

import type { Packet } from '../../query/packet.ts'
import { HEADER_OCTETS, readU32 } from '../../wire/header.ts'
import { sameName } from '../../wire/message-name.ts'
import { RCODE } from '../../wire/rcode.ts'
import { CLASS, TYPE } from '../../wire/rrtype.ts'
import { RecordWalk, SECTION } from '../../wire/walk.ts'

export type ReplyKind = 'positive' | 'nodata' | 'nxdomain' | 'failure' | 'delegation' | 'transfer' | 'other'

export interface Classified {
  readonly kind: ReplyKind
  /** Whether it may be stored, whoever wrote it. */
  readonly storable: boolean
  /** Whether it holds what was asked for, at the end of its CNAME chain. */
  readonly answering: boolean
}

const walk = new RecordWalk()

/**
 * Classifies the reply of a packet, whose question is the one as it is now; `wallMs` is the time of day, by which signatures are
 * judged where DO was set.
 */
export function classify(packet: Packet, wallMs: number): Classified {
  const { rcode, scan } = packet
  let soa = false
  let ns = false
  let isExpired = false
  for (open(packet); walk.next(); ) {
    const { type, section } = walk
    if (section === SECTION.AUTHORITY) {
      soa ||= type === TYPE.SOA
      ns ||= type === TYPE.NS
    }
    if (type === TYPE.RRSIG && scan.dnssecOk) isExpired ||= isSignatureExpired(Math.floor(wallMs / 1000))
  }
  const answers = packet.countOf(SECTION.ANSWER) > 0
  const answering = rcode === RCODE.NOERROR && answers && holdsAnswer(packet)
  const endsShort = rcode === RCODE.NOERROR && answers && !answering
  const kind = isExpired && !isTransfer(scan.qtype) ? 'other' : kindOf(packet, answers, soa, ns, endsShort)
  const storable =
    !packet.truncated &&
    kind !== 'other' &&
    kind !== 'transfer' &&
    (kind !== 'nxdomain' || soa) &&
    (kind !== 'positive' || !endsShort)
  return { kind, storable, answering }
}

function kindOf(
  { rcode, scan }: Packet,
  answers: boolean,
  soa: boolean,
  ns: boolean,
  endsShort: boolean,
): ReplyKind {
  if (isTransfer(scan.qtype)) return 'transfer'
  switch (rcode) {
    case RCODE.NOERROR:
      if (answers) return soa && endsShort ? 'nodata' : 'positive'
      if (soa) return 'nodata'
      return ns ? 'delegation' : 'positive'
    case RCODE.NXDOMAIN:
      return answers ? 'other' : 'nxdomain'
    case RCODE.SERVFAIL:
    case RCODE.NOTIMP:
      return 'failure'
    default:
      return 'other'
  }
}

const isTransfer = (qtype: number): boolean => qtype === TYPE.AXFR || qtype === TYPE.IXFR

const open = ({ out, outAt, length }: Packet): boolean => walk.open(out, outAt, outAt + length)

/** Longer CNAME chains answer nothing: nobody is served them, and walking them costs (RFC 1034 5.2.2). */
export const CHAIN_LINKS_MAX = 16

/**
 * Whether the records of the answer section answer the question: the asked type at the end of the one CNAME chain that starts
 * at its name (RFC 1034 3.6.2). A name with two targets (RFC 2181 10.1) or a chain that bites its tail answers nothing.
 */
export function holdsAnswer(packet: Packet): boolean {
  const { qtype, qclass } = packet.scan
  let ownerAt = packet.outAt + HEADER_OCTETS
  for (let links = 0; links <= CHAIN_LINKS_MAX; links++) {
    let targetAt = -1
    let isThere = false
    for (open(packet); walk.next() && walk.section === SECTION.ANSWER; ) {
      const { type, octets, start } = walk
      if (qclass !== CLASS.ANY && walk.rrclass !== qclass) continue
      const isWanted = type === qtype || qtype === TYPE.ANY
      if (type !== TYPE.CNAME && !isWanted) continue
      if (!sameName(octets, walk.ownerAt, start, octets, ownerAt, start)) continue
      isThere ||= isWanted
      if (type !== TYPE.CNAME || qtype === TYPE.ANY) continue
      if (targetAt >= 0 && !sameName(octets, walk.rdataAt, start, octets, targetAt, start)) return false
      targetAt = walk.rdataAt
    }
    if (targetAt < 0 || qtype === TYPE.CNAME) return isThere
    ownerAt = targetAt
  }
  return false
}

/** RFC 4034 3.1.5: both ends of the validity of the signature at hand are compared in serial number arithmetic. */
function isSignatureExpired(nowSeconds: number): boolean {
  const { octets, rdataAt, rdataEnd } = walk
  if (rdataEnd - rdataAt < 18) return false
  return (
    ((readU32(octets, rdataAt + 8) - nowSeconds) | 0) < 0 ||
    ((nowSeconds - readU32(octets, rdataAt + 12)) | 0) < 0
  )
}
