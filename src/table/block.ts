// HOT: reads blocks (layout.ts) without allocating. Every offset into a block has its name here, and nowhere else; one cursor
// is opened on a service's detail again and again. The writer's side uses them too, to learn which addresses a block holds.

import { PIECES_A_STEP, type Steps } from '../shared/steps.ts'
import {
  EXTERNAL, FLAG, GROUP_CLUSTER, GROUP_COUNTS, GROUP_HOSTNAMES, GROUP_NODE_FIRST, GROUP_PLACES, GROUP_ZONES,
} from './layout.ts' // biome-ignore format: one import

/** Where the parts of a block's head begin, in octets, and where its addresses do. */
export const BLOCK = {
  SIZE: 0,
  KIND: 4,
  FLAGS: 5,
  KEY_LENGTH: 6,
  V4_COUNT: 8,
  V6_COUNT: 12,
  DETAIL: 16,
  ADDRESSES: 20,
} as const

const u16 = (octets: Uint8Array, at: number): number => octets[at]! | (octets[at + 1]! << 8)

/** The u32 that stands `at` octets behind the beginning of a block. */
const wordOf = (words: Int32Array, block: number, at: number): number => words[(block + at) >> 2]!

/** Where the block ends. */
export const endOf = (words: Int32Array, block: number): number => block + wordOf(words, block, BLOCK.SIZE)

/** One of KIND. */
export const kindOf = (octets: Uint8Array, block: number): number => octets[block + BLOCK.KIND]!

/** Of FLAG. */
export const flagsOf = (octets: Uint8Array, block: number): number => octets[block + BLOCK.FLAGS]!

/** How many IPv4 addresses the block's A record set has. */
export const v4CountOf = (words: Int32Array, block: number): number => wordOf(words, block, BLOCK.V4_COUNT)

/** How many IPv6 addresses the block's AAAA record set has. */
export const v6CountOf = (words: Int32Array, block: number): number => wordOf(words, block, BLOCK.V6_COUNT)

/** Where the block's IPv4 addresses begin; its IPv6 addresses follow. */
export const addressesAt = (block: number): number => block + BLOCK.ADDRESSES

/** Where the block's IPv6 addresses begin; its key follows. */
export const v6AddressesAt = (words: Int32Array, block: number): number =>
  addressesAt(block) + 4 * v4CountOf(words, block)

/** Where the block's key begins. */
export const blockKeyAt = (words: Int32Array, block: number): number =>
  v6AddressesAt(words, block) + 16 * v6CountOf(words, block)

/** Octets of the block's key. */
export const keyLengthOf = (octets: Uint8Array, block: number): number =>
  u16(octets, block + BLOCK.KEY_LENGTH)

/** Where the key of a block ends, and what stands behind it begins. */
export const keyEndOf = (words: Int32Array, octets: Uint8Array, block: number): number =>
  blockKeyAt(words, block) + keyLengthOf(octets, block)

/** The offset of a block's detail in the table, or 0. */
export const detailAt = (words: Int32Array, block: number): number => {
  const offset = wordOf(words, block, BLOCK.DETAIL)
  return offset === 0 ? 0 : block + offset
}

/** The number of the port that begins at `at`, or NO_PORT. */
export const portNumber = (octets: Uint8Array, at: number): number => u16(octets, at)

/** The protocol of the port that begins at `at`, by PROTOCOL. */
export const portProtocol = (octets: Uint8Array, at: number): number => octets[at + 2]!

/** Where the name of the port that begins at `at` begins: its length, then its octets. */
export const portNameAt = (at: number): number => at + 3

/** The offset behind the port that begins at `at`. */
export const nextPort = (octets: Uint8Array, at: number): number => at + 4 + octets[at + 3]!

/** Octets before the first of some ports: how many there are, and the octets of them all. */
const PORTS_HEAD_OCTETS = 6

/** The offset behind the ports whose head is at `at`. */
const portsEnd = (octets: Uint8Array, at: number): number =>
  at + PORTS_HEAD_OCTETS + u16(octets, at + 2) + u16(octets, at + 4) * 0x10000

/** The offset behind `count` octet-counted labels that begin at `at`. */
function skipLabels(octets: Uint8Array, at: number, count: number): number {
  for (let i = 0; i < count; i++) at += 1 + octets[at]!
  return at
}

