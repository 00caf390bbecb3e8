// IP addresses and blocks as values: text to bytes and back to the one canonical spelling, so that addresses can be
// compared as strings everywhere else. Reads what Go's net.ParseIP reads (the rules that Kubernetes and CoreDNS share):
// dotted quads without leading zeros, RFC 4291 text, no zone identifiers; ::ffff:a.b.c.d is the IPv4 address a.b.c.d.

/** 4 or 6, as in ipFamilies and in A against AAAA. */
export type IpFamily = 4 | 6

export interface Ip {
  readonly family: IpFamily
  /** 4 or 16 octets in network order. */
  readonly bytes: Uint8Array
  /** The canonical spelling: dotted quad, or RFC 5952. */
  readonly text: string
}

export interface Cidr {
  readonly family: IpFamily
  /** The network's octets; the bits behind the prefix are zero. */
  readonly network: Uint8Array
  readonly prefixLength: number
  /** Canonical: NETWORK/LENGTH. */
  readonly text: string
}

const V6_TEXT_MAX = 45

/** Reads an IPv4 or IPv6 address; undefined for anything else. */
export function parseIp(text: string): Ip | undefined {
  const bytes = new Uint8Array(16)
  const length = readIp(text, bytes, 0)
  return length === 0 ? undefined : ipFromBytes(bytes.slice(0, length))
}

const scratch = new Uint8Array(16)

/** The one canonical spelling of an address; undefined for anything else. */
export function canonicalIp(text: string): string | undefined {
  const length = readIp(text, scratch, 0)
  if (length === 0) return undefined
  // A dotted quad has no other spelling.
  if (length === 4 && !text.includes(':')) return text
  return ipFromBytes(scratch.slice(0, length)).text
}

/**
 * Reads an address into octets[at …], which has room for 16, and returns how many it has: 4 or 16, an IPv4-mapped one 4, or 0
 * where the text is none. A hundred thousand are read of one slice: by characters, without splitting.
 */
export function readIp(text: string, octets: Uint8Array, at: number): 0 | 4 | 16 {
  if (text.length > V6_TEXT_MAX) return 0
  if (readV4(text, 0, octets, at)) return 4
  if (!readV6(text, octets, at)) return 0
  for (let i = 0; i < 10; i++) if (octets[at + i] !== 0) return 16
  if (octets[at + 10] !== 0xff || octets[at + 11] !== 0xff) return 16
  octets.copyWithin(at, at + 12, at + 16)
  return 4
}

/** The 4 or 16 octets of an address as it is written: an IPv4-mapped one stays IPv6. */
export function parseIpOctets(text: string): Uint8Array | undefined {
  if (text.length > V6_TEXT_MAX) return undefined
  const octets = new Uint8Array(16)
  if (readV4(text, 0, octets, 0)) return octets.slice(0, 4)
  return readV6(text, octets, 0) ? octets : undefined
}

/**
 * 4 or 6 as the text is written, 0 where it is no address; a zone may follow an IPv6 one. As `isIP` of node:net, whose patterns are
 * so long that compiling them takes 3.5 ms of a start.
 */
export function familyOf(text: string): IpFamily | 0 {
  const percent = text.indexOf('%')
  const address = percent < 0 ? text : text.slice(0, percent)
  if (address.length > V6_TEXT_MAX) return 0
  if (percent < 0 && readV4(text, 0, scratch, 0)) return 4
  if (!readV6(address, scratch, 0)) return 0
  return percent < 0 || ZONE.test(text.slice(percent + 1)) ? 6 : 0
}

/** RFC 4007 11.2, in the letters that Node takes. */
const ZONE = /^[0-9A-Za-z.:-]+$/

/** Makes the value of 4 or 16 octets; an IPv4-mapped address becomes IPv4. */
export function ipFromBytes(bytes: Uint8Array): Ip {
  if (bytes.length === 16 && isMapped(bytes)) return ipFromBytes(bytes.slice(12))
  const v4 = bytes.length === 4
  return {
    family: v4 ? 4 : 6,
    bytes,
    text: v4 ? `${bytes[0]}.${bytes[1]}.${bytes[2]}.${bytes[3]}` : formatV6(bytes),
  }
}

/** Reads ADDRESS/LENGTH, or an address alone as a block of one; bits behind the prefix are cleared. */
export function parseCidr(text: string): Cidr | undefined {
  const slash = text.indexOf('/')
  const ip = parseIp(slash < 0 ? text : text.slice(0, slash))
  if (!ip) return undefined
  const bits = ip.bytes.length * 8
  const length = slash < 0 ? String(bits) : text.slice(slash + 1)
  if (!/^(0|[1-9]\d{0,2})$/.test(length) || Number(length) > bits) return undefined
  const prefixLength = Number(length)
  const network = ip.bytes.map((octet, i) => octet & maskOctet(prefixLength, i))
  const base = ip.family === 4 ? network.join('.') : formatV6(network)
  return { family: ip.family, network, prefixLength, text: `${base}/${prefixLength}` }
}

