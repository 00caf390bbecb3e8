// Readers of one field of record data, or of all fields that are left (RFC 1035 5.1, RFC 4034, RFC 5155): text to octets.
// A reader takes its fields from the cursor and returns their octets, or tells the cursor what is wrong.

import { familyOf, parseCidr, parseIp } from '../../shared/ip.ts'
import { parseName } from '../name.ts'
import { parseType } from '../rrtype.ts'
import { type Cursor, type Reader, readName, readString, readTtl } from './cursor.ts'

/** An unsigned integer of `octets` octets in network order. */
export function unsigned(value: number, octets: number): Uint8Array {
  const out = new Uint8Array(octets)
  for (let i = octets - 1, left = value; i >= 0; i--, left = Math.floor(left / 256)) out[i] = left
  return out
}

/** A name, uncompressed. */
export const name: Reader = cursor => {
  const text = cursor.take('a name')
  if (text === undefined) return undefined
  const read = readName(text, cursor.origin)
  if (read) return read
  const relative = cursor.origin === undefined && (text === '@' || parseName(text) !== undefined)
  return cursor.fail(
    relative ? 'a relative name, and no origin to put behind it' : 'this is not a domain name',
  )
}

const integer =
  (octets: number): Reader =>
  cursor => {
    const text = cursor.take('a number')
    if (text === undefined) return undefined
    if (/^\d{1,10}$/.test(text) && Number(text) < 256 ** octets) return unsigned(Number(text), octets)
    return cursor.fail(`this is not a number from 0 to ${256 ** octets - 1}`)
  }

export const u8 = integer(1)
export const u16 = integer(2)
export const u32 = integer(4)

/** Seconds with or without units, as 32 bits. */
export const seconds: Reader = cursor => {
  const text = cursor.take('a number of seconds')
  if (text === undefined) return undefined
  const value = readTtl(text)
  return value === undefined ? cursor.fail('this is not a number of seconds') : unsigned(value, 4)
}

export const ipv4: Reader = cursor => {
  const text = cursor.take('an IPv4 address')
  if (text === undefined) return undefined
  const ip = text.includes(':') ? undefined : parseIp(text)
  return ip ? ip.bytes : cursor.fail('this is not an IPv4 address')
}

export const ipv6: Reader = cursor => {
  const text = cursor.take('an IPv6 address')
  if (text === undefined) return undefined
  return readIpv6(text) ?? cursor.fail('this is not an IPv6 address')
}

/** All 16 octets of an IPv6 address, of an IPv4-mapped one as well. */
export function readIpv6(text: string): Uint8Array | undefined {
  const ip = familyOf(text) === 6 ? parseIp(text) : undefined
  if (ip === undefined) return undefined
  return ip.family === 6 ? ip.bytes : Uint8Array.of(0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 255, 255, ...ip.bytes)
}

/** A character string of at most 255 octets with its length before it. */
export const string: Reader = cursor => {
  const octets = plain(cursor)
  if (octets === undefined) return undefined
  return octets.length <= 255 ? Uint8Array.of(octets.length, ...octets) : cursor.fail('more than 255 octets')
}

/** A string whose length nothing but the record's end tells (CAA, URI). */
export const plain: Reader = cursor => {
  const text = cursor.take('a string')
  if (text === undefined) return undefined
  return readString(text) ?? cursor.fail('a backslash stands before a character or three digits up to 255')
}

/** One character string or more; one of more than 255 octets becomes several. */
export const strings: Reader = cursor => {
  const parts: Uint8Array[] = []
  do {
    const octets = plain(cursor)
    if (octets === undefined) return undefined
    for (let at = 0; at === 0 || at < octets.length; at += 255) {
      const part = octets.subarray(at, at + 255)
      parts.push(Uint8Array.of(part.length), part)
    }
  } while (cursor.has)
  return Buffer.concat(parts)
}

