// What the lines of `policy` say of a client and a namespace, or a name outside of the cluster. Clients are told by a text: the
// namespace, HOST for who has a node's address, or NOBODY for who is not known, to whom no line applies but those from
// everybody.

import { HOST, NOBODY } from '../kubernetes/client-namespace.ts'
import { EVERYBODY, type PolicyConfig } from './config.ts'
import type { NameView } from './name-view.ts'
import { Suffixes } from './suffixes.ts'

/** Verdicts and clients that are remembered; beyond, all are forgotten. */
const REMEMBERED_MAX = 50_000

type Test = (text: string) => boolean

/** What a name outside is held against for one client. */
interface OfClient {
  readonly allowed: readonly Suffixes[]
  readonly blocked: readonly Suffixes[]
}

export class Rules {
  readonly #isAllowed: boolean
  readonly #shared: Test
  readonly #namespaces: readonly { readonly allows: boolean; readonly from: Test; readonly to: Test }[]
  readonly #names: readonly { readonly allows: boolean; readonly from: Test; readonly suffixes: Suffixes }[]
  readonly #verdicts = new Map<string, boolean>()
  readonly #ofClients = new Map<string, OfClient>()

  constructor(config: PolicyConfig) {
    this.#isAllowed = config.default === 'allow'
    this.#shared = testOf(config.shared)
    this.#namespaces = config.namespaces.map(({ action, from, to }) => ({
      allows: action === 'allow',
      from: testOf(from),
      to: testOf(to),
    }))
    this.#names = config.names.map(({ action, from, suffixes }) => ({
      allows: action === 'allow',
      from: testOf(from),
      suffixes: new Suffixes(suffixes),
    }))
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
    const rule = this.#namespaces.find(({ from, to }) => from(client) && to(namespace))
    return rule?.allows ?? this.#isAllowed
  }

  /** HOT: whether the client may resolve a name outside of the cluster: the longest name of all lists decides, a block before an allow. */
  allowsName(client: string, view: NameView): boolean {
    if (this.#names.length === 0) return true
    const { allowed, blocked } = this.#ofClient(client)
    const block = longestOf(blocked, view)
    const allow = longestOf(allowed, view)
    return block >= 0 || allow >= 0 ? allow > block : allowed.length === 0
  }

  /** Whether nothing is kept from the client, so that it may have a zone whole. */
  allowsAll(client: string): boolean {
    const { allowed, blocked } = this.#ofClient(client)
    if (allowed.length > 0 || blocked.length > 0) return false
    return this.#isAllowed && this.#namespaces.every(({ allows, from }) => allows || !from(client))
  }

  #ofClient(client: string): OfClient {
    let known = this.#ofClients.get(client)
    if (known === undefined) {
      if (this.#ofClients.size >= REMEMBERED_MAX) this.#ofClients.clear()
      const own = this.#names.filter(({ from }) => from(client))
      known = {
        allowed: own.filter(({ allows }) => allows).map(({ suffixes }) => suffixes),
        blocked: own.filter(({ allows }) => !allows).map(({ suffixes }) => suffixes),
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

/** Whether one of the selectors takes a client, or a namespace. */
export function testOf(selectors: readonly string[]): Test {
  if (selectors.includes(EVERYBODY)) return () => true
  const exact = new Set(selectors.filter(selector => !selector.includes('*')))
  const globs = selectors.filter(selector => selector.includes('*')).map(globTest)
  return text => exact.has(text) || (isNamespace(text) && globs.some(test => test(text)))
}

const isNamespace = (client: string): boolean => client !== NOBODY && client !== HOST

/** `*` is any characters; linear in the text, for there is no going back beyond the last star. */
function globTest(glob: string): Test {
  const [head = '', ...rest] = glob.split('*')
  const tail = rest.pop() ?? ''
  return text => {
    if (text.length < head.length + tail.length || !text.startsWith(head) || !text.endsWith(tail))
      return false
    let at = head.length
    for (const part of rest) {
      const found = text.indexOf(part, at)
      if (found < 0 || found + part.length > text.length - tail.length) return false
      at = found + part.length
    }
    return true
  }
}
