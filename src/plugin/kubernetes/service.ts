// A service out of a copy of its block (TableReader.copyOf), as values: for the slow path, where a copy costs less than the
// care that reading the table in place needs (selection.ts).

import {
  addressesAt,
  blockKeyAt,
  detailAt,
  eachExternal,
  endOf,
  flagsOf,
  GroupCursor,
  keyEndOf,
  kindOf,
  nextPort,
  portNameAt,
  portNumber,
  portProtocol,
  v4CountOf,
  v6CountOf,
} from '../../table/block.ts'
import { EXTERNAL, FLAG, KEY, KIND, NO_PORT, PROTOCOL_LABELS } from '../../table/layout.ts'
import type { TableReader } from '../../table/reader.ts'
import type { Name } from '../../wire/name.ts'
import { addressLabel } from './address-label.ts'

/** A port; names and protocols are lower case, an unknown protocol is ''. */
export interface ServicePort {
  readonly name: string
  readonly protocol: string
  /** Undefined for a port without a number, and for the one that stands for none. */
  readonly number: number | undefined
}

/** A ready endpoint. */
export interface ServiceEndpoint {
  /** 4 or 16 octets. */
  readonly address: Uint8Array
  /** Its label below the service's name, length octet first. */
  readonly label: Uint8Array
  /** How often it counts for weights: as often as its slice gives it, up to a hundred times. */
  readonly count: number
}

/** Endpoints with the same ports, IPv4 before IPv6. */
export interface ServiceGroup {
  readonly ports: readonly ServicePort[]
  readonly endpoints: readonly ServiceEndpoint[]
  /** The label, length octet first, of the cluster that an imported service's are in; empty for none. */
  readonly cluster: Uint8Array
}

/** Where a service is reached from outside the cluster: an address of 4 or 16 octets, or a host. */
export type ServiceExternal = { readonly address: Uint8Array } | { readonly host: Name }

/** What stands in for the ports of a service or a group that has none (docs/coredns.md 1.4). */
const NO_PORTS: readonly ServicePort[] = [{ name: '', protocol: '', number: undefined }]

/**
 * All services of a table by name and then by namespace, or the imported ones, each as it is when its turn comes. Which
 * there are is of one moment; one that goes meanwhile is left out.
 */
export function* allServices(
  table: TableReader,
  kind: typeof KIND.SERVICE | typeof KIND.IMPORT = KIND.SERVICE,
): Generator<Service, void> {
  for (const key of serviceKeys(table, kind)) {
    const block = table.copyOf(key)
    if (block) yield new Service(block)
  }
}

function serviceKeys(table: TableReader, kind: number): Uint8Array[] {
  const { octets, words } = table
  const keys: { readonly order: string; readonly key: Uint8Array }[] = []
  table.enter()
  table.eachBlock(block => {
    if (kindOf(octets, block) !== kind) return
    const key = octets.slice(blockKeyAt(words, block), keyEndOf(words, octets, block))
    const labels = labelsOf(key)
    const nameEnd = 1 + labels[0]!
    keys.push({ order: `${latin1(labels, 1, nameEnd)}\0${latin1(labels, nameEnd + 1, labels.length)}`, key })
  })
  table.leave()
  return keys.sort((a, b) => (a.order < b.order ? -1 : 1)).map(({ key }) => key)
}

/** The labels of a key: name and namespace. */
const labelsOf = (key: Uint8Array): Uint8Array => (key[0] === KEY.IMPORT ? key.subarray(1) : key)

/** Octets as characters: what maps are keyed by. */
export const latin1 = (octets: Uint8Array, at: number, end: number): string =>
  Buffer.prototype.latin1Slice.call(octets, at, end)

/** One service, imported or not, at one moment. */
export class Service {
  readonly #octets: Uint8Array
  readonly #words: Int32Array
  readonly #groups = new GroupCursor()

  constructor(block: Uint8Array<ArrayBuffer>) {
    this.#octets = block
    this.#words = new Int32Array(block.buffer, block.byteOffset, block.length >> 2)
  }

