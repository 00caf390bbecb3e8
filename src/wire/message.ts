// Whole messages for the slow path: replies of an upstream in, replies of the plugins out. The parser is bounded by the
// octets it has (a record costs eleven of them, RFC 9267 section 3) and answers `undefined` where they lie; the writer
// compresses names (RFC 1035 4.1.4) and leaves out what does not fit, whole records from the end, setting TC (RFC 2181 9).

import {
  FLAG_AA, FLAG_AD, FLAG_CD, FLAG_QR, FLAG_RA, FLAG_RD, FLAG_TC, HEADER_OCTETS, MESSAGE_MAX, readU16,
  readU32, writeU16, writeU32,
} from './header.ts' // biome-ignore format: one block of bits
import { NAME_MAX_OCTETS, type Name, readEnd, readLength, readName } from './name.ts'
import { type Rr, TTL_MAX_SECONDS } from './record.ts'
import { COMPRESSIBLE, RDATA_LAYOUT, TYPE } from './rrtype.ts'

/** A question as asked. */
export interface Question {
  readonly qname: Name
  readonly qtype: number
  readonly qclass: number
}

/** A decoded message; OPT is taken out of the additional section. */
export interface Message {
  readonly id: number
  readonly response: boolean
  readonly opcode: number
  readonly authoritative: boolean
  readonly truncated: boolean
  readonly recursionDesired: boolean
  readonly recursionAvailable: boolean
  readonly authenticData: boolean
  readonly checkingDisabled: boolean
  /** With the OPT record's upper eight bits (RFC 6891 6.1.3). */
  readonly rcode: number
  readonly questions: readonly Question[]
  readonly answer: readonly Rr[]
  readonly authority: readonly Rr[]
  readonly additional: readonly Rr[]
  readonly edns: Edns | undefined
}

/** An OPT record (RFC 6891 6.1). */
export interface Edns {
  readonly payloadSize: number
  readonly version: number
  readonly dnssecOk: boolean
  readonly options: readonly EdnsOption[]
}

export interface EdnsOption {
  readonly code: number
  readonly data: Uint8Array
}

/** Decodes a whole message; undefined for anything that is cut, lies about its counts or holds a bad name. */
export function decodeMessage(octets: Uint8Array): Message | undefined {
  if (octets.length < HEADER_OCTETS) return undefined
  const questionCount = readU16(octets, 4)
  const counts = [readU16(octets, 6), readU16(octets, 8), readU16(octets, 10)]
  const recordCount = counts[0]! + counts[1]! + counts[2]!
  if (questionCount * 5 + recordCount * 11 > octets.length - HEADER_OCTETS) return undefined
  let at = HEADER_OCTETS
  const questions: Question[] = []
  for (let i = 0; i < questionCount; i++) {
    const read = readName(octets, at, octets.length, scratch, 0)
    at = readEnd(read)
    if (at < 0 || at + 4 > octets.length) return undefined
    questions.push({
      qname: scratch.slice(0, readLength(read)),
      qtype: readU16(octets, at),
      qclass: readU16(octets, at + 2),
    })
    at += 4
  }
  const sections: [Rr[], Rr[], Rr[]] = [[], [], []]
  let edns: Edns | undefined
  let rcode = octets[3]! & 15
  for (let section = 0; section < 3; section++) {
    for (let i = 0; i < counts[section]!; i++) {
      const read = readName(octets, at, octets.length, scratch, 0)
      at = readEnd(read)
      if (at < 0 || at + 10 > octets.length) return undefined
      const owner = scratch.slice(0, readLength(read))
      const type = readU16(octets, at)
      const dataAt = at + 10
      const next = dataAt + readU16(octets, at + 8)
      if (next > octets.length) return undefined
      if (type === TYPE.OPT) {
        const options = decodeOptions(octets, dataAt, next)
        if (section !== 2 || edns || owner.length !== 1 || !options) return undefined
        rcode |= octets[at + 4]! << 4
        edns = {
          payloadSize: readU16(octets, at + 2),
          version: octets[at + 5]!,
          dnssecOk: (octets[at + 6]! & 0x80) !== 0,
          options,
        }
      } else {
        const rdata = decodeRdata(octets, dataAt, next, type)
        if (!rdata) return undefined
        sections[section]!.push({
          owner,
          type,
          class: readU16(octets, at + 2),
          ttlSeconds: Math.min(readU32(octets, at + 4), TTL_MAX_SECONDS),
          rdata,
        })
      }
      at = next
    }
  }
  return {
    id: readU16(octets, 0),
    response: (octets[2]! & FLAG_QR) !== 0,
    opcode: (octets[2]! >> 3) & 15,
    authoritative: (octets[2]! & FLAG_AA) !== 0,
    truncated: (octets[2]! & FLAG_TC) !== 0,
    recursionDesired: (octets[2]! & FLAG_RD) !== 0,
    recursionAvailable: (octets[3]! & FLAG_RA) !== 0,
    authenticData: (octets[3]! & FLAG_AD) !== 0,
    checkingDisabled: (octets[3]! & FLAG_CD) !== 0,
    rcode,
    questions,
    answer: sections[0],
    authority: sections[1],
    additional: sections[2],
    edns,
  }
}

