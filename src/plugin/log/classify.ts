// What kind of reply it is, as CoreDNS sorts them for its query log (plugin/pkg/response): a type, and the class that
// `log { class … }` chooses by. The rows are tried from above:
//
//   silence                                        OTHERERROR    error
//   AXFR, IXFR                                     META          error
//   an expired signature for a client that checks  OTHERERROR    error
//   NOERROR with an answer                         NOERROR       success
//   NXDOMAIN with an answer                        OTHERERROR    error
//   NOERROR with an SOA in authority               NODATA        denial
//   NXDOMAIN                                       NXDOMAIN      denial
//   SERVFAIL, NOTIMP                               SERVERERROR   error
//   NOERROR with NS in authority                   DELEGATION    success
//   NOERROR                                        NOERROR       success
//   everything else                                OTHERERROR    error

import type { Packet } from '../../query/packet.ts'
import { readU32 } from '../../wire/header.ts'
import { RCODE } from '../../wire/rcode.ts'
import { TYPE } from '../../wire/rrtype.ts'
import { type RecordWalk, SECTION } from '../../wire/walk.ts'

/** The kinds, in CoreDNS's words; they are what `{/log/type}` shows. */
export type ReplyType =
  | 'NOERROR'
  | 'NXDOMAIN'
  | 'SERVERERROR'
  | 'NODATA'
  | 'DELEGATION'
  | 'META'
  | 'OTHERERROR'

/** The classes of `log { class … }`; `all` is for the configuration only. */
export const REPLY_CLASSES = ['all', 'success', 'denial', 'error'] as const
export type ReplyClass = (typeof REPLY_CLASSES)[number]

const CLASS_OF: Readonly<Record<ReplyType, ReplyClass>> = {
  NOERROR: 'success',
  DELEGATION: 'success',
  NXDOMAIN: 'denial',
  NODATA: 'denial',
  SERVERERROR: 'error',
  META: 'error',
  OTHERERROR: 'error',
}

/** The class of a kind. */
export const classOf = (type: ReplyType): ReplyClass => CLASS_OF[type]

/** HOT: the kind of a packet's reply at a time of day (in ms since 1970), which signatures are held against. */
export function packetType(packet: Packet, wallMs: number): ReplyType {
  if (packet.isDropped) return 'OTHERERROR'
  const { qtype, dnssecOk } = packet.scan
  if (qtype === TYPE.AXFR || qtype === TYPE.IXFR) return 'META'
  const { rcode } = packet
  const success = rcode === RCODE.NOERROR
  const answers = packet.countOf(SECTION.ANSWER) > 0
  // Signatures are looked at for clients that check them.
  if (answers && success && !dnssecOk) return 'NOERROR'
  const nowSeconds = Math.floor(wallMs / 1000)
  let soa = false
  let ns = false
  for (const walk = packet.records(); walk.next(); ) {
    const { type, section } = walk
    if (type === TYPE.RRSIG && dnssecOk && !isCurrentAt(walk, nowSeconds)) return 'OTHERERROR'
    if (section !== SECTION.AUTHORITY) continue
    soa ||= type === TYPE.SOA
    ns ||= type === TYPE.NS
  }
  if (answers && success) return 'NOERROR'
  if (answers && rcode === RCODE.NXDOMAIN) return 'OTHERERROR'
  if (success && soa) return 'NODATA'
  if (rcode === RCODE.NXDOMAIN) return 'NXDOMAIN'
  if (rcode === RCODE.SERVFAIL || rcode === RCODE.NOTIMP) return 'SERVERERROR'
  if (success && ns) return 'DELEGATION'
  return success ? 'NOERROR' : 'OTHERERROR'
}

/**
 * Whether the signature at which a walk stands holds now: expiration and inception are seconds modulo 2^32, compared as serial
 * numbers (RFC 4034 3.1.5, RFC 1982).
 */
function isCurrentAt({ octets, rdataAt, rdataEnd }: RecordWalk, nowSeconds: number): boolean {
  if (rdataEnd - rdataAt < 16) return false
  const untilExpired = (readU32(octets, rdataAt + 8) - nowSeconds) | 0
  const sinceInception = (nowSeconds - readU32(octets, rdataAt + 12)) | 0
  return untilExpired >= 0 && sinceInception >= 0
}