  /** Whether it has one of the flags. */
  has(flags: number): boolean {
    return (flagsOf(this.#octets, 0) & flags) !== 0
  }

  /** Its two labels, name and namespace, as they stand in a name. */
  get labels(): Uint8Array {
    const key = this.#octets.slice(blockKeyAt(this.#words, 0), keyEndOf(this.#words, this.#octets, 0))
    return labelsOf(key)
  }

  /** What an ExternalName service stands for; undefined for any other, and for one whose target is no name. */
  get target(): Name | undefined {
    const at = this.has(FLAG.EXTERNAL_NAME) ? detailAt(this.#words, 0) : 0
    return at === 0 ? undefined : this.#octets.slice(at, endOf(this.#words, 0))
  }

  /** The addresses that its name gives, 4 or 16 octets each: cluster IPs, or those of its endpoints. */
  get addresses(): readonly Uint8Array[] {
    const [v4Count, v6Count] = [v4CountOf(this.#words, 0), v6CountOf(this.#words, 0)]
    return Array.from({ length: v4Count + v6Count }, (_, i) => this.#address(addressesAt(0), i, v4Count))
  }

  /** In the API's order. */
  get externals(): readonly ServiceExternal[] {
    const externals: ServiceExternal[] = []
    eachExternal(this.#words, this.#octets, 0, (at, end) => {
      if (this.#octets[at] === EXTERNAL.NAME) externals.push({ host: this.#octets.slice(at + 2, end) })
      else externals.push({ address: this.#octets.slice(at + 1, end) })
    })
    return externals
  }

  get ports(): readonly ServicePort[] {
    this.#rewind()
    return this.#ports(this.#groups.servicePortsAt, this.#groups.servicePortCount)
  }

  /** Every endpoint as often as it is given. */
  get groups(): readonly ServiceGroup[] {
    const groups: ServiceGroup[] = []
    const cursor = this.#groups
    this.#rewind()
    while (cursor.next()) {
      const ports = this.#ports(cursor.portsAt, cursor.portCount)
      groups.push({ ports, endpoints: this.#endpoints(), cluster: this.#label(cursor.clusterAt) })
    }
    return groups
  }

  #endpoints(): readonly ServiceEndpoint[] {
    const { v4At, v4Count, v6Count, hostnamesAt, countsAt } = this.#groups
    let hostnameAt = hostnamesAt
    return Array.from({ length: v4Count + v6Count }, (_, i) => {
      const address = this.#address(v4At, i, v4Count)
      const label = this.#label(hostnameAt)
      hostnameAt += label.length
      const count = countsAt ? this.#octets[countsAt + i]! : 1
      return { address, label: label.length <= 1 ? addressLabel(address) : label, count }
    })
  }

  /** The `i`th of addresses that begin at `at`, IPv4 ones first. */
  #address(at: number, i: number, v4Count: number): Uint8Array {
    if (i < v4Count) return this.#octets.slice(at + 4 * i, at + 4 * i + 4)
    const v6At = at + 4 * v4Count + 16 * (i - v4Count)
    return this.#octets.slice(v6At, v6At + 16)
  }

  #rewind(): void {
    this.#groups.open(this.#octets, this.has(FLAG.EXTERNAL_NAME) ? 0 : detailAt(this.#words, 0))
  }

  /** The label at `at`, its length octet first; nothing at 0. */
  #label(at: number): Uint8Array {
    return at === 0 ? new Uint8Array(0) : this.#octets.slice(at, at + 1 + this.#octets[at]!)
  }

  #ports(at: number, count: number): readonly ServicePort[] {
    if (count === 0) return NO_PORTS
    const octets = this.#octets
    const ports: ServicePort[] = []
    for (let i = 0; i < count; i++, at = nextPort(octets, at)) {
      const number = portNumber(octets, at)
      const protocol = PROTOCOL_LABELS[portProtocol(octets, at)] ?? ''
      const nameAt = portNameAt(at)
      ports.push({
        name: latin1(octets, nameAt + 1, nameAt + 1 + octets[nameAt]!),
        protocol,
        number: number === NO_PORT ? undefined : number,
      })
    }
    return ports
  }
}
