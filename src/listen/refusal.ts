// The answer to a slow query that found no place (admission.ts): REFUSED, as CoreDNS's `max_concurrent`
// answers, so that the client asks its next server at once instead of waiting 5 s. Hardly longer than the
// query it answers.

import { EDE } from '../wire/extended-error.ts'
import { failureReason, writeFailure } from '../wire/failure.ts'
import { HEADER_OCTETS } from '../wire/header.ts'
import { EDE_OCTETS, OPT_OCTETS } from '../wire/opt.ts'
import { RCODE } from '../wire/rcode.ts'
import { Scan } from '../wire/scan.ts'

const scan = new Scan()
const NO_PLACE = failureReason(EDE.OTHER, 'too many queries of this client, or of all, are under way')

/**
 * REFUSED for the query in `octets`, with its question and, where it had one, an OPT record; undefined for no
 * query.
 */
export function refusal(octets: Uint8Array): Uint8Array | undefined {
  if (scan.read(octets, 0, octets.length) === 'drop') return undefined
  const octetsMax = (scan.questionEnd || HEADER_OCTETS) + OPT_OCTETS + EDE_OCTETS + NO_PLACE.text.length
  const reply = new Uint8Array(octetsMax)
  return reply.subarray(0, writeFailure(scan, octets, reply, 0, RCODE.REFUSED, NO_PLACE))
}
