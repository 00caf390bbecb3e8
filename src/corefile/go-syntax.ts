// What the small languages inside a Corefile share: Go templates (template) and expressions (view).

const ESCAPES: Readonly<Record<string, string>> = {
  a: '\x07', b: '\b', f: '\f', n: '\n', r: '\r', t: '\t', v: '\v', '\\': '\\',
} // biome-ignore format: a table

/** What is wrong with a text, and where in it, in UTF-16 units. Thrown by lexers and parsers, caught by whoever called them. */
export class SyntaxFault extends Error {
  readonly at: number

  constructor(message: string, at: number) {
    super(message)
    this.at = at
  }
}

/** The text between two quotes with Go's escapes undone; `at` is where a wrong one is told. Throws a SyntaxFault. */
export function unescapeGo(text: string, quote: string, at: number): string {
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
