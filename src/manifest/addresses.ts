// Addresses for objects that name none. An address comes from a hash of the object's key, so it does not depend on
// what else the folder holds; only where two hashes meet does the later key take the next free address. What has been
// given out is remembered while the process runs, so that even then an edit renumbers nothing else.

import { ipFromBytes, parseIp } from '../shared/ip.ts'

/** The ranges that kubeadm and kind use; the first 256 addresses of a range are left to those who choose by hand. */
const POOLS = {
  /** 10.244.0.0/16 without .0 and .255 */
  podV4: {
    base: '10.244.0.0',
    size: 255 * 254,
    offset: (i: number) => (1 + Math.floor(i / 254)) * 256 + 1 + (i % 254),
  },
  /** fd00:10:244::/64, of which 32 bits are used */
  podV6: { base: 'fd00:10:244::', size: 0xffff_0000, offset: (i: number) => i + 256 },
  /** 10.96.0.0/12 without .0 and .255 */
  serviceV4: {
    base: '10.96.0.0',
    size: 4095 * 254,
    offset: (i: number) => (1 + Math.floor(i / 254)) * 256 + 1 + (i % 254),
  },
  /** fd00:10:96::/112 */
  serviceV6: { base: 'fd00:10:96::', size: 0xff00, offset: (i: number) => i + 256 },
} as const

export type PoolName = keyof typeof POOLS

/** The pools' names in order, by family. */
export const POD_POOLS: readonly PoolName[] = ['podV4', 'podV6']
export const SERVICE_POOLS: readonly PoolName[] = ['serviceV4', 'serviceV6']

/** Remembers which key has which generated address, one book a folder. */
export class AddressBook {
  /** Indexes into the pool by key. */
  readonly #given = new Map<PoolName, ReadonlyMap<string, number>>()

  /**
   * Gives each key an address that is neither taken nor given to another key; a key that had one keeps it. Keys that
   * are not asked for again are forgotten. A key is missing from the result when the pool is used up.
   */
  assign(
    poolName: PoolName,
    keys: Iterable<string>,
    taken: ReadonlySet<string>,
  ): ReadonlyMap<string, string> {
    const addressAt = addressOf(poolName)
    const places = new Places(POOLS[poolName].size)
    const before = this.#given.get(poolName)
    const given = new Map<string, number>()
    const fresh: string[] = []
    for (const key of new Set(keys)) {
      const index = before?.get(key)
      if (index === undefined || taken.has(addressAt(index))) fresh.push(key)
      else {
        places.use(index)
        given.set(key, index)
      }
    }
    for (const key of fresh.sort()) {
      let index = places.free(hash32(key))
      while (index !== undefined && taken.has(addressAt(index))) {
        places.use(index)
        index = places.free(index)
      }
      if (index === undefined) break
      places.use(index)
      given.set(key, index)
    }
    this.#given.set(poolName, given)
    return new Map([...given].map(([key, index]) => [key, addressAt(index)]))
  }
}

/** The places of a pool, used or free: the next free one is found in a few steps however full the pool is. */
class Places {
  readonly #size: number
  /** For a used place, some later place up to which all are used. */
  readonly #next = new Map<number, number>()

  constructor(size: number) {
    this.#size = size
  }

  use(index: number): void {
    this.#next.set(index, (index + 1) % this.#size)
  }

  /** The first free place from here on, around the end; undefined when all are used. */
  free(start: number): number | undefined {
    if (this.#next.size === this.#size) return undefined
    const passed: number[] = []
    let index = start % this.#size
    for (let next = this.#next.get(index); next !== undefined; next = this.#next.get(index)) {
      passed.push(index)
      index = next
    }
    for (const used of passed) this.#next.set(used, index)
    return index
  }
}

/** Gives the canonical address at an index of a pool. */
function addressOf(poolName: PoolName): (index: number) => string {
  const { base, offset } = POOLS[poolName]
  const network = parseIp(base)?.bytes ?? new Uint8Array(4)
  return index => {
    const bytes = Uint8Array.from(network)
    let rest = offset(index)
    for (let i = bytes.length - 1; rest > 0; i--) {
      rest += bytes[i]!
      bytes[i] = rest & 0xff
      rest = Math.floor(rest / 256)
    }
    return ipFromBytes(bytes).text
  }
}

/** FNV-1a over the text's UTF-16 units, then the finish of MurmurHash3, so that near names lie far apart. */
export function hash32(text: string): number {
  let hash = 0x811c9dc5
  for (let i = 0; i < text.length; i++) hash = Math.imul(hash ^ text.charCodeAt(i), 0x01000193)
  hash = Math.imul(hash ^ (hash >>> 16), 0x85ebca6b)
  hash = Math.imul(hash ^ (hash >>> 13), 0xc2b2ae35)
  return (hash ^ (hash >>> 16)) >>> 0
}

/** The letters that Kubernetes makes name suffixes of (no vowels, nothing that looks like another letter). */
const SUFFIX_LETTERS = 'bcdfghjklmnpqrstvwxz2456789'

/** A five-letter suffix in the manner of Kubernetes, the same for the same text. */
export function suffixOf(text: string): string {
  let rest = hash32(text)
  let suffix = ''
  for (let i = 0; i < 5; i++) {
    suffix += SUFFIX_LETTERS[rest % SUFFIX_LETTERS.length]
    rest = Math.floor(rest / SUFFIX_LETTERS.length)
  }
  return suffix
}
