// The weight file of `loadbalance weighted FILE` (CoreDNS plugin/loadbalance, "Weightfile"): a name on a line of its own,
// below it addresses with weights of 1 … 255. An address that is not listed weighs 1.
//
//   # comment
//   www.example.com
//   100.64.1.1 3
//   100.64.1.2 1

import { parseIp } from '../../shared/ip.ts'
import { readU32 } from '../../wire/header.ts'
import { nameKey, parseName } from '../../wire/name.ts'

/** Octets of a weight file; a larger one is refused. */
export const WEIGHT_FILE_MAX_OCTETS = 4 * 1024 * 1024

/** Weights by nameKey of the owner, then by `addressKey`. */
export type Weights = ReadonlyMap<string, ReadonlyMap<string | number, number>>

/** An address of 4 or 16 octets, at octets[from … to), as a key. */
export const addressKey = (octets: Uint8Array, from = 0, to: number = octets.length): string | number =>
  to - from === 4 ? readU32(octets, from) : Buffer.prototype.latin1Slice.call(octets, from, to)

/** Reads a weight file's text; a string says what is wrong with which line. */
export function parseWeights(text: string): Weights | string {
  const weights = new Map<string, Map<string | number, number>>()
  let current: Map<string | number, number> | undefined
  for (const [index, line] of text.split('\n').entries()) {
    const [first, second, ...further] = line.trim().split(/\s+/)
    if (first === undefined || first === '' || first.startsWith('#')) continue
    const at = (what: string): string => `line ${index + 1}: ${what}`
    const ip = parseIp(first)
    if (further.length > 0) return at('neither a name nor an address with its weight')
    if (second === undefined) {
      const name = parseName(first)
      if (ip !== undefined) return at(`the address ${first} has no weight`)
      if (name === undefined) return at(`${first} is no domain name`)
      const key = nameKey(name)
      current = weights.get(key) ?? new Map()
      weights.set(key, current)
      continue
    }
    const weight = /^\d{1,3}$/.test(second) ? Number(second) : 0
    if (ip === undefined) return at(`${first} is no IP address`)
    if (weight < 1 || weight > 255) return at(`the weight ${second} is not a number from 1 to 255`)
    if (current === undefined) return at('a domain name must come before the first address')
    // Of two lines for one address the first counts, as in CoreDNS.
    const key = addressKey(ip.bytes)
    if (!current.has(key)) current.set(key, weight)
  }
  return weights
}
