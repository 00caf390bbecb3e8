// HOT: a zone as the serving threads read it: existence and rrsets by name, who denies a name, and all records in order for
// a transfer. Nothing here changes; a reader is a few numbers over shared memory, and records are read where they lie:
//
//   const rrset = zone.rrsetAt(node, type)
//   for (let at = zone.firstOf(rrset), left = zone.countOf(rrset); left > 0; left--, at = zone.nextOf(at))
//     … zone.octets, zone.ttlOf(at), zone.dataOf(at) … zone.nextOf(at)

import { readU16, readU32 } from '../../wire/header.ts'
import { FOLD, type Name } from '../../wire/name.ts'
import { type Rr, rr, soaSerial } from '../../wire/record.ts'
import { TYPE } from '../../wire/rrtype.ts'
import { HEAD, hashName, ORDER_AT_WORD, orderKey, RECORD_HEAD, RRSET_HEAD } from './layout.ts'

/** A name of the zone: an offset into its memory, never 0. */
export type Node = number

export class ZoneImage {
  readonly buffer: SharedArrayBuffer
  readonly origin: Name
  readonly apex: Node
  readonly soa: Rr
  readonly serial: number
  readonly octets: Uint8Array
  readonly #words: Int32Array
  readonly #indexAt: number
  readonly #mask: number

  /** `buffer` is what ZoneBuilder made. */
  constructor(buffer: SharedArrayBuffer) {
    this.buffer = buffer
    this.#words = new Int32Array(buffer)
    this.octets = new Uint8Array(buffer)
    this.#indexAt = ORDER_AT_WORD + this.nodeCount + this.hashedCount
    this.#mask = this.#words[HEAD.SLOTS]! - 1
    this.apex = this.#words[ORDER_AT_WORD]!
    this.origin = this.nameOf(this.apex)
    const soaAt = this.#words[HEAD.SOA]!
    const owner = this.nameOf(soaAt)
    this.soa = this.#record(TYPE.SOA, owner, soaAt + 1 + owner.length)
    this.serial = soaSerial(this.soa)
  }

  get nodeCount(): number {
    return this.#words[HEAD.NODES]!
  }

  /** Names that are hashes, of a zone that is signed with NSEC3. */
  get hashedCount(): number {
    return this.#words[HEAD.HASHED]!
  }

  /** Records in the zone, the SOA not counted. */
  get recordCount(): number {
    return this.#words[HEAD.RECORDS]!
  }

  /** The node whose name is name[at …), whatever its case; 0 where the name does not exist. */
  find(name: Name, at = 0): Node {
    for (let slot = hashName(name, at) & this.#mask; ; slot = (slot + 1) & this.#mask) {
      const node = this.#words[this.#indexAt + slot]!
      if (node === 0 || this.#isNamed(node, name, at)) return node
    }
  }

  #isNamed(node: Node, name: Name, at: number): boolean {
    const { octets } = this
    if (octets[node] !== name.length - at) return false
    for (let i = node + 1; at < name.length; i++, at++) {
      if (octets[i] !== FOLD[name[at]!]) return false
    }
    return true
  }

  /** The node's name in lower case: a copy. */
  nameOf(node: Node): Name {
    return this.octets.slice(node + 1, node + 1 + this.octets[node]!)
  }

  /** Whether it is an empty non-terminal. */
  isEmpty(node: Node): boolean {
    return readU16(this.octets, node + 1 + this.octets[node]!) === 0
  }