/** The groups of endpoints of one service, one after another. */
export class GroupCursor {
  #octets: Uint8Array = new Uint8Array(0)
  #next = 0
  #left = 0
  /** The service's own ports. */
  servicePortCount = 0
  servicePortsAt = 0
  groupCount = 0
  /** The group that `next` stands on. */
  portCount = 0
  portsAt = 0
  v4Count = 0
  v4At = 0
  v6Count = 0
  v6At = 0
  /** Explicit host names, v4 endpoints before v6 ones, or 0 where every name is made of its address. */
  hostnamesAt = 0
  /** Topology zones in the same order, or 0. */
  zonesAt = 0
  /** Places in the same order, NODE/ZONE,ZONE, or 0. */
  placesAt = 0
  /** Whether those on the client's own node come before those in its zone. */
  nodeFirst = false
  /** How often each endpoint counts, an octet each in the same order, or 0 where each does once. */
  countsAt = 0
  /** The sum of these. */
  counted = 0
  /** The label of the cluster that an imported service's endpoints are in, or 0. */
  clusterAt = 0

  /** Stands before the first group of the detail at `detailAt`; 0 is a service without detail. */
  open(octets: Uint8Array, detailAt: number): void {
    this.#octets = octets
    this.servicePortCount = 0
    this.groupCount = this.#left = 0
    if (detailAt === 0) return
    this.servicePortCount = u16(octets, detailAt)
    this.servicePortsAt = detailAt + PORTS_HEAD_OCTETS
    const groupsAt = portsEnd(octets, detailAt)
    this.groupCount = this.#left = u16(octets, groupsAt)
    this.#next = groupsAt + 2
  }

  /** Moves to the next group; false behind the last. */
  next(): boolean {
    if (this.#left === 0) return false
    this.#left--
    const octets = this.#octets
    this.portCount = u16(octets, this.#next)
    this.portsAt = this.#next + PORTS_HEAD_OCTETS
    let at = portsEnd(octets, this.#next)
    this.v4Count = u16(octets, at)
    this.v6Count = u16(octets, at + 2)
    const flags = octets[at + 4]!
    at += 5
    this.clusterAt = flags & GROUP_CLUSTER ? at : 0
    if (this.clusterAt) at += 1 + octets[at]!
    this.v4At = at
    this.v6At = this.v4At + 4 * this.v4Count
    at = this.v6At + 16 * this.v6Count
    this.hostnamesAt = this.zonesAt = this.placesAt = this.countsAt = 0
    this.nodeFirst = (flags & GROUP_NODE_FIRST) !== 0
    this.counted = this.v4Count + this.v6Count
    if (flags & GROUP_HOSTNAMES) {
      this.hostnamesAt = at
      at = skipLabels(octets, at, this.v4Count + this.v6Count)
    }
    if (flags & GROUP_ZONES) {
      this.zonesAt = at
      at = skipLabels(octets, at, this.v4Count + this.v6Count)
    }
    if (flags & GROUP_PLACES) {
      this.placesAt = at
      at = skipLabels(octets, at, this.v4Count + this.v6Count)
    }
    if (flags & GROUP_COUNTS) {
      this.counted = u16(octets, at) + u16(octets, at + 2) * 0x10000
      this.countsAt = at + 4
      at += 4 + this.v4Count + this.v6Count
    }
    this.#next = at
    return true
  }
}

/** Calls back with where each address or name outside the cluster begins and ends, the octet that says what it is included. */
export function eachExternal(
  words: Int32Array,
  octets: Uint8Array,
  block: number,
  visit: (at: number, end: number) => void,
): void {
  if ((flagsOf(octets, block) & FLAG.EXTERNAL) === 0) return
  let at = keyEndOf(words, octets, block)
  const count = u16(octets, at)
  at += 2
  for (let i = 0; i < count; i++) {
    const kind = octets[at]!
    const end = at + 1 + (kind === EXTERNAL.V4 ? 4 : kind === EXTERNAL.V6 ? 16 : 1 + octets[at + 1]!)
    visit(at, end)
    at = end
  }
}

/**
 * Calls back with what the address index has of the block at `block`: where each address begins and ends, cluster IPs,
 * endpoints, and those outside the cluster with the octet before them. An address may come twice.
 */
export function* addressSteps(
  words: Int32Array,
  octets: Uint8Array,
  block: number,
  visit: (at: number, end: number) => void,
): Steps<void> {
  yield* runSteps(addressesAt(block), v4CountOf(words, block), 4, visit)
  yield* runSteps(v6AddressesAt(words, block), v6CountOf(words, block), 16, visit)
  eachExternal(words, octets, block, (from, end) => {
    if (octets[from] !== EXTERNAL.NAME) visit(from, end)
  })
  const groups = new GroupCursor()
  groups.open(octets, detailAt(words, block))
  while (groups.next()) {
    yield* runSteps(groups.v4At, groups.v4Count, 4, visit)
    yield* runSteps(groups.v6At, groups.v6Count, 16, visit)
  }
}

/** Visits so many addresses of that length, one behind the other. */
function* runSteps(
  at: number,
  count: number,
  length: number,
  visit: (at: number, end: number) => void,
): Steps<void> {
  for (let i = 0; i < count; i++, at += length) {
    visit(at, at + length)
    if ((i + 1) % PIECES_A_STEP === 0) yield
  }
}