/** A message of 65535 octets grows by two uncompressed names at most. */
const scratch = new Uint8Array(MESSAGE_MAX + 1 + 2 * NAME_MAX_OCTETS)

/** Options in wire form (RFC 6891 6.1.2); undefined where they do not fill octets[at … end). */
export function decodeOptions(octets: Uint8Array, at: number, end: number): EdnsOption[] | undefined {
  const options: EdnsOption[] = []
  while (at < end) {
    if (at + 4 > end) return undefined
    const next = at + 4 + readU16(octets, at + 2)
    if (next > end) return undefined
    options.push({ code: readU16(octets, at), data: octets.slice(at + 4, next) })
    at = next
  }
  return options
}

/** Options in wire form (RFC 6891 6.1.2). */
export function encodeOptions(options: readonly EdnsOption[]): Uint8Array {
  const octets = new Uint8Array(options.reduce((sum, option) => sum + 4 + option.data.length, 0))
  let at = 0
  for (const { code, data } of options) {
    writeU16(octets, at, code)
    writeU16(octets, at + 2, data.length)
    octets.set(data, at + 4)
    at += 4 + data.length
  }
  return octets
}

/** The record data with its names uncompressed, or undefined where it does not hold what its type needs. */
function decodeRdata(octets: Uint8Array, at: number, end: number, type: number): Uint8Array | undefined {
  const layout = RDATA_LAYOUT.get(type)
  if (layout === undefined) return octets.slice(at, end)
  let written = 0
  for (const field of layout) {
    if (field === 'n') {
      const read = readName(octets, at, end, scratch, written)
      if (read < 0) return undefined
      written += readLength(read)
      at = readEnd(read)
      continue
    }
    const length = field === 's' ? (octets[at] ?? 0) + 1 : Number(field)
    if (at + length > end) return undefined
    scratch.set(octets.subarray(at, at + length), written)
    written += length
    at += length
  }
  scratch.set(octets.subarray(at, end), written)
  return scratch.slice(0, written + end - at)
}

/** What a message to be written holds beside its sections. */
export interface Head {
  readonly id: number
  readonly response: boolean
  readonly opcode: number
  readonly authoritative: boolean
  readonly truncated: boolean
  readonly recursionDesired: boolean
  readonly recursionAvailable: boolean
  readonly authenticData: boolean
  readonly checkingDisabled: boolean
  readonly rcode: number
  readonly question: Question | undefined
}

export interface Sections {
  readonly answer: readonly Rr[]
  readonly authority: readonly Rr[]
  readonly additional: readonly Rr[]
}

/**
 * Writes messages into one buffer of its own. `write` returns a view of it that is valid until the next call; the
 * caller copies what it keeps.
 */
export class MessageWriter {
  readonly #octets = new Uint8Array(65535 + 1024)
  readonly #offsets = new Map<string, number>()
  #at = 0

