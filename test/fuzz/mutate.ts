// Changes of a packet's octets, whatever they mean: bits, values that parsers stumble over, pieces cut out, put in, doubled,
// moved; counts and flags of the header; half of one packet before half of another.

import type { Random } from '../support/random.ts'
import { octets } from './queries.ts'

const INTERESTING = [0, 1, 2, 0x3f, 0x40, 0x7f, 0x80, 0xbf, 0xc0, 0xc1, 0xff]
/** What most queries stay below; the server reads 4096 over UDP. */
const OCTETS_MAX = 4096

type Change = (random: Random, packet: Buffer, other: Uint8Array) => Buffer

const changes: readonly Change[] = [
  (random, packet) => set(packet, random.below(packet.length), old => old ^ (1 << random.below(8))),
  (random, packet) => set(packet, random.below(packet.length), () => random.pick(INTERESTING)),
  (random, packet) => set(packet, random.below(packet.length), () => random.below(256)),
  // Counts and flags.
  (random, packet) => set(packet, 2 + random.below(10), () => random.pick(INTERESTING)),
  // A label's length, one up or down, wherever it may stand.
  (random, packet) =>
    set(
      packet,
      12 + random.below(Math.max(1, packet.length - 12)),
      old => old + (random.chance(50) ? 1 : 255),
    ),
  (random, packet) => packet.subarray(0, random.below(packet.length + 1)),
  (random, packet) => Buffer.concat([packet, octets(random, random.below(64))]),
  (random, packet) => {
    const at = random.below(packet.length + 1)
    return Buffer.concat([packet.subarray(0, at), octets(random, 1 + random.below(8)), packet.subarray(at)])
  },
  (random, packet) => {
    const at = random.below(packet.length)
    return Buffer.concat([packet.subarray(0, at), packet.subarray(at + 1 + random.below(8))])
  },
  (random, packet) => {
    const at = random.below(packet.length)
    const piece = packet.subarray(at, at + 1 + random.below(32))
    return Buffer.concat([
      packet.subarray(0, at),
      ...Array.from({ length: 1 + random.below(8) }, () => piece),
      packet.subarray(at),
    ])
  },
  // A pointer, two octets of 11 and where it leads.
  (random, packet) => {
    const at = 12 + random.below(Math.max(1, packet.length - 12))
    return set(
      set(packet, at, () => 0xc0),
      at + 1,
      () => random.below(packet.length + 4),
    )
  },
  (random, packet, other) =>
    Buffer.concat([
      packet.subarray(0, random.below(packet.length + 1)),
      other.subarray(random.below(other.length + 1)),
    ]),
]

function set(packet: Buffer, at: number, change: (old: number) => number): Buffer {
  const copy = Buffer.from(packet)
  if (at < copy.length) copy[at] = change(copy[at]!) & 255
  return copy
}

/** The packet changed once to five times; `other` lends its octets. */
export function mutated(random: Random, packet: Uint8Array, other: Uint8Array): Uint8Array {
  let changed: Buffer = Buffer.from(packet)
  for (let left = 1 + random.below(5); left > 0 && changed.length > 0; left--)
    changed = random.pick(changes)(random, changed, other)
  return changed.subarray(0, OCTETS_MAX)
}
