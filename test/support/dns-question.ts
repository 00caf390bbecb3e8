// The questions that tests send: types and classes by name, names in presentation or wire form, EDNS fields, encoded
// apart from src/wire so that one may judge the other. Also encodes what RFC 1035 forbids: tests send that too.

/** Types by mnemonic; any other is written TYPEn (RFC 3597 section 5). */
// biome-ignore format: a table
export const TYPES: Readonly<Record<string, number>> = {
  A: 1, NS: 2, CNAME: 5, SOA: 6, NULL: 10, PTR: 12, HINFO: 13, MX: 15, TXT: 16, RP: 17, AFSDB: 18, SIG: 24, KEY: 25,
  AAAA: 28, LOC: 29, SRV: 33, NAPTR: 35, CERT: 37, DNAME: 39, OPT: 41, DS: 43, SSHFP: 44, RRSIG: 46, NSEC: 47,
  DNSKEY: 48, NSEC3: 50, TLSA: 52, CDS: 59, SVCB: 64, HTTPS: 65, SPF: 99, TKEY: 249, TSIG: 250, IXFR: 251, AXFR: 252,
  MAILB: 253, MAILA: 254, ANY: 255, URI: 256, CAA: 257,
}
const CLASSES: Readonly<Record<string, number>> = { IN: 1, CS: 2, CH: 3, HS: 4, NONE: 254, ANY: 255 }
const mnemonics = (table: Readonly<Record<string, number>>): Map<number, string> =>
  new Map(Object.entries(table).map(([name, number]) => [number, name]))
const typeNames = mnemonics(TYPES)
const classNames = mnemonics(CLASSES)

const numberOf = (table: Readonly<Record<string, number>>, prefix: string, word: string | number): number => {
  if (typeof word === 'number') return word
  const upper = word.toUpperCase()
  const number = table[upper] ?? Number(upper.startsWith(prefix) ? upper.slice(prefix.length) : Number.NaN)
  if (!Number.isInteger(number)) throw new TypeError(`unknown ${prefix.toLowerCase()} ${word}`)
  return number
}
/** The number of a type: a mnemonic in any case, TYPEn or a number. Throws TypeError on another word. */
export const typeNumber = (type: string | number): number => numberOf(TYPES, 'TYPE', type)
/** The mnemonic of a type number, or TYPEn. */
export const typeText = (type: number): string => typeNames.get(type) ?? `TYPE${type}`
/** The mnemonic of a class number, or CLASSn. */
export const classText = (number: number): string => classNames.get(number) ?? `CLASS${number}`
/** One EDNS option (RFC 6891 6.1.2). */
export interface EdnsOption {
  readonly code: number
  readonly data: Uint8Array
}

/** The OPT record of a question; every field has the usual default. */
export interface EdnsQuestion {
  /** Announced payload in octets, default 1232. */
  readonly udpSize?: number
  readonly version?: number
  readonly dnssecOk?: boolean
  /** All sixteen flag bits, instead of dnssecOk. */
  readonly flags?: number
  readonly options?: readonly EdnsOption[]
}

/** A question to encode. */
export interface Question {
  /** Presentation form (final dot supplied, `\DDD` escapes) or wire form. */
  readonly name: string | Uint8Array
  /** Mnemonic, TYPEn or number; default A. */
  readonly type?: string | number
  /** Mnemonic, CLASSn or number; default IN. */
  readonly class?: string | number
  readonly id?: number
  readonly opcode?: number
  /** Recursion desired; default true, as stub resolvers ask. */
  readonly rd?: boolean
  readonly cd?: boolean
  readonly ad?: boolean
  /** True for a plain OPT record, or its fields; default none. */
  readonly edns?: boolean | EdnsQuestion
  /** Of an IXFR: the serial of the zone that the client claims to have (RFC 1995 3: an SOA in the authority section). */
  readonly serial?: number
}

/** A name in wire form, lengths unchecked on purpose: tests also send what is not allowed. */
export function nameOctets(name: string | Uint8Array): Uint8Array {
  if (typeof name !== 'string') return name
  const octets: number[] = []
  let label: number[] = []
  const close = (): void => {
    octets.push(label.length, ...label)
    label = []
  }
  for (let at = 0; at < name.length; at++) {
    const char = name[at]!
    if (char === '.') {
      if (label.length > 0) close()
    } else if (char === '\\') {
      const digits = /^\d{3}/.exec(name.slice(at + 1))?.[0]
      label.push(digits ? Number(digits) & 0xff : name.charCodeAt(at + 1) & 0xff)
      at += digits ? 3 : 1
    } else label.push(...Buffer.from(char, char.charCodeAt(0) < 0x100 ? 'latin1' : 'utf8'))
  }
  if (label.length > 0) close()
  return Uint8Array.from([...octets, 0])
}

/** Encodes a question with `id` (RFC 1035 4.1, RFC 6891 6.1). */
export function encodeQuestion(question: Question, id = question.id ?? 0): Uint8Array {
  const qname = nameOctets(question.name)
  const opt = question.edns ? encodeOpt(question.edns === true ? {} : question.edns) : Buffer.alloc(0)
  const octets = Buffer.alloc(12 + qname.length + 4)
  octets.writeUInt16BE(id, 0)
  octets[2] = ((question.opcode ?? 0) << 3) | ((question.rd ?? true) ? 1 : 0)
  octets[3] = (question.ad ? 0x20 : 0) | (question.cd ? 0x10 : 0)
  octets.writeUInt16BE(1, 4)
  octets.writeUInt16BE(question.serial === undefined ? 0 : 1, 8)
  octets.writeUInt16BE(question.edns ? 1 : 0, 10)
  octets.set(qname, 12)
  octets.writeUInt16BE(typeNumber(question.type ?? 'A'), 12 + qname.length)
  octets.writeUInt16BE(numberOf(CLASSES, 'CLASS', question.class ?? 'IN'), 14 + qname.length)
  const soa = question.serial === undefined ? Buffer.alloc(0) : encodeSoa(qname, question.serial)
  return Uint8Array.from(Buffer.concat([octets, soa, opt]))
}

/** Two root names and five numbers, of which only the serial counts. */
function encodeSoa(owner: Uint8Array, serial: number): Buffer {
  const fixed = Buffer.alloc(10)
  fixed.writeUInt16BE(TYPES.SOA!, 0)
  fixed.writeUInt16BE(1, 2)
  fixed.writeUInt16BE(22, 8)
  const data = Buffer.alloc(22)
  data.writeUInt32BE(serial, 2)
  return Buffer.concat([owner, fixed, data])
}

function encodeOpt(edns: EdnsQuestion): Buffer {
  const options = (edns.options ?? []).map(({ code, data }) => {
    const head = Buffer.alloc(4)
    head.writeUInt16BE(code, 0)
    head.writeUInt16BE(data.length, 2)
    return Buffer.concat([head, data])
  })
  const data = Buffer.concat(options)
  const fixed = Buffer.alloc(11)
  fixed.writeUInt16BE(TYPES.OPT!, 1)
  fixed.writeUInt16BE(edns.udpSize ?? 1232, 3)
  fixed[6] = edns.version ?? 0
  fixed.writeUInt16BE(edns.flags ?? (edns.dnssecOk ? 0x8000 : 0), 7)
  fixed.writeUInt16BE(data.length, 9)
  return Buffer.concat([fixed, data])
}