/** Reads one field as one piece, or everything left. */
const encoded = (
  what: string,
  shape: RegExp,
  encoding: 'hex' | 'base64',
): { readonly word: Reader; readonly rest: Reader } => {
  const decode = (cursor: Cursor, text: string | undefined): Uint8Array | undefined => {
    if (text === undefined) return undefined
    return shape.test(text) ? Buffer.from(text, encoding) : cursor.fail(`this is not ${what}`)
  }
  return {
    word: cursor => decode(cursor, cursor.take(what)),
    rest: cursor =>
      decode(
        cursor,
        cursor.has
          ? cursor
              .rest()
              .map(field => field.text)
              .join('')
          : cursor.take(what),
      ),
  }
}

/** In hexadecimal digits. */
export const { word: hexWord, rest: hex } = encoded('hexadecimal data', /^(?:[0-9a-f]{2})+$/i, 'hex')

const BASE64 = /^(?:[a-z0-9+/]{4})*(?:[a-z0-9+/]{2,3}={0,2})?$/i
/** In Base64. */
export const { word: base64Word, rest: base64 } = encoded('Base64 data', BASE64, 'base64')

/** The salt of NSEC3 (RFC 5155 3.3): hexadecimal digits, `-` for none, the length before it. */
export const salt: Reader = cursor => {
  const text = cursor.take('a salt')
  if (text === undefined) return undefined
  const octets = text === '-' ? Buffer.alloc(0) : Buffer.from(text, 'hex')
  const good = text === '-' || (octets.length * 2 === text.length && octets.length <= 255)
  return good ? Uint8Array.of(octets.length, ...octets) : cursor.fail('this is not a salt')
}

/** A hashed name of NSEC3 (RFC 5155 3.3): Base 32 with the extended hex alphabet, the length before it. */
export const hashedName: Reader = cursor => {
  const text = cursor.take('a hashed name')
  if (text === undefined) return undefined
  if (!/^[0-9a-v]{2,400}$/i.test(text)) return cursor.fail('this is not a hashed name')
  const octets: number[] = []
  let bits = 0
  let held = 0
  for (const digit of text) {
    held = ((held << 5) | Number.parseInt(digit, 32)) & 0xfff
    bits += 5
    if (bits < 8) continue
    bits -= 8
    octets.push((held >> bits) & 255)
  }
  return Uint8Array.of(octets.length, ...octets)
}

/** A type by its mnemonic. */
export const type: Reader = cursor => {
  const text = cursor.take('a type')
  if (text === undefined) return undefined
  const number = parseType(text)
  return number === undefined ? cursor.fail('this is not a type') : unsigned(number, 2)
}

/** Everything left as types, in the bit map of RFC 4034 4.1.2. */
export const types: Reader = cursor => {
  const windows = new Map<number, Uint8Array>()
  while (cursor.has) {
    const number = parseType(cursor.take('a type')!)
    if (number === undefined) return cursor.fail('this is not a type')
    const bits = windows.get(number >> 8) ?? new Uint8Array(32)
    bits[(number & 255) >> 3]! |= 0x80 >> (number & 7)
    windows.set(number >> 8, bits)
  }
  const parts = [...windows]
    .sort(([a], [b]) => a - b)
    .flatMap(([window, bits]) => {
      const length = bits.findLastIndex(octet => octet !== 0) + 1
      return [window, length, ...bits.subarray(0, length)]
    })
  return Uint8Array.from(parts)
}

/** Everything left as types below 128, in the bit map of RFC 2535 5.2. */
export const oldTypes: Reader = cursor => {
  const bits = new Uint8Array(16)
  while (cursor.has) {
    const number = parseType(cursor.take('a type')!)
    if (number === undefined || number > 127) return cursor.fail('this is not a type below 128')
    bits[number >> 3]! |= 0x80 >> (number & 7)
  }
  return bits.subarray(0, bits.findLastIndex(octet => octet !== 0) + 1)
}

/** A moment of RRSIG (RFC 4034 3.2): YYYYMMDDHHmmSS in UTC, or seconds since 1970. */
export const moment: Reader = cursor => {
  const text = cursor.take('a moment')
  if (text === undefined) return undefined
  const parts = /^(\d{4})(\d\d)(\d\d)(\d\d)(\d\d)(\d\d)$/.exec(text)?.slice(1).map(Number)
  if (parts === undefined) {
    const good = /^\d{1,10}$/.test(text) && Number(text) < 2 ** 32
    return good ? unsigned(Number(text), 4) : cursor.fail('this is not a moment such as 20300131235959')
  }
  const [year = 0, month = 0, ...rest] = parts
  return unsigned((Date.UTC(year, month - 1, ...rest) / 1000) % 2 ** 32, 4)
}

