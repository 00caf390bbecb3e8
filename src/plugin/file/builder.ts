// Gathers the records of a zone in any order and writes its image (layout.ts).

import { writeU16, writeU32 } from '../../wire/header.ts'
import { type Name, nameKey, parentName } from '../../wire/name.ts'
import { TYPE } from '../../wire/rrtype.ts'
import { RECORD_HEAD, RRSET_HEAD } from './image.ts'
import { HEAD, hashName, ORDER_AT_WORD, orderKey } from './layout.ts'

interface Rrset {
  readonly type: number
  readonly records: { readonly ttlSeconds: number; readonly rdata: Uint8Array }[]
  /** Of large rrsets: the data seen, so that a record given twice is one (RFC 2181 5). */
  seen: Set<string> | undefined
}

interface NodeDraft {
  readonly name: Name
  readonly rrsets: Rrset[]
}

/** Rrsets of more records than this find a record given twice by its hash instead of looking at each. */
const SCANNED_MAX = 8

export class ZoneBuilder {
  readonly #origin: Name
  readonly #nodes = new Map<string, NodeDraft>()
  #soaOwner: Name
  #records = 0

  /** `origin` in lower case. */
  constructor(origin: Name) {
    this.#origin = origin
    this.#soaOwner = origin
    this.#node(origin)
  }

  get recordCount(): number {
    return this.#records
  }

  get hasSoa(): boolean {
    return this.#node(this.#origin).rrsets.some(({ type }) => type === TYPE.SOA)
  }

  /** Takes a record whose owner, in lower case, is within the zone. A record given twice is one. */
  add(owner: Name, type: number, ttlSeconds: number, rdata: Uint8Array): void {
    const { rrsets } = this.#node(owner)
    let rrset = rrsets.find(known => known.type === type)
    if (!rrset) {
      rrset = { type, records: [], seen: undefined }
      rrsets.push(rrset)
    }
    if (holds(rrset, rdata)) return
    rrset.records.push({ ttlSeconds, rdata })
    this.#records++
  }

  /** The zone's SOA: of several the last counts, whatever its owner, as in CoreDNS. */
  setSoa(owner: Name, ttlSeconds: number, rdata: Uint8Array): void {
    const { rrsets } = this.#node(this.#origin)
    const at = rrsets.findIndex(({ type }) => type === TYPE.SOA)
    const rrset: Rrset = { type: TYPE.SOA, records: [{ ttlSeconds, rdata }], seen: undefined }
    if (at >= 0) rrsets[at] = rrset
    else {
      rrsets.unshift(rrset)
      this.#records++
    }
    this.#soaOwner = owner
  }

  #node(name: Name): NodeDraft {
    const key = nameKey(name)
    const known = this.#nodes.get(key)
    if (known) return known
    const node = { name, rrsets: [] }
    this.#nodes.set(key, node)
    return node
  }

  /** The image. The zone must have an SOA. */
  build(): SharedArrayBuffer {
    this.#addEmptyNonTerminals()
    const nodes = [...this.#nodes.values()]
      .map(node => ({ node, key: orderKey(node.name) }))
      .sort((a, b) => (a.key < b.key ? -1 : 1))
      .map(({ node }) => node)
    const slots = slotsFor(nodes.length)
    const nodesAt = 4 * (ORDER_AT_WORD + nodes.length + slots)
    const size = nodes.reduce((sum, node) => sum + octetsOf(node), nodesAt) + 1 + this.#soaOwner.length
    const buffer = new SharedArrayBuffer((size + 3) & ~3)
    const words = new Int32Array(buffer)
    const octets = new Uint8Array(buffer)
    words[HEAD.NODES] = nodes.length
    words[HEAD.SLOTS] = slots
    words[HEAD.RECORDS] = this.#records
    words[HEAD.APEX] = this.#origin.length
    let at = nodesAt
    nodes.forEach((node, i) => {
      words[ORDER_AT_WORD + i] = at
      insert(words.subarray(ORDER_AT_WORD + nodes.length, nodesAt >> 2), hashName(node.name, 0), at)
      at = writeNode(node, octets, at)
    })
    words[HEAD.SOA_OWNER] = at
    octets[at] = this.#soaOwner.length
    octets.set(this.#soaOwner, at + 1)
    return buffer
  }

  #addEmptyNonTerminals(): void {
    for (const { name } of [...this.#nodes.values()]) {
      for (let above = name; above.length > this.#origin.length; ) {
        above = parentName(above)
        if (this.#nodes.has(nameKey(above))) break
        this.#node(above)
      }
    }
  }
}

function holds(rrset: Rrset, rdata: Uint8Array): boolean {
  if (rrset.records.length <= SCANNED_MAX) {
    return rrset.records.some(record => Buffer.compare(record.rdata, rdata) === 0)
  }
  rrset.seen ??= new Set(rrset.records.map(record => latin1(record.rdata)))
  const key = latin1(rdata)
  if (rrset.seen.has(key)) return true
  rrset.seen.add(key)
  return false
}

const latin1 = (octets: Uint8Array): string => Buffer.prototype.latin1Slice.call(octets, 0, octets.length)

/** A power of two of which the nodes fill no more than half. */
const slotsFor = (nodes: number): number => 2 ** Math.ceil(Math.log2(2 * nodes))

function insert(index: Int32Array, hash: number, node: number): void {
  const mask = index.length - 1
  let slot = hash & mask
  while (index[slot] !== 0) slot = (slot + 1) & mask
  index[slot] = node
}

const octetsOf = ({ name, rrsets }: NodeDraft): number =>
  rrsets.reduce((sum, rrset) => sum + RRSET_HEAD + recordOctets(rrset), 3 + name.length)

const recordOctets = ({ records }: Rrset): number =>
  records.reduce((sum, { rdata }) => sum + RECORD_HEAD + rdata.length, 0)

function writeNode({ name, rrsets }: NodeDraft, octets: Uint8Array, at: number): number {
  octets[at] = name.length
  octets.set(name, at + 1)
  at += 1 + name.length
  writeU16(octets, at, rrsets.length)
  at += 2
  for (const rrset of rrsets) {
    writeU16(octets, at, rrset.type)
    writeU32(octets, at + 2, rrset.records.length)
    writeU32(octets, at + 6, recordOctets(rrset))
    at += RRSET_HEAD
    for (const { ttlSeconds, rdata } of rrset.records) {
      writeU32(octets, at, ttlSeconds)
      writeU16(octets, at + 4, rdata.length)
      octets.set(rdata, at + RECORD_HEAD)
      at += RECORD_HEAD + rdata.length
    }
  }
  return at
}
