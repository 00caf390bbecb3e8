// Splits an expression into its words.

import { SyntaxFault, unescapeGo } from '../../../corefile/go-syntax.ts'

export interface ExpressionToken {
  /** `name` is a function or a word of its own such as `true`; `other` nothing known; `end` stands behind the last word. */
  readonly kind: 'string' | 'number' | 'name' | 'operator' | 'other' | 'end'
  /** As it counts: a string without its quotes and escapes, `&&` as `and`. */
  readonly text: string
  readonly at: number
}

const BLANKS = /\s+/y
const NUMBER =
  /(?:0[xX][\da-fA-F_]+|0[bB][01_]+|0[oO][0-7_]+|(?:\d[\d_]*(?:\.\d[\d_]*)?|\.\d[\d_]*)(?:[eE][+-]?\d+)?)/y
const NAME = /[\p{L}_$][\p{L}\p{Nd}_$]*/uy
const STRING = /'(?:\\[^\n]|[^\\'\n])*'|"(?:\\[^\n]|[^\\"\n])*"/y
const RAW = /`[^`]*`/y
const OPERATOR = /&&|\|\||==|!=|<=|>=|[<>!+\-*/%?:,()[\]]/y
const WORD_OPERATORS = /^(?:and|or|not|in|contains|startsWith|endsWith|matches)$/
const SYNONYMS: Readonly<Record<string, string>> = { '&&': 'and', '||': 'or', '!': 'not' }

/** The words of an expression, an `end` behind them. Throws a SyntaxFault. */
export function tokenizeExpression(text: string): readonly ExpressionToken[] {
  const tokens: ExpressionToken[] = []
  let at = 0
  const match = (shape: RegExp): string | undefined => {
    shape.lastIndex = at
    return shape.exec(text)?.[0]
  }
  while (at < text.length) {
    const blanks = match(BLANKS)
    if (blanks !== undefined) {
      at += blanks.length
      continue
    }
    const [kind, written] = wordAt(match) ?? ['other', text[at]!]
    if ('\'"`'.includes(written)) throw new SyntaxFault('this quote is never closed', at)
    tokens.push({ kind, text: meaningOf(kind, written, at), at })
    at += written.length
  }
  return [...tokens, { kind: 'end', text: '', at: text.length }]
}

type Kind = ExpressionToken['kind']

function wordAt(match: (shape: RegExp) => string | undefined): readonly [Kind, string] | undefined {
  const string = match(STRING) ?? match(RAW)
  if (string !== undefined) return ['string', string]
  const number = match(NUMBER)
  if (number !== undefined) return ['number', number]
  const name = match(NAME)
  if (name !== undefined) return [WORD_OPERATORS.test(name) ? 'operator' : 'name', name]
  const operator = match(OPERATOR)
  return operator === undefined ? undefined : ['operator', operator]
}

function meaningOf(kind: Kind, written: string, at: number): string {
  if (kind === 'operator') return SYNONYMS[written] ?? written
  if (kind === 'number') return written.replaceAll('_', '')
  if (kind !== 'string') return written
  const quote = written[0]!
  return quote === '`' ? written.slice(1, -1) : unescapeGo(written.slice(1, -1), quote, at)
}
