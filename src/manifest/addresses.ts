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
  readonly #given = new Map<PoolName, ReadonlyMap<string, string>>()

  /**
   * Gives each key an address that is neither taken nor given to another key; a key that had one keeps it. Keys that
   * are not asked for again are forgotten. A key is missing from the result when the pool is used up.
   */
  assign(
    poolName: PoolName,
    keys: Iterable<string>,
    taken: ReadonlySet<string>,
  ): ReadonlyMap<string, string> {
    const pool = POOLS[poolName]
    const before = this.#given.get(poolName)
    const given = new Map<string, string>()
    const used = new Set<string>()
    const fresh: string[] = []
    for (const key of new Set(keys)) {
      const address = before?.get(key)
      if (address === undefined || taken.has(address)) fresh.push(key)
      else {
        given.set(key, address)
        used.add(address)
      }
    }
    for (const key of fresh.sort()) {
      if (used.size + taken.size >= pool.size) break
      let i = hash32(key) % pool.size
      let address = addressAt(poolName, i)
      while (taken.has(address) || used.has(address)) {
        i = (i + 1) % pool.size
        address = addressAt(poolName, i)
      }
      given.set(key, address)
      used.add(address)
    }
    this.#given.set(poolName, given)
    return given
  }
}

/** The address at an index of a pool, canonical. */
function addressAt(poolName: PoolName, index: number): string {
  const { base, offset } = POOLS[poolName]
  const bytes = Uint8Array.from(parseIp(base)?.bytes ?? [])
  let rest = offset(index)
  for (let i = bytes.length - 1; rest > 0; i--) {
    rest += bytes[i]
    bytes[i] = rest & 0xff
    rest = Math.floor(rest / 256)
  }
  return ipFromBytes(bytes).text
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
