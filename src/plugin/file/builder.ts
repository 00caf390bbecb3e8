// Gathers the records of a zone in any order and writes its image (layout.ts). What is gathered lies in a few typed arrays:
// an object for each of 100,000 records would cost thirty times what the image does.

import { writeU16, writeU32 } from '../../wire/header.ts'
import { foldName, type Name, parentName } from '../../wire/name.ts'
import { TYPE } from '../../wire/rrtype.ts'
import { hashName, ORDER_AT_WORD, orderKey, RECORD_HEAD, RRSET_HEAD } from './layout.ts'

/** Numbers of one record in `#records`: type, TTL, offset and length of its data, the record of its node before it. */
const RECORD_WORDS = 5
const [RTYPE, TTL, AT, LENGTH, BEFORE] = [0, 1, 2, 3, 4] as const
const NONE = -1
/** Nodes with more records than this find one that is given twice by its text instead of looking at each. */
const SCANNED_MAX = 16

export class ZoneBuilder {
  readonly #origin: Name
  /** Nodes by their names, folded, as latin1. */
  readonly #nodes = new Map<string, number>()
  /** Of each node: its last record, and how many it has. */
  #last = new Int32Array(1024)
  #counts = new Int32Array(1024)
  #records = new Int32Array(1024 * RECORD_WORDS)
  #recordCount = 0
  #data = new Uint8Array(64 * 1024)
  #dataLength = 0
  /** Of nodes with many records: type and data of each. */
  readonly #seen = new Map<number, Set<string>>()
  /** Nodes with NSEC3 records. */
  readonly #hashed = new Set<number>()
  #soa: { readonly owner: Name; readonly ttlSeconds: number; readonly rdata: Uint8Array } | undefined

  constructor(origin: Name) {
    this.#origin = foldName(origin)
    this.#node(this.#origin)
  }

  /** Records taken, the SOA not counted. */
  get recordCount(): number {
    return this.#recordCount
  }

  get hasSoa(): boolean {
    return this.#soa !== undefined
  }

  /** The zone's SOA: of several the last counts, whatever its owner, as in CoreDNS. */
  setSoa(owner: Name, ttlSeconds: number, rdata: Uint8Array): void {
    this.#soa = { owner, ttlSeconds, rdata: Uint8Array.from(rdata) }
  }

  /** Takes a record whose owner is within the zone. A record given twice is one (RFC 2181 5). */
  add(owner: Name, type: number, ttlSeconds: number, rdata: Uint8Array): void {
    const node = this.#node(owner)
    if (this.#isKnown(node, type, rdata)) return
    if (type === TYPE.NSEC3) this.#hashed.add(node)
    const at = this.#recordCount * RECORD_WORDS
    if (at === this.#records.length) this.#records = grown(this.#records)
    while (this.#dataLength + rdata.length > this.#data.length) this.#data = grown(this.#data)
    this.#data.set(rdata, this.#dataLength)
    this.#records.set([type, ttlSeconds, this.#dataLength, rdata.length, this.#last[node]!], at)
    this.#dataLength += rdata.length
    this.#last[node] = this.#recordCount++
    this.#counts[node]!++
  }

  #node(name: Name): number {
    const key = latin1(foldName(name))
    const known = this.#nodes.get(key)
    if (known !== undefined) return known
    const node = this.#nodes.size
    if (node === this.#last.length) {
      this.#last = grown(this.#last)
      this.#counts = grown(this.#counts)
    }
    this.#last[node] = NONE
    this.#nodes.set(key, node)
    return node
  }

  /** The records of a node, the last one first. */
  *#recordsOf(node: number): Generator<number, void> {
    for (let record = this.#last[node]!; record !== NONE; record = this.#word(record, BEFORE)) yield record
  }

  #word(record: number, word: number): number {
    return this.#records[record * RECORD_WORDS + word]!
  }

  #dataOf(record: number): Uint8Array {
    const at = this.#word(record, AT)
    return this.#data.subarray(at, at + this.#word(record, LENGTH))
  }

