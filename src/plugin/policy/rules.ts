// What the lines of `policy` say of a client and a namespace, or a name outside of the cluster. Clients are told by a text: the
// namespace, HOST for who has a node's address, or NOBODY for who is not known, to whom no line applies but those from
// everybody.

import type { PolicyConfig } from './config.ts'
import type { NameView } from './name-view.ts'
import { type LabelsOf, type Test, testOf } from './selectors.ts'
import { Suffixes } from './suffixes.ts'

/** Verdicts and clients that are remembered; beyond, all are forgotten. */
const REMEMBERED_MAX = 50_000

/** What a name outside is held against for one client. */
interface OfClient {
  /** Whether what no list names is kept. */
  readonly isClosed: boolean
  readonly allowed: readonly Suffixes[]
  readonly blocked: readonly Suffixes[]
  /** The number of the line of its upstreams; -1 for those that everybody has. */
  readonly upstreams: number
}

export class Rules {
  readonly #config: PolicyConfig
  readonly #upstreams: readonly Test[]
  readonly #isAllowed: boolean
  readonly #shared: Test
  readonly #namespaces: readonly { readonly allows: boolean; readonly from: Test; readonly to: Test }[]
  /** `perhaps` takes those, too, whose labels are not known. */
  readonly #names: readonly {
    readonly allows: boolean
    readonly from: Test
    readonly perhaps: Test
    readonly suffixes: Suffixes
  }[]
  readonly #verdicts = new Map<string, boolean>()
  readonly #ofClients = new Map<string, OfClient>()

  /** Who may be meant by labels that are not known may not what a line allows, nor what one denies. */
  constructor(config: PolicyConfig, labelsOf: LabelsOf) {
    this.#config = config
    this.#upstreams = config.upstreams.map(({ from }) => testOf(from, labelsOf))
    this.#isAllowed = config.default === 'allow'
    this.#shared = testOf(config.shared, labelsOf)
    this.#namespaces = config.namespaces.map(({ action, from, to }) => ({
      allows: action === 'allow',
      from: testOf(from, labelsOf, action === 'deny'),
      to: testOf(to, labelsOf),
    }))
    this.#names = config.names.map(({ action, from, suffixes }) => ({
      allows: action === 'allow',
      from: testOf(from, labelsOf),
      perhaps: testOf(from, labelsOf, true),
      suffixes: new Suffixes(suffixes),
    }))
  }

  /** Labels have changed: nothing that was found counts any more. */
  forget(): void {
    this.#verdicts.clear()
    this.#ofClients.clear()
  }

  /** HOT: whether the client may resolve names of the namespace. */
  allows(client: string, namespace: string): boolean {
    if (client === namespace) return true
    const key = `${client}/${namespace}`
    let verdict = this.#verdicts.get(key)
    if (verdict === undefined) {
      if (this.#verdicts.size >= REMEMBERED_MAX) this.#verdicts.clear()
      verdict = this.#judge(client, namespace)
      this.#verdicts.set(key, verdict)
    }
    return verdict
  }

  #judge(client: string, namespace: string): boolean {
    if (this.#shared(namespace)) return true
    return this.#namespaces[this.#lineAt(client, namespace)]?.allows ?? this.#isAllowed
  }

  #lineAt(client: string, namespace: string): number {
    return this.#namespaces.findIndex(({ from, to }) => from(client) && to(namespace))
  }

  /** HOT: the number of the line of the client's upstreams; -1 for those that everybody has. */
  upstreamsOf(client: string): number {
    return this.#upstreams.length === 0 ? -1 : this.#ofClient(client).upstreams
  }

  /** The line that keeps the namespace from the client, as it is written. */
  keeperOf(client: string, namespace: string): string {
    return this.#config.namespaces[this.#lineAt(client, namespace)]?.written ?? this.#config.defaultWritten
  }

  /** The line that keeps the name from the client, as it is written. */
  keeperOfName(client: string, view: NameView): string {
    const own = this.#names.flatMap(({ perhaps, suffixes, allows }, i) =>
      perhaps(client) ? [{ allows, longest: suffixes.longest(view), ...this.#config.names[i]! }] : [],
    )
    const blocking = own.filter(({ allows, longest }) => !allows && longest >= 0)
    const keeper = blocking.sort((a, b) => b.longest - a.longest)[0] ?? own.find(({ allows }) => allows)
    return keeper?.written ?? this.#config.defaultWritten
  }

  /** A line that keeps something from the client, as it is written. */
  keeperOfAny(client: string): string {
    const { namespaces, names, defaultWritten } = this.#config
    const denying = this.#namespaces.findIndex(({ allows, from }) => !allows && from(client))
    const naming = this.#names.findIndex(({ perhaps }) => perhaps(client))
    return (
      namespaces[denying]?.written ?? (this.#isAllowed ? names[naming]?.written : undefined) ?? defaultWritten
    )
  }

  /** HOT: whether the client may resolve a name outside of the cluster: the longest name of all lists decides, a block before an allow. */
  allowsName(client: string, view: NameView): boolean {
    if (this.#names.length === 0) return true
    const { isClosed, allowed, blocked } = this.#ofClient(client)
    const block = longestOf(blocked, view)
    const allow = longestOf(allowed, view)
    return block >= 0 || allow >= 0 ? allow > block : !isClosed
  }

  /** Whether nothing is kept from the client, so that it may have a zone whole. */
  allowsAll(client: string): boolean {
    const { isClosed, blocked } = this.#ofClient(client)
    if (isClosed || blocked.length > 0) return false
    return this.#isAllowed && this.#namespaces.every(({ allows, from }) => allows || !from(client))
  }

  #ofClient(client: string): OfClient {
    let known = this.#ofClients.get(client)
    if (known === undefined) {
      if (this.#ofClients.size >= REMEMBERED_MAX) this.#ofClients.clear()
      const perhaps = this.#names.filter(({ perhaps }) => perhaps(client))
      const allowing = perhaps.filter(({ allows }) => allows)
      known = {
        isClosed: allowing.length > 0,
        allowed: allowing.filter(({ from }) => from(client)).map(({ suffixes }) => suffixes),
        blocked: perhaps.filter(({ allows }) => !allows).map(({ suffixes }) => suffixes),
        upstreams: this.#upstreams.findIndex(test => test(client)),
      }
      this.#ofClients.set(client, known)
    }
    return known
  }
}

function longestOf(sets: readonly Suffixes[], view: NameView): number {
  let longest = -1
  for (let i = 0; i < sets.length; i++) longest = Math.max(longest, sets[i]!.longest(view))
  return longest
}
