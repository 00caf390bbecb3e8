// The fields of one entry, taken from left to right, and the three kinds of text that fields are made of: names, times and
// character strings with escapes (RFC 1035 5.1).

import { joinNames, type Name, parseName } from '../name.ts'
import { TTL_MAX_SECONDS } from '../record.ts'
import type { Fault, Field } from './entry.ts'

/** Reads what it is for; undefined where it told a fault. */
export type Reader = (cursor: Cursor) => Uint8Array | undefined

/** Takes the fields of one entry from left to right. */
export class Cursor {
  readonly origin: Name | undefined
  readonly #fields: readonly Field[]
  #at: number
  #fault: Fault | undefined

  /** `origin` closes relative names; without one they are faults. */
  constructor(fields: readonly Field[], from: number, origin: Name | undefined) {
    this.#fields = fields
    this.#at = from
    this.origin = origin
  }

  get has(): boolean {
    return this.#at < this.#fields.length
  }

  /** The first thing that was wrong. */
  get fault(): Fault | undefined {
    return this.#fault
  }

  peek(): Field | undefined {
    return this.#fields[this.#at]
  }

  /** Takes a field; a missing one is a fault. */
  take(what: string): string | undefined {
    const field = this.#fields[this.#at]
    if (field === undefined) return this.fail(`${what} is missing`)
    this.#at++
    return field.text
  }

  /** Takes all that is left. */
  rest(): readonly Field[] {
    const rest = this.#fields.slice(this.#at)
    this.#at = this.#fields.length
    return rest
  }

  /** Tells a fault at the field taken last. */
  fail(reason: string): undefined {
    const { line, column } = this.#fields[Math.max(0, this.#at - 1)] ?? { line: 1, column: 1 }
    this.#fault ??= { reason, line, column }
  }
}

/** Whether a name in presentation form is absolute: its last dot is no escaped one. */
const isAbsolute = (text: string): boolean => /(?:^|[^\\])(?:\\\\)*\.$/.test(text)

/** A name, relative ones below `origin`, `@` for the origin itself; undefined where it is none. */
export function readName(text: string, origin: Name | undefined): Name | undefined {
  if (text === '@') return origin
  const name = parseName(text)
  if (name === undefined || isAbsolute(text)) return name
  return origin && joinNames(name, origin)
}

/** Seconds, or a duration such as 1h30m or 2w: units w, d, h, m and s in any case, a last number without one in seconds. */
export function readTtl(text: string): number | undefined {
  if (!/^(?:\d{1,10}[wdhms])*(?:\d{1,10}[wdhms]?)$/i.test(text)) return undefined
  let seconds = 0
  for (const [, number, unit = 's'] of text.matchAll(/(\d+)([wdhms])?/gi)) {
    seconds += Number(number) * UNIT_SECONDS[unit.toLowerCase()]!
  }
  return seconds <= TTL_MAX_SECONDS ? seconds : undefined
}

const UNIT_SECONDS: Readonly<Record<string, number>> = { w: 604_800, d: 86_400, h: 3600, m: 60, s: 1 }

/** The octets of a character string with its escapes `\DDD` and `\X` resolved (RFC 1035 5.1). */
export function readString(text: string): Uint8Array | undefined {
  const octets: number[] = []
  for (let at = 0; at < text.length; at++) {
    if (text[at] !== '\\') {
      octets.push(text.charCodeAt(at))
      continue
    }
    const digits = /^\d{3}/.exec(text.slice(at + 1, at + 4))?.[0]
    const octet = digits === undefined ? text.charCodeAt(at + 1) : Number(digits)
    if (!(octet <= 255)) return undefined
    octets.push(octet)
    at += digits === undefined ? 1 : 3
  }
  return Uint8Array.from(octets)
}
