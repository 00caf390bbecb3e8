// HOT: our OPT record (RFC 6891 6.1), written behind the other records of a reply by everybody who writes replies:
//
//   00  0029  04d0      00        00  8000 if DO  0000
//   .   OPT   payload   rcode>>4  version 0       length of the options that follow

import { PAYLOAD_DEFAULT, readU16, writeU16 } from './header.ts'
import { TYPE } from './rrtype.ts'
import { OPTION } from './scan.ts'
import { RecordWalk } from './walk.ts'

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

const walk = new RecordWalk()

/** Where the OPT record begins that is the last one of a message of ours in octets[start … end). */
export function optAtEnd(octets: Uint8Array, start: number, end: number): number {
  const bare = end - OPT_OCTETS
  // Without options two zeros are its end, and no reason in words has any.
  if (readU16(octets, end - 2) === 0 && octets[bare] === 0 && readU16(octets, bare + 1) === TYPE.OPT)
    return bare
  let last = bare
  for (walk.open(octets, start, end); walk.next(); ) last = walk.ownerAt
  return last
}

/**
 * Adds options in wire form, of `octets` octets, to the OPT record at `optAt`, the last thing in the message, which ends at
 * `at`. Returns the new end.
 */
export function addOptions(
  out: Uint8Array,
  optAt: number,
  at: number,
  options: Uint8Array,
  octets: number,
): number {
  for (let i = 0; i < octets; i++) out[at + i] = options[i]!
  writeU16(out, optAt + 9, readU16(out, optAt + 9) + octets)
  return at + octets
}
