// The endpoints of one group while its block is built: each once under one name and zone, in the order they came, counted. In
// typed arrays, some thirty octets each: as objects, a hundred thousand of them would be most of a small heap.
//
//   record   u8 octets of the address, address, u8 length and host name, u8 length and zone, u8 length and place

import { halfSipHash, randomSeed } from '../shared/half-siphash.ts'

/** How often an endpoint is counted: a hundred candidates share the weight 1, and so do more. */
export const COUNT_MAX = 100
const TEXT_MAX = 255
/** V8 keeps typed arrays of so many octets on its heap, where making one costs a tenth: most services need no more. */
const FIRST_OCTETS = 64

const [K0, K1] = randomSeed()

export class EndpointSet {
  #octets = new Uint8Array(FIRST_OCTETS)
  #used = 0
  /** Where each record begins. */
  #records = new Int32Array(16)
  #counts = new Uint8Array(16)
  /** Open addressing by the record's hash: its number + 1; twice as long as there are records at least. */
  #index = new Int32Array(16)
  #size = 0
  #v4Count = 0
  #counted = 0
  #named = false

  /** How many there are, and how many of them over IPv4. */
  get size(): number {
    return this.#size
  }

  get v4Count(): number {
    return this.#v4Count
  }

  /** The sum of the counts. */
  get counted(): number {
    return this.#counted
  }

  /** Whether one of them has a host name. */
  get named(): boolean {
    return this.#named
  }

  /** Octets of the records: what `octetsAt` counts in. */
  get octets(): Uint8Array {
    return this.#octets
  }

  /** Where the record with that number begins. */
  recordAt(number: number): number {
    return this.#records[number]!
  }

  countOf(number: number): number {
    return this.#counts[number]!
  }

  /** Adds an endpoint, or counts it where it is known; the address is 4 or 16 octets as characters. */
  add(address: string, hostname: string, zone: string, place: string): void {
    this.#room(4 + address.length + hostname.length + zone.length + place.length)
    const at = this.#used
    const end = this.#text(this.#text(this.#text(this.#text(at, address), hostname), zone), place)
    this.#take(at, end, address.length === 4, hostname !== '')
  }

  /** Adds the address of a record, such as another set's, without name, zone and place. */
  addAddressOf(octets: Uint8Array, record: number): void {
    const length = octets[record]!
    this.#room(4 + length)
    const at = this.#used
    for (let i = 0; i <= length; i++) this.#octets[at + i] = octets[record + i]!
    this.#octets[at + length + 1] = 0
    this.#octets[at + length + 2] = 0
    this.#octets[at + length + 3] = 0
    this.#take(at, at + length + 4, length === 4, false)
  }

  #room(octets: number): void {
    const needed = this.#used + octets
    if (needed > this.#octets.length) this.#octets = grown(this.#octets, new Uint8Array(2 * needed))
  }

  #text(at: number, text: string): number {
    const length = Math.min(TEXT_MAX, text.length)
    this.#octets[at++] = length
    for (let i = 0; i < length; i++) this.#octets[at++] = text.charCodeAt(i)
    return at
  }

  /** Keeps the record that was written at the end, unless it is known. */
  #take(at: number, end: number, v4: boolean, named: boolean): void {
    this.#counted++
    const slot = this.#slotOf(at, end)
    const known = this.#index[slot]!
    if (known !== 0) {
      if (this.#counts[known - 1]! < COUNT_MAX) this.#counts[known - 1]!++
      else this.#counted--
      return
    }
    if (this.#size === this.#records.length) this.#grow()
    this.#records[this.#size] = at
    this.#counts[this.#size] = 1
    this.#used = end
    this.#size++
    if (v4) this.#v4Count++
    if (named) this.#named = true
    if (2 * this.#size > this.#index.length) this.#reindex()
    else this.#index[slot] = this.#size
  }

  #slotOf(at: number, end: number): number {
    const mask = this.#index.length - 1
    for (let slot = halfSipHash(K0, K1, this.#octets, at, end) & mask; ; slot = (slot + 1) & mask) {
      const known = this.#index[slot]!
      if (known === 0 || this.#equals(this.#records[known - 1]!, at, end)) return slot
    }
  }

  #equals(known: number, at: number, end: number): boolean {
    const octets = this.#octets
    for (; at < end; at++, known++) if (octets[known] !== octets[at]) return false
    return true
  }

  #grow(): void {
    this.#records = grown(this.#records, new Int32Array(2 * this.#records.length))
    this.#counts = grown(this.#counts, new Uint8Array(2 * this.#counts.length))
  }

  #reindex(): void {
    this.#index = new Int32Array(2 * this.#index.length)
    const mask = this.#index.length - 1
    for (let number = 0; number < this.#size; number++) {
      const end = number + 1 < this.#size ? this.#records[number + 1]! : this.#used
      let slot = halfSipHash(K0, K1, this.#octets, this.#records[number]!, end) & mask
      while (this.#index[slot] !== 0) slot = (slot + 1) & mask
      this.#index[slot] = number + 1
    }
  }
}

function grown<T extends Uint8Array | Int32Array>(from: T, to: T): T {
  to.set(from)
  return to
}
