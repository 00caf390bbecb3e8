// What the lines of `policy` say of a client and a namespace, or a name outside of the cluster. Clients are told by a text: the
// namespace, HOST for who has a node's address, or NOBODY for who is not known, to whom no line applies but those from
// everybody.

import type { PolicyConfig } from './config.ts'
import type { NameView } from './name-view.ts'
import { isExact, type LabelsOf, type Test, testOf } from './selectors.ts'
import { Suffixes } from './suffixes.ts'

/** Verdicts and clients that are remembered; beyond, all are forgotten. */
const REMEMBERED_MAX = 50_000
/** Numbers of lines that are remembered for all clients. */
const LINES_MAX = 1_000_000

/** What a name outside is held against for one client. */
interface OfClient {
  /** Whether what no list names is kept. */
  readonly isClosed: boolean
  readonly allowed: readonly Suffixes[]
  readonly blocked: readonly Suffixes[]
  /** The number of the line of its upstreams; -1 for those that everybody has. */
  readonly upstreams: number
  /** The numbers of the lines about namespaces that are its own and name others than exact ones. */
  readonly lines: readonly number[]
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
  /** Lines by the namespaces that they name exactly, and those that name others: a line may be both. */
  readonly #exactLines = new Map<string, number[]>()
  readonly #looseLines: number[] = []
  /** Of all remembered clients. */
  #lines = 0
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
    for (const [i, { to }] of config.namespaces.entries()) {
      const exact = to.filter(isExact)
      for (const namespace of exact) {
        const lines = this.#exactLines.get(namespace)
        if (lines) lines.push(i)
        else this.#exactLines.set(namespace, [i])
      }
      if (exact.length < to.length) this.#looseLines.push(i)
    }
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
    this.#lines = 0
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
    const lines = this.#namespaces
    if (lines.length === 0) return -1
    const exact =
      this.#exactLines.get(namespace)?.find(i => lines[i]!.from(client)) ?? Number.POSITIVE_INFINITY
    const loose = this.#ofClient(client).lines
    for (let n = 0; n < loose.length && loose[n]! < exact; n++)
      if (lines[loose[n]!]!.to(namespace)) return loose[n]!
    return exact === Number.POSITIVE_INFINITY ? -1 : exact
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
    const own = this.#names.flatMap(({ perhaps, suffixes, allows }, i) => {
      const written = this.#config.names[i]!.written[suffixes.lineOf(view)]!
      return perhaps(client) ? [{ allows, longest: suffixes.longest(view), written }] : []
    })
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
      namespaces[denying]?.written ??
      (this.#isAllowed ? names[naming]?.written[0] : undefined) ??
      defaultWritten
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
      if (this.#ofClients.size >= REMEMBERED_MAX || this.#lines > LINES_MAX) {
        this.#ofClients.clear()
        this.#lines = 0
      }
      const perhaps = this.#names.filter(({ perhaps }) => perhaps(client))
      const allowing = perhaps.filter(({ allows }) => allows)
      known = {
        isClosed: allowing.length > 0,
        allowed: allowing.filter(({ from }) => from(client)).map(({ suffixes }) => suffixes),
        blocked: perhaps.filter(({ allows }) => !allows).map(({ suffixes }) => suffixes),
        upstreams: this.#upstreams.findIndex(test => test(client)),
        lines: this.#looseLines.filter(i => this.#namespaces[i]!.from(client)),
      }
      this.#lines += known.lines.length
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
