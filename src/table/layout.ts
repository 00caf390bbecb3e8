// The answer table's memory: one SharedArrayBuffer, one writer, many readers, no locks.
//
// The buffer is reserved at its bound and touched as it fills: a page that nothing was written to costs nothing, and
// typed arrays over a buffer of fixed length are forty times faster than over a growable one.
//
//   words 0 … 31          the head: what HEAD names
//   words 32 … 32+16·64   the readers' epochs, one cache line each
//   then                  indexes and blocks, as the arena hands them out
//
// Name index (open addressing, one per table): pairs of words [hash, block]; block is the byte offset of a block, EMPTY or
// REMOVED. Address index: pairs [hash of the address, who has it], a service or the offset of a set of them (address-index.ts).
// An index is an arena block whose first word is its capacity in pairs, so that growing is one
// store of its offset.
//
// A service is one block, so all its answers change in one store. Blocks, in octets (numbers little-endian, as the
// machine has them, but addresses in network order):
//
//    0  u32  size of the block
//    4  u8   kind     5  u8  flags     6  u16  key length
//    8  u32  IPv4 addresses that A gives      12  u32  IPv6 addresses that AAAA gives
//   16  u32  offset of the detail, 0 for none
//   20  IPv4 addresses, 4 octets each, then IPv6, 16 octets each, then the key, then, with FLAG.EXTERNAL, the
//       addresses outside the cluster, then the detail
//
// The key of a service is its two labels in lower-case wire form (03 w e b 04 d e m o), of an imported one 0xfe before
// them, of a namespace its one label, of a Pod 0xff, family, address, namespace label, of a client 0xfd, family, address, of a
// place 0xfc, family, bits of the network, network, of
// records 0xfb and the whole name in lower case, of a text 0xfa (StubDomains), or 0xf9 and a namespace (its DNSPolicies), or 0xf8 and one
// (its labels): none of these eight is a label's length.
//
// Addresses outside the cluster (external IPs and load balancers, what k8s_external serves): u16 how many, then each as
// EXTERNAL.V4 and 4 octets, EXTERNAL.V6 and 16, or EXTERNAL.NAME, u8 length and a name in wire form. They are in the address
// index as they stand there, with the octet before them: nobody who looks for an address finds them by accident.
//
// Detail of an ExternalName service: the target's name in wire form. Of any other service, in turn:
//    service ports; u16 number of groups, groups
//    ports: u16 how many, u32 octets of them all, each port
//    port:  u16 number (0: none), u8 protocol (PROTOCOL), u8 length, name in lower case
//    group: ports; u16 v4 endpoints, u16 v6 endpoints, u8 GROUP flags;
//           if GROUP_CLUSTER: u8 length and the label of the cluster they are in;
//           v4 addresses; v6 addresses; if GROUP_HOSTNAMES: per endpoint u8 length and hostname (0: made of the address);
//           if GROUP_ZONES: per endpoint u8 length and topology zone;
//           if GROUP_PLACES: per endpoint u8 length and NODE,NODE/ZONE,ZONE;
//           if GROUP_COUNTS: u32 their sum, then per endpoint u8 how often the slices name it
//
// Detail of a client, which stands for the Pods of one namespace that have the address: u8 CLIENT flags; u8 length and
// namespace, empty for a node's that Pods of several have; u8 length and the Pod's name, empty where several have it or nobody asks; u8 length and
// the address of its node, empty where nobody asks; per label asked for u8 length and
// its value. Detail of a place: u8 length and node; u8 length and topology zone.
//
// Detail of the records of a name outside of the cluster's zones: u16 how many sets, none where names are below it; each u16 type,
// u32 TTL, u16 how many records, each u16 length and data.
//
// Detail of a text: u32 its number, then the text to the block's end (texts.ts).

import { KIND_NAMES, type Kind } from '../objects/objects.ts'
import { halfSipHash } from '../shared/half-siphash.ts'

/** Words of the head. */
export const HEAD = {
  /** LAYOUT_VERSION, so that nobody reads another program's memory as a table. */
  VERSION: 0,
  /** 1 once every kind of object has been listed. */
  SYNCED: 1,
  /** Unix seconds of the last change that DNS shows: the SOA's serial. */
  SERIAL: 2,
  EPOCH: 3,
  /** Byte offsets of the two indexes. */
  NAMES: 4,
  ADDRESSES: 5,
  /** Like SERIAL, of imported services. */
  IMPORT_SERIAL: 7,
  /** Like SERIAL, of services with addresses outside the cluster and headless ones. */
  EXTERNAL_SERIAL: 8,
  /** 1 while the state is one of before this process: a snapshot's. */
  RESTORED: 6,
  /** How old the state is: 0 while it is followed, otherwise packAge(). One word, so that nobody reads half of it. */
  AGE: 9,
  /** Bits for the lengths of networks that are places: of 0 to 32 in two words, of 0 to 128 in five (places.ts). */
  PLACES_V4: 12,
  PLACES_V6: 14,
  /** Another number with each change of the labels of a namespace. */
  LABELS: 19,
  /** Two words: what the hashes of this table are made under. */
  SEED: 10,
  /** Counts changes of clients and places, each once it is published: from 1 on, never 0. */
  CLIENTS: 20,
} as const

