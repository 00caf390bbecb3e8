// Records of the ways to a service (CoreDNS plugin/k8s_external/msg_to_dns.go). Addresses have the directive's TTL, links
// and SRV that of `kubernetes`, as in CoreDNS; a record stands once in its set (RFC 2181 section 5).

import type { Reply } from '../../query/reply.ts'
import { type Name, nameKey } from '../../wire/name.ts'
import { cname, type Rr, rr, srvRdata } from '../../wire/record.ts'
import { TYPE } from '../../wire/rrtype.ts'
import type { Entry } from './entries.ts'

export interface RecordOptions {
  readonly ttlSeconds: number
  /** Of `kubernetes`. */
  readonly linkTtlSeconds: number
  /** Finds the addresses of hosts. */
  lookup(qname: Name, qtype: number): Promise<Reply>
}

/** What a question gets. */
export interface Records {
  readonly answer: readonly Rr[]
  readonly additional: readonly Rr[]
  /** Set where what was found of a host was cut. */
  readonly truncated: boolean
}

/** A or AAAA: addresses, and of hosts a link to each with what it leads to. */
export async function addressRecords(
  entries: readonly Entry[],
  owner: Name,
  qtype: number,
  { ttlSeconds, linkTtlSeconds, lookup }: RecordOptions,
): Promise<Records> {
  const length = qtype === TYPE.A ? 4 : 16
  const answer: Rr[] = []
  const known = new Set<string>()
  let truncated = false
  for (const entry of entries) {
    if ('host' in entry) {
      if (!isNew(known, nameKey(entry.host))) continue
      const reply = await lookup(entry.host, qtype)
      answer.push(cname(owner, linkTtlSeconds, entry.host), ...reply.answer)
      truncated ||= reply.truncated
    } else if (entry.address.length === length && isNew(known, entry.address.join())) {
      answer.push(rr(owner, qtype, ttlSeconds, entry.address))
    }
  }
  return { answer, additional: [], truncated }
}

/** SRV of all ports, and the addresses of their targets. Every entry counts for the weight, also one without a port. */
export async function srvRecords(
  entries: readonly Entry[],
  owner: Name,
  { ttlSeconds, linkTtlSeconds, lookup }: RecordOptions,
): Promise<Records> {
  const weight = Math.max(1, Math.floor(100 / entries.length))
  const answer: Rr[] = []
  const additional: Rr[] = []
  const known = new Set<string>()
  for (const entry of entries) {
    if (entry.port === undefined) continue
    const target = 'host' in entry ? entry.host : entry.target
    const key = nameKey(target)
    if (isNew(known, `${key} ${entry.port}`))
      answer.push(rr(owner, TYPE.SRV, linkTtlSeconds, srvRdata(0, weight, entry.port, target)))
    if ('address' in entry) {
      const { address } = entry
      if (!isNew(known, `${key} ${address.join()}`)) continue
      additional.push(rr(target, address.length === 4 ? TYPE.A : TYPE.AAAA, ttlSeconds, address))
    } else if (isNew(known, key)) {
      for (const qtype of [TYPE.A, TYPE.AAAA]) additional.push(...(await lookup(target, qtype)).answer)
    }
  }
  return { answer, additional, truncated: false }
}

function isNew(known: Set<string>, key: string): boolean {
  if (known.has(key)) return false
  known.add(key)
  return true
}
