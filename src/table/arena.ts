// Hands out memory of the table's buffer to its one writer. Sizes are rounded to classes a quarter apart at most; a freed
// block goes to its class's list and is handed out again before fresh memory is touched, so that a cluster that changes
// for ever needs no more than at its fullest moment.

import { ARENA_AT } from './layout.ts'

/** The table's bound is reached; what was being published is kept out, the last good state goes on being served. */
export class TableFullError extends Error {
  readonly code = 'TABLE_FULL'
  constructor(neededOctets: number, limitOctets: number) {
    super(`publishing ${neededOctets} octets in an answer table of at most ${limitOctets}`)
  }
}

export class Arena {
  readonly #limitOctets: number
  #top = ARENA_AT
  #liveOctets = 0
  readonly #free = new Map<number, number[]>()

  constructor(limitOctets: number) {
    this.#limitOctets = limitOctets
  }

  /** Octets ever touched: what the table costs in resident memory. */
  get touchedOctets(): number {
    return this.#top
  }

  /** Octets in blocks that are in use or wait for readers to leave. */
  get liveOctets(): number {
    return this.#liveOctets
  }

  /** Throws TableFullError where `allocate` would. */
  check(octets: number): void {
    const size = sizeClass(octets)
    if (this.#top + size > this.#limitOctets && !this.#free.get(size)?.length)
      throw new TableFullError(octets, this.#limitOctets)
  }

  /** The byte offset of a block of at least `octets`, aligned to 16. Throws TableFullError at the bound. */
  allocate(octets: number): number {
    this.check(octets)
    const size = sizeClass(octets)
    const reused = this.#free.get(size)?.pop()
    this.#liveOctets += size
    if (reused !== undefined) return reused
    const at = this.#top
    this.#top += size
    return at
  }

  /** Takes back a block of that size, given by `allocate`. */
  release(at: number, octets: number): void {
    const size = sizeClass(octets)
    this.#liveOctets -= size
    const list = this.#free.get(size)
    if (list) list.push(at)
    else this.#free.set(size, [at])
  }
}

/** Multiples of 16 up to 128, then four classes for every doubling. */
export function sizeClass(octets: number): number {
  if (octets <= 128) return Math.max(16, (octets + 15) & ~15)
  const step = 1 << (29 - Math.clz32(octets - 1))
  return Math.ceil(octets / step) * step
}
