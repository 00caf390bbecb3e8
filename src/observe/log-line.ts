// HOT: one line of a log as octets, written piece by piece where it is to lie: a line of the query log allocates nothing. No
// piece can end the line or forge another one; a line that gets too long is cut.

/** Characters of one line; a longer one is cut. */
export const LINE_MAX_CHARACTERS = 4096
/** Octets that a line takes at most, with its line feed: one that was formatted as a string may have three for each character. */
export const LINE_MAX_OCTETS = 3 * LINE_MAX_CHARACTERS + 1

const LINE_FEED = 0x0a
const DIGIT_0 = 0x30
const SPACE = 0x20
const TILDE = 0x7e
const encoder = new TextEncoder()
/** `…` in UTF-8. */
const ELLIPSIS = encoder.encode('…')

export class LineWriter {
  octets: Uint8Array = new Uint8Array(0)
  /** Where writing goes on. */
  at = 0
  #limit = 0
  #isCut = false

  /** Begins a line at octets[at …), which has room for LINE_MAX_OCTETS. */
  begin(octets: Uint8Array, at: number): void {
    this.octets = octets
    this.at = at
    this.#limit = at + LINE_MAX_CHARACTERS - 1
    this.#isCut = false
  }

  /** Ends it with a line feed; returns the offset behind. */
  end(): number {
    const { octets } = this
    if (this.#isCut) {
      octets.set(ELLIPSIS, this.at)
      this.at += ELLIPSIS.length
    }
    octets[this.at++] = LINE_FEED
    return this.at
  }

  /** One character of printable ASCII. */
  octet(octet: number): void {
    if (this.at < this.#limit) this.octets[this.at++] = octet
    else this.#isCut = true
  }

  /** Text in UTF-8 without control characters. */
  text(from: Uint8Array): void {
    const { octets, at } = this
    let length = from.length
    if (length > this.#limit - at) {
      this.#isCut = true
      length = this.#limit - at
      // No character is left in part.
      while ((from[length]! & 0xc0) === 0x80) length--
    }
    for (let i = 0; i < length; i++) octets[at + i] = from[i]!
    this.at = at + length
  }

  /** Any text; control characters are escaped. */
  string(text: string): void {
    const from = this.at
    for (let i = 0; i < text.length; i++) {
      const character = text.charCodeAt(i)
      if (character >= SPACE && character <= TILDE) {
        this.octet(character)
        continue
      }
      this.at = from
      this.text(encoder.encode(escapeControls(text)))
      return
    }
  }

  /** A whole number, at least 0. */
  number(value: number): void {
    let digits = 1
    for (let bound = 10; value >= bound; bound *= 10) digits++
    this.digits(value, digits)
  }

  /** The last digits of a whole number, so many. */
  digits(value: number, digits: number): void {
    const { octets, at } = this
    if (at + digits > this.#limit) {
      this.#isCut = true
      return
    }
    let rest = value
    for (let i = at + digits - 1; i >= at; i--) {
      const tens = Math.floor(rest / 10)
      octets[i] = DIGIT_0 + (rest - 10 * tens)
      rest = tens
    }
    this.at = at + digits
  }
}

/** A text in which nothing ends a line or moves a terminal's cursor. */
export const escapeControls = (text: string): string =>
  /[\x00-\x1f\x7f-\x9f\u2028\u2029]/.test(text) ? text.replace(CONTROL, escapeControl) : text

const CONTROL = /[\x00-\x1f\x7f-\x9f\u2028\u2029]/g

const escapeControl = (character: string): string =>
  character === '\n' ? '\\n' : `\\u${character.charCodeAt(0).toString(16).padStart(4, '0')}`
