// The memory of a cache, which all serving threads share: off every heap, made with the configuration, and touched as it fills.
// Each of its halves has
//
//   words     lock, head, tail, entries …                            HEAD
//   slots     what changes about an entry: hits, refreshes           SLOT_WORDS each, as many as entries
//   free      slots that no entry has, a stack
//   index     by hash: the first entry of a chain                    a power of two
//   ring      entries, one behind another, the oldest at the tail    units of 8 octets
//
//   entry     units  hash  next  slot | stored (double) | ttl  lengths  reply  run  reason | key  message  ttl at, ttl at, …  reason
//
// An entry is known by a place: how many units were written before it since the ring was empty. It stays what it is for as long as
// its place is not behind the tail; a reader looks at the tail again once it has copied what it needs. Places begin anew before
// they come to 32 bits. The ring is as long as `octetsMax` says, and begins anew before its end where what is in it needs half of
// what lies behind it, or less: memory that was never needed is never touched.

import type { SideConfig } from './config.ts'

/** Words at the head of a half. */
export const HEAD = {
  /** Whose turn it is to write: the number of a thread and 1, or 0. */
  LOCK: 0,
  /** Where the next entry goes, and where the oldest one begins: places. */
  HEAD: 1,
  TAIL: 2,
  ENTRIES: 3,
  FREE: 4,
  SEED: 5,
  /** Units at the end of the ring that were left out, while the tail is before them. */
  SKIPPED: 6,
} as const
const HEAD_WORDS = 16

/** Words of a slot. */
export const SLOT = {
  /** Whether somebody was served from it since it was last moved. */
  USED: 0,
  /** Hits without a gap, and the last of them, in ms. */
  HITS: 1,
  LAST_HIT: 2,
  /** Until when no refresh begins, in ms; 0: now. */
  RETRY: 3,
} as const
export const SLOT_WORDS = 4

/** Words of an entry's head. */
export const ENTRY = {
  /** Units of the whole; of what nothing is in, below 0. */
  UNITS: 0,
  HASH: 1,
  /** The next entry of the chain; 0 is none. */
  NEXT: 2,
  /** The slot; below 0 once nobody finds the entry any more. */
  SLOT: 3,
  /** A double: on the clock of the machine, in ms. */
  STORED: 4,
  TTL: 6,
  /** Octets of the key, and of the message << 16. */
  LENGTHS: 7,
  /** The code, ANSWERING, EMPTY, and the number of records << 16. */
  REPLY: 8,
  /** Where the addresses to be shuffled begin, and how many << 16. */
  RUN: 9,
  /** The extended error and 1, and the octets of its text << 16. */
  REASON: 10,
} as const
/** It holds what was asked for; there is nothing in it that a client could use. */
export const ANSWERING = 16
export const EMPTY = 32
export const ENTRY_WORDS = 12
export const UNIT_OCTETS = 8
export const UNIT_WORDS = 2

/** Where in a half each part begins, in words, and how large it is. */
export interface HalfLayout {
  readonly entriesMax: number
  readonly slotsAt: number
  readonly freeAt: number
  readonly indexAt: number
  readonly indexSize: number
  /** In words. */
  readonly ringAt: number
  readonly ringUnits: number
  readonly octets: number
}

export function layoutOf({ entriesMax, octetsMax }: SideConfig): HalfLayout {
  const indexSize = 2 ** Math.ceil(Math.log2(entriesMax + 1))
  const slotsAt = HEAD_WORDS
  const freeAt = slotsAt + SLOT_WORDS * entriesMax
  const indexAt = freeAt + entriesMax
  const ringAt = Math.ceil((indexAt + indexSize) / UNIT_WORDS) * UNIT_WORDS
  const ringUnits = Math.floor(octetsMax / UNIT_OCTETS)
  return {
    entriesMax,
    slotsAt,
    freeAt,
    indexAt,
    indexSize,
    ringAt,
    ringUnits,
    octets: 4 * ringAt + UNIT_OCTETS * ringUnits,
  }
}

/** Memory for both halves of a cache. */
export const cacheMemory = (success: SideConfig, denial: SideConfig): SharedArrayBuffer =>
  new SharedArrayBuffer(layoutOf(success).octets + layoutOf(denial).octets)