/** Whether the block holds the address; blocks and addresses of different families never match. */
export function contains(cidr: Cidr, ip: Ip): boolean {
  if (cidr.family !== ip.family) return false
  return cidr.network.every((octet, i) => octet === (ip.bytes[i]! & maskOctet(cidr.prefixLength, i)))
}

const maskOctet = (prefixLength: number, i: number): number =>
  (0xff00 >> Math.min(8, Math.max(0, prefixLength - i * 8))) & 0xff

const isMapped = (b: Uint8Array): boolean =>
  b[10] === 0xff && b[11] === 0xff && b.subarray(0, 10).every(octet => octet === 0)

const ZERO = 0x30
const DOT = 0x2e
const COLON = 0x3a

/** Reads text from `from` to its end as a dotted quad. */
function readV4(text: string, from: number, octets: Uint8Array, at: number): boolean {
  let part = 0
  let number = -1
  for (let i = from; i <= text.length; i++) {
    const digit = i < text.length ? text.charCodeAt(i) - ZERO : DOT - ZERO
    if (digit === DOT - ZERO) {
      if (number < 0 || part === 4) return false
      octets[at + part++] = number
      number = -1
    } else {
      // A leading zero is no decimal number (Go's net.ParseIP refuses it too).
      if (digit < 0 || digit > 9 || number === 0) return false
      number = number < 0 ? digit : number * 10 + digit
      if (number > 255) return false
    }
  }
  return part === 4
}

/** RFC 4291 2.2: eight groups, one `::` for a run of zeros, the last 32 bits perhaps as a dotted quad. */
function readV6(text: string, octets: Uint8Array, at: number): boolean {
  const end = at + 16
  let to = at
  /** Where the octets behind `::` begin. */
  let gap = -1
  let i = 0
  if (text.charCodeAt(0) === COLON) {
    if (text.charCodeAt(1) !== COLON) return false
    gap = to
    i = 2
  }
  while (i < text.length) {
    const from = i
    let group = 0
    for (; i < text.length; i++) {
      const digit = hexDigit(text.charCodeAt(i))
      if (digit < 0) break
      group = group * 16 + digit
    }
    if (i > from && text.charCodeAt(i) === DOT) {
      if (to + 4 > end || !readV4(text, from, octets, to)) return false
      to += 4
      break
    }
    if (i === from || i - from > 4 || to === end) return false
    octets[to++] = group >> 8
    octets[to++] = group
    if (i === text.length) break
    if (text.charCodeAt(i++) !== COLON || i === text.length) return false
    if (text.charCodeAt(i) !== COLON) continue
    if (gap >= 0) return false
    gap = to
    i++
  }
  if (gap < 0) return to === end
  if (to === end) return false
  const behind = to - gap
  octets.copyWithin(end - behind, gap, to)
  octets.fill(0, gap, end - behind)
  return true
}

function hexDigit(code: number): number {
  if (code >= ZERO && code <= 0x39) return code - ZERO
  const letter = code | 0x20
  return letter >= 0x61 && letter <= 0x66 ? letter - 0x57 : -1
}

/** RFC 5952 section 4: lower case, no leading zeros, the longest (then first) run of two or more zeros as `::`. */
function formatV6(bytes: Uint8Array): string {
  const zeros = longestZeros(bytes, 0)
  const start = zeros >> 4
  const length = zeros & 15
  let text = ''
  for (let i = 0; i < 8; i++) {
    if (i === start && length > 0) {
      text += '::'
      i += length - 1
    } else {
      const between = i > 0 && !text.endsWith(':') ? ':' : ''
      text += between + groupOf(bytes, 0, i).toString(16)
    }
  }
  return text
}

/** HOT: the run of groups of the IPv6 address at octets[at …) that is written `::`: 16 times the first, and how many; 0 is none. */
export function longestZeros(octets: Uint8Array, at: number): number {
  let start = 0
  let longest = 1
  for (let i = 0; i < 8; i++) {
    let end = i
    while (end < 8 && groupOf(octets, at, end) === 0) end++
    if (end - i > longest) {
      start = i
      longest = end - i
    }
    i = Math.max(i, end - 1)
  }
  return longest > 1 ? (start << 4) | longest : 0
}

/** One of the eight groups of the IPv6 address at octets[at …). */
export const groupOf = (octets: Uint8Array, at: number, i: number): number =>
  (octets[at + i * 2]! << 8) | octets[at + i * 2 + 1]!

/** The name that an address has in a reverse zone (RFC 1035 3.5, RFC 3596 2.5). */
export function reverseName(address: string): string {
  const { bytes, family } = parseIp(address)!
  if (family === 4) return `${[...bytes].reverse().join('.')}.in-addr.arpa.`
  const nibbles = [...bytes].flatMap(octet => [octet >> 4, octet & 15])
  return `${nibbles
    .reverse()
    .map(nibble => nibble.toString(16))
    .join('.')}.ip6.arpa.`
}