const AGE_BITS = 28
const AGE_MAX_SECONDS = (1 << AGE_BITS) - 1

/** A state of that age, of all watches together or of one kind alone; never 0. */
export const packAge = (ageSeconds: number, kind?: Kind): number =>
  Math.max(1, Math.min(Math.round(ageSeconds), AGE_MAX_SECONDS)) |
  (kind === undefined ? 0 : (KIND_NAMES.indexOf(kind) + 1) << AGE_BITS)

/** The seconds in an age that is not 0. */
export const ageSeconds = (age: number): number => age & AGE_MAX_SECONDS

/** Whose age it is: 0 for everything, otherwise one more than the kind's place in KIND_NAMES. */
export const agedKind = (age: number): number => age >>> AGE_BITS

export const LAYOUT_VERSION = 7
export const HEAD_WORDS = 32
/** Threads that may read one table. */
export const READERS_MAX = 64
/** Sixteen words are a cache line: readers do not slow one another. */
export const READER_STRIDE_WORDS = 16
/** Where the arena begins. */
export const ARENA_AT = 4 * (HEAD_WORDS + READERS_MAX * READER_STRIDE_WORDS)

/** Index slots. Real values are larger. */
export const EMPTY = 0
export const REMOVED = 1

/** Kinds of blocks. */
export const KIND = {
  SERVICE: 1,
  NAMESPACE: 2,
  POD: 3,
  IMPORT: 4,
  CLIENT: 5,
  PLACE: 6,
  RECORDS: 7,
  TEXT: 8,
} as const

/** The first octet of keys that are no names. */
export const KEY = {
  LABELS: 0xf8,
  POLICY: 0xf9,
  STUBS: 0xfa,
  RECORDS: 0xfb,
  PLACE: 0xfc,
  CLIENT: 0xfd,
  IMPORT: 0xfe,
  POD: 0xff,
} as const

/** Flags of a service's block. */
export const FLAG = {
  /** clusterIP None: records are of endpoints. */
  HEADLESS: 1,
  EXTERNAL_NAME: 2,
  /** Headless without a ready address: the name does not exist (specification 2.4.1). */
  NO_READY: 4,
  /** A ClusterIP service without a ready address where `ignore empty_service` hides it. */
  IGNORED: 8,
  /** ExternalName whose target is an address or no name at all: the name does not exist. */
  BAD_TARGET: 16,
  /** Slices without their Service: PTR alone answers from them. */
  NO_SERVICE: 32,
  /** There are addresses outside the cluster. */
  EXTERNAL: 64,
  /** Its endpoints are known with their places: those near a client come first, by zone. */
  NEAR: 128,
} as const

/** What an address outside the cluster is. */
export const EXTERNAL = { NAME: 0, V4: 4, V6: 6 } as const

/** The client's address is its node's: other processes have it, too. */
export const CLIENT_HOST_NETWORK = 1

export const GROUP_HOSTNAMES = 1
export const GROUP_ZONES = 2
export const GROUP_CLUSTER = 4
export const GROUP_COUNTS = 8
export const GROUP_PLACES = 16
/** Those on the client's own node come before those in its zone. */
export const GROUP_NODE_FIRST = 32

/** Protocols of ports by label. */
export const PROTOCOL: Readonly<Record<string, number>> = { tcp: 0, udp: 1, sctp: 2 }
export const PROTOCOL_LABELS: readonly string[] = ['tcp', 'udp', 'sctp']
/** A port without a number; no port has this one. */
export const NO_PORT = 0

/** The words of the head of a set of owners (address-index.ts), and where its slots begin. */
export const SET = { SLOTS: 0, LIVE: 1, USED: 2, SLOTS_AT: 3 } as const
export const SET_SLOTS_MIN = 4

/**
 * The hash of a key or an address, in octets[at … end), under the table's own seed (HEAD.SEED): nobody can choose keys that
 * meet in one place. Never below 2.
 */
export function hashOctets(k0: number, k1: number, octets: Uint8Array, at: number, end: number): number {
  const hash = halfSipHash(k0, k1, octets, at, end)
  return hash >>> 0 < 2 ? 2 : hash
}

/** Where a hash's place in an index with that mask begins. A mark has the same place as its hash. */
export const slotOf = (hash: number, mask: number): number => (hash >>> 1) & mask

/** What stands for a service in the address index: its key's hash, made odd; two hashes have one mark. */
export const markOf = (keyHash: number): number => keyHash | 1

/** Whether an owner in the address index is a mark, and not the offset of a set. */
export const isMark = (owner: number): boolean => (owner & 1) === 1 && owner !== REMOVED
