// NS and ns.dns (docs/coredns.md 1.9): the servers of a cluster's zone are the services whose endpoints have one of this
// server's own addresses (kube-dns.kube-system.svc.ZONE); where none has, ns.dns.ZONE with the addresses themselves.

import { parseIp } from '../../shared/ip.ts'
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
import { addressLabel } from './address-label.ts'
import { equalOctets } from './match.ts'

/** One server: its name relative to the zone in wire form, without the root, and its addresses of 4 or 16 octets. */
export interface Nameserver {
  readonly name: Uint8Array
  readonly addresses: readonly Uint8Array[]
}

/** More names than the largest message holds. */
const NAMES_MAX = 3000
/** Blocks looked at for one mark, of which two services seldom have the same. */
const BLOCKS_MAX = 64
const NS_DNS = Uint8Array.of(2, 0x6e, 0x73, 3, 0x64, 0x6e, 0x73)
const SVC = [3, 0x73, 0x76, 0x63]

/** This server's own addresses as octets, loopback ones left out: nobody else could ask there. */
export function ownAddresses(texts: readonly string[]): Uint8Array[] {
  return texts.flatMap(text => {
    const ip = parseIp(text)
    const loopback = !ip || (ip.family === 4 ? ip.bytes[0] === 127 : ip.text === '::1')
    return loopback ? [] : [ip.bytes]
  })
}

/** The zone's servers now. Rare: it may allocate. */
export function nameservers(table: TableReader, own: readonly Uint8Array[]): Nameserver[] {
  const found = new Map<string, { name: Uint8Array; addresses: Uint8Array[] }>()
  for (const address of own) {
    const hash = table.hashOf(address, 0, address.length)
    for (const block of blocksWith(table, hash)) {
      if (found.size === NAMES_MAX) break
      addService(table, block, address, found)
    }
  }
  if (found.size > 0) return [...found.values()]
  return own.length === 0 ? [] : [{ name: NS_DNS, addresses: own }]
}

/** The blocks of the services that may have what has that hash in the address index. */
export function blocksWith(table: TableReader, addressHash: number): number[] {
  const found: number[] = []
  const blocks = new Int32Array(BLOCKS_MAX)
  const services = table.servicesOf(addressHash)
  for (const mark of table.marks.subarray(0, services))
    found.push(...blocks.subarray(0, table.blocksOf(mark, blocks)))
  return found
}

function addService(
  table: TableReader,
  block: number,
  address: Uint8Array,
  found: Map<string, { name: Uint8Array; addresses: Uint8Array[] }>,
): void {
  const { words, octets } = table
  if (kindOf(octets, block) !== KIND.SERVICE || (flagsOf(octets, block) & HIDDEN) !== 0) return
  const labels = endpointLabels(table, block, address)
  const keyAt = blockKeyAt(words, block)
  const key = octets.slice(keyAt, keyEndOf(words, octets, block))
  const headless = (flagsOf(octets, block) & FLAG.HEADLESS) !== 0
  for (const label of labels) {
    const name = Uint8Array.of(...(headless ? label : []), ...key, ...SVC)
    const addresses = headless ? [address] : clusterIPs(table, block)
    const known = found.get(name.join())
    if (!known) found.set(name.join(), { name, addresses })
    else if (headless && !known.addresses.includes(address)) known.addresses.push(address)
  }
}

/** Services without names or addresses to give. */
const HIDDEN = FLAG.EXTERNAL_NAME | FLAG.IGNORED | FLAG.NO_SERVICE

/** The labels, length octet first, of the endpoints of a service that have the address: host names, or made of it. */
function endpointLabels(table: TableReader, block: number, address: Uint8Array): Uint8Array[] {
  const { octets } = table
  const labels: Uint8Array[] = []
  const groups = new GroupCursor()
  const v4 = address.length === 4
  groups.open(octets, detailAt(table.words, block))
  while (groups.next()) {
    let hostnameAt = groups.hostnamesAt
    for (let i = 0; i < groups.v4Count + groups.v6Count; i++) {
      const ofV4 = i < groups.v4Count
      const at = ofV4 ? groups.v4At + 4 * i : groups.v6At + 16 * (i - groups.v4Count)
      const named = hostnameAt !== 0 && octets[hostnameAt] !== 0
      if (ofV4 === v4 && equalOctets(octets, at, address, 0, address.length)) {
        labels.push(
          named ? octets.slice(hostnameAt, hostnameAt + 1 + octets[hostnameAt]!) : addressLabel(address),
        )
      }
      if (hostnameAt !== 0) hostnameAt += 1 + octets[hostnameAt]!
    }
  }
  return labels
}

function clusterIPs(table: TableReader, block: number): Uint8Array[] {
  const v4Count = v4CountOf(table.words, block)
  const v6Count = v6CountOf(table.words, block)
  const at = addressesAt(block)
  const v6At = v6AddressesAt(table.words, block)
  return [
    ...Array.from({ length: v4Count }, (_, i) => table.octets.slice(at + 4 * i, at + 4 * i + 4)),
    ...Array.from({ length: v6Count }, (_, i) => table.octets.slice(v6At + 16 * i, v6At + 16 * i + 16)),
  ]
}
