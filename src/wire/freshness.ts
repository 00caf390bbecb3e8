// How long an HTTP cache may keep a reply (RFC 8484 5.1): its smallest TTL, by the rules of CoreDNS
// (plugin/pkg/dnsutil/ttl.go, plugin/pkg/response/typify.go).

import { HEADER_OCTETS, readU16, readU32 } from './header.ts'
import { RCODE } from './rcode.ts'
import { TYPE } from './rrtype.ts'
import { skipName } from './scan.ts'

/** Of replies that say nothing lasting: failures, referrals, replies without records. */
const LEAST_SECONDS = 5
const MOST_SECONDS = 3600

/** The seconds for one of our own replies, from 0 to an hour. */
export function freshnessSeconds(reply: Uint8Array): number {
  const rcode = reply[3]! & 15
  const answers = readU16(reply, 6)
  const authorities = readU16(reply, 8)
  const records = answers + authorities + readU16(reply, 10)
  if (rcode !== RCODE.NOERROR && (rcode !== RCODE.NXDOMAIN || answers > 0)) return LEAST_SECONDS
  let at = HEADER_OCTETS
  for (let i = readU16(reply, 4); i > 0; i--) at = skipName(reply, at, 0, reply.length) + 4
  let least: number | undefined
  let soa = false
  let referral = false
  for (let i = 0; i < records; i++) {
    at = skipName(reply, at, 0, reply.length)
    const type = readU16(reply, at)
    const inAuthority = i >= answers && i < answers + authorities
    soa ||= inAuthority && type === TYPE.SOA
    referral ||= inAuthority && type === TYPE.NS
    if (type !== TYPE.OPT) least = Math.min(least ?? MOST_SECONDS, readU32(reply, at + 4))
    at += 10 + readU16(reply, at + 8)
  }
  const refers = referral && !soa && answers === 0 && rcode === RCODE.NOERROR
  return refers ? LEAST_SECONDS : (least ?? LEAST_SECONDS)
}
