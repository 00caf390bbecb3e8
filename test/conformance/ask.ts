// Asks the question of a case: over UDP or TCP, again over TCP after a truncated UDP reply, and for IXFR with the serial that
// the client claims to have.

import { type Decoded, query } from '../support/dns-client.ts'
import type { Case, Got } from './compare.ts'

/** The reply to a case's question. Throws NoAnswer, MalformedMessage. */
export async function ask(port: number, one: Case, tcp: boolean): Promise<Got> {
  const first = await askOnce(port, one, tcp)
  const again = first.flags.tc && !tcp && one.tc === undefined
  const { rcode, flags, records } = again ? await askOnce(port, one, true) : first
  return { rcode, aa: flags.aa, tc: flags.tc, ...records }
}

async function askOnce(port: number, { q }: Case, tcp: boolean): Promise<Decoded> {
  const serial = q.serial === 'current' ? await currentSerial(port, q.name) : q.serial
  return query(port, {
    name: q.name,
    type: q.type,
    class: q.class ?? 'IN',
    tcp,
    ...(serial === undefined ? {} : { serial }),
  })
}

async function currentSerial(port: number, zone: string): Promise<number> {
  const { records } = await query(port, { name: zone, type: 'SOA' })
  const serial = Number(records.answer[0]?.data.split(' ')[2])
  if (!Number.isInteger(serial)) throw new TypeError(`${zone} has no SOA record to take the serial from`)
  return serial
}
