// Reads a zone out of a master file and the files that it includes (RFC 1035 5, RFC 2308 4 for $TTL): directives, and the
// rules of what a record may leave out. Everything wrong is reported with its place and reading goes on behind it.
//
//   $ORIGIN example.org.
//   $TTL 1h
//   @    IN SOA ns hostmaster 2026010100 2h 30m 2w 5m
//   www  A 192.0.2.1            the TTL: its own, else of $TTL, else the last one given
//        AAAA 2001:db8::1       the owner: that of the record before
//   $INCLUDE db.hosts lab       that file, relative to this one, below lab
//   $GENERATE 1-9 h$ A 10.0.0.$
//
// What differs from one server to another is done as CoreDNS does it: names are kept in lower case where it does so, records
// outside the zone are left out, an SOA of another name counts.

import { dirname, isAbsolute, join } from 'node:path'
import type { Problems } from '../../corefile/problem.ts'
import type { Place } from '../../corefile/token.ts'
import { readU16 } from '../../wire/header.ts'
import { equalNames, foldName, formatName, isWithin, type Name } from '../../wire/name.ts'
import { readName, readTtl } from '../../wire/presentation/cursor.ts'
import { type Entry, type Field, splitEntries } from '../../wire/presentation/entry.ts'
import { readRecord } from '../../wire/presentation/record.ts'
import type { Rr } from '../../wire/record.ts'
import { CLASS, className, TYPE } from '../../wire/rrtype.ts'
import { ZoneBuilder } from './builder.ts'
import { parseRange, parseTemplate, type Range, type Template } from './generate.ts'
import { ITERATIONS_MAX } from './hash.ts'

/** Files within files. */
export const INCLUDE_DEPTH_MAX = 7
/** Files included in all. */
export const INCLUDES_MAX = 256
/** Records of one zone. */
export const RECORDS_MAX = 1_000_000
/** The data of one record: with its owner, a question and an OPT record it fits into one message. */
export const RDATA_MAX_OCTETS = 64_000
/** Mistakes after which reading ends. */
const MISTAKES_MAX = 100
/** Entries between two pauses. */
const PAUSE_ENTRIES = 500

/** The text of a file, or why it cannot be had. */
export type ReadFile = (file: string) => { readonly text: string } | { readonly reason: string }

/** What holds for the records of one file as it is read. */
interface State {
  readonly file: string
  readonly depth: number
  origin: Name
  owner: Name | undefined
  /** The TTL of records without one. */
  ttlSeconds: number | undefined
  /** Whether $TTL gave it: then a record's own TTL counts for that record only. */
  ttlIsDefault: boolean
}

/** Stands for a TTL that was not given. */
const NO_TTL = -1
const DIRECTIVES = ['$GENERATE', '$INCLUDE', '$ORIGIN', '$TTL']

export class ZoneReader {
  readonly #origin: Name
  readonly #read: ReadFile
  readonly #problems: Problems
  readonly #builder: ZoneBuilder
  #includes = 0
  #entries = 0
  #outside: { readonly place: Place; readonly owner: Name } | undefined
  #outsideCount = 0
  #withoutTtl: Place | undefined
  #stopped = false
  readonly #errorsBefore: number

  /** `origin` in lower case; mistakes go into `problems` under the names of the files. */
  constructor(origin: Name, read: ReadFile, problems: Problems) {
    this.#origin = origin
    this.#read = read
    this.#problems = problems
    this.#builder = new ZoneBuilder(origin)
    this.#errorsBefore = problems.errors
  }

