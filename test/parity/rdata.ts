// Zone-file lines as octets, for the scripted upstreams: each type is a list of fields, and a field knows its octets. Shares
// no code with the server.

import { nameOctets, typeNumber } from '../support/dns-question.ts'

/** A piece of record data: octets, or a name, which may be compressed in the types of RFC 1035 alone (RFC 3597 4). */
export type Piece = Uint8Array | { readonly name: string; readonly compress: boolean }

/** A record to send. */
export interface ZoneRecord {
  readonly owner: string
  readonly ttlSeconds: number
  readonly class: number
  readonly type: string
  /** As it stands in the line, and as it is sent. */
  readonly text: string
  readonly data: readonly Piece[]
}

/** Takes its tokens off the list and gives their octets. */
type Field = (tokens: string[]) => Piece

const take = (tokens: string[]): string => {
  const token = tokens.shift()
  if (token === undefined) throw new TypeError('record data end too early')
  return token
}
const number =
  (octets: 1 | 2 | 4): Field =>
  tokens => {
    const buffer = Buffer.alloc(octets)
    buffer.writeUIntBE(Number(take(tokens)), 0, octets)
    return buffer
  }
const u8 = number(1)
const u16 = number(2)
const u32 = number(4)
const old: Field = tokens => ({ name: take(tokens), compress: true })
const plain: Field = tokens => ({ name: take(tokens), compress: false })
const ip: Field = tokens => ipOctets(take(tokens))
const string: Field = tokens => characterString(take(tokens))
const strings: Field = tokens => Buffer.concat(tokens.splice(0).map(characterString))
/** A string without its length, to the end of the data. */
const rest: Field = tokens => characterString(take(tokens)).subarray(1)
const tag: Field = tokens => characterString(take(tokens))
const hex: Field = tokens => Buffer.from(tokens.splice(0).join(''), 'hex')
const base64: Field = tokens => Buffer.from(tokens.splice(0).join(''), 'base64')
const type: Field = tokens => uint16(typeNumber(take(tokens)))
/** YYYYMMDDHHmmSS (RFC 4034 3.2). */
const time: Field = tokens => {
  const text = take(tokens).replace(/^(....)(..)(..)(..)(..)(..)$/, '$1-$2-$3T$4:$5:$6Z')
  const octets = Buffer.alloc(4)
  octets.writeUInt32BE(Date.parse(text) / 1000)
  return octets
}
/** `-` for none (RFC 5155 3.3). */
const salt: Field = tokens => {
  const text = take(tokens)
  const octets = text === '-' ? Buffer.alloc(0) : Buffer.from(text, 'hex')
  return Buffer.from([octets.length, ...octets])
}
const BASE32 = '0123456789abcdefghijklmnopqrstuv'
/** Base32 with its length in front (RFC 5155 3.3). */
const hash: Field = tokens => {
  const bits = [...take(tokens)].map(char => BASE32.indexOf(char).toString(2).padStart(5, '0')).join('')
  const octets = bits.match(/.{8}/g)!.map(octet => Number.parseInt(octet, 2))
  return Buffer.from([octets.length, ...octets])
}
/** The types below 256 (RFC 4034 4.1.2). */
const bitmap: Field = tokens => {
  const octets = Buffer.alloc(32)
  for (const mnemonic of tokens.splice(0)) {
    const bit = typeNumber(mnemonic)
    octets[bit >> 3]! |= 0x80 >> (bit & 7)
  }
  const length = octets.findLastIndex(octet => octet !== 0) + 1
  return Buffer.from(length === 0 ? [] : [0, length, ...octets.subarray(0, length)])
}
/** `alpn=h2` alone (RFC 9460 2.1). */
const parameters: Field = tokens =>
  Buffer.concat(
    tokens.splice(0).map(token => {
      const [key, value = ''] = token.split('=')
      if (key !== 'alpn') throw new TypeError(`parameter ${key} is not known here`)
      const ids = Buffer.concat(value.split(',').map(characterString))
      return Buffer.concat([uint16(1), uint16(ids.length), ids])
    }),
  )

// biome-ignore format: a table
const FIELDS: Readonly<Record<string, readonly Field[]>> = {
  A: [ip], AAAA: [ip], NS: [old], CNAME: [old], PTR: [old], DNAME: [plain], MX: [u16, old], TXT: [strings], SPF: [strings],
  HINFO: [string, string], SOA: [old, old, u32, u32, u32, u32, u32], SRV: [u16, u16, u16, plain],
  NAPTR: [u16, u16, string, string, string, plain], CAA: [u8, tag, rest], SSHFP: [u8, u8, hex], DS: [u16, u8, u8, hex],
  DNSKEY: [u16, u8, u8, base64], RRSIG: [type, u8, u8, u32, time, time, u16, plain, base64], NSEC: [plain, bitmap],
  NSEC3: [u8, u8, u16, salt, hash, bitmap], HTTPS: [u16, plain, parameters],
}

