// Names as the text that rules match. CoreDNS matches the presentation form, where a dot or an octet above 126 inside a
// label is an escape of two or four characters: a rule that cuts such an escape makes another name than was meant. Here
// every octet is one character, so that no cut falls inside one: printable ASCII stands for itself, in lower case, a dot
// ends a label, and every other octet, a dot inside a label among them, is U+E000 plus the octet, which a pattern's `.`
// matches and no text of a Corefile but its escape.
//
//   03 w . w 02 t 00 c 00  =  w\.w.t\000.  →  "w\ue02ew.t\ue000."

import { FOLD, LABEL_MAX_OCTETS, NAME_MAX_OCTETS, type Name } from '../../wire/name.ts'

/** Where the octets begin that stand for no character of their own: Unicode's private use area. */
const ODD = 0xe000
const DOT = 0x2e

const isPlain = (octet: number): boolean => octet >= 0x20 && octet <= 0x7e && octet !== DOT

/** The character of every octet inside a label. */
const CHARACTERS: readonly string[] = Array.from({ length: 256 }, (_, octet) =>
  String.fromCharCode(isPlain(octet) ? FOLD[octet]! : ODD + octet),
)

/** HOT: a whole name, at name[at …), as text, in lower case and with its final dot. */
export function textOf(name: Uint8Array, at = 0): string {
  let length = 0
  for (let i = at; name[i] !== 0; ) {
    const end = i + name[i]! + 1
    for (i++; i < end; i++) {
      const octet = name[i]!
      if (!isPlain(octet)) return oddTextOf(name, at)
      plain[length++] = FOLD[octet]!
    }
    plain[length++] = DOT
  }
  return length === 0 ? '.' : plain.toString('latin1', 0, length)
}

const plain = Buffer.alloc(NAME_MAX_OCTETS)

/** The same where an octet has no character of its own. */
function oddTextOf(name: Uint8Array, at: number): string {
  let text = ''
  while (name[at] !== 0) {
    const end = at + name[at]! + 1
    for (at++; at < end; at++) text += CHARACTERS[name[at]!]
    text += '.'
  }
  return text
}

/** The name that a text is; undefined where a label is empty or too long, or the whole is. A missing final dot is supplied. */
export function nameOf(text: string): Name | undefined {
  const octets = writeName(text, made)
  return octets === 0 ? undefined : made.slice(0, octets)
}

const made = new Uint8Array(NAME_MAX_OCTETS)

/** HOT: writes the same to out[0 …); returns its octets, 0 where it is none. */
export function writeName(text: string, out: Uint8Array): number {
  if (text === '.') {
    out[0] = 0
    return 1
  }
  const end = text.endsWith('.') ? text.length - 1 : text.length
  // A label's length takes the place of the dot before it.
  if (end + 2 > NAME_MAX_OCTETS) return 0
  let labelAt = 0
  for (let i = 0; i <= end; i++) {
    if (i < end && text.charCodeAt(i) !== DOT) {
      out[i + 1] = octetOf(text.charCodeAt(i))
      continue
    }
    const octets = i - labelAt
    if (octets === 0 || octets > LABEL_MAX_OCTETS) return 0
    out[labelAt] = octets
    labelAt = i + 1
  }
  out[end + 1] = 0
  return end + 2
}

const octetOf = (code: number): number => (code >= ODD ? code - ODD : code)

/** What a Corefile's word means as text: `\.` and `\046` are a dot inside a label, letters beyond ASCII their UTF-8 octets. */
export function readText(written: string): string {
  const special = /\\(\d{3}|.)|[\u0000-\u001f\u007f-\u{10ffff}]+/gsu
  const read = (letters: string, escaped: string | undefined): string => {
    const octet = escaped?.length === 3 ? Number(escaped) : Number.NaN
    return octet <= 255 ? CHARACTERS[octet]! : charactersOf(escaped ?? letters)
  }
  return written.replace(special, read).toLowerCase()
}

const charactersOf = (letters: string): string =>
  [...Buffer.from(letters, 'utf8')].map(octet => CHARACTERS[octet]).join('')

/** Like readText, with the final dot where it is missing, as CoreDNS supplies it to almost everything that is written. */
export function readAbsoluteText(written: string): string {
  const text = readText(written)
  return text.endsWith('.') ? text : `${text}.`
}

/** The presentation form of a text, for messages. */
export const showText = (text: string): string =>
  text.replace(/[\ue000-\ue0ff]/g, character => {
    const octet = character.charCodeAt(0) - ODD
    return octet === DOT ? '\\.' : `\\${String(octet).padStart(3, '0')}`
  })
