// Records that objects ask for, by name: those that a namespace may have, of two that claim a name and type the older one's. A
// block for each name, and one without records for each name that others are below, which exists as well (RFC 8020).

import type { RecordKind } from '../objects/objects.ts'
import type { RecordOptions } from '../objects/options.ts'
import { isWithin, type SlimRecordSet, type SlimRecords } from '../objects/records.ts'
import { olderFirst, sameVerdict, type Verdict } from '../objects/verdict.ts'
import { PIECES_A_STEP, type Steps } from '../shared/steps.ts'
import { parseName } from '../wire/name.ts'
import { parseRecord } from '../wire/presentation/record.ts'
import { parseType } from '../wire/rrtype.ts'
import { KEY, KIND } from './layout.ts'
import { Octets } from './octets.ts'
import type { TableWriter } from './writer.ts'

/** A set of records as an object asks for it. */
interface Claim extends SlimRecordSet {
  /** KIND NAMESPACE/NAME. */
  readonly owner: string
  /** How many names it brings about. */
  readonly names: number
  readonly createdMs: number
}

/** Values of one set that a reply can hold at most, in octets. */
const SET_OCTETS_MAX = 32_768
const STRING_MAX = 255
/** Values that are read in one step. */
const VALUES_A_STEP = 32
/** Names of one namespace: its records' own, and for each those above it up to the suffix that is delegated. */
export const NAMES_MAX = 20_000

export class Records {
  readonly #options: RecordOptions
  readonly #claims = new Map<string, Set<Claim>>()
  /** By the owner. */
  readonly #byObject = new Map<string, Claim[]>()
  /** What became of each object's latest set, by the owner. */
  readonly #verdicts = new Map<string, Verdict>()
  /** How many names each namespace has. */
  readonly #namesOf = new Map<string, number>()
  /** What a full namespace did not get, by namespace and owner: claimed again when names come free. */
  readonly #waiting = new Map<string, Map<string, readonly Claim[]>>()
  /** How many names with records are below a name. */
  readonly #below = new Map<string, number>()
  readonly #touch: (name: string) => void
  readonly #refuse: (text: string) => void
  readonly #judged: (owner: string) => void
  readonly #freed: (namespace: string) => void

  /**
   * `touch` notes that a name is to be published, `refuse` tells of what an object may not have, `judged` that an object's
   * verdict is another one, `freed` that `claimWaiting` may find room in a namespace now.
   */
  constructor(
    options: RecordOptions,
    touch: (name: string) => void,
    refuse: (text: string) => void,
    judged: (owner: string) => void = () => undefined,
    freed: (namespace: string) => void = () => undefined,
  ) {
    this.#options = options
    this.#touch = touch
    this.#refuse = refuse
    this.#judged = judged
    this.#freed = freed
  }

  /** What became of an object with one set of records, `KIND NAMESPACE/NAME`. */
  verdictOf(owner: string): Verdict | undefined {
    return this.#verdicts.get(owner)
  }

