// A service out of a copy of its block (TableReader.copyOf), as values: for the slow path, where a copy costs less than the
// care that reading the table in place needs (selection.ts).

import { detailAt, eachExternal, GroupCursor, keyEndOf } from '../../table/block.ts'
import { EXTERNAL, FLAG, NO_PORT, PROTOCOL_LABELS } from '../../table/layout.ts'
import { blockKeyAt } from '../../table/reader.ts'
import type { Name } from '../../wire/name.ts'
import { addressLabel } from './address-label.ts'

/** A port; names and protocols are lower case. */
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
  readonly ports: readonly ServicePort[]
}

/** Where a service is reached from outside the cluster: an address of 4 or 16 octets, or a host. */
export type ServiceExternal = { readonly address: Uint8Array } | { readonly host: Name }

/** What stands in for the ports of a service or a slice that has none (coredns.md 1.4). */
const NO_PORTS: readonly ServicePort[] = [{ name: '', protocol: '', number: undefined }]

/** One service at one moment. */
export class Service {
  readonly #octets: Uint8Array
  readonly #words: Int32Array
  readonly #groups = new GroupCursor()

  constructor(block: Uint8Array<ArrayBuffer>) {
    this.#octets = block
    this.#words = new Int32Array(block.buffer, block.byteOffset, block.length >> 2)
    if (!this.#has(FLAG.EXTERNAL_NAME)) this.#rewind()
  }

  get isHeadless(): boolean {
    return this.#has(FLAG.HEADLESS)
  }

  /** Whether there are slices alone: the service itself is unknown. */
  get isOrphan(): boolean {
    return this.#has(FLAG.NO_SERVICE)
  }

  /** Its two labels, name and namespace, as they stand in a name. */
  get labels(): Uint8Array {
    return this.#octets.slice(blockKeyAt(this.#words, 0), keyEndOf(this.#words, this.#octets, 0))
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
    return this.#ports(this.#groups.servicePortsAt, this.#groups.servicePortCount)
  }

  /** Every address as often as it is given. */
  *endpoints(): Generator<ServiceEndpoint, void> {
    const groups = this.#groups
    this.#rewind()
    while (groups.next()) {
      const ports = this.#ports(groups.portsAt, groups.portCount)
      let hostnameAt = groups.hostnamesAt
      for (let i = 0; i < groups.v4Count + groups.v6Count; i++) {
        const at = i < groups.v4Count ? groups.v4At + 4 * i : groups.v6At + 16 * (i - groups.v4Count)
        const address = this.#octets.slice(at, at + (i < groups.v4Count ? 4 : 16))
        yield { address, label: this.#label(hostnameAt) ?? addressLabel(address), ports }
        if (hostnameAt !== 0) hostnameAt += 1 + this.#octets[hostnameAt]!
      }
    }
  }

  #has(flag: number): boolean {
    return (this.#octets[5]! & flag) !== 0
  }

  #rewind(): void {
    this.#groups.open(this.#octets, this.#has(FLAG.EXTERNAL_NAME) ? 0 : detailAt(this.#words, 0))
  }

  /** The host name that an endpoint was given. */
  #label(at: number): Uint8Array | undefined {
    const length = at === 0 ? 0 : this.#octets[at]!
    return length === 0 ? undefined : this.#octets.slice(at, at + 1 + length)
  }

  #ports(at: number, count: number): readonly ServicePort[] {
    if (count === 0) return NO_PORTS
    const octets = this.#octets
    const ports: ServicePort[] = []
    for (let i = 0; i < count; i++, at += 4 + octets[at + 3]!) {
      const number = octets[at]! | (octets[at + 1]! << 8)
      const name = Buffer.from(octets.subarray(at + 4, at + 4 + octets[at + 3]!)).toString('latin1')
      const protocol = PROTOCOL_LABELS[octets[at + 2]!] ?? ''
      ports.push({ name, protocol, number: number === NO_PORT ? undefined : number })
    }
    return ports
  }
}
