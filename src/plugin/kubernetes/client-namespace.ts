// HOT: whose namespace a query comes from, out of the table (table/clients.ts): for words that judge every query of a block. Who
// asked lately is remembered. Budget: 70 ns for one of 200 clients (`npm run bench:micro`).

import { ipv4At } from '../../query/sockaddr.ts'
import { keyEndOf } from '../../table/block.ts'
import { CLIENT_HOST_NETWORK, KEY } from '../../table/layout.ts'
import type { TableReader } from '../../table/reader.ts'
import { RecentClients } from './recent-clients.ts'

/** A client of which nothing is known. */
export const NOBODY = ''
/** A client that has a node's own address. */
export const HOST = '@host'

export class ClientNamespaces {
  readonly #table: TableReader
  readonly #key = new Uint8Array(18)
  readonly #recent = new RecentClients()
  /** By entry of the recent ones. */
  readonly #namespaces: string[] = new Array<string>(RecentClients.ENTRIES).fill(NOBODY)

  constructor(table: TableReader) {
    this.#table = table
    this.#key[0] = KEY.CLIENT
  }

  /** The namespace of the socket address at octets[at …), HOST, or NOBODY: also while not all Pods are listed. */
  at(octets: Uint8Array, at: number): string {
    const table = this.#table
    if (!table.synced || table.restored) return NOBODY
    const recent = this.#recent
    const stamp = table.clientsStamp
    if (recent.has(octets, at, stamp)) return this.#namespaces[recent.entry]!
    const namespace = this.#lookUp(octets, at)
    this.#namespaces[recent.entry] = namespace
    recent.learn(stamp, 0)
    return namespace
  }

  #lookUp(octets: Uint8Array, at: number): string {
    const table = this.#table
    const key = this.#key
    const v4At = ipv4At(octets, at)
    const from = v4At >= 0 ? v4At : at + 8
    const length = v4At >= 0 ? 4 : 16
    key[1] = v4At >= 0 ? 4 : 6
    for (let i = 0; i < length; i++) key[2 + i] = octets[from + i]!
    table.enter()
    const block = table.find(key, 0, 2 + length)
    let client = NOBODY
    if (block !== 0) {
      const detail = keyEndOf(table.words, table.octets, block)
      client = (table.octets[detail]! & CLIENT_HOST_NETWORK) !== 0 ? HOST : textAt(table.octets, detail + 1)
    }
    table.leave()
    return client
  }
}

/** The text behind its length. */
export const textAt = (octets: Uint8Array, at: number): string =>
  Buffer.prototype.latin1Slice.call(octets, at + 1, at + 1 + octets[at]!)
