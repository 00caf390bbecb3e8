// A zone's memory: one SharedArrayBuffer that is written once (builder.ts) and read by every serving thread (image.ts), so
// that a zone is held once however many threads serve it. A zone that changes is another image.
//
//   words 0 … 15   the head: what HEAD names
//   then           the order: offsets of the nodes in canonical order (RFC 4034 6.1), one word each
//   then           the nodes with NSEC3 records (RFC 5155), in order: that of their hashes
//   then           the index (open addressing by the hash of the name): offsets of nodes, 0 for an empty slot
//   then           the SOA, which is no node's: it counts whatever its owner, as in CoreDNS
//   then           nodes, the apex first in order
//
// A node is a name that exists, an empty non-terminal included (RFC 4592 2.2.2). In octets, numbers big-endian:
//    u8 length of the name, the name in lower-case wire form, u16 number of rrsets, rrsets in the order of the file
//    rrset:  u16 type, u32 number of records, u32 octets of its records, records
//    record: u32 TTL in seconds, u16 octets of the data, the data with names in full
// The RRSIG records of a node are one rrset.

import { FOLD } from '../../wire/name.ts'

/** Words of the head. */
export const HEAD = {
  /** Nodes in the order. */
  NODES: 0,
  /** Slots of the index, a power of two. */
  SLOTS: 1,
  /** Records, the SOA not counted. */
  RECORDS: 2,
  /** Offset of the SOA: length and name of its owner, then a record. */
  SOA: 3,
  /** Nodes with NSEC3 records. */
  HASHED: 4,
} as const

/** Where the order begins. */
export const ORDER_AT_WORD = 16

/** Octets of an rrset before its records: type, number, length. */
export const RRSET_HEAD = 10
/** Octets of a record before its data: TTL, length. */
export const RECORD_HEAD = 6

/** FNV-1a over name[at …), folded. */
export function hashName(name: Uint8Array, at: number): number {
  let hash = 0x811c9dc5
  for (; at < name.length; at++) hash = Math.imul(hash ^ FOLD[name[at]!]!, 0x01000193)
  hash ^= hash >>> 15
  return Math.imul(hash, 0x2c1b3c6d)
}

/** A string whose order is the canonical order of names (RFC 4034 6.1): labels from the right, each octet raised by one. */
export function orderKey(name: Uint8Array): string {
  const labels: string[] = []
  for (let at = 0; name[at] !== 0; at += name[at]! + 1) {
    const raised = Array.from(name.subarray(at + 1, at + 1 + name[at]!), octet => FOLD[octet]! + 1)
    labels.unshift(String.fromCharCode(...raised))
  }
  return labels.join('\0')
}
