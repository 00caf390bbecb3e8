// A question as an upstream is asked it, and the judgement of what comes back (RFC 1035 4.1, RFC 5452 section 9,
// RFC 6891 section 7). The name is asked in lower case, so that the question must come back octet for octet.
//
//   what came                                              over UDP      over TCP
//   other ID, QR 0, other opcode, other question, garbage  mismatch      mismatch
//   FORMERR, NOTIMP without OPT where an OPT was sent      no-edns       no-edns
//   larger than announced                                  truncated     -
//   no question, an error code                             mismatch      reply
//   all else                                               reply         reply

import type { Query } from '../../query/query.ts'
import { HEADER_OCTETS, PAYLOAD_MIN, readU16, writeU16 } from '../../wire/header.ts'
import { decodeMessage, type EdnsOption, encodeOptions, type Message } from '../../wire/message.ts'
import { foldName, type Name, nameKey } from '../../wire/name.ts'
import { OPCODE, RCODE } from '../../wire/rcode.ts'
import { TYPE } from '../../wire/rrtype.ts'

/** Octets of an OPT record without options. */
const OPT_OCTETS = 11

/** A question without its asker: whatever is equal here is asked once. */
export interface Asked {
  /** In lower case. */
  readonly qname: Name
  readonly qtype: number
  readonly qclass: number
  readonly recursionDesired: boolean
  readonly checkingDisabled: boolean
  readonly dnssecOk: boolean
  /** Options that the Corefile adds. */
  readonly options: readonly EdnsOption[]
}

/** What an upstream is asked on a query's behalf. */
export const askedBy = ({
  question,
  recursionDesired,
  checkingDisabled,
  edns,
  addedOptions,
}: Query): Asked => ({
  qname: foldName(question.qname),
  qtype: question.qtype,
  qclass: question.qclass,
  recursionDesired,
  checkingDisabled,
  dnssecOk: edns?.dnssecOk ?? false,
  options: addedOptions ?? [],
})

/** Equal for equal questions only: the name's own zero octet ends it. */
export function askedKey(asked: Asked): string {
  const bits = (asked.recursionDesired ? 1 : 0) | (asked.checkingDisabled ? 2 : 0) | (asked.dnssecOk ? 4 : 0)
  const options = Buffer.from(encodeOptions(asked.options)).toString('latin1')
  return `${nameKey(asked.qname)}${asked.qtype} ${asked.qclass} ${bits} ${options}`
}

/**
 * The question as a message of its own: with AD, so that one reply does for clients who want to know and those who do
 * not (RFC 6840 5.7), and with our own OPT and its payload size, unless the upstream cannot take one. No option of the
 * client goes along, only those that the Corefile adds.
 */
export function encodeAsked(asked: Asked, id: number, payloadSize: number | undefined): Uint8Array {
  const questionEnd = HEADER_OCTETS + asked.qname.length + 4
  const edns = payloadSize !== undefined
  const options = encodeOptions(asked.options)
  const octets = new Uint8Array(questionEnd + (edns ? OPT_OCTETS + options.length : 0))
  writeU16(octets, 0, id)
  octets[2] = asked.recursionDesired ? 1 : 0
  octets[3] = (edns ? 0x20 : 0) | (asked.checkingDisabled ? 0x10 : 0)
  octets[5] = 1
  octets.set(asked.qname, HEADER_OCTETS)
  writeU16(octets, questionEnd - 4, asked.qtype)
  writeU16(octets, questionEnd - 2, asked.qclass)
  if (edns) {
    octets[11] = 1
    writeU16(octets, questionEnd + 1, TYPE.OPT)
    writeU16(octets, questionEnd + 3, payloadSize)
    octets[questionEnd + 7] = asked.dnssecOk ? 0x80 : 0
    writeU16(octets, questionEnd + 9, options.length)
    octets.set(options, questionEnd + 11)
  }
  return octets
}

/** What a message from the upstream is good for. */
export type Judgement =
  | { readonly kind: 'reply'; readonly message: Message }
  | { readonly kind: 'mismatch' }
  | { readonly kind: 'no-edns' }

const MISMATCH: Judgement = { kind: 'mismatch' }
const NO_EDNS: Judgement = { kind: 'no-edns' }

/** Judges octets that came where a reply to `sent` (as encodeAsked made it) is waited for. */
export function judge(octets: Uint8Array, sent: Uint8Array, protocol: 'udp' | 'tcp'): Judgement {
  if (octets.length < HEADER_OCTETS || readU16(octets, 0) !== readU16(sent, 0)) return MISMATCH
  if ((octets[2]! & 0x80) === 0 || ((octets[2]! >> 3) & 15) !== OPCODE.QUERY) return MISMATCH
  const edns = sent[11] === 1
  const rcode = octets[3]! & 15
  if (readU16(octets, 4) === 0) {
    if (edns && isEdnsRefusal(rcode) && readU16(octets, 10) === 0) return NO_EDNS
    if (protocol === 'udp' || rcode === RCODE.NOERROR) return MISMATCH
  } else if (!sameQuestion(octets, sent)) return MISMATCH
  const announced = edns ? readU16(sent, questionEndOf(sent) + 3) : PAYLOAD_MIN
  if (protocol === 'udp' && octets.length > announced) return cut(octets)
  const message = decodeMessage(octets)
  if (message === undefined) return (octets[2]! & 2) !== 0 ? cut(octets) : MISMATCH
  const refusesEdns =
    message.rcode === RCODE.BADVERS || (isEdnsRefusal(message.rcode) && message.edns === undefined)
  return edns && refusesEdns ? NO_EDNS : { kind: 'reply', message }
}

const isEdnsRefusal = (rcode: number): boolean => rcode === RCODE.FORMERR || rcode === RCODE.NOTIMP

/** The offset behind the question of a message that encodeAsked made. */
function questionEndOf(sent: Uint8Array): number {
  let at = HEADER_OCTETS
  while (sent[at] !== 0) at += sent[at]! + 1
  return at + 5
}

function sameQuestion(octets: Uint8Array, sent: Uint8Array): boolean {
  const questionEnd = questionEndOf(sent)
  if (readU16(octets, 4) !== 1 || octets.length < questionEnd) return false
  for (let at = HEADER_OCTETS; at < questionEnd; at++) if (octets[at] !== sent[at]) return false
  return true
}

/** The header alone, truncated: what is behind it cannot be used, but that there is more is known. */
function cut(octets: Uint8Array): Judgement {
  const head = octets.slice(0, HEADER_OCTETS)
  head[2]! |= 2
  head.fill(0, 4)
  const message = decodeMessage(head)
  return message === undefined ? MISMATCH : { kind: 'reply', message }
}
