// What the orders of `loadbalance` are held to: the same made of trees, record by record (CoreDNS plugin/loadbalance). Some resolvers (glibc's) want every CNAME
// before the addresses, so each section is sorted by kind first:
//
//   round_robin   CNAMEs, others, A and AAAA shuffled, MX shuffled         all three sections
//   weighted      CNAMEs, others, A and AAAA, MX; one address to the top   answer and additional with addresses
//   prefer        CNAMEs, A and AAAA by network, MX, others                answer and additional, after the above

import { type Cidr, contains, ipFromBytes } from '../../src/shared/ip.ts'
import type { Rr } from '../../src/wire/record.ts'
import { TYPE } from '../../src/wire/rrtype.ts'

/** 0 ≤ n < 1. */
export type Random = () => number

interface Kinds {
  readonly cnames: Rr[]
  readonly addresses: Rr[]
  readonly mxs: Rr[]
  readonly others: Rr[]
}

function byKind(records: readonly Rr[]): Kinds {
  const kinds: Kinds = { cnames: [], addresses: [], mxs: [], others: [] }
  for (const record of records) kindOf(kinds, record.type).push(record)
  return kinds
}

function kindOf(kinds: Kinds, type: number): Rr[] {
  if (type === TYPE.CNAME) return kinds.cnames
  if (type === TYPE.A || type === TYPE.AAAA) return kinds.addresses
  return type === TYPE.MX ? kinds.mxs : kinds.others
}

/** One section as round_robin orders it; the given array is left as it is. */
export function roundRobin(records: readonly Rr[], random: Random): readonly Rr[] {
  if (records.length < 2) return records
  const { cnames, addresses, mxs, others } = byKind(records)
  shuffle(addresses, random)
  shuffle(mxs, random)
  return [...cnames, ...others, ...addresses, ...mxs]
}

/** Fisher and Yates: every order is as likely as any other. */
function shuffle(records: Rr[], random: Random): void {
  for (let i = records.length - 1; i > 0; i--) swap(records, i, Math.floor(random() * (i + 1)))
}

function swap(records: Rr[], a: number, b: number): void {
  const record = records[a]!
  records[a] = records[b]!
  records[b] = record
}

/** One section as weighted orders it: `weightOf` an address is its chance to come first. */
export function weighted(
  records: readonly Rr[],
  weightOf: (record: Rr) => number,
  random: Random,
): readonly Rr[] {
  const { cnames, addresses, mxs, others } = byKind(records)
  if (addresses.length === 0) return records
  const weights = addresses.map(weightOf)
  let left = Math.floor(random() * weights.reduce((sum, weight) => sum + weight, 0))
  const top = weights.findIndex(weight => {
    left -= weight
    return left < 0
  })
  swap(addresses, 0, Math.max(0, top))
  return [...cnames, ...others, ...addresses, ...mxs]
}

/** One section with the addresses of the first network first, then those of the next; the rest keeps its order. */
export function prefer(records: readonly Rr[], networks: readonly Cidr[]): readonly Rr[] {
  const { cnames, addresses, mxs, others } = byKind(records)
  const ranked = addresses.map(record => {
    const ip = ipFromBytes(record.rdata)
    const rank = networks.findIndex(network => contains(network, ip))
    return { record, rank: rank < 0 ? networks.length : rank }
  })
  ranked.sort((a, b) => a.rank - b.rank)
  return [...cnames, ...ranked.map(({ record }) => record), ...mxs, ...others]
}
