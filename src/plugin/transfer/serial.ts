// What the client of an incremental transfer says that it has.

import { decodeMessage } from '../../wire/message.ts'
import { soaSerial } from '../../wire/record.ts'
import { TYPE } from '../../wire/rrtype.ts'

/** The serial that the client of an IXFR has: of the SOA in the authority section (RFC 1995 section 3). */
export function readIxfrSerial(octets: Uint8Array): number | undefined {
  const soa = decodeMessage(octets)?.authority[0]
  return soa?.type === TYPE.SOA ? soaSerial(soa) : undefined
}
