// HOT: where the client of a query stands: its node and topology zone, out of the table (table/places.ts). A look-up masks the
// address to each length that networks in the table have, the longest first: two for a cluster of IPv4, one for the Nodes' own
// addresses and one for Pods. An address of no Node's network is looked for among the Pods, where they are watched: then it is
// where its node's address is. Who asked lately is remembered. Nothing is allocated. Budget: 70 ns for one of 200 clients
// (`npm run bench:micro`).

import { ipv4At } from '../../query/sockaddr.ts'
import { detailAt } from '../../table/block.ts'
import { HEAD, KEY } from '../../table/layout.ts'
import type { TableReader } from '../../table/reader.ts'
import { textAt } from './client-namespace.ts'
import { RecentClients } from './recent-clients.ts'

/** Octets of a key before the network. */
const HEAD_OCTETS = 3

export class Asker {
  readonly #table: TableReader
  readonly #followsPods: boolean
  readonly #key = new Uint8Array(HEAD_OCTETS + 16)
  /** Where a place's detail is; 0 of who has none. */
  readonly #recent = new RecentClients()
  #from: Uint8Array | undefined
  #fromAt = 0
  #next: Uint8Array | undefined
  #nextAt = 0
  /** Where its node and its zone stand in the table, each behind its length; 0 where nobody knows. */
  nodeAt = 0
  zoneAt = 0

  /** `followsPods`: an address of no Node's network may be a Pod's, whose node's address the table has. */
  constructor(table: TableReader, followsPods = false) {
    this.#table = table
    this.#followsPods = followsPods
    this.#key[0] = KEY.PLACE
  }

  /** The next question is from the socket address at octets[at …); without that it is nobody's. */
  comes(octets: Uint8Array, at: number): void {
    this.#next = octets
    this.#nextAt = at
  }

  /** A question begins. */
  begin(): void {
    this.#from = this.#next
    this.#fromAt = this.#nextAt
    this.#next = undefined
    this.nodeAt = this.zoneAt = 0
  }

  /** Finds the place of whoever asks the question that has begun; see `find`. */
  locate(): boolean {
    return this.#from !== undefined && this.find(this.#from, this.#fromAt)
  }

  /**
   * Finds the place of the socket address at octets[at …); between enter and leave of the table only, up to which the
   * answer holds. Nobody is known before all Nodes are listed.
   */
  find(octets: Uint8Array, at: number): boolean {
    const table = this.#table
    const recent = this.#recent
    this.nodeAt = this.zoneAt = 0
    if (!table.synced) return false
    const stamp = table.clientsStamp
    if (!recent.has(octets, at, stamp)) recent.learn(stamp, this.#lookUp(octets, at))
    this.nodeAt = recent.number
    if (this.nodeAt === 0) return false
    this.zoneAt = this.nodeAt + 1 + table.octets[this.nodeAt]!
    return true
  }

  /** Where the detail of the place is that a socket address has in the table; 0 where it has none. */
  #lookUp(octets: Uint8Array, at: number): number {
    const v4At = ipv4At(octets, at)
    const family = v4At >= 0 ? 4 : 6
    const from = v4At >= 0 ? v4At : at + 8
    let block = this.#longest(octets, from, family)
    if (block === 0 && this.#followsPods) block = this.#ofPod(octets, from, family)
    return block === 0 ? 0 : detailAt(this.#table.words, block)
  }

  /** Whether the zone is known of whoever was found. */
  get hasZone(): boolean {
    return this.zoneAt !== 0 && this.#table.octets[this.zoneAt] !== 0
  }

  /** Where whoever was found is, '' for what nobody knows; between enter and leave of the table only. */
  get place(): { readonly node: string; readonly zone: string } {
    return { node: this.#text(this.nodeAt), zone: this.#text(this.zoneAt) }
  }

  /** Leaves the node and the zone of an address in the metadata. */
  annotate(octets: Uint8Array, at: number, metadata: Map<string, string>): void {
    this.#table.enter()
    if (this.find(octets, at)) {
      const { node, zone } = this.place
      metadata.set('kubernetes/client-node', node)
      if (zone !== '') metadata.set('kubernetes/client-zone', zone)
    }
    this.#table.leave()
  }

  #text(at: number): string {
    return at === 0 ? '' : textAt(this.#table.octets, at)
  }

  /** The block of the place that the node of the Pod with that address has. */
  #ofPod(octets: Uint8Array, at: number, family: 4 | 6): number {
    const table = this.#table
    const key = this.#key
    const length = family === 4 ? 4 : 16
    key[0] = KEY.CLIENT
    key[1] = family
    for (let i = 0; i < length; i++) key[2 + i] = octets[at + i]!
    const block = table.find(key, 0, 2 + length)
    key[0] = KEY.PLACE
    if (block === 0) return 0
    let host = detailAt(table.words, block) + 1
    for (let texts = 0; texts < 2; texts++) host += 1 + table.octets[host]!
    const hostLength = table.octets[host]!
    return hostLength === 0 ? 0 : this.#longest(table.octets, host + 1, hostLength === 4 ? 4 : 6)
  }

  /** The block of the smallest network that has the address. */
  #longest(octets: Uint8Array, at: number, family: 4 | 6): number {
    const { words } = this.#table
    const lengthsAt = family === 4 ? HEAD.PLACES_V4 : HEAD.PLACES_V6
    // A bit for each length: those of IPv4 are in two words, those of IPv6 in five.
    for (let word = family === 4 ? 1 : 4; word >= 0; word--) {
      for (let bits = Atomics.load(words, lengthsAt + word); bits !== 0; ) {
        const bit = 31 - Math.clz32(bits)
        bits &= ~(1 << bit)
        const block = this.#find(octets, at, family, 32 * word + bit)
        if (block !== 0) return block
      }
    }
    return 0
  }

  #find(octets: Uint8Array, at: number, family: 4 | 6, length: number): number {
    const key = this.#key
    key[1] = family
    key[2] = length
    const octetsOf = family === 4 ? 4 : 16
    const whole = length >> 3
    for (let i = 0; i < octetsOf; i++) key[HEAD_OCTETS + i] = i < whole ? octets[at + i]! : 0
    if (whole < octetsOf) key[HEAD_OCTETS + whole] = octets[at + whole]! & ~(0xff >> (length & 7))
    return this.#table.find(key, 0, HEAD_OCTETS + octetsOf)
  }
}