/** An algorithm of DNSSEC by number or mnemonic (RFC 4034 A.1, RFC 6605, RFC 8080). */
export const algorithm: Reader = cursor => {
  const known = ALGORITHMS[cursor.peek()?.text.toUpperCase() ?? '']
  if (known === undefined) return u8(cursor)
  cursor.take('an algorithm')
  return Uint8Array.of(known)
}

const ALGORITHMS: Readonly<Record<string, number>> = {
  RSAMD5: 1, DH: 2, DSA: 3, RSASHA1: 5, 'DSA-NSEC3-SHA1': 6, 'RSASHA1-NSEC3-SHA1': 7, RSASHA256: 8, RSASHA512: 10,
  'ECC-GOST': 12, ECDSAP256SHA256: 13, ECDSAP384SHA384: 14, ED25519: 15, ED448: 16, INDIRECT: 252, PRIVATEDNS: 253,
  PRIVATEOID: 254,
} // biome-ignore format: a table

/** Octets written `xx-xx-…` (RFC 7043). */
export const eui =
  (octets: number): Reader =>
  cursor => {
    const text = cursor.take('an address')
    if (text === undefined) return undefined
    const good = new RegExp(`^(?:[0-9a-f]{2}-){${octets - 1}}[0-9a-f]{2}$`, 'i').test(text)
    return good ? Buffer.from(text.replaceAll('-', ''), 'hex') : cursor.fail('this is not such an address')
  }

/** A kind of certificate by number or mnemonic (RFC 4398 2.1). */
export const certificateType: Reader = cursor => {
  const known = CERTIFICATE_TYPES[cursor.peek()?.text.toUpperCase() ?? '']
  if (known === undefined) return u16(cursor)
  cursor.take('a kind of certificate')
  return unsigned(known, 2)
}

const CERTIFICATE_TYPES: Readonly<Record<string, number>> = {
  PKIX: 1, SPKI: 2, PGP: 3, IPKIX: 4, IPIX: 4, ISPKI: 5, IPGP: 6, ACPKIX: 7, IACPKIX: 8, URI: 253, OID: 254,
} // biome-ignore format: a table

/** 64 bits written `xxxx:xxxx:xxxx:xxxx` (RFC 6742). */
export const nodeId: Reader = cursor => {
  const text = cursor.take('an identifier')
  if (text === undefined) return undefined
  const good = /^(?:[0-9a-f]{4}:){3}[0-9a-f]{4}$/i.test(text)
  return good ? Buffer.from(text.replaceAll(':', ''), 'hex') : cursor.fail('this is not such an identifier')
}

/** Everything left as networks `[!]FAMILY:ADDRESS/LENGTH` (RFC 3123 section 5), zeros at their ends left out. */
export const networks: Reader = cursor => {
  const parts: Uint8Array[] = []
  while (cursor.has) {
    const [, not = '', family = '', text = ''] = /^(!?)([12]):(.*)$/.exec(cursor.take('a network')!) ?? []
    const network = text.includes('/') ? parseCidr(text) : undefined
    if (network?.family !== (family === '1' ? 4 : 6) || !network.text.startsWith(canonical(text)))
      return cursor.fail('this is not a network such as 1:192.0.2.0/24 or !2:2001:db8::/32')
    const octets = network.network.subarray(0, network.network.findLastIndex(octet => octet !== 0) + 1)
    const length = octets.length | (not === '' ? 0 : 0x80)
    parts.push(Uint8Array.of(0, Number(family), network.prefixLength, length), octets)
  }
  return Buffer.concat(parts)
}

/** The address of a network as it is compared: no bit behind the prefix may be set. */
const canonical = (text: string): string => `${parseIp(text.slice(0, text.indexOf('/')))?.text}/`
