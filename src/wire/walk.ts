// HOT: the records of a message, one after another where they lie. A walk is filled again for every message and allocates
// nothing; offsets are absolute in the array.
//
//   for (walk.open(octets, start, end); walk.next(); ) { … walk.type, walk.ttlAt, walk.rdataAt … }
//   if (walk.broken) …
//
// It checks what it passes: names, lengths, and that there are as many records as the header says. What record data holds
// is checked by `isRdataSound` and `isRdataExact`, for messages from outside. Octets behind the last record are nobody's.

import { HEADER_OCTETS, readU16, readU32 } from './header.ts'
import { measureName, nameEnd, nameOctets } from './message-name.ts'
import { TTL_MAX_SECONDS } from './record.ts'
import { CLASS, RDATA_LAYOUT, TYPE } from './rrtype.ts'

/** The sections by their number in a walk. */
export const SECTION = { ANSWER: 0, AUTHORITY: 1, ADDITIONAL: 2 } as const

const POINTER = 0xc0
const DIGIT_0 = 0x30
const NAME_FIELD = 0x6e
const STRING_FIELD = 0x73
/** The five numbers of a SOA record. */
const SOA_TAIL_OCTETS = 20

export class RecordWalk {
  octets: Uint8Array = new Uint8Array(0)
  /** Where the message begins and ends. */
  start = 0
  end = 0
  /** Behind the question. */
  questionEnd = 0
  /** Of the record at hand. */
  section = 0
  ownerAt = 0
  /** Octets of the owner without compression. */
  ownerOctets = 0
  /** Where its type stands, directly behind the owner. */
  typeAt = 0
  type = 0
  rrclass = 0
  ttlAt = 0
  rdataAt = 0
  /** Behind the record at hand; once the walk is over, behind all of them. */
  rdataEnd = 0
  /** Whether the walk ended at something that is no record. */
  broken = false
  /** Records of the section at hand that are left. */
  #left = 0
  /** Of the data that was measured last, what stands behind its layout. */
  #tailOctets = 0
  /** Octets of the first question's name, to which most owners point; 0 without a question. */
  #askedOctets = 0

  /** Begins with the message in octets[start … end); false, and `broken`, where not even its question can be read. */
  open(octets: Uint8Array, start: number, end: number): boolean {
    this.octets = octets
    this.start = start
    this.end = end
    this.broken = end - start < HEADER_OCTETS
    this.#left = 0
    this.#askedOctets = 0
    this.section = 0
    if (this.broken) return false
    let at = start + HEADER_OCTETS
    for (let questions = readU16(octets, start + 4); questions > 0; questions--) {
      const measured = measureName(octets, at, start, end)
      if (at === start + HEADER_OCTETS) this.#askedOctets = nameOctets(measured)
      at = nameEnd(measured) + 4
      if (measured < 0 || at > end) return this.#break()
    }
    this.questionEnd = this.rdataEnd = at
    this.#left = readU16(octets, start + 6)
    return true
  }

  /** Goes to the next record; false behind the last one, and where there is none to be read. */
  next(): boolean {
    while (this.#left === 0) {
      if (this.section === SECTION.ADDITIONAL) return false
      this.section++
      this.#left = readU16(this.octets, this.start + 6 + 2 * this.section)
    }
    if (!this.#read(this.rdataEnd)) return this.#break()
    this.#left--
    return true
  }

  /** Goes to a record of a section at which the walk has been before; `next` is not for what follows. */
  goTo(section: number, ownerAt: number): void {
    this.section = section
    this.#read(ownerAt)
  }

  #read(ownerAt: number): boolean {
    const { octets, start, end } = this
    let at = ownerAt + 2
    let ownerOctets = this.#askedOctets
    if (
      ownerOctets === 0 ||
      at > end ||
      octets[ownerAt] !== POINTER ||
      octets[ownerAt + 1] !== HEADER_OCTETS
    ) {
      const measured = measureName(octets, ownerAt, start, end)
      if (measured < 0) return false
      at = nameEnd(measured)
      ownerOctets = nameOctets(measured)
    }
    if (at + 10 > end) return false
    const rdataEnd = at + 10 + readU16(octets, at + 8)
    if (rdataEnd > end) return false
    this.ownerAt = ownerAt
    this.ownerOctets = ownerOctets
    this.typeAt = at
    this.type = readU16(octets, at)
    this.rrclass = readU16(octets, at + 2)
    this.ttlAt = at + 4
    this.rdataAt = at + 10
    this.rdataEnd = rdataEnd
    return true
  }

  /** Seconds. With the highest bit set it is a long time, not none, and as long as a TTL can be (RFC 8767 section 4). */
  get ttl(): number {
    return Math.min(readU32(this.octets, this.ttlAt), TTL_MAX_SECONDS)
  }

  /** Octets of the record at hand with all its names uncompressed; -1 where its data does not hold what its type needs. */
  get uncompressedOctets(): number {
    const rdataOctets = this.#rdataOctets()
    return rdataOctets < 0 ? -1 : this.ownerOctets + 10 + rdataOctets
  }

  /** Whether the data of the record at hand holds what its type needs. */
  isRdataSound(): boolean {
    return this.#rdataOctets() >= 0
  }

  /** Whether it holds that and not an octet more, of the types with addresses and names: who asked reads no further. */
  isRdataExact(): boolean {
    if (!this.isRdataSound()) return false
    if (RDATA_LAYOUT.has(this.type))
      return this.#tailOctets === (this.type === TYPE.SOA ? SOA_TAIL_OCTETS : 0)
    if (this.type !== TYPE.A && this.type !== TYPE.AAAA) return true
    return this.rrclass !== CLASS.IN || this.rdataEnd - this.rdataAt === (this.type === TYPE.A ? 4 : 16)
  }

  /** Where the first name in the data of the record at hand begins; -1 where its type has none, or its data does not hold it. */
  get nameAt(): number {
    const layout = RDATA_LAYOUT.get(this.type)
    if (layout === undefined) return -1
    const { octets, start, rdataEnd } = this
    let at = this.rdataAt
    for (let i = 0; at < rdataEnd; i++) {
      const field = layout.charCodeAt(i)
      if (field === NAME_FIELD) return measureName(octets, at, start, rdataEnd) < 0 ? -1 : at
      at += field === STRING_FIELD ? octets[at]! + 1 : field - DIGIT_0
    }
    return -1
  }

  /** Octets of the record's data with its names uncompressed. */
  #rdataOctets(): number {
    const layout = RDATA_LAYOUT.get(this.type)
    const { octets, start, rdataEnd } = this
    let at = this.rdataAt
    if (layout === undefined) return rdataEnd - at
    let length = 0
    for (let i = 0; i < layout.length; i++) {
      const field = layout.charCodeAt(i)
      if (field === NAME_FIELD) {
        const measured = measureName(octets, at, start, rdataEnd)
        if (measured < 0) return -1
        length += nameOctets(measured)
        at = nameEnd(measured)
        continue
      }
      const fieldOctets = field === STRING_FIELD ? (octets[at] ?? 0) + 1 : field - DIGIT_0
      if (at + fieldOctets > rdataEnd) return -1
      length += fieldOctets
      at += fieldOctets
    }
    this.#tailOctets = rdataEnd - at
    return length + this.#tailOctets
  }

  #break(): false {
    this.broken = true
    this.#left = 0
    this.section = SECTION.ADDITIONAL
    return false
  }
}