  add(kind: RecordKind, object: SlimRecords): void {
    const owner = `${kind} ${object.namespace}/${object.name}`
    const { namespace, createdMs } = object
    if (object.records.length === 0)
      this.#judge(owner, { refusal: 'Invalid', message: 'it has no name that records can have' })
    this.#byObject.set(owner, [])
    const waiting: Claim[] = []
    for (const set of object.records) {
      const names = this.#costOf(set.name, namespace)
      if (typeof names !== 'number') this.#deny(owner, set, names)
      else {
        const claim = { ...set, owner, createdMs, names }
        if (this.#hasRoom(namespace, names)) this.#claim(namespace, claim)
        else {
          waiting.push(claim)
          const message = `namespace ${namespace} has ${NAMES_MAX} names already, with those above them`
          this.#deny(owner, set, { refusal: 'TooMany', message })
        }
      }
    }
    this.#setWaiting(namespace, owner, waiting)
  }

  remove(kind: RecordKind, object: SlimRecords): void {
    const owner = `${kind} ${object.namespace}/${object.name}`
    this.#setWaiting(object.namespace, owner, [])
    for (const claim of this.#byObject.get(owner) ?? []) {
      this.#give(object.namespace, -claim.names)
      const known = this.#claims.get(claim.name)
      known?.delete(claim)
      if (known?.size === 0) {
        this.#claims.delete(claim.name)
        this.#count(claim.name, -1)
      }
      this.#touch(claim.name)
    }
    this.#byObject.delete(owner)
    this.#verdicts.delete(owner)
  }

  /** Claims what waits for names of a namespace, as far as there is room, those first that have waited longest. */
  *claimWaiting(namespace: string): Steps<void> {
    let pieces = 0
    for (const [owner, claims] of this.#waiting.get(namespace) ?? []) {
      if (!this.#hasRoom(namespace, 1)) return
      const left: Claim[] = []
      for (const claim of claims) {
        if (this.#hasRoom(namespace, claim.names)) this.#claim(namespace, claim)
        else left.push(claim)
      }
      if (left.length < claims.length) this.#setWaiting(namespace, owner, left)
      pieces += claims.length
      if (pieces < PIECES_A_STEP) continue
      pieces = 0
      yield
    }
  }

  #claim(namespace: string, claim: Claim): void {
    this.#give(namespace, claim.names)
    this.#byObject.get(claim.owner)!.push(claim)
    const known = this.#claims.get(claim.name)
    if (known) known.add(claim)
    else {
      this.#claims.set(claim.name, new Set([claim]))
      this.#count(claim.name, 1)
    }
    this.#touch(claim.name)
  }

  #setWaiting(namespace: string, owner: string, claims: readonly Claim[]): void {
    const known = this.#waiting.get(namespace)
    if (claims.length > 0) {
      if (known) known.set(owner, claims)
      else this.#waiting.set(namespace, new Map([[owner, claims]]))
    } else if (known?.delete(owner) && known.size === 0) this.#waiting.delete(namespace)
  }

  #deny(owner: string, { name, type }: SlimRecordSet, verdict: Verdict): void {
    this.#refuse(`${owner}: ${name} ${type}: ${verdict.message}`)
    this.#judge(owner, verdict)
  }

