// What the lints look at: the parsed server blocks with the ports that they are served on, and the zones that a directive
// is about. Everything here has parsed without an error; words are not judged again.

import { resolve } from 'node:path'
import type { Directive, ServerBlock } from '../../corefile/corefile.ts'
import { DEFAULT_PORTS, type Key, parseKey } from '../../corefile/key.ts'
import type { Problems } from '../../corefile/problem.ts'
import type { Token } from '../../corefile/token.ts'

/** One thing to look for; it reports what it finds as warnings. */
export type Lint = (block: LintBlock, all: readonly LintBlock[], problems: Problems) => void

/** One zone that a block serves. */
export interface ServedZone {
  readonly zone: string
  readonly port: number
  readonly scheme: Key['scheme']
  readonly token: Token
}

/** A zone as a directive names it. */
export interface NamedZone {
  readonly zone: string
  /** The word that names it; the directive where the server block does. */
  readonly token: Token
}

/** Where the zones of a directive begin among its arguments; other words have none, or read them otherwise. */
const ZONES_FROM: Readonly<Record<string, number>> = {
  acl: 0,
  file: 1,
  hosts: 1,
  k8s_external: 0,
  kubernetes: 0,
  template: 2,
}

/** A server block. */
export class LintBlock {
  readonly served: readonly ServedZone[]
  /** What relative file names start from. */
  readonly directory: string
  readonly #directives: readonly Directive[]

  /** `dnsPort` is the port of `dns` keys without one, `directory` the Corefile's. */
  constructor({ keys, directives }: ServerBlock, dnsPort: number, directory: string) {
    this.#directives = directives
    this.directory = resolve(directory, this.all('root')[0]?.args[0]?.text ?? '')
    this.served = keys.map(({ zone, port, scheme, token }) => ({
      zone,
      scheme,
      token,
      port: port ?? (scheme === 'dns' ? dnsPort : DEFAULT_PORTS[scheme]),
    }))
  }

  /** The directives of a word, in file order. */
  all(word: string): readonly Directive[] {
    return this.#directives.filter(directive => directive.word.text === word)
  }

  has(word: string): boolean {
    return this.#directives.some(directive => directive.word.text === word)
  }

  /** The directives that watch a cluster's API server, not a folder of manifests. */
  get clusters(): readonly Directive[] {
    return this.all('kubernetes').filter(directive => option(directive, 'manifests') === undefined)
  }

  /** The zones of a directive: those that it names, or those of the block. */
  zonesOf(directive: Directive): readonly NamedZone[] {
    const named = directive.args.slice(ZONES_FROM[directive.word.text] ?? directive.args.length)
    if (named.length === 0) return this.served.map(({ zone }) => ({ zone, token: directive.word }))
    return named.flatMap(zonesNamed)
  }
}

/** The first line of that word in the directive's block. */
export const option = ({ block }: Directive, word: string): Directive | undefined =>
  block?.find(line => line.word.text === word)

/** The zones that a word names; none where it is no zone. */
export function zonesNamed(token: Token): NamedZone[] {
  const parts = parseKey(token.text)
  return 'reason' in parts ? [] : parts.value.zones.map(zone => ({ zone, token }))
}

/** Whether every name of `zone` is one of `parent`'s. */
export const isUnder = (zone: string, parent: string): boolean =>
  parent === '.' || zone === parent || zone.endsWith(`.${parent}`)

/** Whether a name can be in both. */
export const overlap = (a: string, b: string): boolean => isUnder(a, b) || isUnder(b, a)
