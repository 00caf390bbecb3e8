// What `rewrite` is told, as data: the rules of one server block in the order of the file (CoreDNS plugin/rewrite). Names
// and parts of names are the text of text.ts; patterns are RE2 and match that text.

/** Rules of one server block. */
export const RULES_MAX = 10_000
/** Answer rules of one name rule. */
export const ANSWERS_MAX = 100
/** What a match is replaced with, as written. */
export const TO_MAX_CHARACTERS = 1024
/** Data of one EDNS option: the longest name, written with all its escapes, fits. */
export const OPTION_MAX_OCTETS = 1024
/** `edns0` rules of one server block. */
export const EDNS_RULES_MAX = 16

/** How FROM is held against a name: in whole, at its ends, anywhere, or as a pattern. */
export const KINDS = ['exact', 'prefix', 'suffix', 'substring', 'regex'] as const
export type Kind = (typeof KINDS)[number]

export interface Match {
  readonly kind: Kind
  /** Text, or a pattern found anywhere in the name. */
  readonly from: string
  /** Whether letters of a pattern stand for both cases. */
  readonly anyCase?: boolean
}

/** A match and what it is replaced with: text; for a pattern with `{1}` for its first group. */
export interface Substitution extends Match {
  readonly to: string
}

/** What is done to a reply's owner names, or to the names that records hold. */
export interface AnswerRule extends Substitution {
  readonly part: 'name' | 'value'
}

export interface NameRule {
  readonly field: 'name'
  readonly substitution: Substitution
  /** Whether replies are turned back by what the question was turned into. */
  readonly auto: boolean
  readonly answers: readonly AnswerRule[]
}

/** `type` and `class`: numbers. */
export interface NumberRule {
  readonly field: 'type' | 'class'
  readonly from: number
  readonly to: number
}

export interface TtlRule {
  readonly field: 'ttl'
  readonly match: Match
  readonly minSeconds: number
  readonly maxSeconds: number
}

export interface RcodeRule {
  readonly field: 'rcode'
  readonly match: Match
  readonly from: number
  readonly to: number
}

/** Another target for a CNAME record of the reply. */
export interface CnameRule {
  readonly field: 'cname'
  readonly substitution: Substitution
}

/** Variables of `edns0 local`; a label of the metadata stands for itself. */
export const VARIABLES = [
  'qname',
  'qtype',
  'client_ip',
  'client_port',
  'protocol',
  'server_ip',
  'server_port',
] as const
export type Variable = (typeof VARIABLES)[number]

/** What an EDNS option holds. */
export type OptionData =
  | { readonly kind: 'nsid' }
  | { readonly kind: 'subnet'; readonly v4Bits: number; readonly v6Bits: number }
  | { readonly kind: 'octets'; readonly octets: Uint8Array }
  | { readonly kind: 'variable'; readonly variable: Variable }
  | { readonly kind: 'metadata'; readonly label: string }

export const ACTIONS = ['append', 'replace', 'set', 'unset'] as const

export interface EdnsRule {
  readonly field: 'edns0'
  readonly action: (typeof ACTIONS)[number]
  readonly code: number
  /** Nothing for `unset`. */
  readonly data: OptionData | undefined
  /** Whether the reply is as if the rule had not been. */
  readonly revert: boolean
}

/** What a rule does. */
export type RuleBody = NameRule | NumberRule | TtlRule | RcodeRule | CnameRule | EdnsRule

/** One directive. */
export type Rule = RuleBody & {
  /** Whether no rule behind it is tried after it was applied. */
  readonly stop: boolean
  /** The rule as it stands in the Corefile. */
  readonly written: string
}

export interface RewriteConfig {
  readonly rules: readonly Rule[]
}
