// DNS messages as tests see them: a strict decoder, written apart from src/wire so that one may judge the other. Names
// are binary-safe: presentation form with `\.` and `\DDD` escapes (RFC 1035 5.1), the case kept. A record is one line,
// `web.demo.svc.cluster.local. 5 IN A 10.0.0.1`.

import { classText, type EdnsOption, TYPES, typeText } from './dns-question.ts'

// biome-ignore format: a table
const RCODES = [
  'NOERROR', 'FORMERR', 'SERVFAIL', 'NXDOMAIN', 'NOTIMP', 'REFUSED', 'YXDOMAIN', 'YXRRSET', 'NXRRSET', 'NOTAUTH',
  'NOTZONE',
]
const RARE_RCODES = new Map([
  [16, 'BADVERS'],
  [23, 'BADCOOKIE'],
])

/** The mnemonic of a response code, or RCODEn. */
export const rcodeText = (rcode: number): string => RCODES[rcode] ?? RARE_RCODES.get(rcode) ?? `RCODE${rcode}`

/** One record, in packet order. */
export interface DnsRecord {
  readonly name: string
  readonly type: string
  readonly class: string
  readonly ttlSeconds: number
  /** The record data in presentation form; `\# LENGTH HEX` for types without one here (RFC 3597 section 5). */
  readonly data: string
  /** The whole record as one line. */
  readonly text: string
}

/** The header bits of a reply, beside its codes. */
export interface Flags {
  readonly qr: boolean
  readonly aa: boolean
  readonly tc: boolean
  readonly rd: boolean
  readonly ra: boolean
  readonly z: boolean
  readonly ad: boolean
  readonly cd: boolean
}

/** The OPT record of a reply. */
export interface EdnsReply {
  readonly udpSize: number
  readonly version: number
  /** All sixteen bits, DO the highest. */
  readonly flags: number
  readonly dnssecOk: boolean
  readonly options: readonly EdnsOption[]
}

/** A decoded message. The three sections are sorted lines without OPT, so that order never matters in a comparison. */
export interface Decoded {
  readonly id: number
  readonly opcode: number
  /** Mnemonic, with the OPT record's upper bits. */
  readonly rcode: string
  readonly flags: Flags
  /** Each `name CLASS TYPE`. */
  readonly question: readonly string[]
  readonly answer: readonly string[]
  readonly authority: readonly string[]
  readonly additional: readonly string[]
  readonly edns: EdnsReply | undefined
  /** The same records in packet order. */
  readonly records: {
    readonly answer: readonly DnsRecord[]
    readonly authority: readonly DnsRecord[]
    readonly additional: readonly DnsRecord[]
  }
}

/** A message that breaks RFC 1035; the test that meets one fails. */
export class MalformedMessage extends Error {
  readonly code = 'malformed'

  constructor(reason: string, octets: Uint8Array) {
    super(`malformed message: ${reason} in ${Buffer.from(octets).toString('hex')}`)
    this.name = 'MalformedMessage'
  }
}

/** Reads octets in order and throws MalformedMessage where they do not hold what is asked for. */
class Reader {
  readonly #view: DataView
  readonly octets: Uint8Array
  at = 0

  constructor(octets: Uint8Array) {
    this.octets = octets
    this.#view = new DataView(octets.buffer, octets.byteOffset, octets.length)
  }

  fail(reason: string): never {
    throw new MalformedMessage(`${reason} at octet ${this.at}`, this.octets)
  }

  take(length: number): Uint8Array {
    if (this.at + length > this.octets.length) this.fail(`${length} octets missing`)
    this.at += length
    return this.octets.subarray(this.at - length, this.at)
  }

  u8(): number {
    return this.take(1)[0]!
  }

  u16(): number {
    this.take(2)
    return this.#view.getUint16(this.at - 2)
  }

  u32(): number {
    this.take(4)
    return this.#view.getUint32(this.at - 4)
  }

  /** A possibly compressed name; pointers go backwards only (RFC 1035 4.1.4). */
  name(): string {
    const labels: string[] = []
    let octetCount = 1
    let after = -1
    let limit = this.at
    for (;;) {
      const length = this.u8()
      if (length === 0) break
      if (length >= 0xc0) {
        const target = ((length & 0x3f) << 8) | this.u8()
        if (after < 0) after = this.at
        if (target >= limit || target < 12) this.fail('name pointer that does not point back')
        limit = target
        this.at = target
      } else if (length > 63) this.fail(`label type ${length >> 6}`)
      else {
        octetCount += length + 1
        if (octetCount > 255) this.fail('name over 255 octets')
        labels.push(labelText(this.take(length)))
      }
    }
    if (after >= 0) this.at = after
    return labels.length === 0 ? '.' : `${labels.join('.')}.`
  }

  /** A character string in quotes (RFC 1035 3.3). */
  string(): string {
    const octets = this.take(this.u8())
    return `"${Array.from(octets, octet => ('"\\'.includes(chr(octet)) ? `\\${chr(octet)}` : chr(octet))).join('')}"`
  }
}

const chr = (octet: number): string =>
  octet >= 0x20 && octet < 0x7f ? String.fromCharCode(octet) : `\\${String(octet).padStart(3, '0')}`

/** One octet of a label (RFC 1035 5.1, RFC 4343 2.1). */
function labelOctetText(octet: number): string {
  if (octet === 0x20) return '\\032'
  const text = chr(octet)
  return '."\\();@$'.includes(text) ? `\\${text}` : text
}
const labelText = (octets: Uint8Array): string => Array.from(octets, labelOctetText).join('')

