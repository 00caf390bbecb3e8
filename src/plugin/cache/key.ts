// What an entry is found by: qtype, qclass, DO and CD, and the whole name in lower case, as one latin1 string. Maps
// compare strings in full, so two questions never share an entry, whatever their hashes.
//
//   00 01  00 01  02  03 w w w 07 e x a m p l e 03 o r g 00
//   qtype  qclass  |  name
//                  1 = DO, 2 = CD

import type { Packet } from '../../query/packet.ts'
import { NAME_MAX_OCTETS } from '../../wire/name.ts'
import type { Scan } from '../../wire/scan.ts'

const HEAD_OCTETS = 5
const scratch = Buffer.alloc(HEAD_OCTETS + NAME_MAX_OCTETS)

/** The key of a scanned query: its question and the two bits that change its answer (RFC 4035 3.2). */
export function scanKey(scan: Scan): string {
  const { qtype, qclass } = scan
  scratch[0] = qtype >> 8
  scratch[1] = qtype
  scratch[2] = qclass >> 8
  scratch[3] = qclass
  scratch[4] = (scan.dnssecOk ? 1 : 0) | (scan.checkingDisabled ? 2 : 0)
  scratch.set(scan.folded, HEAD_OCTETS)
  return scratch.toString('latin1', 0, HEAD_OCTETS + scan.foldedLength)
}

/**
 * The key of a packet's question as it is now. One that goes to the upstream with options of ours has them behind it: another
 * subnet or tenant may get another answer (RFC 7871 7.3.1).
 */
export function packetKey({ scan, addedOptions }: Packet): string {
  const key = scanKey(scan)
  return addedOptions === undefined ? key : key + Buffer.from(addedOptions).toString('latin1')
}
