// One resource record in presentation form (RFC 1035 5.1): owner, TTL and class (IN unless given) in either order or left
// out, type, data.
//
//   www.example.org. 3600 IN A 192.0.2.1
//   example.org. IN 1h SOA ns hostmaster ( 1 2h 30m 1d 60 )
//   example.org. MX 10 mail

import type { Name } from '../name.ts'
import type { Rr } from '../record.ts'
import { CLASS, parseClass, parseType, TYPE, typeName } from '../rrtype.ts'
import { Cursor, readName, readTtl } from './cursor.ts'
import { type Entry, type Fault, type Field, splitEntries } from './entry.ts'
import { readRdata } from './rdata.ts'

/** What a record may leave out. */
export interface RecordDefaults {
  /** What relative names are below; without it they are faults. */
  readonly origin?: Name | undefined
  /** The owner of a record that begins with a blank; without it such a record is a fault. */
  readonly owner?: Name | undefined
  /** Without it a record needs a TTL. */
  readonly ttlSeconds?: number | undefined
}

/** Types that stand in questions or go with one message only, never in data (RFC 6895 3.1). */
const isMeta = (type: number): boolean => type === TYPE.OPT || (type >= 128 && type <= 255)

/** Reads the first record of a text; what follows its entry is not looked at. */
export function parseRecord(text: string, defaults: RecordDefaults = {}): Rr | Fault {
  for (const entry of splitEntries(text)) return 'reason' in entry ? entry : readRecord(entry, defaults)
  return { reason: 'this holds no record', line: 1, column: 1 }
}

/** Reads the record of one entry. */
export function readRecord(entry: Entry, defaults: RecordDefaults = {}): Rr | Fault {
  const { fields, blank } = entry
  const faultAt = (index: number, reason: string): Fault => {
    const { line, column } = fields[Math.min(index, fields.length - 1)]!
    return { reason, line, column }
  }
  const owner = blank ? defaults.owner : readName(fields[0]!.text, defaults.origin)
  if (owner === undefined) {
    return faultAt(
      0,
      blank ? 'a record without an owner' : 'this is not a domain name, or nothing says below what',
    )
  }
  const head = readHead(fields, blank ? 0 : 1)
  const word = fields[head.at]
  if (word === undefined) return faultAt(head.at, 'the type is missing')
  const type = parseType(word.text)
  if (type === undefined) return faultAt(head.at, 'this is neither a TTL, a class nor a type')
  if (isMeta(type)) return faultAt(head.at, `${typeName(type)} is no type of records`)
  const ttlSeconds = head.ttlSeconds ?? defaults.ttlSeconds
  if (ttlSeconds === undefined) return faultAt(head.at, 'a record without a TTL')
  const cursor = new Cursor(fields, head.at + 1, defaults.origin)
  const rdata = readRdata(cursor, type)
  if (rdata === undefined) return cursor.fault!
  return { owner, type, class: head.class ?? CLASS.IN, ttlSeconds, rdata }
}

/** TTL and class, each at most once, and the index of the field behind them. */
function readHead(
  fields: readonly Field[],
  start: number,
): { at: number; ttlSeconds: number | undefined; class: number | undefined } {
  let ttlSeconds: number | undefined
  let rrclass: number | undefined
  let at = start
  for (; at < fields.length; at++) {
    const { text } = fields[at]!
    const asClass = rrclass === undefined ? parseClass(text) : undefined
    const asTtl = ttlSeconds === undefined ? readTtl(text) : undefined
    if (asClass === undefined && asTtl === undefined) break
    rrclass ??= asClass
    ttlSeconds ??= asTtl
  }
  return { at, ttlSeconds, class: rrclass }
}
