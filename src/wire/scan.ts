// HOT: one pass over a query, for every packet that arrives. It checks the message in packet order, folds the name's
// case and notes where its labels begin; it allocates nothing and never throws. Budget: 100 ns for a typical query
// (`npm run bench:micro`).
//
// What it decides (RFC 1035 4.1, RFC 6891, RFC 8906, RFC 9267, RFC 9619; ../../test/wire/scan.test.ts):
//   drop      shorter than a header, or a response: silence, or two servers would talk for ever
//   notimp    any opcode but QUERY
//   formerr   not exactly one question; a count, name, record or option that the octets do not hold; two OPT records;
//             more than OPTIONS_MAX options
//   badvers   an EDNS version that is not 0
//   cookie    no question, and a cookie: the client asks for a server's cookie alone (RFC 7873 5.4)
//   ok        everything else, whatever its type and class

import { FLAG_AD, FLAG_CD, FLAG_QR, FLAG_RD, HEADER_OCTETS, PAYLOAD_MIN, readU16 } from './header.ts'
import { FOLD, LABEL_MAX_OCTETS, NAME_MAX_OCTETS, type Name } from './name.ts'
import { OPCODE } from './rcode.ts'
import { TYPE } from './rrtype.ts'

export type Verdict = 'ok' | 'drop' | 'notimp' | 'formerr' | 'badvers' | 'cookie'

/** EDNS options that the scan looks at (IANA "DNS EDNS0 Option Codes"). */
export const OPTION = { NSID: 3, ECS: 8, EXPIRE: 9, COOKIE: 10, KEEPALIVE: 11, PADDING: 12, EDE: 15 } as const

/** EDNS options of one query; no client sends as many as ten. */
export const OPTIONS_MAX = 32

/** A name as Scan has it. */
export interface ScannedName {
  readonly folded: Uint8Array
  readonly labelAt: Uint8Array
  readonly labelCount: number
}

/**
 * HOT: where a zone of so many labels, in lower case, begins in the scanned name's folded octets; -1 where the name is
 * neither its apex nor below it.
 */
export function zoneInScan(scan: Scan, zone: Name, labels: number): number {
  if (labels > scan.labelCount) return -1
  if (labels === 0) return scan.foldedLength - 1
  const at = scan.labelAt[scan.labelCount - labels]!
  if (scan.foldedLength - at !== zone.length) return -1
  for (let i = 0; i < zone.length; i++) if (scan.folded[at + i] !== zone[i]) return -1
  return at
}

/** Labels of the longest name, and the root. */
const LABELS_MAX = 128

/** Octets 4 and 5 of an OPT record's TTL: the DO bit (RFC 6891 6.1.4). */
const EDNS_DO = 0x80

/**
 * What one scan found. An instance is filled again for every packet; whoever keeps anything of it copies it first.
 * Offsets are absolute in the scanned array.
 */
export class Scan {
  /** Where the message begins and ends. */
  start = 0
  end = 0
  id = 0
  opcode = 0
  /** RD, AD and CD as asked. */
  recursionDesired = false
  authenticData = false
  checkingDisabled = false
  /** Behind the question, or 0 where no question could be read. */
  questionEnd = 0
  qtype = 0
  qclass = 0
  /** The name in lower case: `foldedLength` octets of wire form. */
  readonly folded = new Uint8Array(NAME_MAX_OCTETS)
  foldedLength = 0
  /** labelAt[i] is where label i begins in `folded`, counted from the left; the root is not counted. */
  readonly labelAt = new Uint8Array(LABELS_MAX)
  labelCount = 0
  /** Whether there was an OPT record, and what it says. */
  edns = false
  ednsVersion = 0
  dnssecOk = false
  /** The client's payload size, at least 512 (RFC 6891 6.2.3); 512 without EDNS. */
  payloadSize = PAYLOAD_MIN
  /** The OPT record's options; equal where there are none. */
  optionsAt = 0
  optionsEnd = 0
  /** Which options there are, a bit for each code below 32; further ones have none. */
  optionBits = 0