  /**
   * Writes one message of at most `limit` octets. Records that do not fit are left out from the end (additional before
   * authority before answer) and TC is set when any was; the OPT record always has its place.
   */
  write(head: Head, sections: Sections, edns: Edns | undefined, limit: number): Uint8Array {
    const octets = this.#octets
    this.#offsets.clear()
    octets.fill(0, 0, HEADER_OCTETS)
    this.#at = HEADER_OCTETS
    if (head.question) this.#question(head.question)
    const options = encodeOptions(edns?.options ?? [])
    const room = edns ? limit - 11 - options.length : limit
    let truncated = head.truncated
    const counts = [0, 0, 0]
    const lists = [sections.answer, sections.authority, sections.additional]
    write: for (let section = 0; section < 3; section++) {
      for (const record of lists[section]!) {
        const before = this.#at
        if (!this.#record(record, room)) {
          this.#forget(before)
          truncated = true
          break write
        }
        counts[section]!++
      }
    }
    if (edns) {
      this.#opt(edns, options, head.rcode)
      counts[2]!++
    }
    writeU16(octets, 0, head.id)
    octets[2] =
      (head.response ? FLAG_QR : 0) |
      (head.opcode << 3) |
      (head.authoritative ? FLAG_AA : 0) |
      (truncated ? FLAG_TC : 0) |
      (head.recursionDesired ? FLAG_RD : 0)
    octets[3] =
      (head.recursionAvailable ? FLAG_RA : 0) |
      (head.authenticData ? FLAG_AD : 0) |
      (head.checkingDisabled ? FLAG_CD : 0) |
      (head.rcode & 15)
    writeU16(octets, 4, head.question ? 1 : 0)
    counts.forEach((count, section) => {
      writeU16(octets, 6 + 2 * section, count)
    })
    return octets.subarray(0, this.#at)
  }

  #question(question: Question): void {
    this.#name(question.qname, true)
    writeU16(this.#octets, this.#at, question.qtype)
    writeU16(this.#octets, this.#at + 2, question.qclass)
    this.#at += 4
  }

  #record(record: Rr, limit: number): boolean {
    const octets = this.#octets
    // A record longer than what is left cannot fit however well it compresses: two octets for its owner at least.
    if (this.#at + 12 > limit || this.#at + record.rdata.length + 266 > octets.length) return false
    this.#name(record.owner, true)
    writeU16(octets, this.#at, record.type)
    writeU16(octets, this.#at + 2, record.class)
    writeU32(octets, this.#at + 4, record.ttlSeconds)
    const lengthAt = this.#at + 8
    this.#at += 10
    this.#rdata(record)
    writeU16(octets, lengthAt, this.#at - lengthAt - 2)
    return this.#at <= limit
  }

  #rdata(record: Rr): void {
    const { rdata, type } = record
    const layout = COMPRESSIBLE.has(type) ? RDATA_LAYOUT.get(type)! : ''
    let from = 0
    for (const field of layout) {
      if (field !== 'n') {
        this.#copy(rdata, from, from + Number(field))
        from += Number(field)
        continue
      }
      let end = from
      while (end < rdata.length && rdata[end] !== 0) end += rdata[end]! + 1
      if (end >= rdata.length) break
      this.#name(rdata.subarray(from, end + 1), true)
      from = end + 1
    }
    this.#copy(rdata, from, rdata.length)
  }

  #copy(source: Uint8Array, from: number, to: number): void {
    this.#octets.set(source.subarray(from, to), this.#at)
    this.#at += Math.max(0, to - from)
  }

  #name(name: Name, compress: boolean): void {
    const octets = this.#octets
    for (let from = 0; name[from] !== 0; ) {
      const key = latin1Tail(name, from)
      const known = compress ? this.#offsets.get(key) : undefined
      if (known !== undefined) {
        writeU16(octets, this.#at, 0xc000 | known)
        this.#at += 2
        return
      }
      if (this.#at < 0x4000) this.#offsets.set(key, this.#at)
      const next = from + name[from]! + 1
      this.#copy(name, from, next)
      from = next
    }
    octets[this.#at++] = 0
  }

  /** Forgets what was written from `at` on: a pointer must not lead to it. */
  #forget(at: number): void {
    for (const [key, offset] of this.#offsets) if (offset >= at) this.#offsets.delete(key)
    this.#at = at
  }

  #opt(edns: Edns, options: Uint8Array, rcode: number): void {
    const octets = this.#octets
    const at = this.#at
    octets[at] = 0
    writeU16(octets, at + 1, TYPE.OPT)
    writeU16(octets, at + 3, edns.payloadSize)
    octets[at + 5] = rcode >> 4
    octets[at + 6] = edns.version
    octets[at + 7] = edns.dnssecOk ? 0x80 : 0
    octets[at + 8] = 0
    writeU16(octets, at + 9, options.length)
    this.#at = at + 11
    this.#copy(options, 0, options.length)
  }
}

/** Case counts here: a pointer to a name spelled otherwise would change what the client reads. */
function latin1Tail(name: Name, from: number): string {
  let key = ''
  for (let i = from; i < name.length; i++) key += String.fromCharCode(name[i]!)
  return key
}

/** A query as a resolver sends it: one question, RD, and an OPT record without options that takes replies of that size. */
export function queryMessage(id: number, question: Question, payloadSize: number): Uint8Array {
  const head: Head = {
    id,
    response: false,
    opcode: 0,
    authoritative: false,
    truncated: false,
    recursionDesired: true,
    recursionAvailable: false,
    authenticData: false,
    checkingDisabled: false,
    rcode: 0,
    question,
  }
  const edns = { payloadSize, version: 0, dnssecOk: false, options: [] }
  return new MessageWriter()
    .write(head, { answer: [], authority: [], additional: [] }, edns, MESSAGE_MAX)
    .slice()
}
