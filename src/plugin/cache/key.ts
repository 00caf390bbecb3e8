// What an entry is found by: qtype, qclass, DO and CD, and the whole name in lower case, as one latin1 string. Maps
// compare strings in full, so two questions never share an entry, whatever their hashes.
//
//   00 01  00 01  02  03 w w w 07 e x a m p l e 03 o r g 00
//   qtype  qclass  |  name
//                  1 = DO, 2 = CD

import { type EdnsOption, encodeOptions, type Question } from '../../wire/message.ts'
import { FOLD, NAME_MAX_OCTETS } from '../../wire/name.ts'
import type { Scan } from '../../wire/scan.ts'

const HEAD_OCTETS = 5
const scratch = Buffer.alloc(HEAD_OCTETS + NAME_MAX_OCTETS)

/** The key of a scanned query. */
export function scanKey(scan: Scan): string {
  scratch.set(scan.folded, HEAD_OCTETS)
  return keyOf(scan.foldedLength, scan.qtype, scan.qclass, scan.dnssecOk, scan.checkingDisabled)
}

/** The key of a question and the two bits that change its answer (RFC 4035 3.2). */
export function questionKey(
  { qname, qtype, qclass }: Question,
  dnssecOk: boolean,
  checkingDisabled: boolean,
): string {
  for (let i = 0; i < qname.length; i++) scratch[HEAD_OCTETS + i] = FOLD[qname[i]!]!
  return keyOf(qname.length, qtype, qclass, dnssecOk, checkingDisabled)
}

/**
 * What is put behind the key of a question that goes to the upstream with options of ours: another subnet or tenant may
 * get another answer (RFC 7871 7.3.1). Nothing where there are none.
 */
export const optionsKey = (options: readonly EdnsOption[] = []): string =>
  Buffer.from(encodeOptions(options)).toString('latin1')

function keyOf(nameOctets: number, qtype: number, qclass: number, dnssecOk: boolean, cd: boolean): string {
  scratch[0] = qtype >> 8
  scratch[1] = qtype
  scratch[2] = qclass >> 8
  scratch[3] = qclass
  scratch[4] = (dnssecOk ? 1 : 0) | (cd ? 2 : 0)
  return scratch.toString('latin1', 0, HEAD_OCTETS + nameOctets)
}
