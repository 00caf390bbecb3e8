// HOT: one line of a log as octets, written piece by piece where it is to lie: a line of the query log allocates nothing. No
// piece can end the line or forge another one; a line that gets too long is cut.

/** Characters of one line; a longer one is cut. */
export const LINE_MAX_CHARACTERS = 4096
/** Octets that a JSON object may have around its text. */
const OBJECT_MAX_OCTETS = 512
/** Octets that a line takes at most, with its line feed: one that was formatted as a string may have three for each character. */
export const LINE_MAX_OCTETS = 3 * LINE_MAX_CHARACTERS + OBJECT_MAX_OCTETS

const LINE_FEED = 0x0a
const QUOTE = 0x22
const BACKSLASH = 0x5c
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
  /** Where the JSON string began that is being written; -1 outside of one. */
  #stringAt = -1

  /** Begins a line at octets[at …), which has room for LINE_MAX_OCTETS. */
  begin(octets: Uint8Array, at: number): void {
    this.octets = octets
    this.at = at
    this.#limit = at + LINE_MAX_CHARACTERS - 1
    this.#isCut = false
    this.#stringAt = -1
  }

  /** Begins a line that is a JSON object, with its head, which ends where a string begins: what comes now, until `endString`. */
  beginJson(octets: Uint8Array, at: number, head: string): void {
    this.begin(octets, at)
    this.at = at + encoder.encodeInto(head, octets.subarray(at)).written
    this.#beginString()
  }

  /** Begins a JSON string. */
  beginString(): void {
    this.octets[this.at++] = QUOTE
    this.#beginString()
  }

  #beginString(): void {
    this.#stringAt = this.at
    this.#limit = this.at + LINE_MAX_CHARACTERS - 1
  }

  /** Ends a JSON string, which is escaped where it stands. Each may be as long as a line of text: what is cut stays an object. */
  endString(): void {
    this.#endCut()
    const { octets, at } = this
    let escapes = 0
    for (let i = this.#stringAt; i < at; i++) if (octets[i] === QUOTE || octets[i] === BACKSLASH) escapes++
    this.at = at + escapes
    for (let from = at - 1, to = this.at - 1; to > from; from--) {
      const octet = octets[from]!
      octets[to--] = octet
      if (octet === QUOTE || octet === BACKSLASH) octets[to--] = BACKSLASH
    }
    octets[this.at++] = QUOTE
    this.#stringAt = -1
    this.#limit = this.at + LINE_MAX_CHARACTERS - 1
  }

  #endCut(): void {
    if (!this.#isCut) return
    this.octets.set(ELLIPSIS, this.at)
    this.at += ELLIPSIS.length
    this.#isCut = false
  }

  /** Ends it with a line feed; returns the offset behind. */
  end(): number {
    this.#endCut()
    this.octets[this.at++] = LINE_FEED
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
