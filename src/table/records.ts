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
  readonly namespace: string
  /** How many names it brings about. */
  readonly names: number
  /** About how much memory it takes. */
  readonly octets: number
  readonly createdMs: number
}

/** Values of one set that a reply can hold at most, in octets. */
const SET_OCTETS_MAX = 32_768
const STRING_MAX = 255
/** Values that are read in one step. */
const VALUES_A_STEP = 32
/** Names of one namespace: its records' own, and for each those above it up to the suffix that is delegated. */
export const NAMES_MAX = 20_000
/** Memory of one namespace's records, and of those of all: the Services are in the same table. */
export const OCTETS_MAX = 8 * 1024 * 1024
export const ALL_OCTETS_MAX = 128 * 1024 * 1024
/** About how much a name takes beside its data. */
const NAME_OCTETS = 128
/** And a value beside its text. */
const VALUE_OCTETS = 16

/** What claims have taken. */
interface Used {
  names: number
  octets: number
}

export class Records {
  readonly #options: RecordOptions
  readonly #claims = new Map<string, Set<Claim>>()
  /** By the owner. */
  readonly #byObject = new Map<string, Claim[]>()
  /** What became of each object's latest set, by the owner. */
  readonly #verdicts = new Map<string, Verdict>()
  readonly #usedBy = new Map<string, Used>()
  /** Octets of all namespaces. */
  #octets = 0
  /** Whether somebody did not get what he asked for because of what all have. */
  #isFull = false
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
      const names = this.#namesFor(set, namespace)
      if (typeof names !== 'number') this.#deny(owner, set, names)
      else {
        const claim = { ...set, owner, namespace, createdMs, names, octets: octetsOf(set, names) }
        const full = this.#fullFor(claim)
        if (full === undefined) this.#claim(claim)
        else {
          waiting.push(claim)
          this.#deny(owner, set, { refusal: 'TooMany', message: full })
        }
      }
    }
    this.#setWaiting(namespace, owner, waiting)
  }

  remove(kind: RecordKind, object: SlimRecords): void {
    const owner = `${kind} ${object.namespace}/${object.name}`
    this.#setWaiting(object.namespace, owner, [])
    for (const claim of this.#byObject.get(owner) ?? []) {
      this.#giveBack(claim)
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
      if (this.#fullFor({ namespace, names: 1, octets: NAME_OCTETS }) !== undefined) return
      const left: Claim[] = []
      for (const claim of claims) {
        if (this.#fullFor(claim) === undefined) this.#claim(claim)
        else left.push(claim)
      }
      if (left.length < claims.length) this.#setWaiting(namespace, owner, left)
      pieces += claims.length
      if (pieces < PIECES_A_STEP) continue
      pieces = 0
      yield
    }
  }

  #claim(claim: Claim): void {
    this.#take(claim)
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

  #take({ namespace, names, octets }: Claim): void {
    const used = this.#usedBy.get(namespace)
    if (used === undefined) this.#usedBy.set(namespace, { names, octets })
    else {
      used.names += names
      used.octets += octets
    }
    this.#octets += octets
  }

  #giveBack({ namespace, names, octets }: Claim): void {
    const used = this.#usedBy.get(namespace)!
    used.names -= names
    used.octets -= octets
    if (used.names === 0) this.#usedBy.delete(namespace)
    this.#octets -= octets
    if (this.#isFull) {
      this.#isFull = false
      for (const waiting of this.#waiting.keys()) this.#freed(waiting)
    } else if (this.#waiting.has(namespace)) this.#freed(namespace)
  }

  /** Why there is no room for a claim; undefined where there is. */
  #fullFor({ namespace, names, octets }: Pick<Claim, 'namespace' | 'names' | 'octets'>): string | undefined {
    const used = this.#usedBy.get(namespace) ?? { names: 0, octets: 0 }
    if (used.names + names > NAMES_MAX)
      return `namespace ${namespace} has ${NAMES_MAX} names already, with those above them`
    if (used.octets + octets > OCTETS_MAX)
      return `the records of namespace ${namespace} take ${inMiB(OCTETS_MAX)} already`
    if (this.#octets + octets <= ALL_OCTETS_MAX) return undefined
    this.#isFull = true
    return `the records of all namespaces take ${inMiB(ALL_OCTETS_MAX)} already`
  }

  /** How many names a claim of the name costs the namespace, or why it may not have it. */
  #namesFor({ name, type }: SlimRecordSet, namespace: string): number | Verdict {
    const delegation = this.#options.delegations
      .filter(({ suffix }) => isWithin(name, suffix))
      .reduce<RecordOptions['delegations'][number] | undefined>(
        (longest, each) =>
          longest === undefined || each.suffix.length > longest.suffix.length ? each : longest,
        undefined,
      )
    if (delegation === undefined) return notDelegated('no `delegate` of the Corefile has this name')
    const { suffix, to } = delegation
    const own = this.#options.own.find(zone => zone.length >= suffix.length && isWithin(name, zone))
    if (own !== undefined) return { refusal: 'OwnZone', message: `${own} is the cluster's own` }
    if (type === 'CNAME' && this.#options.zones.includes(name))
      return { refusal: 'Invalid', message: `${name} is a zone, whose name is no alias (RFC 1034 3.6.2)` }
    if (!to.includes('*') && !to.includes(namespace)) {
      const whose = suffix === '' ? 'this name' : suffix
      return notDelegated(`${whose} is delegated to ${to.join(', ')} and not to namespace ${namespace}`)
    }
    return Math.max(1, labelsOf(name) - labelsOf(suffix))
  }

  /**
   * A name belongs to the namespace whose object is the oldest that claims it. There the older of two claims to one type
   * counts, and where one is an alias, the oldest of all (RFC 1034 3.6.2).
   */
  #granted(claims: readonly Claim[]): Claim[] {
    const [oldest, ...others] = claims.toSorted(byAge)
    if (oldest === undefined) return []
    const granted = [oldest]
    for (const claim of others) {
      const rival =
        granted.find(({ type }) => type === claim.type) ??
        granted.find(({ type }) => type === 'CNAME' || claim.type === 'CNAME') ??
        (claim.namespace === oldest.namespace ? undefined : oldest)
      if (rival === undefined) granted.push(claim)
      else if (!isRepeated(claim, rival)) {
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

/** Whether a claim adds nothing to a granted one: of the same object, or of another Ingress, route or Service with the same host and balancer. */
function isRepeated(claim: Claim, granted: Claim): boolean {
  if (claim.type !== granted.type) return false
  if (claim.owner === granted.owner) return true
  const isHost = /^(?:Ingress|HTTPRoute|Service) /
  return (
    isHost.test(claim.owner) &&
    isHost.test(granted.owner) &&
    claim.values.toSorted().join(' ') === granted.values.toSorted().join(' ')
  )
}

/** About how much memory a set takes that brings about so many names. */
const octetsOf = ({ name, values }: SlimRecordSet, names: number): number =>
  names * NAME_OCTETS + name.length + values.reduce((sum, { length }) => sum + length + VALUE_OCTETS, 0)

const inMiB = (octets: number): string => `${octets / (1024 * 1024)} MiB`

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
