// HOT: replies of nothing but their code, made from the query's octets without a message of objects.

import { FLAG_CD, FLAG_QR, FLAG_RD, HEADER_OCTETS, writeU16 } from './header.ts'
import { addExtendedError, EDE_OCTETS, writeOpt } from './opt.ts'
import { OPCODE } from './rcode.ts'
import type { Scan } from './scan.ts'

/** An extended error with its text encoded once, for replies that never see a plugin. */
export interface FailureReason {
  readonly code: number
  readonly text: Uint8Array
}

/** A reason for `writeFailure`. */
export const failureReason = (code: number, text: string): FailureReason => ({
  code,
  text: Uint8Array.from(Buffer.from(text)),
})

/**
 * HOT: writes a reply of nothing but its code, and of the reason where the query had EDNS; returns its octets. A code
 * above 15 needs EDNS.
 */
export function writeFailure(
  scan: Scan,
  packet: Uint8Array,
  out: Uint8Array,
  outAt: number,
  rcode: number,
  reason?: FailureReason,
): number {
  const withQuestion = scan.questionEnd > 0 && scan.opcode === OPCODE.QUERY
  let at = outAt + HEADER_OCTETS
  if (withQuestion) for (let i = scan.start + HEADER_OCTETS; i < scan.questionEnd; i++) out[at++] = packet[i]!
  writeU16(out, outAt, scan.id)
  out[outAt + 2] = FLAG_QR | (scan.opcode << 3) | (scan.recursionDesired ? FLAG_RD : 0)
  out[outAt + 3] = (scan.checkingDisabled ? FLAG_CD : 0) | (rcode & 15)
  for (let i = 4; i < HEADER_OCTETS; i++) out[outAt + i] = 0
  if (withQuestion) out[outAt + 5] = 1
  if (scan.edns) {
    out[outAt + 11] = 1
    const optAt = at
    at = writeOpt(out, optAt, rcode, scan.dnssecOk)
    if (reason) {
      out.set(reason.text, at + EDE_OCTETS)
      at = addExtendedError(out, optAt, at, reason.code, reason.text.length)
    }
  }
  return at - outAt
}
