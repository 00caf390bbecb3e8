// Selectors of namespaces as a line of `policy` has them, word by word, and what of the cluster must be known for them.

import type { Directive } from '../../corefile/corefile.ts'
import type { Token } from '../../corefile/token.ts'
import type { ObjectOptions } from '../../objects/options.ts'
import { isByLabels, selectorOf } from '../../objects/selectors.ts'
import { HOST } from '../kubernetes/client-namespace.ts'
import type { BlockContext } from '../plugin.ts'

/** A selector, or why it is none. */
export interface SelectorWord {
  readonly token: Token
  readonly text: string
  readonly read: string | { readonly problem: string }
}

/** The selectors of some words: `k in (a, b)` is one of several words. */
export function selectorWords(tokens: readonly Token[]): SelectorWord[] {
  const found: SelectorWord[] = []
  for (let at = 0; at < tokens.length; at++) {
    const token = tokens[at]!
    let { text } = token
    const isSet = /^(?:not)?in$/.test(tokens[at + 1]?.text ?? '') && tokens[at + 2]?.text.startsWith('(')
    if (isSet) {
      do text += ` ${tokens[++at]!.text}`
      while (!text.includes(')') && at + 1 < tokens.length)
    }
    found.push({ token, text, read: text === HOST ? HOST : selectorOf(text) })
  }
  return found
}

/** What the block's `policy`, if it has one, asks of `kubernetes`; its mistakes are told where it is read itself. */
export function policyNeeds({
  directives,
}: BlockContext): Pick<ObjectOptions, 'policies' | 'labelledNamespaces'> {
  const lines = (directives.get('policy') ?? []).flatMap(({ block = [] }) => block)
  const policies = lines.some(({ word }) => word.text === 'objects')
  const byLabels = lines.some(line =>
    selectorWords(selecting(line)).some(({ read }) => typeof read === 'string' && isByLabels(read)),
  )
  return { policies, labelledNamespaces: policies || byLabels }
}

/** What ends the selectors of a line that has other words behind them. */
const ENDS: Readonly<Record<string, readonly string[]>> = {
  shared: [],
  allow: [],
  deny: [],
  names: ['allow', 'block'],
  upstreams: ['to'],
}

/** The words of a line that are selectors, with `from` and `to` between them, which are names as well. */
function selecting({ word, args }: Directive): readonly Token[] {
  const ends = Object.hasOwn(ENDS, word.text) ? ENDS[word.text] : undefined
  if (ends === undefined || ends.length === 0) return ends ? args : []
  const end = args.findIndex(({ text }) => ends.includes(text))
  return args.slice(0, Math.max(end, 0))
}
