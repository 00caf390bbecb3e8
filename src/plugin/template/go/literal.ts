// Literals of a Go template: integers, characters and strings as Go writes them (Go specification, "Lexical elements").

import { SyntaxFault, unescapeGo } from '../../../corefile/go-syntax.ts'

const INT_MAX = 2n ** 63n - 1n

/** An integer in any of Go's bases; decimal numbers, which no record needs, are not offered. */
export function integerOf(text: string, at: number): bigint {
  const negative = text.startsWith('-')
  const digits = text.replace(/^[+-]/, '').replaceAll('_', '')
  if (/^[\d.]*\.\d*/.test(digits) || /^\d+[eE]/.test(digits)) {
    throw new SyntaxFault('numbers with a point or an exponent are not offered', at)
  }
  if (!/^(?:0[xX][\da-fA-F]+|0[oO][0-7]+|0[bB][01]+|0[0-7]*|[1-9]\d*)$/.test(digits))
    throw new SyntaxFault('this is not a number', at)
  // A leading zero means octal digits, as in C.
  const value = BigInt(/^0[0-7]+$/.test(digits) ? `0o${digits.slice(1)}` : digits)
  if (value > INT_MAX) throw new SyntaxFault('this number is too large', at)
  return negative ? -value : value
}

/** `'a'` as its code. */
export function characterValue(written: string, at: number): bigint {
  const characters = [...unescapeGo(written.slice(1, -1), "'", at)]
  if (characters.length !== 1) throw new SyntaxFault('between single quotes stands one character', at)
  return BigInt(characters[0]!.codePointAt(0)!)
}

/** The text of `"…"` or of a raw string between back quotes. */
export const unquote = (written: string, at: number): string =>
  written.startsWith('`')
    ? written.slice(1, -1).replaceAll('\r', '')
    : unescapeGo(written.slice(1, -1), '"', at)