  /** Scans the message in octets[start … end). */
  read(octets: Uint8Array, start: number, end: number): Verdict {
    this.start = start
    this.end = end
    this.questionEnd = 0
    this.foldedLength = 0
    this.labelCount = 0
    this.edns = false
    this.ednsVersion = 0
    this.dnssecOk = false
    this.payloadSize = PAYLOAD_MIN
    this.optionsAt = this.optionsEnd = 0
    this.optionBits = 0
    if (end - start < HEADER_OCTETS || (octets[start + 2]! & FLAG_QR) !== 0) return 'drop'
    const flags = octets[start + 2]!
    this.id = readU16(octets, start)
    this.opcode = (flags >> 3) & 15
    this.recursionDesired = (flags & FLAG_RD) !== 0
    this.authenticData = (octets[start + 3]! & FLAG_AD) !== 0
    this.checkingDisabled = (octets[start + 3]! & FLAG_CD) !== 0
    if (this.opcode !== OPCODE.QUERY) {
      this.edns = this.#holdsOpt(octets)
      return 'notimp'
    }
    const questions = readU16(octets, start + 4)
    if (questions > 1 || (questions === 1 && !this.#question(octets))) return 'formerr'
    const answers = readU16(octets, start + 6)
    const authorities = readU16(octets, start + 8)
    const additionals = readU16(octets, start + 10)
    if (answers + authorities + additionals === 0) return questions === 1 ? 'ok' : 'formerr'
    // A query has no use for more: CoreDNS draws the same line, and a walk stays short.
    if (answers > 1 || authorities > 1 || additionals > 2) return 'formerr'
    if (!this.#records(octets, answers + authorities, additionals)) return 'formerr'
    if (this.ednsVersion !== 0) return 'badvers'
    if (questions === 1) return 'ok'
    return this.hasOption(OPTION.COOKIE) ? 'cookie' : 'formerr'
  }

  /** Whether what is no query has an OPT record, where it can be read so far: then its reply has one, too (RFC 6891 6.1.1). */
  #holdsOpt(octets: Uint8Array): boolean {
    const { start } = this
    const [questions, answers] = [readU16(octets, start + 4), readU16(octets, start + 6)]
    const [authorities, additionals] = [readU16(octets, start + 8), readU16(octets, start + 10)]
    if (questions > 1 || answers + authorities > 2 || additionals > 2 || additionals === 0) return false
    if (questions === 1 && !this.#question(octets)) return false
    return this.#records(octets, answers + authorities, additionals) && this.edns
  }

  /** All but the question is as another scan found it. */
  takeFlags(from: Scan): void {
    this.id = from.id
    this.opcode = from.opcode
    this.recursionDesired = from.recursionDesired
    this.authenticData = from.authenticData
    this.checkingDisabled = from.checkingDisabled
    this.edns = from.edns
    this.ednsVersion = from.ednsVersion
    this.dnssecOk = from.dnssecOk
    this.payloadSize = from.payloadSize
    this.optionBits = from.optionBits
  }

  /** Reads the question of octets[start … end) alone: all else stays as it was. False where there is no question. */
  readQuestion(octets: Uint8Array, start: number, end: number): boolean {
    this.start = start
    this.end = end
    this.questionEnd = this.foldedLength = this.labelCount = 0
    this.optionsAt = this.optionsEnd = 0
    return this.#question(octets)
  }

  /** Whether there is an option of that code, which is below 32. */
  hasOption(code: number): boolean {
    return (this.optionBits & (1 << code)) !== 0
  }

  #question(octets: Uint8Array): boolean {
    const { folded, end } = this
    let at = this.start + HEADER_OCTETS
    let length = 0
    let labels = 0
    for (;;) {
      if (at >= end) return false
      const label = octets[at]!
      if (label === 0) break
      // Nothing stands before a question's name that a pointer could mean.
      if (label > LABEL_MAX_OCTETS || at + label >= end || length + label + 1 >= NAME_MAX_OCTETS) return false
      this.labelAt[labels++] = length
      folded[length++] = label
      for (const stop = ++at + label; at < stop; at++) folded[length++] = FOLD[octets[at]!]!
    }
    folded[length++] = 0
    if (at + 5 > end) return false
    this.foldedLength = length
    this.labelCount = labels
    this.qtype = readU16(octets, at + 1)
    this.qclass = readU16(octets, at + 3)
    this.questionEnd = at + 5
    return true
  }

  #records(octets: Uint8Array, before: number, additionals: number): boolean {
    let at = this.questionEnd || this.start + HEADER_OCTETS
    for (let i = 0; i < before + additionals; i++) {
      const ownerAt = at
      at = skipName(octets, at, this.start, this.end)
      if (at < 0 || at + 10 > this.end) return false
      const type = readU16(octets, at)
      const dataAt = at + 10
      const next = dataAt + readU16(octets, at + 8)
      if (next > this.end) return false
      if (type === TYPE.OPT) {
        if (i < before || this.edns || octets[ownerAt] !== 0) return false
        this.edns = true
        this.payloadSize = Math.max(PAYLOAD_MIN, readU16(octets, at + 2))
        this.ednsVersion = octets[at + 5]!
        this.dnssecOk = (octets[at + 6]! & EDNS_DO) !== 0
        this.optionsAt = dataAt
        this.optionsEnd = next
        if (!this.#options(octets, dataAt, next)) return false
      }
      at = next
    }
    return true
  }

  /** Whether the options fill their record exactly, are not too many, and the ones with a fixed form have it. */
  #options(octets: Uint8Array, at: number, end: number): boolean {
    for (let options = 1; at < end; options++) {
      if (at + 4 > end || options > OPTIONS_MAX) return false
      const code = readU16(octets, at)
      const length = readU16(octets, at + 2)
      const dataAt = at + 4
      at = dataAt + length
      if (at > end) return false
      // RFC 7873 5.2: the first cookie counts; 5.2.2: one of any other length is a FORMERR.
      if (code === OPTION.COOKIE && !this.hasOption(code) && length !== 8 && (length < 16 || length > 40))
        return false
      if (code === OPTION.ECS && !clientSubnetIsSound(octets, dataAt, length)) return false
      if (code < 32) this.optionBits |= 1 << code
    }
    return true
  }

  /** Where the first option of that code begins (its code field), or -1. */
  findOption(octets: Uint8Array, code: number): number {
    for (let at = this.optionsAt; at < this.optionsEnd; at += 4 + readU16(octets, at + 2)) {
      if (readU16(octets, at) === code) return at
    }
    return -1
  }
}

/** The offset behind the name at `at`, or -1. Labels of a record that nobody reads are not copied. */
export function skipName(octets: Uint8Array, at: number, start: number, end: number): number {
  for (let length = 0; at < end; ) {
    const label = octets[at]!
    if (label === 0) return at + 1
    if (label >= 0xc0) {
      if (at + 2 > end) return -1
      const target = start + (((label & 0x3f) << 8) | octets[at + 1]!)
      return target < at && target >= start + HEADER_OCTETS ? at + 2 : -1
    }
    length += label + 1
    if (label > LABEL_MAX_OCTETS || length >= NAME_MAX_OCTETS) return -1
    at += label + 1
  }
  return -1
}

/** RFC 7871 6 and 7.1.2: family 1 or 2, scope 0 in a query, exactly the octets the prefix needs, no bit beyond it. */
function clientSubnetIsSound(octets: Uint8Array, at: number, length: number): boolean {
  if (length < 4) return false
  const family = readU16(octets, at)
  const prefix = octets[at + 2]!
  if (octets[at + 3] !== 0) return false
  if (family === 0) return prefix === 0 && length === 4
  if (prefix > (family === 1 ? 32 : family === 2 ? 128 : -1)) return false
  const addressOctets = (prefix + 7) >> 3
  if (length !== 4 + addressOctets) return false
  const unused = addressOctets * 8 - prefix
  return unused === 0 || (octets[at + length - 1]! & ((1 << unused) - 1)) === 0
}
