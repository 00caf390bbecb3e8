// HOT: what most questions are about, the addresses that a service has outside the cluster, out of the table into the reply.

import type { Packet } from '../../query/packet.ts'
import { eachExternal, flagsOf } from '../../table/block.ts'
import { EXTERNAL, FLAG } from '../../table/layout.ts'
import type { TableReader } from '../../table/reader.ts'
import { CLASS, TYPE } from '../../wire/rrtype.ts'
import { SECTION } from '../../wire/walk.ts'
import { equalOctets } from '../kubernetes/match.ts'

/** Addresses of a service that are held against one another; those with more are looked at as a whole. */
const WRITTEN_MAX = 64
const writtenAts = new Int32Array(WRITTEN_MAX)

/**
 * Composes the addresses of the service that the first two labels of an A or AAAA question name. False where it has none of the
 * type, or a host among them, or the state is old: then it is looked at as a whole.
 */
export function writeAddresses(packet: Packet, table: TableReader, ttlSeconds: number): boolean {
  const { scan, question, qnameAt } = packet
  const { folded, labelAt } = scan
  const namespaceAt = labelAt[1]!
  if (table.age !== 0) return false
  table.enter()
  const block = table.find(folded, 0, namespaceAt + 1 + folded[namespaceAt]!)
  const { words, octets } = table
  const tag = scan.qtype === TYPE.A ? EXTERNAL.V4 : EXTERNAL.V6
  let written = 0
  let hosts = 0
  if (block !== 0 && (flagsOf(octets, block) & FLAG.NO_SERVICE) === 0) {
    const composer = packet.compose()
    eachExternal(words, octets, block, (at, end) => {
      if (octets[at] === EXTERNAL.NAME) hosts++
      if (octets[at] !== tag || isWritten(octets, at, end, written)) return
      writtenAts[written++] = at
      composer.record(
        SECTION.ANSWER, question, qnameAt, scan.qtype, CLASS.IN, ttlSeconds, octets, at + 1, end,
      ) // biome-ignore format: one record
    })
  }
  table.leave()
  if (written > 0 && written <= WRITTEN_MAX && hosts === 0) {
    packet.error = undefined
    packet.setReason(-1)
    return true
  }
  packet.clear()
  return false
}

/** Whether the address is one of those that were written. */
function isWritten(octets: Uint8Array, at: number, end: number, written: number): boolean {
  for (let i = 0; i < Math.min(written, WRITTEN_MAX); i++)
    if (equalOctets(octets, writtenAts[i]!, octets, at, end - at)) return true
  return false
}
