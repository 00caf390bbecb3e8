// Splits text in the form of a zone file (RFC 1035 5.1) into entries: the fields of one record or directive. An entry ends
// with its line unless a parenthesis is open; a semicolon begins a comment; a field in quotes keeps blanks, semicolons and
// line breaks. Escapes stay as they are written, for what they mean depends on the field.
//
//   www 1h IN TXT ( "a b"   ; a comment     gives  www  1h  IN  TXT  "a b"  c\;d
//                   c\;d )

/** One word of an entry. */
export interface Field {
  /** One character an octet, with its escapes and without its quotes. */
  readonly text: string
  /** Written in quotes from its first character on. */
  readonly quoted: boolean
  /** From 1. */
  readonly line: number
  /** From 1, in octets. */
  readonly column: number
}

/** The fields of one record or directive; at least one. */
export interface Entry {
  readonly fields: readonly Field[]
  /** It begins with a blank: its owner is that of the record before. */
  readonly blank: boolean
}

/** What is wrong with a text, and where. */
export interface Fault {
  /** Lower case, without a full stop. */
  readonly reason: string
  readonly line: number
  readonly column: number
}

const BLANK = ' \t\r'
const ENDS_WORD = `${BLANK}\n;()`

/** The entries of a text one after another; a fault is the last thing that comes. */
export function* splitEntries(text: string): Generator<Entry | Fault> {
  const octets = asOctets(text)
  const place = new Places()
  let fields: Field[] = []
  let blank = false
  let open: Fault | undefined
  let at = 0
  while (at < octets.length) {
    const character = octets[at]!
    if (character === '\n') {
      place.lineBreakAt(at++)
      if (open) continue
      if (fields.length > 0) yield { fields, blank }
      fields = []
      blank = false
    } else if (BLANK.includes(character)) {
      blank ||= fields.length === 0 && !open && place.isLineStart(at)
      at++
    } else if (character === ';') {
      at = endOf(octets, at, '\n')
    } else if (character === '(') {
      if (open) return yield place.fault(at, 'a parenthesis inside a parenthesis')
      open = place.fault(at++, 'this parenthesis is never closed')
    } else if (character === ')') {
      if (!open) return yield place.fault(at, 'no parenthesis is open here')
      open = undefined
      at++
    } else {
      const end = fieldEnd(octets, at)
      if (end < 0) return yield place.fault(at, 'this quote is never closed')
      const written = octets.slice(at, end)
      const quoted = character === '"'
      fields.push({ text: withoutQuotes(written), quoted, ...place.of(at) })
      for (let i = at; i < end; i++) if (octets[i] === '\n') place.lineBreakAt(i)
      at = end
    }
  }
  if (open) return yield open
  if (fields.length > 0) yield { fields, blank }
}

/** Text with a character for each octet of its UTF-8 form. */
const asOctets = (text: string): string =>
  /[^\x00-\x7f]/.test(text) ? Buffer.from(text, 'utf8').toString('latin1') : text

/** Where lines begin. */
class Places {
  #line = 1
  #lineStart = 0

  lineBreakAt(at: number): void {
    this.#line++
    this.#lineStart = at + 1
  }

  isLineStart(at: number): boolean {
    return at === this.#lineStart
  }

  of(at: number): { line: number; column: number } {
    return { line: this.#line, column: at - this.#lineStart + 1 }
  }

  fault(at: number, reason: string): Fault {
    return { reason, ...this.of(at) }
  }
}

function endOf(text: string, at: number, character: string): number {
  const end = text.indexOf(character, at)
  return end < 0 ? text.length : end
}

/** The index behind the field that begins at `start`; -1 for a quote that is never closed. */
function fieldEnd(text: string, start: number): number {
  let quoted = false
  for (let at = start; at < text.length; at++) {
    const character = text[at]!
    if (character === '\\') at++
    else if (character === '"') {
      if (quoted) return at + 1
      quoted = true
    } else if (!quoted && ENDS_WORD.includes(character)) return at
  }
  return quoted ? -1 : text.length
}

/** `"a b"` is a b, and `key="a b"` (RFC 9460 2.1) is key=a b. */
function withoutQuotes(written: string): string {
  if (!written.endsWith('"')) return written
  const open = /^(?:\\.|[^\\"])*"/s.exec(written)?.[0].length
  return open === undefined ? written : written.slice(0, open - 1) + written.slice(open, -1)
}
