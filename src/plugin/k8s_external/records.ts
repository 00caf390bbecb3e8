// Records of the ways to a service (CoreDNS plugin/k8s_external/msg_to_dns.go). Addresses have the directive's TTL, links
// and SRV that of `kubernetes`, as in CoreDNS; a record stands once in its set (RFC 2181 section 5).

import type { Part } from '../../query/draft.ts'
import { type Name, nameKey } from '../../wire/name.ts'
import { cname, type Rr, rr, srvRdata } from '../../wire/record.ts'
import { TYPE } from '../../wire/rrtype.ts'
import { SECTION } from '../../wire/walk.ts'
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

/** A or AAAA: addresses, and of hosts a link to each with what it leads to. */
export function addressParts(entries: readonly Entry[], owner: Name, qtype: number, ttls: Ttls): Part[] {
  const { ANSWER: section } = SECTION
  return targetRecords(entries, owner, ttls).flatMap((record): Part[] => {
    if (record.type === TYPE.CNAME)
      return [
        { section, record },
        { section, qname: record.rdata, qtype },
      ]
    return record.type === qtype ? [{ section, record }] : []
  })
}

/** SRV, and the addresses of the targets. */
export function portParts(entries: readonly Entry[], owner: Name, ttls: Ttls): Part[] {
  const parts: Part[] = portRecords(entries, owner, ttls).map(record => ({ section: SECTION.ANSWER, record }))
  const { ADDITIONAL: section } = SECTION
  const known = new Set<string>()
  for (const entry of entries) {
    if (entry.port === undefined) continue
    if ('address' in entry) {
      const { target, address } = entry
      if (isNew(known, `${nameKey(target)} ${address.join()}`))
        parts.push({ section, record: addressRecord(target, ttls.ttlSeconds, address) })
    } else if (isNew(known, nameKey(entry.host))) {
      for (const qtype of [TYPE.A, TYPE.AAAA]) parts.push({ section, qname: entry.host, qtype })
    }
  }
  return parts
}

function isNew(known: Set<string>, key: string): boolean {
  if (known.has(key)) return false
  known.add(key)
  return true
}
