// What an entry is found by: qtype, qclass, DO and CD, and the whole name in lower case. It is compared octet for octet, so two
// questions never share an entry, whatever their hashes.
//
//   00 01  00 01  02  03 w w w 07 e x a m p l e 03 o r g 00  | options | key
//   qtype  qclass  |  name                                     that go to the upstream, | which upstreams
//                  1 = DO, 2 = CD, 4 = apart

import type { Packet } from '../../query/packet.ts'
import { NAME_MAX_OCTETS } from '../../wire/name.ts'
import type { Scan } from '../../wire/scan.ts'

const HEAD_OCTETS = 5
/** Questions with more options than that are not kept. */
const OPTIONS_MAX_OCTETS = 1024
/** Of upstreams that not everybody has. */
const APART_MAX_OCTETS = 32
export const KEY_MAX_OCTETS = HEAD_OCTETS + NAME_MAX_OCTETS + OPTIONS_MAX_OCTETS + APART_MAX_OCTETS

/** HOT: writes the key of a scanned query to out[0 …); its octets. The two bits change its answer (RFC 4035 3.2). */
export function writeScanKey(out: Uint8Array, scan: Scan): number {
  const { qtype, qclass, folded, foldedLength } = scan
  out[0] = qtype >> 8
  out[1] = qtype
  out[2] = qclass >> 8
  out[3] = qclass
  out[4] = (scan.dnssecOk ? 1 : 0) | (scan.checkingDisabled ? 2 : 0)
  for (let i = 0; i < foldedLength; i++) out[HEAD_OCTETS + i] = folded[i]!
  return HEAD_OCTETS + foldedLength
}

/**
 * Writes the key of a packet's question as it is now; 0 where there is too much of it. One that goes to the upstream with options
 * of ours has them behind it: another subnet or tenant may get another answer (RFC 7871 7.3.1). So has one of a client with
 * upstreams of its own.
 */
export function writePacketKey(out: Uint8Array, { scan, addedOptions, apart }: Packet): number {
  let octets = writeScanKey(out, scan)
  if (addedOptions !== undefined) {
    if (addedOptions.length > OPTIONS_MAX_OCTETS) return 0
    out.set(addedOptions, octets)
    octets += addedOptions.length
  }
  if (apart === undefined) return octets
  out[4]! |= 4
  out.set(apart.key, octets)
  return octets + apart.key.length
}
