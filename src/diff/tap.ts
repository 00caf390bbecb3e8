// A file of dnstap, as its receivers write it: frames of protocol buffers (github.com/farsightsec/fstrm, dnstap.pb). Of each
// message only the question is read, where it is one of a client to a server.
//
//   frame     length, 4 octets; 0: a control frame follows, with a length of its own
//   Dnstap    14 message
//   Message   1 type  10 query  14 response

import { decodeMessage } from '../wire/message.ts'
import { formatName } from '../wire/name.ts'
import { typeName } from '../wire/rrtype.ts'

const CONTROL_START = 2
/** AUTH_QUERY, CLIENT_QUERY: what servers are asked, and not what they ask. */
const QUERY_TYPES = new Set([1, 5])
const FIELD = { TYPE: 1, QUERY: 10, MESSAGE: 14 } as const
const WIRE = { VARINT: 0, FIXED64: 1, OCTETS: 2, FIXED32: 5 } as const

/** Whether the octets begin as such a file does. */
export function isTap(octets: Uint8Array): boolean {
  const view = viewOf(octets)
  return octets.length >= 12 && view.getUint32(0) === 0 && view.getUint32(8) === CONTROL_START
}

/** The questions in it, in their order; what is cut or garbled ends the reading or is passed over. */
export function* tapQuestions(octets: Uint8Array): Generator<{ name: string; type: string }> {
  const view = viewOf(octets)
  for (let at = 0; at + 4 <= octets.length; ) {
    const length = view.getUint32(at)
    at += 4
    if (length === 0) {
      if (at + 4 > octets.length) return
      at += 4 + view.getUint32(at)
      continue
    }
    const query = queryIn(octets.subarray(at, at + length))
    at += length
    const [question] = (query === undefined ? undefined : decodeMessage(query))?.questions ?? []
    if (question?.qclass === 1) yield { name: formatName(question.qname), type: typeName(question.qtype) }
  }
}

function queryIn(frame: Uint8Array): Uint8Array | undefined {
  const message = fieldsOf(frame).get(FIELD.MESSAGE)
  if (!(message instanceof Uint8Array)) return undefined
  const fields = fieldsOf(message)
  const [type, query] = [fields.get(FIELD.TYPE), fields.get(FIELD.QUERY)]
  return typeof type === 'number' && QUERY_TYPES.has(type) && query instanceof Uint8Array ? query : undefined
}

/** The fields of a protocol buffer, the last of each number; what is cut is left out. */
function fieldsOf(octets: Uint8Array): Map<number, number | Uint8Array> {
  const fields = new Map<number, number | Uint8Array>()
  let at = 0
  const varint = (): number => {
    let value = 0
    for (let shift = 0; at < octets.length; shift += 7) {
      const octet = octets[at++]!
      value += (octet & 127) * 2 ** shift
      if (octet < 128) break
    }
    return value
  }
  while (at < octets.length) {
    const tag = varint()
    const wire = tag & 7
    if (wire === WIRE.VARINT) fields.set(tag >>> 3, varint())
    else if (wire === WIRE.OCTETS) {
      const length = varint()
      fields.set(tag >>> 3, octets.subarray(at, at + length))
      at += length
    } else if (wire === WIRE.FIXED32) at += 4
    else if (wire === WIRE.FIXED64) at += 8
    else break
  }
  return fields
}

const viewOf = ({ buffer, byteOffset, byteLength }: Uint8Array): DataView =>
  new DataView(buffer, byteOffset, byteLength)
