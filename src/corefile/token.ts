// A word of a Corefile and where it stands. Everything the parser and the directives complain about is a token, so
// that every complaint has a place.
//
//   forward . "{$UPSTREAM}"      {text: '9.9.9.9', written: '{$UPSTREAM}', quoted: true, line: 1, column: 11}

/** One word of a Corefile. */
export interface Token {
  /** The word after environment substitution, without its quotes. */
  readonly text: string
  /** The word as it is written, before substitution, without its quotes. */
  readonly written: string
  /** Written in quotes: never a brace, whatever it holds. */
  readonly quoted: boolean
  /** The file it stands in, as it was opened. */
  readonly file: string
  /** From 1. */
  readonly line: number
  /** From 1, in UTF-16 units, of the word's first character or its opening quote. */
  readonly column: number
  /** The first word of its line; a word behind a line break inside quotes is not. */
  readonly startsLine: boolean
}

/** A place in a file, without a word: a token or the head of a file. */
export type Place = Pick<Token, 'file' | 'line' | 'column'>

/** An opening brace; a quoted one is text (CoreDNS takes it for a brace, which no configuration can mean). */
export const isOpen = (token: Token | undefined): boolean =>
  token !== undefined && token.written === '{' && !token.quoted

/** A closing brace; a quoted one is text. */
export const isClose = (token: Token | undefined): boolean =>
  token !== undefined && token.written === '}' && !token.quoted

/** Where a token stands, as people write it: `FILE:LINE:COLUMN`. */
export const placeText = ({ file, line, column }: Place): string => `${file}:${line}:${column}`

/** Words of one line as they are written, with where they stand: `Corefile:7: block net 10.0.0.0/8`. */
export const lineText = (words: readonly Token[]): string =>
  `${words[0]!.file}:${words[0]!.line}: ${words.map(({ written }) => written).join(' ')}`

/** The place of a character of a word; of a word with variables of the environment its beginning. */
export function placeInside(token: Token, at: number): Token {
  if (token.text !== token.written) return token
  const before = token.text.slice(0, at)
  // A quote inside quotes is written with a backslash.
  const written = token.quoted ? before.replaceAll('"', '\\"') : before
  const lastBreak = written.lastIndexOf('\n')
  if (lastBreak < 0) return { ...token, column: token.column + (token.quoted ? 1 : 0) + written.length }
  const line = token.line + written.split('\n').length - 1
  return { ...token, line, column: written.length - lastBreak }
}
