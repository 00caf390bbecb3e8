// HOT: what policy knows of the cluster, out of the table of the block's `kubernetes`: whose namespace a client is in, which
// namespace a name is about, whose an address is.
//
//   SERVICE.demo.svc.cluster.local   1-2-3-4.demo.pod.cluster.local   demo.svc.cluster.local   SERVICE.demo.EXTERNAL.ZONE

import { blockKeyAt, kindOf } from '../../table/block.ts'
import { KIND } from '../../table/layout.ts'
import type { TableReader } from '../../table/reader.ts'
import { countLabels, type Name, name } from '../../wire/name.ts'
import { ClientNamespaces, textAt } from '../kubernetes/client-namespace.ts'
import { readReverse } from '../kubernetes/reverse.ts'
import { isReverseName } from '../kubernetes/reverse-zone.ts'
import type { NameView } from './name-view.ts'

interface Zone {
  readonly zone: Name
  readonly labels: number
  readonly kind: 'cluster' | 'reverse' | 'external'
}

/** A name that is of no namespace, though of the cluster: an apex, `svc`, `ns.dns`. */
export const OF_ALL = ''

const SVC = Uint8Array.of(3, 0x73, 0x76, 0x63)
const POD = Uint8Array.of(3, 0x70, 0x6f, 0x64)
/** What addresses of IPv6 begin with that lead to the one of IPv4 behind it: through a NAT64 (RFC 6052 2.1), or at once (RFC 4291 2.5.5.2). */
const NAT64 = Uint8Array.of(0, 0x64, 0xff, 0x9b, 0, 0, 0, 0, 0, 0, 0, 0)
const MAPPED = Uint8Array.of(0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff)
/** Services looked at for one address, of those that may share a mark. */
const BLOCKS_MAX = 64

export class ClusterNames {
  readonly #table: TableReader
  /** The longest first. */
  readonly #zones: readonly Zone[]
  readonly #clients: ClientNamespaces
  readonly #address = new Uint8Array(16)
  readonly #blocks = new Int32Array(BLOCKS_MAX)

  constructor(table: TableReader, zones: readonly string[], externalZones: readonly string[]) {
    this.#table = table
    this.#clients = new ClientNamespaces(table)
    const zoneOf = (text: string, kind?: Zone['kind']): Zone => {
      const zone = name(text)
      const isReverse = isReverseName(zone)
      return { zone, labels: countLabels(zone), kind: kind ?? (isReverse ? 'reverse' : 'cluster') }
    }
    this.#zones = [
      ...zones.map(text => zoneOf(text)),
      ...externalZones.map(text => zoneOf(text, 'external')),
    ].sort((a, b) => b.labels - a.labels)
  }

  /** The namespace of the socket address at octets[at …), HOST, or NOBODY. */
  clientAt(octets: Uint8Array, at: number): string {
    return this.#clients.at(octets, at)
  }

  /** The namespace that a name is about, OF_ALL for one of the cluster's that is about none; undefined for a name outside. */
  namespaceOf(view: NameView): string | undefined {
    const zone = this.#zoneOf(view)
    if (zone === undefined) return undefined
    if (zone.kind === 'reverse') return OF_ALL
    const labels = view.labelCount - zone.labels
    if (zone.kind === 'external') return labels >= 1 ? view.label(labels - 1) : OF_ALL
    if (labels < 2) return OF_ALL
    const isKnown = view.isLabel(labels - 1, SVC) || view.isLabel(labels - 1, POD)
    return isKnown ? view.label(labels - 2) : OF_ALL
  }

  /** Whether a reverse name of the cluster's is one of an address that only others have. */
  isKeptReverse(view: NameView, isAllowed: (namespace: string) => boolean): boolean {
    if (this.#zoneOf(view)?.kind !== 'reverse') return false
    const length = readReverse(view, this.#address)
    return length > 0 && this.isKept(this.#address, 0, length, isAllowed)
  }

  /**
   * Whether Services have the address, or the one of IPv4 inside it, and all of them are of namespaces that are not
   * allowed.
   */
  isKept(octets: Uint8Array, at: number, length: number, isAllowed: (namespace: string) => boolean): boolean {
    const embeds = length === 16 && (hasPrefix(octets, at, NAT64) || hasPrefix(octets, at, MAPPED))
    return (
      (embeds && this.#isKept(octets, at + 12, 4, isAllowed)) || this.#isKept(octets, at, length, isAllowed)
    )
  }

  #isKept(
    octets: Uint8Array,
    at: number,
    length: number,
    isAllowed: (namespace: string) => boolean,
  ): boolean {
    const table = this.#table
    table.enter()
    const marks = table.servicesOf(table.hashOf(octets, at, at + length))
    let owners = 0
    let isFree = false
    for (let m = 0; m < marks && !isFree; m++) {
      const blocks = table.blocksOf(table.marks[m]!, this.#blocks)
      for (let b = 0; b < blocks && !isFree; b++) {
        const block = this.#blocks[b]!
        if (kindOf(table.octets, block) !== KIND.SERVICE) continue
        owners++
        const keyAt = blockKeyAt(table.words, block)
        isFree = isAllowed(textAt(table.octets, keyAt + 1 + table.octets[keyAt]!))
      }
    }
    table.leave()
    return owners > 0 && !isFree
  }

  #zoneOf(view: NameView): Zone | undefined {
    for (let i = 0; i < this.#zones.length; i++) {
      const zone = this.#zones[i]!
      if (view.isWithin(zone.zone, zone.labels)) return zone
    }
    return undefined
  }
}

function hasPrefix(octets: Uint8Array, at: number, prefix: Uint8Array): boolean {
  for (let i = 0; i < prefix.length; i++) if (octets[at + i] !== prefix[i]) return false
  return true
}
