// HOT: address records of a service, an endpoint, a port or a topology zone (specification 2.3.1, 2.4.1), shuffled where
// `loadbalance` is on. No more are gathered than the client's size can hold, so that a service of 5,000 endpoints costs
// a UDP query no more than one of 50.

import { addressesAt, v4CountOf, v6AddressesAt, v6CountOf } from '../../table/block.ts'
import { equalOctets } from './match.ts'
import type { Selection } from './selection.ts'
import type { AnswerWriter } from './writer.ts'

/** Addresses gathered for one answer at most; the largest message holds fewer. */
const GATHERED_MAX = 8192
/** So many are compared one by one; beyond, a hash table tells which are known. */
const SCANNED_MAX = 16
const SLOTS = 2 * GATHERED_MAX

export class AddressRecords {
  readonly #selection: Selection
  readonly #writer: AnswerWriter
  readonly #random: () => number
  /** Where in the table each address of this answer stands. */
  readonly #gathered = new Int32Array(GATHERED_MAX)
  #count = 0
  /** Places in `#gathered` by the hash of the address there, one added; 0 is free. In use beyond SCANNED_MAX. */
  readonly #slots = new Int32Array(SLOTS)
  #isIndexed = false

  constructor(selection: Selection, writer: AnswerWriter, random: () => number) {
    this.#selection = selection
    this.#writer = writer
    this.#random = random
  }

  /** Writes the addresses of `length` octets; none is NODATA. */
  write(length: 4 | 16, ttlSeconds: number, shuffle: boolean): void {
    const { table, block, isOfService, request } = this.#selection
    if (!isOfService) this.#selection.narrow(length)
    if (isOfService || (request.shape === 'service' && !this.#selection.isNarrow))
      this.#gatherList(table.words, block, length, shuffle)
    else this.#gatherEndpoints(length)
    if (shuffle) this.#shuffle()
    for (let i = 0; i < this.#count; i++) {
      if (!this.#writer.address(table.octets, this.#gathered[i]!, length, ttlSeconds)) return
    }
  }

  /** A stored list: what can fit and one more, from a random start where shuffled, so that all have their turn. */
  #gatherList(words: Int32Array, block: number, length: 4 | 16, shuffle: boolean): void {
    const count = length === 4 ? v4CountOf(words, block) : v6CountOf(words, block)
    const at = length === 4 ? addressesAt(block) : v6AddressesAt(words, block)
    const fits = Math.min(count, GATHERED_MAX, Math.floor(this.#writer.room / (12 + length)) + 1)
    let i = shuffle && fits < count ? Math.floor(this.#random() * count) : 0
    for (let n = 0; n < fits; n++) {
      this.#gathered[n] = at + i * length
      if (++i === count) i = 0
    }
    this.#count = fits
  }

  #gatherEndpoints(length: 4 | 16): void {
    const selection = this.#selection
    const fits = Math.min(GATHERED_MAX, Math.floor(this.#writer.room / (12 + length)) + 1)
    this.#count = 0
    this.#isIndexed = false
    selection.rewind()
    while (this.#count < fits && selection.nextGroup()) {
      while (this.#count < fits && selection.nextEndpoint()) {
        if (selection.endpointOctets === length) this.#gather(selection.endpointAt, length)
      }
    }
  }

  #gather(at: number, length: number): void {
    const { groups } = this.#selection
    // One group holds an address once under one name; several groups, or several names, may repeat it.
    if (groups.groupCount > 1 || groups.hostnamesAt) {
      if (this.#count < SCANNED_MAX ? this.#isScanned(at, length) : this.#isHashed(at, length)) return
    }
    this.#gathered[this.#count++] = at
  }

  #isScanned(at: number, length: number): boolean {
    const { octets } = this.#selection.table
    for (let i = 0; i < this.#count; i++) {
      if (equalOctets(octets, this.#gathered[i]!, octets, at, length)) return true
    }
    return false
  }

  /** Whether the address was gathered; its place is noted as if it were now. */
  #isHashed(at: number, length: number): boolean {
    if (!this.#isIndexed) {
      this.#isIndexed = true
      this.#slots.fill(0)
      for (let i = 0; i < SCANNED_MAX; i++) this.#note(this.#gathered[i]!, length, i)
    }
    return this.#note(at, length, this.#count)
  }

  /** Notes the address as the one at `place`, unless an equal one is noted: then it returns true. */
  #note(at: number, length: number, place: number): boolean {
    const { table } = this.#selection
    const { octets } = table
    const slots = this.#slots
    for (let i = table.hashOf(octets, at, at + length) & (SLOTS - 1); ; i = (i + 1) & (SLOTS - 1)) {
      const known = slots[i]!
      if (known === 0) {
        slots[i] = place + 1
        return false
      }
      if (equalOctets(octets, this.#gathered[known - 1]!, octets, at, length)) return true
    }
  }

  /** Fisher and Yates, over where the addresses stand. */
  #shuffle(): void {
    const gathered = this.#gathered
    for (let i = this.#count - 1; i > 0; i--) {
      const j = Math.floor(this.#random() * (i + 1))
      const at = gathered[i]!
      gathered[i] = gathered[j]!
      gathered[j] = at
    }
  }
}
