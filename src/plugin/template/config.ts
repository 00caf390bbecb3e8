// What the directives of `template` in one server block come to: plain data.

/** The sections of a reply that a directive writes records into, in the order in which they are rendered. */
export const SECTIONS = ['answer', 'additional', 'authority'] as const

export type Section = (typeof SECTIONS)[number]

/** One directive. */
export interface TemplateRule {
  /** Class and type of the questions it takes; 255 (ANY) is all. */
  readonly qclass: number
  readonly qtype: number
  /** Lower-case absolute names. */
  readonly zones: readonly string[]
  /** Regular expressions of RE2, tried in order against the name in lower case; none takes every name. */
  readonly regexes: readonly string[]
  /** Go templates, each of one record. */
  readonly records: Readonly<Record<Section, readonly string[]>>
  readonly rcode: number
  readonly extendedError: { readonly code: number; readonly text: string } | undefined
  /** Zones whose names go on when no regular expression takes them; undefined without `fallthrough`. */
  readonly fallthrough: readonly string[] | undefined
}

/** The configuration of `template`. */
export interface TemplateConfig {
  readonly rules: readonly TemplateRule[]
}

/** Directives of one server block. */
export const RULES_MAX = 1000
/** Regular expressions, and records of one section, of one directive. */
export const PARTS_MAX = 100
/** Characters of a regular expression, as in CoreDNS, and of a record's template. */
export const TEXT_MAX_CHARACTERS = 10_000
