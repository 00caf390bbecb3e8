// HOT: our OPT record (RFC 6891 6.1), written behind the other records of a reply by everybody who writes replies:
//
//   00  0029  04d0      00        00  8000 if DO  0000
//   .   OPT   payload   rcode>>4  version 0       length of the options that follow

import { PAYLOAD_DEFAULT, readU16, writeU16 } from './header.ts'
import { TYPE } from './rrtype.ts'
import { OPTION } from './scan.ts'

/** Octets of an OPT record without options. */
export const OPT_OCTETS = 11
/** Octets of an extended error's option without its text (RFC 8914 2). */
export const EDE_OCTETS = 6

/** Writes an OPT record without options at `at`; returns the offset behind it. `rcode` is the whole code. */
export function writeOpt(out: Uint8Array, at: number, rcode: number, dnssecOk: boolean): number {
  out[at] = 0
  writeU16(out, at + 1, TYPE.OPT)
  writeU16(out, at + 3, PAYLOAD_DEFAULT)
  out[at + 5] = rcode >> 4
  out[at + 6] = 0
  out[at + 7] = dnssecOk ? 0x80 : 0
  out[at + 8] = out[at + 9] = out[at + 10] = 0
  return at + OPT_OCTETS
}

/**
 * Adds an extended error to the OPT record at `optAt`, the last thing in the message, which ends at `at`. Its text, if
 * any, has been written EDE_OCTETS behind `at` already. Returns the new end.
 */
export function addExtendedError(
  out: Uint8Array,
  optAt: number,
  at: number,
  code: number,
  textOctets: number,
): number {
  writeU16(out, at, OPTION.EDE)
  writeU16(out, at + 2, 2 + textOctets)
  writeU16(out, at + 4, code)
  const added = EDE_OCTETS + textOctets
  writeU16(out, optAt + 9, readU16(out, optAt + 9) + added)
  return at + added
}

/** Adds an option to the OPT record at `optAt`, the last thing in the message, which ends at `at`. Returns the new end. */
export function addOption(
  out: Uint8Array,
  optAt: number,
  at: number,
  code: number,
  data: Uint8Array,
): number {
  writeU16(out, at, code)
  writeU16(out, at + 2, data.length)
  out.set(data, at + 4)
  writeU16(out, optAt + 9, readU16(out, optAt + 9) + 4 + data.length)
  return at + 4 + data.length
}