  #isKnown(node: number, type: number, rdata: Uint8Array): boolean {
    if (this.#counts[node]! > SCANNED_MAX) return this.#isSeen(node, type, rdata)
    for (const record of this.#recordsOf(node)) {
      if (this.#word(record, RTYPE) === type && Buffer.compare(this.#dataOf(record), rdata) === 0) return true
    }
    return false
  }

  #isSeen(node: number, type: number, rdata: Uint8Array): boolean {
    let seen = this.#seen.get(node)
    if (!seen) {
      seen = new Set()
      for (const record of this.#recordsOf(node)) {
        seen.add(this.#word(record, RTYPE) + latin1(this.#dataOf(record)))
      }
      this.#seen.set(node, seen)
    }
    const key = type + latin1(rdata)
    if (seen.has(key)) return true
    seen.add(key)
    return false
  }

  /** The image. The zone must have an SOA. */
  build(): SharedArrayBuffer {
    const soa = this.#soa
    if (!soa) throw new RangeError('a zone without SOA has no image')
    this.#addEmptyNonTerminals()
    const nodes = this.#inOrder()
    // Of which the nodes fill no more than half.
    const slots = 2 ** Math.ceil(Math.log2(2 * nodes.length))
    const hashedFrom = ORDER_AT_WORD + nodes.length
    const indexFrom = hashedFrom + this.#hashed.size
    const soaAt = 4 * (indexFrom + slots)
    const nodesAt = soaAt + 1 + soa.owner.length + RECORD_HEAD + soa.rdata.length
    const size = nodes.reduce((sum, { name, node }) => sum + this.#octetsOf(name, node), nodesAt)
    const buffer = new SharedArrayBuffer((size + 3) & ~3)
    const words = new Int32Array(buffer)
    words.set([nodes.length, slots, this.#recordCount, soaAt, this.#hashed.size])
    const octets = new Uint8Array(buffer)
    writeRecord(octets, writeName(octets, soaAt, soa.owner), soa.ttlSeconds, soa.rdata)
    const index = words.subarray(indexFrom, soaAt >> 2)
    let at = nodesAt
    let hashed = hashedFrom
    nodes.forEach(({ name, node }, i) => {
      const owner = Buffer.from(name, 'latin1')
      words[ORDER_AT_WORD + i] = at
      if (this.#hashed.has(node)) words[hashed++] = at
      insert(index, hashName(owner, 0), at)
      at = this.#writeRrsets(octets, writeName(octets, at, owner), node)
    })
    return buffer
  }

  #addEmptyNonTerminals(): void {
    for (const key of [...this.#nodes.keys()]) {
      for (let above: Name = Buffer.from(key, 'latin1'); above.length > this.#origin.length; ) {
        above = parentName(above)
        if (this.#nodes.has(latin1(above))) break
        this.#node(above)
      }
    }
  }

  #inOrder(): { readonly name: string; readonly node: number }[] {
    return [...this.#nodes]
      .map(([name, node]) => ({ name, node, key: orderKey(Buffer.from(name, 'latin1')) }))
      .sort((a, b) => (a.key < b.key ? -1 : 1))
  }

  /** The records of a node by type, in the order of the file. */
  #rrsetsOf(node: number): ReadonlyMap<number, number[]> {
    const rrsets = new Map<number, number[]>()
    for (const record of [...this.#recordsOf(node)].reverse()) {
      const type = this.#word(record, RTYPE)
      const same = rrsets.get(type)
      if (same) same.push(record)
      else rrsets.set(type, [record])
    }
    return rrsets
  }

  #octetsOf(name: string, node: number): number {
    let octets = 1 + name.length + 2
    for (const records of this.#rrsetsOf(node).values()) octets += RRSET_HEAD + this.#recordOctets(records)
    return octets
  }

  #recordOctets(records: readonly number[]): number {
    return records.reduce((sum, record) => sum + RECORD_HEAD + this.#word(record, LENGTH), 0)
  }

  #writeRrsets(octets: Uint8Array, start: number, node: number): number {
    const rrsets = this.#rrsetsOf(node)
    writeU16(octets, start, rrsets.size)
    let at = start + 2
    for (const [type, records] of rrsets) {
      writeU16(octets, at, type)
      writeU32(octets, at + 2, records.length)
      writeU32(octets, at + 6, this.#recordOctets(records))
      at += RRSET_HEAD
      for (const record of records)
        at = writeRecord(octets, at, this.#word(record, TTL), this.#dataOf(record))
    }
    return at
  }
}

const latin1 = (octets: Uint8Array): string => Buffer.prototype.latin1Slice.call(octets, 0, octets.length)

function grown<T extends Int32Array | Uint8Array>(array: T): T {
  const twice = new (array.constructor as new (length: number) => T)(2 * array.length)
  twice.set(array)
  return twice
}

function insert(index: Int32Array, hash: number, node: number): void {
  const mask = index.length - 1
  let slot = hash & mask
  while (index[slot] !== 0) slot = (slot + 1) & mask
  index[slot] = node
}

function writeName(octets: Uint8Array, at: number, name: Name): number {
  octets[at] = name.length
  octets.set(name, at + 1)
  return at + 1 + name.length
}

function writeRecord(octets: Uint8Array, at: number, ttlSeconds: number, rdata: Uint8Array): number {
  writeU32(octets, at, ttlSeconds)
  writeU16(octets, at + 4, rdata.length)
  octets.set(rdata, at + RECORD_HEAD)
  return at + RECORD_HEAD + rdata.length
}
