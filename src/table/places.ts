// Where queries come from: the node and the topology zone of an address, by the Nodes' own addresses and the networks of
// their Pods. A block for each network (layout.ts), which a reader finds by masking an address to each length that networks
// have (HEAD.PLACES_V4, HEAD.PLACES_V6), the longest first. A network that two Nodes claim says nothing.

import type { SlimNode } from '../objects/objects.ts'
import { type Cidr, parseCidr } from '../shared/ip.ts'
import { HEAD, KEY, KIND } from './layout.ts'
import { Octets } from './octets.ts'
import type { TableWriter } from './writer.ts'

export class Places {
  readonly #nodes = new Map<string, Set<SlimNode>>()
  /** Networks that are published, by family and length: `4/24`. */
  readonly #lengths = new Map<string, number>()
  readonly #touch: (network: string) => void

  /** `touch` notes that a network is to be published. */
  constructor(touch: (network: string) => void) {
    this.#touch = touch
  }

  add(node: SlimNode): void {
    for (const network of node.networks) {
      const nodes = this.#nodes.get(network)
      if (nodes) nodes.add(node)
      else this.#nodes.set(network, new Set([node]))
      this.#touch(network)
    }
  }

  remove(node: SlimNode): void {
    for (const network of node.networks) {
      const nodes = this.#nodes.get(network)
      nodes?.delete(node)
      if (nodes?.size === 0) this.#nodes.delete(network)
      this.#touch(network)
    }
  }

  /** Publishes what is known of a network. Returns whether anything changed; throws TableFullError, having changed nothing. */
  publish(text: string, writer: TableWriter): boolean {
    const network = parseCidr(text)
    if (network === undefined) return false
    const key = placeKey(network)
    const [node, other] = this.#nodes.get(text) ?? []
    const wasThere = writer.find(key) !== 0
    if (node === undefined || other !== undefined) {
      if (!wasThere) return false
      writer.remove(key)
      this.#count(network, -1, writer)
      writer.clientsChanged()
      return true
    }
    const isChanged = writer.publish(key, buildPlace(key, node))
    if (!wasThere) this.#count(network, 1, writer)
    if (isChanged) writer.clientsChanged()
    return isChanged
  }

  /** A length is looked for as long as a network has it. */
  #count({ family, prefixLength }: Cidr, by: 1 | -1, writer: TableWriter): void {
    const length = `${family}/${prefixLength}`
    const count = (this.#lengths.get(length) ?? 0) + by
    this.#lengths.set(length, count)
    const at = (family === 4 ? HEAD.PLACES_V4 : HEAD.PLACES_V6) + (prefixLength >> 5)
    const bit = 1 << (prefixLength & 31)
    if (count > 0) Atomics.or(writer.words, at, bit)
    else Atomics.and(writer.words, at, ~bit)
  }
}

/** The key of a network. */
const placeKey = ({ family, prefixLength, network }: Cidr): Uint8Array =>
  Uint8Array.of(KEY.PLACE, family, prefixLength, ...network)

function buildPlace(key: Uint8Array, { name, zone }: SlimNode): Uint8Array {
  const out = new Octets()
  out.head(KIND.PLACE, 0, key.length, 0, 0)
  out.bytes(key)
  const detail = out.length
  out.text(name)
  out.text(zone)
  return out.finish(detail)
}
