// A hosts file's memory: one SharedArrayBuffer that is written once and read by every serving thread, so that its names are held
// once however many threads serve them. A file that changes is another image.
//
//   words 0 … 1    the seed of the hashes
//   words 2 … 10   of each of three multimaps (multimap.ts): words of its rows, words of its index, octets of its names
//   then           of each: rows, index
//   then           of each: which lengths of names there are, in 256 octets; names and values
//
// The multimaps: addresses by name, by the name behind a star, and names by the reverse name of their address.

import type { HashSeed } from '../../shared/half-siphash.ts'
import { type MultimapArrays, NameMultimap } from './multimap.ts'

const MAPS = 3
const HEAD_WORDS = 2 + 3 * MAPS
const LENGTHS_OCTETS = 256

/** Writes the image of three multimaps. */
export function writeImage([k0, k1]: HashSeed, maps: readonly MultimapArrays[]): SharedArrayBuffer {
  const words = maps.reduce((sum, { rows, index }) => sum + rows.length + index.length, HEAD_WORDS)
  const octets = maps.reduce((sum, map) => sum + LENGTHS_OCTETS + map.octets.length, 0)
  const buffer = new SharedArrayBuffer(4 * words + octets)
  const head = new Int32Array(buffer, 0, HEAD_WORDS)
  head.set([k0, k1])
  head.set(
    maps.flatMap(map => [map.rows.length, map.index.length, map.octets.length]),
    2,
  )
  for (const [i, part] of partsOf(buffer).entries()) {
    const { rows, index, lengths, octets } = maps[i]!
    part.rows.set(rows)
    part.index.set(index)
    part.lengths.set(lengths)
    part.octets.set(octets)
  }
  return buffer
}

/** The multimaps of an image. */
export function readImage(buffer: SharedArrayBuffer): readonly NameMultimap[] {
  const [k0 = 0, k1 = 0] = new Int32Array(buffer, 0, 2)
  return partsOf(buffer).map(part => new NameMultimap([k0, k1], part))
}

function partsOf(buffer: SharedArrayBuffer): MultimapArrays[] {
  const head = new Int32Array(buffer, 0, HEAD_WORDS)
  const sizes = Array.from({ length: MAPS }, (_, i) => [...head.subarray(2 + 3 * i, 5 + 3 * i)])
  let wordAt = HEAD_WORDS
  const words = (length = 0): Int32Array => {
    wordAt += length
    return new Int32Array(buffer, 4 * (wordAt - length), length)
  }
  const tables = sizes.map(([rows, index]) => ({ rows: words(rows), index: words(index) }))
  let octetAt = 4 * wordAt
  const octets = (length = 0): Uint8Array => {
    octetAt += length
    return new Uint8Array(buffer, octetAt - length, length)
  }
  return tables.map((table, i) => ({
    ...table,
    lengths: octets(LENGTHS_OCTETS),
    octets: octets(sizes[i]![2]),
  }))
}