const ipv6Text = (octets: Uint8Array): string => {
  const groups: string[] = []
  for (let at = 0; at < 16; at += 2) groups.push(((octets[at]! << 8) | octets[at + 1]!).toString(16))
  // URL's serializer writes the canonical form (RFC 5952), but for IPv4-mapped addresses, which it also leaves in hex.
  return new URL(`http://[${groups.join(':')}]`).hostname.slice(1, -1)
}

const rdataReaders: Readonly<Partial<Record<string, (reader: Reader, length: number) => string>>> = {
  A: reader => [...reader.take(4)].join('.'),
  AAAA: reader => ipv6Text(reader.take(16)),
  NS: reader => reader.name(),
  CNAME: reader => reader.name(),
  DNAME: reader => reader.name(),
  PTR: reader => reader.name(),
  MX: reader => `${reader.u16()} ${reader.name()}`,
  SRV: reader => `${reader.u16()} ${reader.u16()} ${reader.u16()} ${reader.name()}`,
  SOA: reader =>
    `${reader.name()} ${reader.name()} ${[reader.u32(), reader.u32(), reader.u32(), reader.u32(), reader.u32()].join(' ')}`,
  TXT: (reader, length) => strings(reader, length),
  SPF: (reader, length) => strings(reader, length),
  HINFO: (reader, length) => strings(reader, length),
  NAPTR: reader =>
    `${reader.u16()} ${reader.u16()} ${reader.string()} ${reader.string()} ${reader.string()} ${reader.name()}`,
  CAA: (reader, length) => {
    const end = reader.at + length
    const flags = reader.u8()
    const tag = Buffer.from(reader.take(reader.u8())).toString('latin1')
    return `${flags} ${tag} "${[...reader.take(end - reader.at)].map(chr).join('')}"`
  },
}

function strings(reader: Reader, length: number): string {
  const end = reader.at + length
  const parts: string[] = []
  while (reader.at < end) parts.push(reader.string())
  return parts.join(' ')
}

/** Decodes a message strictly: every octet must be accounted for. Throws MalformedMessage. */
export function decodeMessage(octets: Uint8Array): Decoded {
  const reader = new Reader(octets)
  const id = reader.u16()
  const bits = reader.u16()
  const [questions, ...counts] = [reader.u16(), reader.u16(), reader.u16(), reader.u16()]
  const question: string[] = []
  for (let left = questions!; left > 0; left--) {
    const name = reader.name()
    const type = typeText(reader.u16())
    question.push(`${name} ${classText(reader.u16())} ${type}`)
  }
  let edns: EdnsReply | undefined
  let rcode = bits & 15
  const sections = counts.map((count, section) => {
    const records: DnsRecord[] = []
    for (let left = count; left > 0; left--) {
      const start = reader.at
      const name = reader.name()
      if (reader.u16() !== TYPES.OPT) {
        reader.at = start
        records.push(readRecord(reader))
        continue
      }
      if (section !== 2 || name !== '.') reader.fail('OPT record out of place')
      if (edns) reader.fail('second OPT record')
      const udpSize = reader.u16()
      rcode |= reader.u8() << 4
      const version = reader.u8()
      const flags = reader.u16()
      edns = { udpSize, version, flags, dnssecOk: (flags & 0x8000) !== 0, options: readOptions(reader) }
    }
    return records
  })
  if (reader.at !== octets.length) reader.fail(`${octets.length - reader.at} octets behind the message`)
  const [answer, authority, additional] = sections as [DnsRecord[], DnsRecord[], DnsRecord[]]
  return {
    id,
    opcode: (bits >> 11) & 15,
    rcode: rcodeText(rcode),
    flags: readFlags(bits),
    question,
    answer: sortedLines(answer),
    authority: sortedLines(authority),
    additional: sortedLines(additional),
    edns,
    records: { answer, authority, additional },
  }
}

const sortedLines = (records: readonly DnsRecord[]): string[] => records.map(({ text }) => text).sort()

const readFlags = (bits: number): Flags => ({
  qr: (bits & 0x8000) !== 0,
  aa: (bits & 0x0400) !== 0,
  tc: (bits & 0x0200) !== 0,
  rd: (bits & 0x0100) !== 0,
  ra: (bits & 0x0080) !== 0,
  z: (bits & 0x0040) !== 0,
  ad: (bits & 0x0020) !== 0,
  cd: (bits & 0x0010) !== 0,
})

function readRecord(reader: Reader): DnsRecord {
  const name = reader.name()
  const type = typeText(reader.u16())
  const rrclass = classText(reader.u16())
  const ttlSeconds = reader.u32()
  const length = reader.u16()
  const end = reader.at + length
  const read = rdataReaders[type]
  const data =
    read && length > 0
      ? read(reader, length)
      : `\\# ${length} ${Buffer.from(reader.take(length)).toString('hex')}`.trimEnd()
  if (reader.at !== end) reader.fail(`record data of ${name} ${type} ends elsewhere than its length says`)
  return {
    name,
    type,
    class: rrclass,
    ttlSeconds,
    data,
    text: `${name} ${ttlSeconds} ${rrclass} ${type} ${data}`,
  }
}

function readOptions(reader: Reader): EdnsOption[] {
  const end = reader.u16() + reader.at
  const options: EdnsOption[] = []
  while (reader.at < end) {
    const code = reader.u16()
    options.push({ code, data: reader.take(reader.u16()) })
  }
  if (reader.at !== end) reader.fail('EDNS option beyond its record')
  return options
}
