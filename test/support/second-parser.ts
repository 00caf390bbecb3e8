// A message as dns-packet reads it, held against the strict decoder's view. dns-packet joins labels with dots and reads them
// as UTF-8, so names that are not plain ASCII are left out of the comparison; it is given only what the strict decoder took.

import { type Answer, type DecodedPacket, decode } from 'dns-packet'
import type { Decoded, DnsRecord } from './dns-message.ts'

const PLAIN_NAME = /^[!-[\]-~]*$/

/** Where the two differ. */
export function secondOpinion(octets: Uint8Array, decoded: Decoded): string[] {
  let packet: DecodedPacket
  try {
    packet = decode(Buffer.from(octets))
  } catch (error) {
    return [`dns-packet cannot read it (${String(error)})`]
  }
  const sections = [
    ['answer', packet.answers ?? [], decoded.records.answer],
    ['authority', packet.authorities ?? [], decoded.records.authority],
    [
      'additional',
      (packet.additionals ?? []).filter(({ type }) => type !== 'OPT'),
      decoded.records.additional,
    ],
  ] as const
  return [
    ...(packet.id === decoded.id ? [] : ['dns-packet reads another id']),
    ...((packet.questions ?? []).length === decoded.question.length
      ? []
      : ['dns-packet reads other questions']),
    ...sections.flatMap(([section, theirs, ours]) => sectionFaults(section, theirs, ours)),
  ]
}

function sectionFaults(section: string, theirs: readonly Answer[], ours: readonly DnsRecord[]): string[] {
  if (theirs.length !== ours.length) return [`dns-packet reads ${theirs.length} records in ${section}`]
  const faults = ours.flatMap((record, i) => {
    const expected = shown(record)
    const got = shownByDnsPacket(theirs[i]!, record)
    return expected === got ? [] : [`dns-packet reads ${got} in ${section} where ${expected} is`]
  })
  return faults.slice(0, 1)
}

/** The data of these types is compared; of all others the owner and the TTL. */
const COMPARED = new Set(['A', 'CNAME', 'NS', 'PTR', 'SRV'])

const withoutDot = (text: string): string => text.replace(/(?<=[^ ])\.$/, '')

function shown({ name, ttlSeconds, type, data }: DnsRecord): string {
  const owner = PLAIN_NAME.test(name) ? withoutDot(name) : ''
  return `${owner} ${ttlSeconds} ${COMPARED.has(type) && PLAIN_NAME.test(data.replaceAll(' ', '')) ? withoutDot(data) : ''}`
}

function shownByDnsPacket(answer: Answer, record: DnsRecord): string {
  const owner = PLAIN_NAME.test(record.name) ? answer.name : ''
  const ttl = 'ttl' in answer ? answer.ttl : undefined
  const compared = COMPARED.has(record.type) && PLAIN_NAME.test(record.data.replaceAll(' ', ''))
  if (!compared) return `${owner} ${ttl} `
  if (answer.type === 'SRV') {
    const { priority = 0, weight = 0, port, target } = answer.data
    return `${owner} ${ttl} ${priority} ${weight} ${port} ${target}`
  }
  return `${owner} ${ttl} ${String('data' in answer ? answer.data : '')}`
}