  #judge(owner: string, verdict: Verdict): void {
    if (sameVerdict(this.#verdicts.get(owner), verdict)) return
    this.#verdicts.set(owner, verdict)
    this.#judged(owner)
  }

  /** Publishes what is known of a name. Returns whether anything changed; throws TableFullError, having changed nothing. */
  *publish(text: string, writer: TableWriter): Steps<boolean> {
    const name = parseName(`${text}.`)
    if (name === undefined) return false
    const key = Uint8Array.of(KEY.RECORDS, ...name)
    const claims = [...(this.#claims.get(text) ?? [])]
    if (claims.length === 0 && (this.#below.get(text) ?? 0) === 0) return writer.remove(key)
    return writer.publish(key, yield* this.#build(key, this.#granted(claims)))
  }

  #give(namespace: string, names: number): void {
    const count = (this.#namesOf.get(namespace) ?? 0) + names
    if (count > 0) this.#namesOf.set(namespace, count)
    else this.#namesOf.delete(namespace)
    if (names < 0 && this.#waiting.has(namespace)) this.#freed(namespace)
  }

  #hasRoom(namespace: string, names: number): boolean {
    return (this.#namesOf.get(namespace) ?? 0) + names <= NAMES_MAX
  }

  /** How many names a claim of the name costs the namespace, or why it may not have it. */
  #costOf(name: string, namespace: string): number | Verdict {
    const delegation = this.#options.delegations
      .filter(({ suffix }) => isWithin(name, suffix))
      .reduce<RecordOptions['delegations'][number] | undefined>(
        (longest, each) =>
          longest === undefined || each.suffix.length > longest.suffix.length ? each : longest,
        undefined,
      )
    if (delegation === undefined) return notDelegated('no `delegate` of the Corefile has this name')
    const { suffix, to } = delegation
    if (!to.includes('*') && !to.includes(namespace)) {
      const whose = suffix === '' ? 'this name' : suffix
      return notDelegated(`${whose} is delegated to ${to.join(', ')} and not to namespace ${namespace}`)
    }
    return Math.max(1, labelsOf(name) - labelsOf(suffix))
  }

  /** The older of two claims to one type counts, and where one is an alias, the oldest of all (RFC 1034 3.6.2). */
  #granted(claims: readonly Claim[]): Claim[] {
    const [oldest, ...others] = claims.toSorted(byAge)
    if (oldest === undefined) return []
    const granted = [oldest]
    for (const claim of others) {
      const rival =
        granted.find(({ type }) => type === claim.type) ??
        granted.find(({ type }) => type === 'CNAME' || claim.type === 'CNAME')
      if (rival === undefined) granted.push(claim)
      else if (rival.owner !== claim.owner || rival.type !== claim.type) {
        const message = `${rival.owner} has the name, and is older`
        this.#refuse(`${claim.owner}: ${claim.name} ${claim.type}: ${message}`)
        this.#judge(claim.owner, { refusal: 'Conflict', message })
      }
    }
    return granted
  }

  *#build(key: Uint8Array, claims: readonly Claim[]): Steps<Uint8Array> {
    const out = new Octets()
    out.head(KIND.RECORDS, 0, key.length, 0, 0)
    out.bytes(key)
    const detail = out.length
    const sets: { readonly claim: Claim; readonly data: readonly Uint8Array[] }[] = []
    for (const claim of claims) {
      const data = yield* this.#dataOf(claim)
      if (data.length > 0) sets.push({ claim, data })
    }
    out.u16(sets.length)
    for (const { claim, data } of sets) {
      out.u16(parseType(claim.type)!)
      out.u32(claim.ttlSeconds || this.#options.ttlSeconds)
      out.u16(data.length)
      for (const rdata of data) {
        out.u16(rdata.length)
        out.bytes(rdata)
      }
    }
    return out.finish(detail)
  }

  /** The data of the records, each once; what is none is left out. An alias has one target. */
  *#dataOf({ owner, name, type, values }: Claim): Steps<Uint8Array[]> {
    const data = new Map<string, Uint8Array>()
    let octets = 0
    let left = ''
    const refuse = (reason: string): void => {
      this.#refuse(`${owner}: ${name} ${type}: ${reason}`)
      left ||= reason
    }
    for (const [at, value] of (type === 'CNAME' ? values.slice(0, 1) : values).entries()) {
      if (at % VALUES_A_STEP === VALUES_A_STEP - 1) yield
      const record = parseRecord(`x. 0 IN ${type} ${dataText(type, value)}`)
      if ('reason' in record) refuse(`${record.reason}: ${value.slice(0, 80)}`)
      else if (octets + record.rdata.length > SET_OCTETS_MAX) {
        refuse('more records than a reply holds')
        break
      } else {
        octets += record.rdata.length
        data.set(Buffer.from(record.rdata).toString('latin1'), record.rdata)
      }
    }
    this.#judge(owner, servedVerdict(name, type, data.size, left))
    return [...data.values()]
  }

  #count(name: string, by: 1 | -1): void {
    for (let at = name.indexOf('.'); at >= 0; at = name.indexOf('.', at + 1)) {
      const above = name.slice(at + 1)
      const count = (this.#below.get(above) ?? 0) + by
      if (count > 0) this.#below.set(above, count)
      else this.#below.delete(above)
      this.#touch(above)
    }
  }
}

/** So many records of a set are served, and of the others something is wrong. */
function servedVerdict(name: string, type: string, records: number, left: string): Verdict {
  if (records === 0) return { refusal: 'Invalid', message: left === '' ? 'it has no values' : left }
  const message = `${name} has ${records} ${type} record${records === 1 ? '' : 's'}`
  return { message: left === '' ? message : `${message}; left out is what is wrong: ${left}` }
}

const notDelegated = (message: string): Verdict => ({ refusal: 'NotDelegated', message })

const labelsOf = (name: string): number => (name === '' ? 0 : name.split('.').length)

const byAge = olderFirst<Claim>(({ owner }) => owner)

/** Names without a final dot are whole ones, and texts may lack their quotes. */
function dataText(type: string, value: string): string {
  const text = value.replaceAll('\n', ' ')
  if (type === 'TXT') return text.startsWith('"') ? text : quoted(text)
  const isName = type === 'CNAME' || type === 'MX' || type === 'SRV'
  return isName && !text.endsWith('.') ? `${text}.` : text
}

function quoted(text: string): string {
  const parts: string[] = []
  const octets = Buffer.from(text)
  for (let at = 0; at < octets.length; at += STRING_MAX) {
    const part = [...octets.subarray(at, at + STRING_MAX)].map(octet =>
      octet >= 0x20 && octet < 0x7f && octet !== 0x22 && octet !== 0x5c
        ? String.fromCharCode(octet)
        : `\\${String(octet).padStart(3, '0')}`,
    )
    parts.push(`"${part.join('')}"`)
  }
  return parts.join(' ')
}