const CLASSES: Readonly<Record<string, number>> = { IN: 1, CH: 3, HS: 4 }

const uint16 = (value: number): Buffer => Buffer.from([value >> 8, value & 255])

/** A character string, its quotes and escapes undone (RFC 1035 3.3, 5.1). */
function characterString(token: string): Buffer {
  const text = token.replace(/^"(.*)"$/s, '$1').replace(/\\(.)/g, '$1')
  const octets = Buffer.from(text, 'latin1')
  if (octets.length > 255) throw new TypeError(`${octets.length} octets are no character string`)
  return Buffer.from([octets.length, ...octets])
}

/** The octets of an address of either family. */
export function ipOctets(address: string): Buffer {
  if (!address.includes(':')) return Buffer.from(address.split('.').map(Number))
  const [head = '', tail] = address.split('::')
  const groups = (text: string | undefined): number[] =>
    text ? text.split(':').map(group => Number.parseInt(group, 16)) : []
  const [front, back] = [groups(head), groups(tail)]
  const all = [...front, ...Array<number>(8 - front.length - back.length).fill(0), ...back]
  return Buffer.from(all.flatMap(group => [group >> 8, group & 255]))
}

/** The data of a record, `\# LENGTH HEX` for any type (RFC 3597 5). Throws TypeError. */
export function dataPieces(type: string, text: string): Piece[] {
  const tokens = text.match(/"(?:[^"\\]|\\.)*"|\S+/gs) ?? []
  if (tokens[0] === '\\#') return [Buffer.from(tokens.slice(2).join(''), 'hex')]
  const fields = FIELDS[type]
  if (!fields) throw new TypeError(`data of type ${type} are not known here`)
  const pieces = fields.map(field => field(tokens))
  if (tokens.length > 0) throw new TypeError(`${type}: ${tokens.join(' ')} is too much in ${text}`)
  return pieces
}

/** `NAME TTL CLASS TYPE DATA`. Throws TypeError. */
export function parseRecord(line: string): ZoneRecord {
  const [, owner = '', ttl, rrclass = '', type = '', data = ''] =
    /^(\S+)\s+(\d+)\s+(\S+)\s+(\S+)\s*(.*)$/s.exec(line.trim()) ?? []
  const number = CLASSES[rrclass]
  if (number === undefined) throw new TypeError(`${line}: not a record`)
  return { owner, ttlSeconds: Number(ttl), class: number, type, text: data, data: dataPieces(type, data) }
}

/** Writes a message from its front to its end, names compressed as real servers do it (RFC 1035 4.1.4). */
export class MessageWriter {
  #octets: number[] = []
  readonly #suffixes = new Map<string, number>()

  get length(): number {
    return this.#octets.length
  }

  octets(): Buffer {
    return Buffer.from(this.#octets)
  }

  raw(octets: Iterable<number>): this {
    this.#octets.push(...octets)
    return this
  }

  u16(...values: readonly number[]): this {
    for (const value of values) this.#octets.push((value >> 8) & 255, value & 255)
    return this
  }

  /** A name with its case kept: only what is spelled the same is pointed at. */
  name(name: string, compress = true): this {
    const octets = nameOctets(name)
    for (let at = 0; octets[at] !== 0; at += octets[at]! + 1) {
      const suffix = Buffer.from(octets.subarray(at)).toString('latin1')
      const known = this.#suffixes.get(suffix)
      if (compress && known !== undefined) return this.u16(0xc000 | known)
      if (known === undefined && this.length < 0x4000) this.#suffixes.set(suffix, this.length)
      this.raw(octets.subarray(at, at + octets[at]! + 1))
    }
    return this.raw([0])
  }

  record({ owner, type, class: rrclass, ttlSeconds, data }: ZoneRecord): this {
    this.name(owner).u16(typeNumber(type), rrclass, ttlSeconds >>> 16, ttlSeconds & 0xffff, 0)
    const start = this.length
    for (const piece of data) {
      if (piece instanceof Uint8Array) this.raw(piece)
      else this.name(piece.name, piece.compress)
    }
    const length = this.length - start
    this.#octets[start - 2] = length >> 8
    this.#octets[start - 1] = length & 255
    return this
  }
}
