// Zone names of a Corefile: checked, lower case and fully qualified; networks turned into the reverse zones that cover
// them (coredns plugin/normalize.go and plugin/pkg/cidr; RFC 1035 3.5, RFC 3596 2.5).
//
//   Example.ORG   example.org.
//   10.0.0.0/12   0.10.in-addr.arpa.  1.10.in-addr.arpa.  …  15.10.in-addr.arpa.
//   2001:db8::/31 8.b.d.0.1.0.0.2.ip6.arpa.  9.b.d.0.1.0.0.2.ip6.arpa.

import { parseIpOctets } from '../shared/ip.ts'
import { LABEL_MAX_OCTETS, NAME_MAX_OCTETS } from '../wire/name.ts'

/** What a text gave: a value, or why it gave none (lower case, no full stop). */
export type Read<T> = { readonly value: T } | { readonly reason: string }

/** An IPv4 or IPv6 network; the host bits of `octets` are zero. */
export interface Network {
  readonly family: 4 | 6
  /** 4 or 16 octets. */
  readonly octets: Uint8Array
  /** 0..32 or 0..128. */
  readonly prefixLength: number
}

/** Something that only a network can be meant by: an address and a slash, or digits and dots before and digits behind it. */
const NETWORK_SHAPE = /^[\d.]+\/\d+$|^[\d.]+\.[\d.]+\/[^.]*$|^[0-9a-f.]*:[0-9a-f:.]*\/.*$/i

/**
 * A zone name or a network, as the zones it stands for: one for a name, up to 128 for a network whose prefix does not
 * end with a label. The reason names the fault of a text that is neither.
 */
export function parseZones(text: string): Read<string[]> {
  if (!NETWORK_SHAPE.test(text)) {
    const zone = parseZone(text)
    return 'reason' in zone ? zone : { value: [zone.value] }
  }
  const zones = reverseZones(text)
  return zones === undefined
    ? { reason: 'not a network: an address without holes, a slash and a prefix length are needed' }
    : { value: zones }
}

/** A zone name in lower case with its final dot; the root is '.'. Never reads a network. */
export function parseZone(text: string): Read<string> {
  if (text === '.') return { value: '.' }
  if (text === '') return { reason: 'empty zone name' }
  if (/[^\x21-\x7e]/.test(text)) {
    return /\s/.test(text)
      ? { reason: 'a zone name holds no blanks' }
      : { reason: 'a zone name is ASCII; write an internationalised name in its xn-- form' }
  }
  if (/[:"(){},]/.test(text)) return { reason: `a zone name holds no ${/[:"(){},]/.exec(text)![0]}` }
  const labels = (text.endsWith('.') && !text.endsWith('\\.') ? text.slice(0, -1) : text).match(
    /(?:\\\d{3}|\\\D|[^.\\])+|(?<=^|\.)(?=\.|$)|\\/g,
  )!
  let octets = 1
  for (const label of labels) {
    if (label === '') return { reason: 'a zone name holds no empty label' }
    if (label === '\\')
      return { reason: 'a backslash in a zone name stands before a character or three digits' }
    const length = label.replace(/\\(?:\d{3}|\D)/g, 'x').length
    if (length > LABEL_MAX_OCTETS) return { reason: `a label of ${length} octets; the longest has 63` }
    octets += length + 1
  }
  if (octets > NAME_MAX_OCTETS) return { reason: `a name of ${octets} octets; the longest has 255` }
  return { value: `${labels.join('.').toLowerCase()}.` }
}

/**
 * The reverse zones that together cover a network in CIDR notation, in address order: a prefix that does not end on a
 * label (8 bits of IPv4, 4 of IPv6) is split into the 2 to 128 longer ones that do. Host bits are ignored, as CoreDNS
 * ignores them; undefined where `cidr` is no network.
 */
export function reverseZones(cidr: string): string[] | undefined {
  const network = parseNetwork(cidr)
  if (network === undefined) return undefined
  const { family, octets, prefixLength } = network
  const bitsPerLabel = family === 4 ? 8 : 4
  const labelCount = Math.ceil(prefixLength / bitsPerLabel)
  const labels = family === 4 ? [...octets] : [...octets].flatMap(octet => [octet >> 4, octet & 15])
  const base = family === 4 ? 10 : 16
  const tail = family === 4 ? 'in-addr.arpa.' : 'ip6.arpa.'
  const zones: string[] = []
  for (let i = 0; i < 1 << (labelCount * bitsPerLabel - prefixLength); i++) {
    const path = labels.slice(0, labelCount)
    if (i > 0) path[labelCount - 1]! += i
    zones.push([...path.reverse().map(label => label.toString(base)), tail].join('.'))
  }
  return zones
}

/** A network in CIDR notation with its host bits cleared; undefined where the text is none. */
export function parseNetwork(cidr: string): Network | undefined {
  const [address = '', length = ''] = cidr.split('/', 2)
  if (!/^\d{1,3}$/.test(length) || cidr.split('/').length !== 2) return undefined
  const octets = parseIpOctets(address)
  const prefixLength = Number(length)
  if (octets === undefined || prefixLength > octets.length * 8) return undefined
  for (let bit = prefixLength; bit < octets.length * 8; bit++) octets[bit >> 3]! &= ~(0x80 >> (bit & 7))
  return { family: octets.length === 4 ? 4 : 6, octets, prefixLength }
}
