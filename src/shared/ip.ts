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
  const bytes = parseIpOctets(text)
  return bytes && ipFromBytes(bytes)
}

/** The same as the 4 or 16 octets that are written: an IPv4-mapped address stays IPv6. */
export function parseIpOctets(text: string): Uint8Array | undefined {
  if (text.length > V6_TEXT_MAX) return undefined
  return text.includes(':') ? parseV6(text) : parseV4(text)
}

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

/** A hundred thousand of these are read when a large cluster is listed: by characters, without splitting. */
function parseV4(text: string): Uint8Array | undefined {
  const bytes = new Uint8Array(4)
  let part = 0
  let number = -1
  for (let i = 0; i <= text.length; i++) {
    const digit = i < text.length ? text.charCodeAt(i) - ZERO : DOT - ZERO
    if (digit === DOT - ZERO) {
      if (number < 0 || part === 4) return undefined
      bytes[part++] = number
      number = -1
    } else {
      // A leading zero is no decimal number (Go's net.ParseIP refuses it too).
      if (digit < 0 || digit > 9 || number === 0) return undefined
      number = number < 0 ? digit : number * 10 + digit
      if (number > 255) return undefined
    }
  }
  return part === 4 ? bytes : undefined
}

const ZERO = 0x30
const DOT = 0x2e

/** RFC 4291 2.2: eight groups, one `::` for a run of zeros, the last 32 bits perhaps as a dotted quad. */
function parseV6(text: string): Uint8Array | undefined {
  let head = text
  let tail: Uint8Array | undefined
  if (text.includes('.')) {
    const colon = text.lastIndexOf(':')
    tail = parseV4(text.slice(colon + 1))
    if (!tail) return undefined
    head = `${text.slice(0, colon + 1)}${((tail[0]! << 8) | tail[1]!).toString(16)}:${((tail[2]! << 8) | tail[3]!).toString(16)}`
  }
  const halves = head.split('::')
  if (halves.length > 2) return undefined
  const groups = halves.map(half => (half === '' ? [] : half.split(':')))
  if (!groups.flat().every(group => /^[0-9a-f]{1,4}$/i.test(group))) return undefined
  const missing = 8 - groups.flat().length
  if (halves.length === 1 ? missing !== 0 : missing < 1) return undefined
  const all = [
    ...groups[0]!,
    ...new Array<string>(halves.length === 1 ? 0 : missing).fill('0'),
    ...(groups[1] ?? []),
  ]
  const bytes = new Uint8Array(16)
  all.forEach((group, i) => {
    const value = Number.parseInt(group, 16)
    bytes[i * 2] = value >> 8
    bytes[i * 2 + 1] = value & 0xff
  })
  return bytes
}

/** RFC 5952 section 4: lower case, no leading zeros, the longest (then first) run of two or more zeros as `::`. */
function formatV6(bytes: Uint8Array): string {
  const groups = Array.from({ length: 8 }, (_, i) => (bytes[i * 2]! << 8) | bytes[i * 2 + 1]!)
  let start = -1
  let longest = 1
  for (let i = 0; i < 8; i++) {
    let end = i
    while (end < 8 && groups[end] === 0) end++
    if (end - i > longest) {
      start = i
      longest = end - i
    }
    i = Math.max(i, end - 1)
  }
  const hex = groups.map(group => group.toString(16))
  if (start < 0) return hex.join(':')
  return `${hex.slice(0, start).join(':')}::${hex.slice(start + longest).join(':')}`
}
