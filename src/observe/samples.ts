// Samples of queries on their way from the serving threads to the control thread, which finds out of them who asks most, for
// what, and what fails (traffic.ts). A sample stands for as many queries as its weight says.
//
//   0 weight u16   2 rcode, 255 for silence   3 family   4 address, 16 octets   20 octets of the name
//   21 … the name in lower case, as on the wire

import { ipFromBytes } from '../shared/ip.ts'
import { readU16, writeU16 } from '../wire/header.ts'
import { formatName, NAME_MAX_OCTETS } from '../wire/name.ts'

const ADDRESS_AT = 4
const NAME_AT = 21
/** Octets of a sample at most. */
export const SAMPLE_MAX_OCTETS = NAME_AT + NAME_MAX_OCTETS
/** In place of a code: nobody got a reply. */
export const SILENT = 255

/** One sampled query, with what became of it. */
export interface Sample {
  /** How many queries it stands for. */
  readonly weight: number
  /** SILENT where there was no reply. */
  readonly rcode: number
  /** The client's address. */
  readonly client: string
  /** In lower case, with its final dot. */
  readonly name: string
}

/** What a sample is written from. */
export interface Sampled {
  readonly weight: number
  readonly rcode: number
  /** The client's address at address[addressAt …), 4 octets of it or 16. */
  readonly address: Uint8Array
  readonly addressAt: number
  readonly family: 4 | 6
  readonly folded: Uint8Array
  readonly foldedLength: number
}

/** Writes a sample to out[at …); returns the offset behind it. */
export function writeSample(out: Uint8Array, at: number, sampled: Sampled): number {
  const { address, addressAt, family, folded, foldedLength } = sampled
  writeU16(out, at, sampled.weight)
  out[at + 2] = sampled.rcode
  out[at + 3] = family
  const addressOctets = family === 4 ? 4 : 16
  for (let i = 0; i < addressOctets; i++) out[at + ADDRESS_AT + i] = address[addressAt + i]!
  out[at + NAME_AT - 1] = foldedLength
  for (let i = 0; i < foldedLength; i++) out[at + NAME_AT + i] = folded[i]!
  return at + NAME_AT + foldedLength
}

/** Reads the samples that a serving thread wrote. */
export function* readSamples(octets: Uint8Array): Generator<Sample> {
  for (let at = 0; at < octets.length; ) {
    const nameEnd = at + NAME_AT + octets[at + NAME_AT - 1]!
    const addressEnd = at + ADDRESS_AT + (octets[at + 3] === 4 ? 4 : 16)
    yield {
      weight: readU16(octets, at),
      rcode: octets[at + 2]!,
      client: ipFromBytes(octets.slice(at + ADDRESS_AT, addressEnd)).text,
      name: formatName(octets.slice(at + NAME_AT, nameEnd)),
    }
    at = nameEnd
  }
}