  /** Reads the zone of a file's text, pausing now and then; returns its image, or undefined after a mistake. */
  *read(file: string, text: string): Generator<void, SharedArrayBuffer | undefined> {
    const state = { file, depth: 0, origin: this.#origin, owner: undefined, ttlSeconds: undefined }
    yield* this.#file({ ...state, ttlIsDefault: false }, text)
    const head = { file, line: 1, column: 1 }
    if (!this.#failed && !this.#builder.hasSoa) {
      this.#problems.error(head, `no SOA record for the zone ${formatName(this.#origin)}`)
    }
    if (this.#failed) return undefined
    this.#warn()
    return this.#builder.build()
  }

  get #failed(): boolean {
    return this.#problems.errors > this.#errorsBefore
  }

  #warn(): void {
    if (this.#outside) {
      const { place, owner } = this.#outside
      const zone = formatName(this.#origin)
      const count = this.#outsideCount
      this.#problems.warning(
        place,
        `${count} records are outside the zone ${zone} and left out, ${formatName(owner)} first`,
      )
    }
    if (this.#withoutTtl) {
      this.#problems.warning(
        this.#withoutTtl,
        'no TTL here and none before: records get 0 until one is given',
      )
    }
  }

  *#file(state: State, text: string): Generator<void, void> {
    for (const entry of splitEntries(text)) {
      if ('reason' in entry) this.#problems.error({ ...entry, file: state.file }, entry.reason)
      else if (!entry.blank && /^\$[a-z]+$/i.test(entry.fields[0]!.text)) yield* this.#directive(state, entry)
      else this.#record(state, entry)
      if (this.#stopped || this.#problems.errors - this.#errorsBefore > MISTAKES_MAX) return
      if (++this.#entries % PAUSE_ENTRIES === 0) yield
    }
  }

  *#directive(state: State, { fields }: Entry): Generator<void, void> {
    const [word, ...rest] = fields as [Field, ...Field[]]
    switch (word.text.toUpperCase()) {
      case '$ORIGIN':
        return this.#setOrigin(state, word, rest)
      case '$TTL':
        return this.#setTtl(state, word, rest)
      case '$INCLUDE':
        return yield* this.#include(state, word, rest)
      case '$GENERATE':
        return yield* this.#generate(state, word, rest)
      default:
        this.#error(state, word, 'unknown directive', DIRECTIVES)
    }
  }

  #error(state: State, field: Field, message: string, allowed?: readonly string[]): undefined {
    this.#problems.error(
      { file: state.file, line: field.line, column: field.column },
      message,
      allowed === undefined ? { found: field.text } : { found: field.text, allowed },
    )
  }

  /** The only argument of a directive. */
  #argument(state: State, word: Field, rest: readonly Field[], what: string): Field | undefined {
    if (rest.length === 0) return this.#error(state, word, `${what} is missing`)
    if (rest.length > 1) return this.#error(state, rest[1]!, `nothing may follow ${what}`)
    return rest[0]
  }

  #setOrigin(state: State, word: Field, rest: readonly Field[]): void {
    const field = this.#argument(state, word, rest, 'the origin')
    const origin = field && readName(field.text, state.origin)
    if (origin) state.origin = origin
    else if (field) this.#error(state, field, 'this is not a domain name')
  }

  #setTtl(state: State, word: Field, rest: readonly Field[]): void {
    const field = this.#argument(state, word, rest, 'the TTL')
    const ttlSeconds = field && readTtl(field.text)
    if (field && ttlSeconds === undefined) this.#error(state, field, 'this is not a TTL such as 300 or 1h30m')
    if (ttlSeconds === undefined) return
    state.ttlSeconds = ttlSeconds
    state.ttlIsDefault = true
  }

  /** RFC 1035 5.1: neither the origin nor the owner of the included file outlasts it. */
  *#include(state: State, word: Field, rest: readonly Field[]): Generator<void, void> {
    const [name, below] = rest
    if (!name) return this.#error(state, word, 'the file is missing')
    if (rest.length > 2) return this.#error(state, rest[2]!, 'nothing may follow the origin')
    const origin = below ? readName(below.text, state.origin) : state.origin
    if (!origin) return this.#error(state, below!, 'this is not a domain name')
    if (state.depth === INCLUDE_DEPTH_MAX) {
      return this.#error(state, name, `files within files, more than ${INCLUDE_DEPTH_MAX} deep`)
    }
    if (++this.#includes > INCLUDES_MAX) {
      this.#stopped = true
      return this.#error(state, name, `more than ${INCLUDES_MAX} files`)
    }
    const file = isAbsolute(name.text) ? name.text : join(dirname(state.file), name.text)
    const read = this.#read(file)
    if ('reason' in read) return this.#error(state, name, `reading ${file}: ${read.reason}`)
    yield* this.#file({ ...state, file, origin, owner: undefined, depth: state.depth + 1 }, read.text)
  }

  *#generate(state: State, word: Field, rest: readonly Field[]): Generator<void, void> {
    const [rangeField, ...fields] = rest
    if (!rangeField) return this.#error(state, word, 'the range is missing')
    const range = parseRange(rangeField.text)
    if (typeof range === 'string') return this.#error(state, rangeField, range)
    const templates = this.#templates(state, fields, range)
    if (!templates) return
    if (templates.length === 0) return this.#error(state, rangeField, 'a record must follow the range')
    for (let number = range.start; number <= range.stop; number += range.step) {
      const made = templates.map((template, i) => ({ ...fields[i]!, text: template(number) }))
      const before = this.#problems.errors
      this.#record(state, { fields: made, blank: false })
      // The others would most likely be wrong in the same way.
      if (this.#stopped || this.#problems.errors > before) return
      if (++this.#entries % PAUSE_ENTRIES === 0) yield
    }
  }

  #templates(state: State, fields: readonly Field[], range: Range): Template[] | undefined {
    const templates: Template[] = []
    for (const field of fields) {
      const template = parseTemplate(field.text, range)
      if (typeof template === 'string') return this.#error(state, field, template)
      templates.push(template)
    }
    return templates
  }

  #record(state: State, entry: Entry): undefined {
    const { origin, owner } = state
    const record = readRecord(entry, { origin, owner, ttlSeconds: NO_TTL })
    if ('reason' in record) {
      this.#problems.error({ ...record, file: state.file }, record.reason)
      return
    }
    state.owner = record.owner
    this.#take(state, entry.fields[0]!, record, this.#ttlOf(state, entry.fields[0]!, record))
  }

  #ttlOf(state: State, field: Field, { ttlSeconds }: Rr): number {
    if (ttlSeconds !== NO_TTL) {
      if (!state.ttlIsDefault) state.ttlSeconds = ttlSeconds
      return ttlSeconds
    }
    if (state.ttlSeconds === undefined) {
      this.#withoutTtl ??= { file: state.file, line: field.line, column: field.column }
    }
    return state.ttlSeconds ?? 0
  }

  #take(state: State, field: Field, record: Rr, ttlSeconds: number): undefined {
    const { type } = record
    const owner = foldName(record.owner)
    if (record.class !== CLASS.IN) {
      return this.#error(state, field, `a record of class ${className(record.class)}; only IN is served`)
    }
    const hashing = type === TYPE.NSEC3 || type === TYPE.NSEC3PARAM ? hashingFault(record.rdata) : undefined
    if (hashing !== undefined) return this.#error(state, field, hashing)
    if (record.rdata.length > RDATA_MAX_OCTETS) {
      return this.#error(state, field, `data of ${record.rdata.length} octets, more than ${RDATA_MAX_OCTETS}`)
    }
    const place = { file: state.file, line: field.line, column: field.column }
    if (type !== TYPE.SOA && !isWithin(owner, this.#origin)) {
      this.#outsideCount++
      this.#outside ??= { place, owner }
      return
    }
    if (this.#builder.recordCount === RECORDS_MAX) {
      this.#stopped = true
      return this.#error(state, field, `more than ${RECORDS_MAX} records`)
    }
    const rdata = foldTargets(type, record.rdata)
    if (type === TYPE.SOA) this.#setSoa(place, owner, ttlSeconds, rdata)
    else this.#builder.add(owner, type, ttlSeconds, rdata)
  }

  #setSoa(place: Place, owner: Name, ttlSeconds: number, rdata: Uint8Array): void {
    if (!equalNames(owner, this.#origin)) {
      const zone = formatName(this.#origin)
      this.#problems.warning(place, `this SOA counts for the zone ${zone}, though it has another name`)
    }
    this.#builder.setSoa(owner, ttlSeconds, rdata)
  }
}

