// HOT: the records of a message in another order. A message is listed, its list put in order, and the message written anew;
// names point backwards, so a record cannot simply be moved. What differs in its data alone can: addresses of one name are
// swapped where they lie.

import type { Composer } from './composer.ts'
import { HEADER_OCTETS } from './header.ts'
import { copyName, sameName } from './message-name.ts'
import { NAME_MAX_OCTETS } from './name.ts'
import { TYPE } from './rrtype.ts'
import { RecordWalk } from './walk.ts'

/** 0 ≤ n < 1. */
export type Random = () => number

/** Records that a message of 65,535 octets can hold: each takes eleven at least. */
export const RECORDS_MAX = 5957
/** The last rank that records are sorted by. */
const RANK_MAX = 3

/** The records of one message, by number, in an order that its user changes. */
export class RecordList {
  readonly walk = new RecordWalk()
  count = 0
  /** order[place] is the number of the record that comes there. */
  readonly order = new Uint16Array(RECORDS_MAX)
  /** Of each record by its number. */
  readonly sections = new Uint8Array(RECORDS_MAX)
  readonly types = new Uint16Array(RECORDS_MAX)
  readonly ownerAts = new Int32Array(RECORDS_MAX)

  /** Lists the message in octets[start … end), in its own order. */
  read(octets: Uint8Array, start: number, end: number): void {
    const { walk } = this
    this.count = 0
    for (walk.open(octets, start, end); walk.next(); ) {
      this.order[this.count] = this.count
      this.sections[this.count] = walk.section
      this.types[this.count] = walk.type
      this.ownerAts[this.count++] = walk.ownerAt
    }
  }

  /** Makes `walk` stand at the record of that place. */
  goTo(place: number): void {
    const record = this.order[place]!
    this.walk.goTo(this.sections[record]!, this.ownerAts[record]!)
  }

  /** Where the section ends whose first record has that place. */
  sectionEnd(from: number): number {
    const section = this.sections[this.order[from]!]!
    let to = from + 1
    while (to < this.count && this.sections[this.order[to]!] === section) to++
    return to
  }

  /** Sorts the records from one place to another by the rank of their types, 0 to 3; those of one rank keep their order. */
  sort(from: number, to: number, rankOf: (type: number) => number): void {
    let at = from
    places.set(this.order.subarray(from, to), from)
    for (let rank = 0; rank <= RANK_MAX; rank++) {
      for (let place = from; place < to; place++) {
        const record = places[place]!
        if (rankOf(this.types[record]!) === rank) this.order[at++] = record
      }
    }
  }

  swap(a: number, b: number): void {
    const record = this.order[a]!
    this.order[a] = this.order[b]!
    this.order[b] = record
  }

  /** Writes the message in the order of the list to out[0 …), in `limit` octets at most; returns its end. */
  write(composer: Composer, out: Uint8Array, limit: number): number {
    const { octets, start, questionEnd } = this.walk
    composer.begin(out, 0, limit)
    for (let i = 0; i < 4; i++) out[i] = octets[start + i]!
    if (questionEnd > start + HEADER_OCTETS) {
      copyName(octets, start + HEADER_OCTETS, start, name, 0)
      const type = (octets[questionEnd - 4]! << 8) | octets[questionEnd - 3]!
      composer.question(name, 0, type, (octets[questionEnd - 2]! << 8) | octets[questionEnd - 1]!)
    }
    for (let place = 0; place < this.count; place++) {
      this.goTo(place)
      composer.copy(this.walk)
    }
    return composer.finish()
  }
}

const name = new Uint8Array(NAME_MAX_OCTETS + 1)
const places = new Uint16Array(RECORDS_MAX)
const list = new RecordList()
const walk = new RecordWalk()

const CNAME = 0
const OTHER = 1
const ADDRESS = 2
const MX = 3

function rankOf(type: number): number {
  if (type === TYPE.A || type === TYPE.AAAA) return ADDRESS
  if (type === TYPE.CNAME) return CNAME
  return type === TYPE.MX ? MX : OTHER
}

/**
 * In each section CNAMEs first, because some resolvers (glibc's) want them before the addresses, then all others, the
 * addresses shuffled, MX shuffled (CoreDNS plugin/loadbalance round_robin). The message stays where it is, and 0 is
 * returned; or it is written to spare[0 …), and its end there is returned.
 */
export function roundRobin(
  octets: Uint8Array,
  start: number,
  end: number,
  random: Random,
  composer: Composer,
  spare: Uint8Array,
): number {
  if (isInOrder(octets, start, end)) {
    shuffleInPlace(octets, start, end, random)
    return 0
  }
  list.read(octets, start, end)
  for (let from = 0, to = 0; from < list.count; from = to) {
    to = list.sectionEnd(from)
    list.sort(from, to, rankOf)
    shuffleRank(from, to, ADDRESS, random)
    shuffleRank(from, to, MX, random)
  }
  return list.write(composer, spare, spare.length)
}

/** Shuffles the records of one rank in a sorted section. */
function shuffleRank(from: number, to: number, rank: number, random: Random): void {
  let first = from
  while (first < to && rankOf(list.types[list.order[first]!]!) !== rank) first++
  let count = 0
  while (first + count < to && rankOf(list.types[list.order[first + count]!]!) === rank) count++
  for (let i = count - 1; i > 0; i--) list.swap(first + i, first + Math.floor(random() * (i + 1)))
}

/** Whether the records stand as they should, and what is to be moved can be by moving data alone. */
export function isInOrder(octets: Uint8Array, start: number, end: number): boolean {
  let section = 0
  let rank = CNAME
  let ownerAt = 0
  let type = 0
  let dataOctets = 0
  for (walk.open(octets, start, end); walk.next(); ) {
    const own = rankOf(walk.type)
    const isFirst = walk.section !== section
    if (!isFirst && own < rank) return false
    if (!isFirst && own === rank && own >= ADDRESS) {
      // The exchange of an MX may be compressed, by one that stands before it.
      if (own === MX || walk.type !== type || walk.rdataEnd - walk.rdataAt !== dataOctets) return false
      if (!sameName(octets, ownerAt, start, octets, walk.ownerAt, start)) return false
    }
    section = walk.section
    rank = own
    ownerAt = walk.ownerAt
    type = walk.type
    dataOctets = walk.rdataEnd - walk.rdataAt
  }
  return true
}

const ttlAts = new Int32Array(RECORDS_MAX)

/** Fisher and Yates over the addresses of each section: TTL and data change their places. */
function shuffleInPlace(octets: Uint8Array, start: number, end: number, random: Random): void {
  let run = 0
  let section = 0
  let dataOctets = 0
  for (walk.open(octets, start, end); ; ) {
    const more = walk.next()
    const isAddress = more && (walk.type === TYPE.A || walk.type === TYPE.AAAA)
    if (run > 0 && (!isAddress || walk.section !== section)) {
      for (let i = run - 1; i > 0; i--) {
        swapOctets(octets, ttlAts[i]!, ttlAts[Math.floor(random() * (i + 1))]!, 6 + dataOctets)
      }
      run = 0
    }
    if (!more) return
    if (!isAddress) continue
    section = walk.section
    dataOctets = walk.rdataEnd - walk.rdataAt
    ttlAts[run++] = walk.ttlAt
  }
}

/** Exchanges so many octets. */
export function swapOctets(octets: Uint8Array, a: number, b: number, count: number): void {
  if (a === b) return
  for (let i = 0; i < count; i++) {
    const octet = octets[a + i]!
    octets[a + i] = octets[b + i]!
    octets[b + i] = octet
  }
}
