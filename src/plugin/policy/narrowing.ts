// HOT: what the DNSPolicies of a client's namespace leave of what the Corefile lets it resolve: each of them may only take away, so
// that all of them together do, whatever they say. They stand in the table of the block's `kubernetes`, read anew when they change.

import { KEY } from '../../table/layout.ts'
import { policyKey, type ServedPolicy } from '../../table/policies.ts'
import type { TableReader } from '../../table/reader.ts'
import { numberOf, readText } from '../../table/texts.ts'
import { name } from '../../wire/name.ts'
import { HOST, NOBODY } from '../kubernetes/client-namespace.ts'
import type { NameView } from './name-view.ts'
import { type LabelsOf, testOf } from './selectors.ts'
import { packSuffixes, Suffixes } from './suffixes.ts'

/** Namespaces whose policies are kept as they are read; beyond, all are forgotten. */
const REMEMBERED_MAX = 10_000
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
}

const NONE: readonly Judge[] = []

export class Narrowing {
  readonly #table: TableReader
  readonly #labelsOf: LabelsOf
  readonly #known = new Map<string, Known>()
  readonly #key = new Uint8Array(1 + NAMESPACE_MAX)
  #client = NOBODY
  #judges: readonly Judge[] = NONE

  constructor(table: TableReader, labelsOf: LabelsOf) {
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
    this.#judges = client === NOBODY || client === HOST ? NONE : this.#of(client)
  }

  /** What keeps names of that namespace from the client: the object and the part of it; undefined for nothing. Its own it has always. */
  keepsNamespace(namespace: string): string | undefined {
    if (namespace === this.#client) return undefined
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

  #of(namespace: string): readonly Judge[] {
    if (namespace.length > NAMESPACE_MAX) return NONE
    Buffer.prototype.latin1Write.call(this.#key, namespace, 1, namespace.length)
    const number = numberOf(this.#table, this.#key, 1 + namespace.length)
    const known = this.#known.get(namespace)
    if (known?.number === number) return known.judges
    if (number === 0 && known === undefined) return NONE
    if (this.#known.size >= REMEMBERED_MAX) this.#known.clear()
    const found = readText(this.#table, policyKey(namespace))
    const served: readonly ServedPolicy[] = found === undefined ? [] : JSON.parse(found.text)
    const judges = served.map(policy => judgeOf(policy, this.#labelsOf))
    if (judges.length === 0) this.#known.delete(namespace)
    else this.#known.set(namespace, { number: found!.number, judges })
    return judges
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
