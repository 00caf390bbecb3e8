// What holds for every reply to whatever packet: the strict decoder takes it, it belongs to the packet that was sent, and it
// says nothing that the packet did not ask for. A second parser must see the same message.
//
//   header    QR, the id, the opcode, of a QUERY RD and CD as sent, Z clear, AD for those who ask only, TC over UDP or of 64 KiB
//   question  octet for octet as sent, or left out of an error
//   records   no record twice, one TTL in an RRset, TTLs below 2^31
//   OPT       where the packet had one and only there: root, version 0, at least 512, no flag but DO
//   size      what the packet announced, at least 512 and never above 4096, over UDP

import { type AskedPacket, readAsked } from './asked-packet.ts'
import { type Decoded, type DnsRecord, decodeMessage, MalformedMessage } from './dns-message.ts'
import { secondOpinion } from './second-parser.ts'

/** A reply that breaks one of the checks. */
export class Violation extends Error {
  readonly code = 'violation'

  constructor(faults: readonly string[], reply: Uint8Array) {
    super(`${faults.join('; ')} in the reply ${shortHex(reply)}`)
    this.name = 'Violation'
  }
}

function shortHex(octets: Uint8Array): string {
  const text = Buffer.from(octets).toString('hex')
  return text.length <= SHOWN_MAX ? text : `${text.slice(0, SHOWN_MAX)}… (${octets.length} octets)`
}
const SHOWN_MAX = 1200

const UDP_MAX_OCTETS = 4096
/** A message over TCP that the next record may not fit into. */
const TCP_FULL_OCTETS = 65000
const TTL_LIMIT_SECONDS = 2 ** 31

/**
 * Decodes the reply to a packet.
 * @throws Violation where it breaks a check
 */
export function checkReply(sent: Uint8Array, reply: Uint8Array, over: 'udp' | 'tcp'): Decoded {
  const decoded = decodeStrictly(reply)
  const asked = readAsked(sent)
  const faults = [
    ...headerFaults(asked, decoded, over, reply.length),
    ...questionFaults(asked, sent, reply, decoded),
    ...recordFaults(decoded),
    ...ednsFaults(asked, decoded),
    ...(over === 'udp' ? sizeFaults(asked, reply) : []),
    ...secondOpinion(reply, decoded),
  ]
  if (faults.length > 0) throw new Violation(faults, reply)
  return decoded
}

function decodeStrictly(reply: Uint8Array): Decoded {
  try {
    return decodeMessage(reply)
  } catch (error) {
    if (error instanceof MalformedMessage) throw new Violation([error.message], reply)
    throw error
  }
}

/** The names of the faults that are there. */
const named = (faults: Readonly<Record<string, boolean>>): string[] =>
  Object.entries(faults).flatMap(([fault, isThere]) => (isThere ? [fault] : []))

function headerFaults(
  asked: AskedPacket,
  { id, opcode, flags }: Decoded,
  over: 'udp' | 'tcp',
  octets: number,
): string[] {
  const dnssecOk = typeof asked.edns === 'object' && asked.edns.dnssecOk
  return named({
    'a reply to what is no query': !asked.isQuery,
    'QR is 0': !flags.qr,
    'another id': id !== asked.id,
    'another opcode': opcode !== asked.opcode,
    'another RD': opcode === 0 && flags.rd !== asked.rd,
    'another CD': opcode === 0 && flags.cd !== asked.cd,
    'Z is set': flags.z,
    'AD unasked': flags.ad && !asked.ad && !dnssecOk,
    'TC over TCP': flags.tc && over === 'tcp' && octets < TCP_FULL_OCTETS,
  })
}

function questionFaults(
  asked: AskedPacket,
  sent: Uint8Array,
  reply: Uint8Array,
  { question, rcode }: Decoded,
): string[] {
  if (question.length > 1) return ['more than one question']
  if (question.length === 0) {
    const mayLack = asked.questions === 0 || !['NOERROR', 'NXDOMAIN'].includes(rcode)
    return mayLack ? [] : ['no question']
  }
  let end = 12
  while (reply[end]! !== 0 && reply[end]! < 64) end += reply[end]! + 1
  end += 5
  return Buffer.from(reply.subarray(12, end)).equals(sent.subarray(12, end)) ? [] : ['another question']
}

function recordFaults({ records }: Decoded): string[] {
  return Object.entries(records).flatMap(([section, list]) => {
    const ttls = new Map<string, number>()
    const seen = new Set<string>()
    return list.flatMap((record: DnsRecord) => {
      const rrset = `${record.name.toLowerCase()} ${record.class} ${record.type}`
      const known = ttls.get(rrset) ?? record.ttlSeconds
      ttls.set(rrset, known)
      const whole = `${rrset} ${record.data}`
      const twice = seen.has(whole)
      seen.add(whole)
      return named({
        [`two TTLs of ${rrset} in ${section}`]: record.ttlSeconds !== known && record.type !== 'RRSIG',
        [`a TTL of ${record.ttlSeconds} in ${section}`]: record.ttlSeconds >= TTL_LIMIT_SECONDS,
        [`${whole} twice in ${section}`]: twice,
      })
    })
  })
}

function ednsFaults(asked: AskedPacket, { edns, rcode }: Decoded): string[] {
  // RFC 6891 section 7: without OPT where the packet, or its OPT record, could not be read.
  if (!edns)
    return typeof asked.edns === 'object' && !['FORMERR', 'NOTIMP'].includes(rcode) ? ['no OPT record'] : []
  return named({
    'an OPT record unasked': asked.edns === 'none',
    [`EDNS version ${edns.version}`]: edns.version !== 0,
    [`a payload of ${edns.udpSize}`]: edns.udpSize < 512,
    [`EDNS flags ${edns.flags}`]: (edns.flags & 0x7fff) !== 0,
    'DO unasked': edns.dnssecOk && typeof asked.edns === 'object' && !asked.edns.dnssecOk,
  })
}

function sizeFaults({ edns }: AskedPacket, reply: Uint8Array): string[] {
  const announced = typeof edns === 'object' ? edns.udpSize : 512
  const limit = Math.min(UDP_MAX_OCTETS, Math.max(512, announced))
  return reply.length > limit ? [`${reply.length} octets where ${limit} are allowed`] : []
}
