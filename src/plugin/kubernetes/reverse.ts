// HOT: PTR (specification 2.3.3, 2.4.3; docs/coredns.md 1.8): the address in a reverse name, and the names of the services
// and endpoints that have it now. The table tells which services may have an address; their blocks decide, so that a PTR
// follows its owner in the same store as the owner's other answers.

import {
  addressesAt,
  blockKeyAt,
  detailAt,
  flagsOf,
  GroupCursor,
  keyEndOf,
  kindOf,
  v4CountOf,
  v6AddressesAt,
  v6CountOf,
} from '../../table/block.ts'
import { FLAG, KIND } from '../../table/layout.ts'
import type { TableReader } from '../../table/reader.ts'
import { LABEL_MAX_OCTETS, NAME_MAX_OCTETS, type Name } from '../../wire/name.ts'
import { TYPE } from '../../wire/rrtype.ts'
import type { ScannedName } from '../../wire/scan.ts'
import { writeV4Label, writeV6Label } from './address-label.ts'
import { equalOctets } from './match.ts'
import type { AnswerWriter } from './writer.ts'

/** Blocks looked at for one mark, of which two services seldom have the same. */
const BLOCKS_MAX = 64
/** Octets of a record before its data: the pointer to the question, and the fixed fields. */
const RECORD_HEAD_OCTETS = 12
/** 03 s v c */
const SVC = Uint8Array.of(3, 0x73, 0x76, 0x63)

/**
 * Reads the address of a reverse name, labels from the left: four decimal ones before in-addr.arpa, 32 nibbles before
 * ip6.arpa (RFC 1035 3.5, RFC 3596 2.5). Returns its octets, 0 for anything else.
 */
export function readReverse({ folded, labelAt, labelCount }: ScannedName, address: Uint8Array): 0 | 4 | 16 {
  if (labelCount === 6 && endsWith(folded, labelAt[4]!, IN_ADDR)) {
    for (let i = 0; i < 4; i++) {
      const number = decimal(folded, labelAt[3 - i]!)
      if (number < 0) return 0
      address[i] = number
    }
    return 4
  }
  if (labelCount !== 34 || !endsWith(folded, labelAt[32]!, IP6)) return 0
  for (let i = 0; i < 16; i++) {
    const high = nibble(folded, labelAt[31 - 2 * i]!)
    const low = nibble(folded, labelAt[30 - 2 * i]!)
    if (high < 0 || low < 0) return 0
    address[i] = high * 16 + low
  }
  return 16
}

const IN_ADDR = Uint8Array.of(7, ...Buffer.from('in-addr'), 4, ...Buffer.from('arpa'), 0)
const IP6 = Uint8Array.of(3, ...Buffer.from('ip6'), 4, ...Buffer.from('arpa'), 0)

const endsWith = (folded: Uint8Array, at: number, tail: Uint8Array): boolean =>
  equalOctets(folded, at, tail, 0, tail.length)

function decimal(folded: Uint8Array, at: number): number {
  const length = folded[at]!
  if (length > 3 || (length > 1 && folded[at + 1] === 0x30)) return -1
  let number = 0
  for (let i = 1; i <= length; i++) {
    const digit = folded[at + i]! - 0x30
    if (digit < 0 || digit > 9) return -1
    number = number * 10 + digit
  }
  return number > 255 ? -1 : number
}

function nibble(folded: Uint8Array, at: number): number {
  const octet = folded[at + 1]!
  if (folded[at] !== 1) return -1
  if (octet >= 0x30 && octet <= 0x39) return octet - 0x30
  return octet >= 0x61 && octet <= 0x66 ? octet - 0x57 : -1
}

export class PtrRecords {
  readonly #table: TableReader
  readonly #writer: AnswerWriter
  readonly #primaryZone: Name
  readonly #groups = new GroupCursor()
  readonly #blocks = new Int32Array(BLOCKS_MAX)
  readonly #written = new Set<string>()

  /** `primaryZone` is what every target ends with. */
  constructor(table: TableReader, writer: AnswerWriter, primaryZone: Name) {
    this.#table = table
    this.#writer = writer
    this.#primaryZone = primaryZone
  }

