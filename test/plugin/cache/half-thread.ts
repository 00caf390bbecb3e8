// Entries that tell whether they are whole: every octet of their message is made of name and version. As a worker: puts and reads
// them beside other threads, and tells how many it has found, and how many were torn.

import { isMainThread, parentPort, workerData } from 'node:worker_threads'
import type { SideConfig } from '../../../src/plugin/cache/config.ts'
import { CacheHalf, type EntryDraft } from '../../../src/plugin/cache/half.ts'
import { ENTRY, ENTRY_WORDS, layoutOf } from '../../../src/plugin/cache/layout.ts'
import { hashOf } from '../../../src/shared/hash-index.ts'
import { seededRandom } from '../../support/random.ts'

export const KEY_OCTETS = 4

export const sideOf = (entriesMax: number, octetsMax: number): SideConfig => ({
  entriesMax,
  octetsMax,
  ttlMaxSeconds: 60,
  ttlMinSeconds: 0,
  exceptZones: [],
})

export const keyOf = (name: number): Uint8Array => Uint8Array.of(1, 2, name >> 8, name)

/** An entry of a name whose message has so many octets behind its version. */
export function filledWith(name: number, version: number, length: number, hash: number): EntryDraft {
  const head = new Int32Array(ENTRY_WORDS)
  const octets = new Uint8Array(KEY_OCTETS + 4 + length)
  octets.set(keyOf(name))
  new DataView(octets.buffer).setUint32(KEY_OCTETS, version)
  octets.fill(fillOf(name, version), KEY_OCTETS + 4)
  head[ENTRY.HASH] = hash
  head[ENTRY.LENGTHS] = KEY_OCTETS | ((4 + length) << 16)
  return { head, octets, length: octets.length, storedAtMs: version }
}

const fillOf = (name: number, version: number): number => (name * 31 + version) & 255

/** The version of a whole entry of that name; undefined where it went meanwhile, -1 where it is torn. */
export function readWhole(half: CacheHalf, place: number, name: number): number | undefined {
  if (place === 0) return undefined
  const at = half.wordAt(place)
  const length = half.words[at + ENTRY.LENGTHS]! >>> 16
  const storedAtMs = half.doubles[(at + ENTRY.STORED) / 2]!
  const from = 4 * (at + ENTRY_WORDS) + KEY_OCTETS
  const octets = new Uint8Array(half.octets.subarray(from, from + length))
  if (!half.isThere(place)) return undefined
  const version = new DataView(octets.buffer).getUint32(0)
  const isWhole = octets.length >= 4 && octets.subarray(4).every(octet => octet === fillOf(name, version))
  return isWhole && storedAtMs === version ? version : -1
}

if (!isMainThread && parentPort) {
  const { memory, side, thread, rounds } = workerData as {
    readonly memory: SharedArrayBuffer
    readonly side: SideConfig
    readonly thread: number
    readonly rounds: number
  }
  const half = new CacheHalf(memory, 0, layoutOf(side), thread, 1)
  const random = seededRandom(thread + 1)
  let [found, torn, kept] = [0, 0, 0]
  for (let i = 1; i <= rounds; i++) {
    const name = Math.floor(random() * 100)
    const key = keyOf(name)
    const hash = hashOf(half.seed, key, 0, KEY_OCTETS)
    if (random() < 0.3) {
      const draft = filledWith(name, i, Math.floor(random() * 400), hash)
      if (half.put(draft, hash, KEY_OCTETS)) kept++
      continue
    }
    const place = half.find(hash, key, KEY_OCTETS)
    const version = readWhole(half, place, name)
    if (version === undefined) continue
    found++
    if (version < 0) torn++
    half.used(half.words[half.wordAt(place) + ENTRY.SLOT]!)
  }
  parentPort.postMessage({ found, torn, kept, balance: half.balance })
}
