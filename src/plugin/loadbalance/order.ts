// HOT: the orders of records that `loadbalance` gives (CoreDNS plugin/loadbalance), each of a section of a message. Some
// resolvers (glibc's) want every CNAME before the addresses, so each section is sorted by kind first:
//
//   round_robin   CNAMEs, others, A and AAAA shuffled, MX shuffled         all three sections (../../wire/order.ts)
//   weighted      CNAMEs, others, A and AAAA, MX; one address to the top   answer and additional with addresses
//   prefer        CNAMEs, A and AAAA by network, MX, others                answer and additional, after the above

import { isInOrder, type Random, RECORDS_MAX, type RecordList, swapOctets } from '../../wire/order.ts'
import { TYPE } from '../../wire/rrtype.ts'
import { RecordWalk, SECTION } from '../../wire/walk.ts'

/** What a record is worth: of addresses, at which the walk stands. */
export type Worth = (walk: RecordWalk) => number

const isAddress = (type: number): boolean => type === TYPE.A || type === TYPE.AAAA

/** CNAMEs, others, addresses, MX. */
function weightedRank(type: number): number {
  if (isAddress(type)) return 2
  if (type === TYPE.CNAME) return 0
  return type === TYPE.MX ? 3 : 1
}

/** CNAMEs, addresses, MX, others. */
function preferRank(type: number): number {
  if (isAddress(type)) return 1
  if (type === TYPE.CNAME) return 0
  return type === TYPE.MX ? 2 : 3
}

/** Sorts the section that stands at these places; `weightOf` an address is its chance to come first. */
export function weighted(list: RecordList, from: number, to: number, weightOf: Worth, random: Random): void {
  const addresses = countAddresses(list, from, to)
  if (addresses === 0) return
  list.sort(from, to, weightedRank)
  const first = firstAddress(list, from)
  let sum = 0
  for (let place = first; place < first + addresses; place++) sum += worthAt(list, place, weightOf)
  let left = Math.floor(random() * sum)
  let top = first
  for (; top < first + addresses - 1; top++) {
    left -= worthAt(list, top, weightOf)
    if (left < 0) break
  }
  list.swap(first, top)
}

const walk = new RecordWalk()
const ttlAts = new Int32Array(RECORDS_MAX)
const weights = new Uint32Array(RECORDS_MAX)

/** The same where the records lie, of answer and additional section; false where they are not such that this can be done. */
export function weightedInPlace(
  octets: Uint8Array,
  start: number,
  end: number,
  weightOf: Worth,
  random: Random,
): boolean {
  if (!isInOrder(octets, start, end)) return false
  let run = 0
  let sum = 0
  let section = 0
  let moved = 0
  for (walk.open(octets, start, end); ; ) {
    const more = walk.next()
    const isOne = more && isAddress(walk.type) && walk.section !== SECTION.AUTHORITY
    if (run > 0 && (!isOne || walk.section !== section)) {
      let left = Math.floor(random() * sum)
      let top = 0
      for (; top < run - 1; top++) {
        left -= weights[top]!
        if (left < 0) break
      }
      swapOctets(octets, ttlAts[0]!, ttlAts[top]!, moved)
      run = sum = 0
    }
    if (!more) return true
    if (!isOne) continue
    section = walk.section
    // TTL, length and data.
    moved = walk.rdataEnd - walk.ttlAt
    weights[run] = weightOf(walk)
    sum += weights[run]!
    ttlAts[run++] = walk.ttlAt
  }
}

/** Sorts the section that stands at these places, and its addresses by their rank, the lowest first. */
export function prefer(list: RecordList, from: number, to: number, rankOf: Worth): void {
  const addresses = countAddresses(list, from, to)
  list.sort(from, to, preferRank)
  if (addresses < 2) return
  const first = firstAddress(list, from)
  const ranked = Array.from({ length: addresses }, (_, i) => ({
    record: list.order[first + i]!,
    rank: worthAt(list, first + i, rankOf),
  }))
  ranked.sort((a, b) => a.rank - b.rank)
  for (const [i, { record }] of ranked.entries()) list.order[first + i] = record
}

function worthAt(list: RecordList, place: number, worth: Worth): number {
  list.goTo(place)
  return worth(list.walk)
}

function countAddresses(list: RecordList, from: number, to: number): number {
  let count = 0
  for (let place = from; place < to; place++) if (isAddress(list.types[list.order[place]!]!)) count++
  return count
}

/** The place of the first address from there on; there is one. */
function firstAddress(list: RecordList, from: number): number {
  let place = from
  while (!isAddress(list.types[list.order[place]!]!)) place++
  return place
}
