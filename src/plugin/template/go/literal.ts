// Literals of a Go template: integers, characters and strings as Go writes them (Go specification, "Lexical elements").

import { SyntaxFault } from './token.ts'

const INT_MAX = 2n ** 63n - 1n
const ESCAPES: Readonly<Record<string, string>> = {
  a: '\x07', b: '\b', f: '\f', n: '\n', r: '\r', t: '\t', v: '\v', '\\': '\\',
} // biome-ignore format: a table

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
  const characters = [...unescaped(written.slice(1, -1), "'", at)]
  if (characters.length !== 1) throw new SyntaxFault('between single quotes stands one character', at)
  return BigInt(characters[0]!.codePointAt(0)!)
}

/** The text of `"…"` or of a raw string between back quotes. */
export const unquote = (written: string, at: number): string =>
  written.startsWith('`')
    ? written.slice(1, -1).replaceAll('\r', '')
    : unescaped(written.slice(1, -1), '"', at)

function unescaped(text: string, quote: string, at: number): string {
  return text.replace(
    /\\(?:x([\da-fA-F]{2})|u([\da-fA-F]{4})|U([\da-fA-F]{8})|([0-7]{3})|(.?))/gsu,
    (_, x?: string, u?: string, U?: string, octal?: string, single = '') => {
      const hexadecimal = x ?? u ?? U
      const code =
        hexadecimal === undefined ? Number.parseInt(octal ?? '', 8) : Number.parseInt(hexadecimal, 16)
      const bound = octal === undefined ? 0x10ffff : 0xff
      if (code <= bound) return String.fromCodePoint(code)
      const plain = single === quote ? quote : ESCAPES[single]
      if (plain === undefined || Number.isInteger(code)) throw new SyntaxFault('Go has no such escape', at)
      return plain
    },
  )
}
