// Asks the question of a case: over UDP or TCP, again over TCP after a truncated UDP reply, and for IXFR with the serial that
// the client claims to have (RFC 1995 section 3: the SOA record in the authority section).

import { type Decoded, decodeMessage, exchangeTcp, exchangeUdp, query } from '../support/dns-client.ts'
import { encodeQuestion, nameOctets, typeNumber } from '../support/dns-question.ts'
import type { Case, Got } from './compare.ts'

/** The reply to a case's question. Throws NoAnswer, MalformedMessage. */
export async function ask(port: number, one: Case, tcp: boolean): Promise<Got> {
  const first = await askOnce(port, one, tcp)
  const again = first.flags.tc && !tcp && one.tc === undefined
  const { rcode, flags, records } = again ? await askOnce(port, one, true) : first
  return { rcode, aa: flags.aa, tc: flags.tc, ...records }
}

async function askOnce(port: number, { q }: Case, tcp: boolean): Promise<Decoded> {
  if (q.serial === undefined) return query(port, { name: q.name, type: q.type, class: q.class ?? 'IN', tcp })
  const serial = q.serial === 'current' ? await currentSerial(port, q.name) : q.serial
  const octets = incrementalQuestion(q.name, serial)
  return decodeMessage(await (tcp ? exchangeTcp(port, octets) : exchangeUdp(port, octets)))
}

async function currentSerial(port: number, zone: string): Promise<number> {
  const { records } = await query(port, { name: zone, type: 'SOA' })
  const serial = Number(records.answer[0]?.data.split(' ')[2])
  if (!Number.isInteger(serial)) throw new TypeError(`${zone} has no SOA record to take the serial from`)
  return serial
}

/** An IXFR question from a client that has the zone with this serial. */
export function incrementalQuestion(zone: string, serial: number): Uint8Array {
  const question = Buffer.from(encodeQuestion({ name: zone, type: 'IXFR' }, 1))
  question.writeUInt16BE(1, 8)
  const fixed = Buffer.alloc(10)
  fixed.writeUInt16BE(typeNumber('SOA'), 0)
  fixed.writeUInt16BE(1, 2)
  // Two root names and five numbers, of which only the serial counts.
  fixed.writeUInt16BE(22, 8)
  const data = Buffer.alloc(22)
  data.writeUInt32BE(serial, 2)
  return Uint8Array.from(Buffer.concat([question, nameOctets(zone), fixed, data]))
}
