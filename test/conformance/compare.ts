// The comparison that FORMAT.md describes.

import type { DnsRecord } from '../support/dns-message.ts'

/** A record as expected: `*` in the name, or in a blank-separated part of the data, stands for anything. */
export interface Expected {
  readonly name: string
  readonly type: string
  readonly ttl?: number
  readonly data: string
}

/** The server that a group of cases asks. */
export interface Config {
  readonly zones: readonly string[]
  readonly pods?: string
  readonly namespaces?: readonly string[]
  readonly ttl?: number
  readonly ignore_empty_service?: boolean
  readonly endpoint_pod_names?: boolean
  readonly zonal?: boolean
  readonly fallthrough?: readonly string[]
  readonly local_ips?: readonly string[]
  readonly api_synced?: boolean
  readonly upstream?: {
    readonly zones: readonly string[]
    readonly records: readonly string[]
    readonly truncated?: boolean
  }
}

/** One question and the reply that is expected. */
export interface Case {
  readonly id: string
  readonly note?: string
  readonly group: string
  readonly config: Config
  readonly q: {
    readonly name: string
    readonly type: string
    readonly class?: string
    readonly tcp?: boolean
    /** Of IXFR: what the client has. */
    readonly serial?: number | 'current'
  }
  readonly rcode: string
  readonly aa?: boolean
  readonly tc?: boolean
  readonly answer?: readonly Expected[]
  readonly authority?: readonly Expected[]
  readonly additional?: readonly Expected[]
  readonly match: 'exact-set' | 'subset' | 'rcode-only'
  readonly exact_case?: boolean
}

/** A reply, OPT left out. */
export interface Got {
  readonly rcode: string
  readonly aa: boolean
  readonly tc: boolean
  readonly answer: readonly DnsRecord[]
  readonly authority: readonly DnsRecord[]
  readonly additional: readonly DnsRecord[]
}

/** What differs, in words; empty where the reply is as expected. */
export function differences(one: Case, got: Got): string[] {
  const found: string[] = []
  if (!one.rcode.split('|').includes(got.rcode)) found.push(`rcode ${got.rcode}, expected ${one.rcode}`)
  if (one.aa !== undefined && one.aa !== got.aa) found.push(`AA is ${got.aa}`)
  if (one.tc !== undefined && one.tc !== got.tc) found.push(`TC is ${got.tc}`)
  if (one.match === 'rcode-only') return found
  for (const section of ['answer', 'authority', 'additional'] as const) {
    const expected = one[section]
    if (expected) found.push(...sectionDifferences(section, expected, got[section], one))
  }
  return [...found, ...orderDifferences(got.answer)]
}

function sectionDifferences(
  section: string,
  expected: readonly Expected[],
  got: readonly DnsRecord[],
  one: Case,
): string[] {
  const takenBy = new Map<DnsRecord, Expected>()
  // An expected record may take a place from another that has a second one (Kuhn's matching): `*` fits several.
  const place = (record: Expected, tried: Set<DnsRecord>): boolean => {
    for (const candidate of got) {
      if (tried.has(candidate) || !isLike(record, candidate, one.exact_case === true)) continue
      tried.add(candidate)
      const before = takenBy.get(candidate)
      if (before && !place(before, tried)) continue
      takenBy.set(candidate, record)
      return true
    }
    return false
  }
  const missing = expected
    .filter(record => !place(record, new Set()))
    .map(record => `${section} lacks ${record.name} ${record.type} ${record.data}`)
  const left = got.filter(record => !takenBy.has(record))
  const surplus = one.match === 'exact-set' ? left.map(record => `${section} has ${record.text}`) : []
  return [...missing, ...surplus]
}

function isLike(expected: Expected, got: DnsRecord, exactCase: boolean): boolean {
  const fold = (text: string): string => (exactCase ? text : text.toLowerCase())
  if (expected.type !== got.type || (expected.ttl !== undefined && expected.ttl !== got.ttlSeconds))
    return false
  const parts = fold(expected.data).split(/\s+/)
  const gotParts = fold(got.data).split(/\s+/)
  return (
    isGlob(fold(expected.name), fold(got.name)) &&
    parts.length === gotParts.length &&
    parts.every((part, i) => isGlob(part, gotParts[i]!))
  )
}

/** Whether the text is like the pattern, in which `*` is any text. */
function isGlob(pattern: string, text: string): boolean {
  const literal = pattern.split('*').map(part => part.replace(/[.*+?^${}()|[\]\\]/g, '\\$&'))
  return new RegExp(`^${literal.join('.*')}$`, 's').test(text)
}

/** A CNAME must stand before the records of its target. */
function orderDifferences(answer: readonly DnsRecord[]): string[] {
  const found: string[] = []
  answer.forEach((record, i) => {
    if (record.type !== 'CNAME') return
    const target = record.data.toLowerCase()
    if (answer.slice(0, i).some(before => before.name.toLowerCase() === target))
      found.push(`${record.text} stands too late`)
  })
  return found
}
