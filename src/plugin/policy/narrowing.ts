// HOT: what the DNSPolicies of a client's namespace leave of what the Corefile lets it resolve: each of them may only take away, so
// that all of them together do, whatever they say. They stand in the table of the block's `kubernetes`, read anew when they change.

import type { Clock } from '../../shared/clock.ts'
import { KEY } from '../../table/layout.ts'
import { policyKey, type ServedPolicy } from '../../table/policies.ts'
import type { TableReader } from '../../table/reader.ts'
import { numberOf, readText } from '../../table/texts.ts'
import { name } from '../../wire/name.ts'
import { HOST, NOBODY } from '../kubernetes/client-namespace.ts'
import type { NameView } from './name-view.ts'
import { type LabelsOf, testOf } from './selectors.ts'
import { packSuffixes, Suffixes } from './suffixes.ts'

/** Namespaces whose policies are kept as they are read; beyond, those that were read first are forgotten. */
const REMEMBERED_MAX = 10_000
/** Octets of their texts, likewise. */
const REMEMBERED_MAX_OCTETS = 16 * 2 ** 20
/** Verdicts on namespaces that are remembered for each of them, and for all; beyond, all are forgotten. */
const VERDICTS_MAX = 1000
const VERDICTS_MAX_ALL = 50_000
/** After a reading that took so long, the policies of a namespace are as they are for this many times as long, a second at most. */
const REST = 20
const REST_MAX_MS = 1000
const NAMESPACE_MAX = 63

/** One DNSPolicy, ready to judge. */
interface Judge {
  readonly name: string
  readonly allowed: Suffixes | undefined
  readonly blocked: Suffixes
  readonly isAllowed: ((namespace: string) => boolean) | undefined
  readonly isBlocked: (namespace: string) => boolean
}

interface Known {
  readonly number: number
  readonly judges: readonly Judge[]
  readonly octets: number
  /** What was found of namespaces: what keeps them, or ''. */
  readonly verdicts: Map<string, string>
  /** They are not read anew before, in ms: what changes all the time costs no more than a share of the thread's time. */
  readonly notBeforeMs: number
}

const NONE: readonly Judge[] = []

export class Narrowing {
  readonly #table: TableReader
  readonly #labelsOf: LabelsOf
  readonly #known = new Map<string, Known>()
  readonly #key = new Uint8Array(1 + NAMESPACE_MAX)
  readonly #clock: Clock
  #client = NOBODY
  #judges: readonly Judge[] = NONE
  #verdicts: Map<string, string> | undefined
  /** Of the verdicts, those of namespaces that were forgotten since among them. */
  #verdictCount = 0
  #octets = 0

  constructor(table: TableReader, labelsOf: LabelsOf, clock: Clock) {
    this.#clock = clock
    this.#table = table
    this.#labelsOf = labelsOf
    this.#key[0] = KEY.POLICY
  }

  /** One that takes something away from the client of `comes`; undefined where there is none. */
  get first(): string | undefined {
    return this.#judges[0] && `DNSPolicy ${this.#client}/${this.#judges[0].name}`
  }

  /** A client's query or reply is to be judged. */
  comes(client: string): void {
    this.#client = client
    const known = client === NOBODY || client === HOST ? undefined : this.#of(client)
    this.#judges = known?.judges ?? NONE
    this.#verdicts = known?.verdicts
  }

  /** Labels have changed: no verdict on a namespace counts any more. */
  forget(): void {
    for (const { verdicts } of this.#known.values()) verdicts.clear()
    this.#verdictCount = 0
  }

  /** What keeps names of that namespace from the client: the object and the part of it; undefined for nothing. Its own it has always. */
  keepsNamespace(namespace: string): string | undefined {
    if (namespace === this.#client || this.#judges.length === 0) return undefined
    const verdicts = this.#verdicts!
    let verdict = verdicts.get(namespace)
    if (verdict === undefined) {
      if (verdicts.size >= VERDICTS_MAX || this.#verdictCount >= VERDICTS_MAX_ALL) this.forget()
      verdict = this.#judge(namespace) ?? ''
      this.#verdictCount++
      verdicts.set(namespace, verdict)
    }
    return verdict === '' ? undefined : verdict
  }

  #judge(namespace: string): string | undefined {
    for (let i = 0; i < this.#judges.length; i++) {
      const judge = this.#judges[i]!
      if (judge.isBlocked(namespace)) return this.#told(judge, 'namespaces.block')
      if (judge.isAllowed?.(namespace) === false) return this.#told(judge, 'namespaces.allow')
    }
    return undefined
  }

  /** What keeps a name outside of the cluster from the client: the longest name of a policy's lists counts, a block before an allow. */
  keepsName(view: NameView): string | undefined {
    for (let i = 0; i < this.#judges.length; i++) {
      const judge = this.#judges[i]!
      const block = judge.blocked.longest(view)
      const allow = judge.allowed?.longest(view) ?? -1
      if (block >= 0 && block >= allow) return this.#told(judge, 'names.block')
      if (judge.allowed !== undefined && allow < 0) return this.#told(judge, 'names.allow')
    }
    return undefined
  }

  #told({ name }: Judge, part: string): string {
    return `DNSPolicy ${this.#client}/${name}, spec.${part}`
  }

  #of(namespace: string): Known | undefined {
    if (namespace.length > NAMESPACE_MAX) return undefined
    Buffer.prototype.latin1Write.call(this.#key, namespace, 1, namespace.length)
    const number = numberOf(this.#table, this.#key, 1 + namespace.length)
    const known = this.#known.get(namespace)
    if (known === undefined && number === 0) return undefined
    const isDue = known === undefined || (known.number !== number && this.#clock.nowMs() >= known.notBeforeMs)
    return isDue ? this.#read(namespace, known) : known
  }

  #read(namespace: string, before: Known | undefined): Known {
    const beganMs = this.#clock.nowMs()
    const found = readText(this.#table, policyKey(namespace))
    const served: readonly ServedPolicy[] = found === undefined ? [] : JSON.parse(found.text)
    const judges = served.map(policy => judgeOf(policy, this.#labelsOf))
    const octets = found?.text.length ?? 0
    this.#octets += octets - (before?.octets ?? 0)
    this.#known.delete(namespace)
    for (const [first, { octets }] of this.#known) {
      if (this.#known.size < REMEMBERED_MAX && this.#octets <= REMEMBERED_MAX_OCTETS) break
      this.#known.delete(first)
      this.#octets -= octets
    }
    const nowMs = this.#clock.nowMs()
    const known: Known = {
      number: found?.number ?? 0,
      judges,
      octets,
      verdicts: new Map(),
      notBeforeMs: nowMs + Math.min(REST * (nowMs - beganMs), REST_MAX_MS),
    }
    this.#known.set(namespace, known)
    return known
  }
}

function judgeOf({ name, names, namespaces }: ServedPolicy, labelsOf: LabelsOf): Judge {
  return {
    name,
    allowed: names.allow && suffixesOf(names.allow),
    blocked: suffixesOf(names.block),
    isAllowed: namespaces.allow && testOf(namespaces.allow, labelsOf),
    isBlocked: testOf(namespaces.block, labelsOf),
  }
}

const suffixesOf = (texts: readonly string[]): Suffixes =>
  new Suffixes(packSuffixes(texts.map(text => name(`${text}.`))))