/** Why the hashes of NSEC3 and NSEC3PARAM data cannot be made here (RFC 5155 3.2, RFC 9276 3.2). */
function hashingFault(rdata: Uint8Array): string | undefined {
  if (rdata[0] !== 1) return `NSEC3 with the hash algorithm ${rdata[0]}: only 1, SHA-1, is known`
  const iterations = readU16(rdata, 2)
  return iterations > ITERATIONS_MAX
    ? `NSEC3 with ${iterations} iterations, more than ${ITERATIONS_MAX}: sign the zone with none (RFC 9276)`
    : undefined
}

/** Where names begin that CoreDNS keeps in lower case. */
const FOLDED_FROM: ReadonlyMap<number, number> = new Map([
  [TYPE.NS, 0],
  [TYPE.CNAME, 0],
  [TYPE.SOA, 0],
  [TYPE.MX, 2],
  [TYPE.SVCB, 2],
  [TYPE.HTTPS, 2],
])

/** The data with its target in lower case; of an SOA both names. */
function foldTargets(type: number, rdata: Uint8Array): Uint8Array {
  const from = FOLDED_FROM.get(type)
  if (from === undefined) return rdata
  let end = nameEnd(rdata, from)
  if (type === TYPE.SOA) end = nameEnd(rdata, end)
  const folded = Uint8Array.from(rdata)
  folded.set(foldName(rdata.subarray(from, end)), from)
  return folded
}

function nameEnd(rdata: Uint8Array, at: number): number {
  while (rdata[at]! > 0) at += rdata[at]! + 1
  return at + 1
}
