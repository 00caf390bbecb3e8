// The answer to a slow query that found no place (admission.ts): REFUSED, as CoreDNS's `max_concurrent`
// answers, so that the client asks its next server at once instead of waiting 5 s. Never longer than the
// query it answers.

import { FLAG_CD, FLAG_QR, FLAG_RD, HEADER_OCTETS, PAYLOAD_DEFAULT, writeU16 } from '../wire/header.ts'
import { RCODE } from '../wire/rcode.ts'
import { TYPE } from '../wire/rrtype.ts'
import { Scan } from '../wire/scan.ts'

const OPT_OCTETS = 11
const scan = new Scan()

/**
 * REFUSED for the query in `octets`, with its question and, where it had one, an OPT record; undefined for no
 * query.
 */
export function refusal(octets: Uint8Array): Uint8Array | undefined {
  const verdict = scan.read(octets, 0, octets.length)
  if (verdict === 'drop') return undefined
  const questionEnd = scan.questionEnd || HEADER_OCTETS
  const reply = new Uint8Array(questionEnd + (scan.edns ? OPT_OCTETS : 0))
  reply.set(octets.subarray(0, questionEnd))
  reply[2] = FLAG_QR | (octets[2]! & (0x78 | FLAG_RD))
  reply[3] = (octets[3]! & FLAG_CD) | RCODE.REFUSED
  reply.fill(0, 4, HEADER_OCTETS)
  if (scan.questionEnd) reply[5] = 1
  if (scan.edns) {
    reply[11] = 1
    writeU16(reply, questionEnd + 1, TYPE.OPT)
    writeU16(reply, questionEnd + 3, PAYLOAD_DEFAULT)
  }
  return reply
}