  /** Whether a node has records of no other type than that. */
  hasNothingBut(node: Node, type: number): boolean {
    for (const at of this.#rrsets(node)) if (readU16(this.octets, at) !== type) return false
    return true
  }

  has(node: Node, type: number): boolean {
    return this.rrsetAt(node, type) !== 0
  }

  /** Whether the name stands for NSEC3 records and nothing else: no question finds it (RFC 5155 7.2.8). */
  isHashed(node: Node): boolean {
    return this.hashedCount > 0 && this.has(node, TYPE.NSEC3)
  }

  /** The first record of a type that a node has. */
  firstRecord(node: Node, type: number): Rr {
    return this.#record(type, this.nameOf(node), this.firstOf(this.rrsetAt(node, type)))
  }

  /** Where the rrset of a type begins; 0 where the node has none. */
  rrsetAt(node: Node, type: number): number {
    const { octets } = this
    const countAt = node + 1 + octets[node]!
    let at = countAt + 2
    for (let left = readU16(octets, countAt); left > 0; left--) {
      if (readU16(octets, at) === type) return at
      at += RRSET_HEAD + readU32(octets, at + 6)
    }
    return 0
  }

  /** Records of an rrset. */
  countOf(rrset: number): number {
    return readU32(this.octets, rrset + 2)
  }

  /** Its first record. */
  firstOf(rrset: number): number {
    return rrset + RRSET_HEAD
  }

  /** Behind a record: the end of its data. */
  nextOf(record: number): number {
    return record + RECORD_HEAD + readU16(this.octets, record + 4)
  }

  ttlOf(record: number): number {
    return readU32(this.octets, record)
  }

  /** Where the data of a record begins. */
  dataOf(record: number): number {
    return record + RECORD_HEAD
  }

  /**
   * The node of a signed zone whose NSEC record tells what exists from its name on to the next: the last one that has an
   * NSEC record and is not behind `name` in canonical order. Names below a cut have none (RFC 4035 2.3).
   */
  denier(name: Name): Node {
    const key = orderKey(name)
    let low = 0
    let high = this.nodeCount
    while (low < high) {
      const middle = (low + high) >> 1
      if (orderKey(this.nameOf(this.#words[ORDER_AT_WORD + middle]!)) <= key) low = middle + 1
      else high = middle
    }
    for (let i = low - 1; i > 0; i--) {
      const node = this.#words[ORDER_AT_WORD + i]!
      if (this.has(node, TYPE.NSEC)) return node
    }
    return this.apex
  }

  /** The last of the hashed names that is not behind `name`; the last of all where there is none, for they are a ring. */
  denierOfHash(name: Name): Node {
    const key = orderKey(name)
    const from = ORDER_AT_WORD + this.nodeCount
    let low = 0
    let high = this.hashedCount
    while (low < high) {
      const middle = (low + high) >> 1
      if (orderKey(this.nameOf(this.#words[from + middle]!)) <= key) low = middle + 1
      else high = middle
    }
    return this.#words[from + (low === 0 ? this.hashedCount : low) - 1]!
  }

  /** Every record but the SOA, the apex's first, then in canonical order of names. */
  *records(): Generator<Rr, void> {
    for (let i = 0; i < this.nodeCount; i++) {
      const node = this.#words[ORDER_AT_WORD + i]!
      const owner = this.nameOf(node)
      for (const at of this.#rrsets(node)) yield* this.#records(at, owner)
    }
  }

  *#rrsets(node: Node): Generator<number, void> {
    const { octets } = this
    const countAt = node + 1 + octets[node]!
    let at = countAt + 2
    for (let left = readU16(octets, countAt); left > 0; left--) {
      yield at
      at += RRSET_HEAD + readU32(octets, at + 6)
    }
  }

  *#records(rrsetAt: number, owner: Name): Generator<Rr, void> {
    const { octets } = this
    const type = readU16(octets, rrsetAt)
    let at = rrsetAt + RRSET_HEAD
    for (let left = readU32(octets, rrsetAt + 2); left > 0; left--) {
      const record = this.#record(type, owner, at)
      yield record
      at += RECORD_HEAD + record.rdata.length
    }
  }

  #record(type: number, owner: Name, at: number): Rr {
    const dataAt = at + RECORD_HEAD
    return rr(
      owner,
      type,
      readU32(this.octets, at),
      this.octets.slice(dataAt, dataAt + readU16(this.octets, at + 4)),
    )
  }
}
