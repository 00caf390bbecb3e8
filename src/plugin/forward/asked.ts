// A question as upstreams are asked it: with RD, whoever asks (RFC 8906 has no use for a forwarder without; a client that does
// not set it must not empty a name for all others), with AD, so that one reply does for clients who want to know and those who
// do not (RFC 6840 5.7), the name in lower case, so that it must come back octet for octet, and an OPT record of our own. No
// option of the client goes along, only those that the Corefile adds.
//
//   id 0  RD  AD|CD  1 0 0 1  name type class  |  OPT payload DO options
//                                              └─ left out, with AD, for an upstream that refuses EDNS

import { FLAG_AD, FLAG_CD, FLAG_RD, HEADER_OCTETS, writeU16 } from '../../wire/header.ts'
import { OPT_OCTETS } from '../../wire/opt.ts'
import { TYPE } from '../../wire/rrtype.ts'

/** Octets of a question to an upstream without options. */
export const ASKED_MAX_OCTETS = HEADER_OCTETS + 255 + 4 + OPT_OCTETS

/** A question as it is sent, but for its ID: octets[0 … questionOctets), without its OPT record up to questionEnd. */
export interface AskedMessage {
  readonly question: Uint8Array
  readonly questionEnd: number
  readonly questionOctets: number
}

/** What a question differs in from others. */
export interface AskedFlags {
  readonly recursionDesired: boolean
  readonly checkingDisabled: boolean
  readonly dnssecOk: boolean
}

/**
 * Writes a question to out[0 …); the name, of so many octets, is in lower case. Returns where the question ends and, in the
 * upper bits, the whole message: for `askedEnd` and `askedOctets`.
 */
export function writeAsked(
  out: Uint8Array,
  name: Uint8Array,
  nameOctets: number,
  qtype: number,
  qclass: number,
  { recursionDesired, checkingDisabled, dnssecOk }: AskedFlags,
  payloadSize: number,
  options: Uint8Array | undefined,
): number {
  for (let i = 0; i < HEADER_OCTETS; i++) out[i] = 0
  out[2] = recursionDesired ? FLAG_RD : 0
  out[3] = FLAG_AD | (checkingDisabled ? FLAG_CD : 0)
  out[5] = out[11] = 1
  for (let i = 0; i < nameOctets; i++) out[HEADER_OCTETS + i] = name[i]!
  const end = HEADER_OCTETS + nameOctets + 4
  writeU16(out, end - 4, qtype)
  writeU16(out, end - 2, qclass)
  const optionsOctets = options?.length ?? 0
  out[end] = 0
  writeU16(out, end + 1, TYPE.OPT)
  writeU16(out, end + 3, payloadSize)
  out[end + 5] = out[end + 6] = out[end + 8] = 0
  out[end + 7] = dnssecOk ? 0x80 : 0
  writeU16(out, end + 9, optionsOctets)
  if (options) out.set(options, end + OPT_OCTETS)
  return end + 65536 * (end + OPT_OCTETS + optionsOctets)
}

/** Behind the question. */
export const askedEnd = (written: number): number => written % 65536

/** The whole message. */
export const askedOctets = (written: number): number => Math.floor(written / 65536)

/**
 * Copies a question to out[at …), with an id, as it goes to an upstream that takes EDNS or does not; returns its octets.
 */
export function copyAsked(
  { question, questionEnd, questionOctets }: AskedMessage,
  edns: boolean,
  id: number,
  out: Uint8Array,
  at: number,
): number {
  const length = edns ? questionOctets : questionEnd
  for (let i = 0; i < length; i++) out[at + i] = question[i]!
  writeU16(out, at, id)
  if (!edns) {
    out[at + 3]! &= ~FLAG_AD
    out[at + 11] = 0
  }
  return length
}
