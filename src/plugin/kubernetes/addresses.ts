// HOT: address records of a service, an endpoint, a port or a topology zone (specification 2.3.1, 2.4.1), shuffled where
// `loadbalance` is on. No more are gathered than the client's size can hold, so that a service of 5,000 endpoints costs
// a UDP query no more than one of 50.

import { addressesAt } from '../../table/block.ts'
import { equalOctets } from './match.ts'
import type { Selection } from './selection.ts'
import type { AnswerWriter } from './writer.ts'

/** Addresses gathered for one answer at most; the largest message holds fewer. */
const GATHERED_MAX = 8192

export class AddressRecords {
  readonly #selection: Selection
  readonly #writer: AnswerWriter
  readonly #random: () => number
  /** Where in the table each address of this answer stands. */
  readonly #gathered = new Int32Array(GATHERED_MAX)
  #count = 0

  constructor(selection: Selection, writer: AnswerWriter, random: () => number) {
    this.#selection = selection
    this.#writer = writer
    this.#random = random
  }

  /** Writes the addresses of `length` octets; none is NODATA. */
  write(length: 4 | 16, ttlSeconds: number, shuffle: boolean): void {
    const { table, block, isOfService, request } = this.#selection
    if (isOfService || request.shape === 'service') this.#gatherList(table.words, block, length, shuffle)
    else this.#gatherEndpoints(length)
    if (shuffle) this.#shuffle()
    for (let i = 0; i < this.#count; i++) {
      if (!this.#writer.address(table.octets, this.#gathered[i]!, length, ttlSeconds)) return
    }
  }

  /** A stored list: what can fit and one more, from a random start where shuffled, so that all have their turn. */
  #gatherList(words: Int32Array, block: number, length: 4 | 16, shuffle: boolean): void {
    const v4Count = words[(block >> 2) + 2]!
    const count = length === 4 ? v4Count : words[(block >> 2) + 3]!
    const at = addressesAt(block) + (length === 4 ? 0 : 4 * v4Count)
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
    this.#count = 0
    selection.rewind()
    while (selection.nextGroup()) {
      while (selection.nextEndpoint() && this.#count < GATHERED_MAX) {
        if (selection.endpointOctets === length) this.#gather(selection.endpointAt, length)
      }
    }
  }

  #gather(at: number, length: number): void {
    const { groups, table } = this.#selection
    // One group holds an address once under one name; several groups, or several names, may repeat it.
    if (groups.groupCount > 1 || groups.hostnamesAt) {
      for (let i = 0; i < this.#count; i++) {
        if (equalOctets(table.octets, this.#gathered[i]!, table.octets, at, length)) return
      }
    }
    this.#gathered[this.#count++] = at
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