  /** Writes the PTR records of an address, as many as there is room for; false when nobody has it. */
  write(address: Uint8Array, length: 4 | 16, ttlSeconds: number): boolean {
    const table = this.#table
    const services = table.servicesOf(table.hashOf(address, 0, length))
    const { marks } = table
    for (let i = 0; i < services; i++)
      if (this.#clusterIP(marks[i]!, address, length, ttlSeconds)) return true
    this.#written.clear()
    // What is too long for the message is known by its first record too many.
    for (let i = 0; i < services && !this.#writer.truncated; i++)
      this.#endpoints(marks[i]!, address, length, ttlSeconds, services > 1)
    return this.#writer.answers > 0 || this.#writer.truncated
  }

  /** The one record of the service whose cluster IP it is. */
  #clusterIP(mark: number, address: Uint8Array, length: 4 | 16, ttlSeconds: number): boolean {
    const { words, octets } = this.#table
    const blocks = this.#table.blocksOf(mark, this.#blocks)
    for (let b = 0; b < blocks; b++) {
      const block = this.#blocks[b]!
      if (
        kindOf(octets, block) !== KIND.SERVICE ||
        (flagsOf(octets, block) & (FLAG.HEADLESS | FLAG.IGNORED)) !== 0
      )
        continue
      const count = length === 4 ? v4CountOf(words, block) : v6CountOf(words, block)
      const at = length === 4 ? addressesAt(block) : v6AddressesAt(words, block)
      for (let i = 0; i < count; i++) {
        if (!equalOctets(octets, at + i * length, address, 0, length)) continue
        this.#record(block, address, 0, 0, ttlSeconds)
        return true
      }
    }
    return false
  }

  /** A record for every name that an endpoint with the address has in these services. */
  #endpoints(mark: number, address: Uint8Array, length: 4 | 16, ttlSeconds: number, several: boolean): void {
    const { words, octets } = this.#table
    const blocks = this.#table.blocksOf(mark, this.#blocks)
    for (let b = 0; b < blocks; b++) {
      const block = this.#blocks[b]!
      if (kindOf(octets, block) !== KIND.SERVICE || (flagsOf(octets, block) & FLAG.EXTERNAL_NAME) !== 0)
        continue
      const groups = this.#groups
      groups.open(octets, detailAt(words, block))
      while (groups.next()) {
        const count = length === 4 ? groups.v4Count : groups.v6Count
        const at = length === 4 ? groups.v4At : groups.v6At
        for (let i = 0; i < count; i++) {
          if (!equalOctets(octets, at + i * length, address, 0, length)) continue
          const index = length === 4 ? i : groups.v4Count + i
          const from = this.#writer.at
          if (
            !this.#record(block, address, length, hostnameOf(octets, groups.hostnamesAt, index), ttlSeconds)
          )
            return
          if (this.#writer.at > from && (several || groups.groupCount > 1 || groups.hostnamesAt))
            this.#once(from)
        }
      }
    }
  }

  /** Takes the record that begins at `from` back when its like was written before. */
  #once(from: number): void {
    const writer = this.#writer
    const key = Buffer.prototype.latin1Slice.call(writer.out, from + 12, writer.at)
    if (!this.#written.has(key)) this.#written.add(key)
    else {
      writer.at = from
      writer.answers--
    }
  }

  /** Nothing is written where that is no name; false where there is no room. */
  #record(
    block: number,
    address: Uint8Array,
    endpointOctets: 0 | 4 | 16,
    hostnameAt: number,
    ttlSeconds: number,
  ): boolean {
    const { words, octets } = this.#table
    const writer = this.#writer
    const keyAt = blockKeyAt(words, block)
    const keyEnd = keyEndOf(words, octets, block)
    const length = keyEnd - keyAt + SVC.length + this.#primaryZone.length
    const from = writer.at
    if (!writer.open(TYPE.PTR, ttlSeconds, length + (endpointOctets ? LABEL_MAX_OCTETS + 1 : 0))) return false
    if (hostnameAt) writer.bytes(octets, hostnameAt, hostnameAt + 1 + octets[hostnameAt]!)
    else if (endpointOctets === 4) writer.at = writeV4Label(address, 0, writer.out, writer.at)
    else if (endpointOctets === 16) writer.at = writeV6Label(address, 0, writer.out, writer.at)
    writer.bytes(octets, keyAt, keyEnd)
    writer.bytes(SVC, 0, SVC.length)
    writer.bytes(this.#primaryZone, 0, this.#primaryZone.length)
    if (writer.at - from > RECORD_HEAD_OCTETS + NAME_MAX_OCTETS) writer.at = from
    else writer.close()
    return true
  }
}

/** The `index`th of the octet-counted host names at `at`, or 0 where it is empty or there are none. */
function hostnameOf(octets: Uint8Array, at: number, index: number): number {
  if (at === 0) return 0
  for (let i = 0; i < index; i++) at += 1 + octets[at]!
  return octets[at] === 0 ? 0 : at
}
