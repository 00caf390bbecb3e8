// What the lines of a directive mean, as data beside its parser: docs/directives.md is written from it
// (scripts/directives.ts), and `seamark check` quotes the usage beside a mistake.

/** One line as one writes it. */
export interface LineDoc {
  /** `ttl SECONDS`: the word itself, arguments in capitals, what may be left out in brackets. */
  readonly usage: string
  /** What it does: a phrase in lower case, without a full stop. */
  readonly meaning: string
  /** What holds where the line, or its argument, is left out; with its unit. */
  readonly default?: string
  /** The values allowed, with their unit, where the usage does not show them. */
  readonly range?: string
}

/** A directive. */
export interface WordDoc extends LineDoc {
  /** The lines of its block, in the order worth reading; none where it takes no block. */
  readonly options: readonly LineDoc[]
  /** What is otherwise than in CoreDNS, or not offered of it. */
  readonly notes?: readonly string[]
  /** A Corefile with the directive at work: whole server blocks, indented as the source is (exampleOf). */
  readonly example: string
}

/** The word that a line begins with. */
export const wordOf = ({ usage }: LineDoc): string => usage.split(' ', 1)[0]!

/** The example as one writes it into a file: without the source's indentation. */
export function exampleOf({ example }: WordDoc): string {
  const lines = example.replace(/^\n/, '').split('\n')
  const indentation = /^ */.exec(lines[0] ?? '')![0].length
  return `${lines.map(line => line.slice(indentation)).join('\n')}\n`
}

/** How the option `word` of a directive is written; of an unknown one, and of the directive's own line, the directive's usage. */
export const usageOf = (doc: WordDoc, word: string): string =>
  (doc.options.find(option => wordOf(option) === word) ?? doc).usage
