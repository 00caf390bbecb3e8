// Rules with the words of the Corefile that they were read from: what a warning can point at.

import type { Token } from '../../corefile/token.ts'
import type { Rule, RuleBody, Substitution } from './config.ts'

/** FROM and TO with the words that they are written as. */
export interface Written<S extends Substitution = Substitution> {
  readonly substitution: S
  readonly from: Token
  readonly to: Token
}

/** A rule with the words that a warning can point at. */
export interface WrittenRule {
  readonly rule: Rule
  /** The field. */
  readonly word: Token
  /** Of `name` and `cname`, first; then the answer rules. */
  readonly substitutions: readonly Written[]
  /** FROM of `ttl` and `rcode`. */
  readonly from?: Token | undefined
}

/** What a field's reader makes. */
export type ReadRule = Omit<WrittenRule, 'rule' | 'word'> & { readonly rule: RuleBody }
