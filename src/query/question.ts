// What a packet asks (packet.ts): the client's question at level 0, and those that handlers made of it for the ones behind
// (`rewrite`, `autopath`). Nothing is a tree: each is octets in a message, and the scan of it.

import { HEADER_OCTETS, readU16, writeU16 } from '../wire/header.ts'
import { NAME_MAX_OCTETS, type Name } from '../wire/name.ts'
import { CLASS } from '../wire/rrtype.ts'
import { OPTIONS_MAX, Scan } from '../wire/scan.ts'

/** Octets of a question's name, type and class. */
const QUESTION_MAX_OCTETS = NAME_MAX_OCTETS + 4

const NOTHING = new Uint8Array(0)

/** The first part of a packet. */
export class Question {
  // What came: octets[start … end). The listener fills it in.

  octets: Uint8Array = NOTHING
  start = 0
  end = 0

  /** As it is now. */
  scan: Scan
  /** The message that `scan` is of: from scan.start + 12 to scan.questionEnd is the question in its spelling. */
  question: Uint8Array = NOTHING
  /** 0 is the client's question. */
  level = 0
  readonly #scans: Scan[] = [new Scan()]
  readonly #questions: Uint8Array[] = []
  /** Codes of the client's options from 32 on, once the octets of the packet are gone: it was parked. */
  readonly heldCodes = new Uint16Array(OPTIONS_MAX)
  heldCount = 0

  constructor() {
    this.scan = this.#scans[0]!
  }

  /** The client's own question. */
  get asked(): Scan {
    return this.#scans[0]!
  }

  /** The name of the question as it is now, in its spelling: a copy. */
  get qname(): Name {
    const { start, questionEnd } = this.scan
    return this.question.slice(start + HEADER_OCTETS, questionEnd - 4)
  }

  /** Where that name begins in `question`: whole, and without pointers. */
  get qnameAt(): number {
    return this.scan.start + HEADER_OCTETS
  }

  /**
   * Changes the question for the handlers behind: name[at … at + octets) is a whole legal name. The former question comes
   * back with `unask`, on the way up.
   */
  ask(name: Uint8Array, at: number, octets: number, qtype: number, qclass: number = CLASS.IN): void {
    const level = ++this.level
    this.#questions[level] ??= new Uint8Array(HEADER_OCTETS + QUESTION_MAX_OCTETS)
    this.#scans[level] ??= new Scan()
    const question = this.#questions[level]
    const end = writeQuestion(question, name, at, octets, qtype, qclass)
    const scan = this.#scans[level]
    scan.takeFlags(this.scan)
    scan.readQuestion(question, 0, end)
    this.scan = scan
    this.question = question
  }

  /** Whether the client sent an option of that code. */
  hasOption(code: number): boolean {
    const { asked } = this
    if (code < 32) return asked.hasOption(code)
    for (let i = 0; i < this.heldCount; i++) if (this.heldCodes[i] === code) return true
    return asked.optionsEnd > asked.optionsAt && asked.findOption(this.octets, code) >= 0
  }

  /** Notes the codes of the client's options from 32 on; returns how many there are. */
  holdCodes(): number {
    const { octets, asked, heldCodes } = this
    for (let at = asked.optionsAt; at < asked.optionsEnd; at += 4 + readU16(octets, at + 2)) {
      const code = readU16(octets, at)
      if (code >= 32) heldCodes[this.heldCount++] = code
    }
    return this.heldCount
  }

  /** The client's question is this one. */
  askFirst(name: Uint8Array, at: number, octets: number, qtype: number, qclass: number): void {
    this.#questions[0] ??= new Uint8Array(HEADER_OCTETS + QUESTION_MAX_OCTETS)
    this.octets = this.#questions[0]
    this.start = 0
    this.end = writeQuestion(this.octets, name, at, octets, qtype, qclass)
    this.level = 0
    this.scan = this.asked
    this.question = this.octets
    this.scan.readQuestion(this.octets, 0, this.end)
  }

  /** The question of a level. */
  scanAt(level: number): Scan {
    return this.#scans[level]!
  }

  /** For the record of a parked packet: the message that the scan of a level is of. */
  questionAt(level: number): Uint8Array {
    return level === 0 ? this.octets : this.#questions[level]!
  }
}

/** Writes a query of one question to out[0 …); returns its end. The header is the caller's, but for the count. */
export function writeQuestion(
  out: Uint8Array,
  name: Uint8Array,
  at: number,
  octets: number,
  qtype: number,
  qclass: number,
): number {
  for (let i = 0; i < HEADER_OCTETS; i++) out[i] = 0
  out[5] = 1
  for (let i = 0; i < octets; i++) out[HEADER_OCTETS + i] = name[at + i]!
  const end = HEADER_OCTETS + octets
  writeU16(out, end, qtype)
  writeU16(out, end + 2, qclass)
  return end + 4
}
