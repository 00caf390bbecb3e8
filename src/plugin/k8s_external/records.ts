// Records of the ways to a service (CoreDNS plugin/k8s_external/msg_to_dns.go). Addresses have the directive's TTL, links
// and SRV that of `kubernetes`, as in CoreDNS; a record stands once in its set (RFC 2181 section 5).

import { type AliasEnd, aliasEnd } from '../../query/alias.ts'
import type { Reply } from '../../query/reply.ts'
import { type Name, nameKey } from '../../wire/name.ts'
import { cname, type Rr, rr, srvRdata } from '../../wire/record.ts'
import { TYPE } from '../../wire/rrtype.ts'
import { addressRecord } from '../kubernetes/copy.ts'
import type { Entry } from './entries.ts'

export interface Ttls {
  readonly ttlSeconds: number
  /** Of `kubernetes`. */
  readonly linkTtlSeconds: number
}

/** A, AAAA and CNAME: the addresses of a service, and links to its hosts, in the order of the entries. */
export function targetRecords(
  entries: readonly Entry[],
  owner: Name,
  { ttlSeconds, linkTtlSeconds }: Ttls,
): Rr[] {
  const known = new Set<string>()
  return entries.flatMap(entry => {
    const isHost = 'host' in entry
    if (!isNew(known, isHost ? nameKey(entry.host) : entry.address.join())) return []
    return isHost ? cname(owner, linkTtlSeconds, entry.host) : addressRecord(owner, ttlSeconds, entry.address)
  })
}

/** SRV of all ports. Every entry counts for the weight, also one without a port, and one that is given twice. */
export function portRecords(entries: readonly Entry[], owner: Name, { linkTtlSeconds }: Ttls): Rr[] {
  const counted = entries.reduce((sum, { count = 1 }) => sum + count, 0)
  const weight = Math.max(1, Math.floor(100 / counted))
  const known = new Set<string>()
  return entries.flatMap(entry => {
    const target = 'host' in entry ? entry.host : entry.target
    const { port } = entry
    if (port === undefined || !isNew(known, `${nameKey(target)} ${port}`)) return []
    return rr(owner, TYPE.SRV, linkTtlSeconds, srvRdata(0, weight, port, target))
  })
}

/** What a question gets. */
export interface Records {
  readonly answer: readonly Rr[]
  readonly additional: readonly Rr[]
  /** What the only link leads to; of several, or of addresses, whether something was cut. */
  readonly end: Partial<AliasEnd>
}

/** Finds the records of a host. */
export type Lookup = (qname: Name, qtype: number) => Promise<Reply>

/** A or AAAA: addresses, and of hosts a link to each with what it leads to. */
export async function addressAnswer(
  entries: readonly Entry[],
  owner: Name,
  qtype: number,
  ttls: Ttls,
  lookup: Lookup,
): Promise<Records> {
  const answer: Rr[] = []
  const ends: AliasEnd[] = []
  const targets = targetRecords(entries, owner, ttls)
  for (const record of targets) {
    if (record.type === qtype) answer.push(record)
    if (record.type !== TYPE.CNAME) continue
    const reply = await lookup(record.rdata, qtype)
    answer.push(record, ...reply.answer)
    ends.push(aliasEnd(record.rdata, reply))
  }
  const [only] = ends
  const end = targets.length === 1 && only ? only : { truncated: ends.some(({ truncated }) => truncated) }
  return { answer, additional: [], end }
}

/** SRV, and the addresses of the targets. */
export async function portAnswer(
  entries: readonly Entry[],
  owner: Name,
  ttls: Ttls,
  lookup: Lookup,
): Promise<Records> {
  const additional: Rr[] = []
  const known = new Set<string>()
  for (const entry of entries) {
    if (entry.port === undefined) continue
    if ('address' in entry) {
      const { target, address } = entry
      if (isNew(known, `${nameKey(target)} ${address.join()}`))
        additional.push(addressRecord(target, ttls.ttlSeconds, address))
    } else if (isNew(known, nameKey(entry.host))) {
      for (const qtype of [TYPE.A, TYPE.AAAA]) additional.push(...(await lookup(entry.host, qtype)).answer)
    }
  }
  return { answer: portRecords(entries, owner, ttls), additional, end: {} }
}

function isNew(known: Set<string>, key: string): boolean {
  if (known.has(key)) return false
  known.add(key)
  return true
}
