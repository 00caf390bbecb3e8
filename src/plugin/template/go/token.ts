// Splits a Go template (text/template) into text and the tokens of its actions. `{{- ` and ` -}}` trim the blanks of the
// text beside them; comments vanish.
//
//   a {{- index .Match 1 | print }} b     text "a"  {{  identifier index  field .Match  number 1  |  identifier print  }}  text " b"

import { SyntaxFault } from '../../../corefile/go-syntax.ts'

export type TokenKind =
  | 'text' | 'left' | 'right' | 'identifier' | 'field' | 'variable' | 'dot' | 'number' | 'character' | 'string' | 'raw'
  | 'pipe' | 'declare' | 'assign' | 'comma' | 'open' | 'close' // biome-ignore format: a list of words

export interface TemplateToken {
  readonly kind: TokenKind
  /** As written; a text without what markers trim. */
  readonly text: string
  /** Where it begins in the template. */
  readonly at: number
  /** Whether a blank stands before it. */
  readonly spaced: boolean
}

const BLANKS = /[ \t\r\n]*/y
const BLANKS_BEFORE = /[ \t\r\n]+$/
const RIGHT_MARKER = /[ \t\r\n]-\}\}/y
const WORD = /[\p{L}\p{Nd}_]+/uy
const NUMBER =
  /[+-]?(?:0[xX][\da-fA-F_]*|0[oO][0-7_]*|0[bB][01_]*|(?:[\d_]*\.[\d_]*|[\d_]+)(?:[eE][+-]?[\d_]*)?)/y
const CHARACTER = /'(?:\\[^\n]|[^\\'\n])*'/y
const STRING = /"(?:\\[^\n]|[^\\"\n])*"/y
const RAW = /`[^`]*`/y
const PUNCTUATION: Readonly<Record<string, TokenKind>> = {
  '|': 'pipe',
  ',': 'comma',
  '(': 'open',
  ')': 'close',
  '=': 'assign',
}

/** The tokens of a template. Throws a SyntaxFault. */
export function tokenizeTemplate(template: string): readonly TemplateToken[] {
  const tokens: TemplateToken[] = []
  let at = 0
  while (at < template.length) {
    const open = template.indexOf('{{', at)
    const end = open < 0 ? template.length : open
    const trims = open >= 0 && /^-[ \t\r\n]/.test(template.slice(open + 2, open + 4))
    const text = trims ? template.slice(at, end).replace(BLANKS_BEFORE, '') : template.slice(at, end)
    if (text !== '') tokens.push({ kind: 'text', text, at, spaced: false })
    if (open < 0) break
    at = new Action(template, open, trims, tokens).read()
  }
  return tokens
}

/** One action, from its `{{` to its `}}`. */
class Action {
  readonly #template: string
  readonly #tokens: TemplateToken[]
  readonly #start: number
  #at: number
  #spaced = false

  constructor(template: string, open: number, trims: boolean, tokens: TemplateToken[]) {
    this.#template = template
    this.#tokens = tokens
    this.#start = open
    this.#at = open + (trims ? 4 : 2)
  }

  /** Where the text behind the action begins. */
  read(): number {
    if (this.#template.startsWith('/*', this.#at)) return this.#comment()
    this.#add('left', this.#start, '{{')
    for (;;) {
      const end = this.#rightEnd()
      if (end !== undefined) {
        this.#add('right', this.#at, '}}')
        return end
      }
      this.#token()
    }
  }

  #comment(): number {
    const close = this.#template.indexOf('*/', this.#at + 2)
    if (close < 0) throw new SyntaxFault('this comment is never closed', this.#start)
    this.#at = close + 2
    const end = this.#rightEnd()
    if (end === undefined) throw new SyntaxFault('}} must follow a comment at once', this.#at)
    return end
  }

  /** Where the text behind `}}` or ` -}}` begins, if one of them stands here. */
  #rightEnd(): number | undefined {
    if (this.#template.startsWith('}}', this.#at)) return this.#at + 2
    const marker = this.#match(RIGHT_MARKER)
    return marker === undefined ? undefined : this.#blanksFrom(this.#at + marker.length)
  }

  #blanksFrom(at: number): number {
    BLANKS.lastIndex = at
    BLANKS.test(this.#template)
    return BLANKS.lastIndex
  }

  #token(): void {
    const from = this.#at
    const template = this.#template
    const character = template[from]
    if (character === undefined) throw new SyntaxFault('this action is never closed', this.#start)
    if (' \t\r\n'.includes(character)) {
      this.#at++
      this.#spaced = true
    } else if (template.startsWith(':=', from)) this.#add('declare', from, ':=')
    else if (PUNCTUATION[character] !== undefined) this.#add(PUNCTUATION[character], from, character)
    else if (character === '"') this.#quoted('string', STRING)
    else if (character === "'") this.#quoted('character', CHARACTER)
    else if (character === '`') this.#quoted('raw', RAW)
    else if (/^[+-]?\.?\d/.test(template.slice(from, from + 3))) this.#number()
    else if (character === '.' || character === '$') this.#name(character)
    else this.#identifier()
  }

  #quoted(kind: TokenKind, shape: RegExp): void {
    const text = this.#match(shape)
    if (text === undefined) throw new SyntaxFault('this quote is never closed', this.#at)
    this.#add(kind, this.#at, text)
  }

  #number(): void {
    const text = this.#match(NUMBER)!
    this.#add('number', this.#at, text)
    if (this.#match(WORD) !== undefined) throw new SyntaxFault('this is not a number', this.#at - text.length)
  }

  /** `.`, `.Field`, `$` or `$name`. */
  #name(first: '.' | '$'): void {
    const from = this.#at++
    const word = this.#match(WORD) ?? ''
    this.#add(first === '$' ? 'variable' : word === '' ? 'dot' : 'field', from, first + word)
    this.#terminate()
  }

  #identifier(): void {
    const word = this.#match(WORD)
    if (word === undefined)
      throw new SyntaxFault(`${JSON.stringify(this.#template[this.#at])} means nothing here`, this.#at)
    this.#add('identifier', this.#at, word)
    this.#terminate()
  }

  /** What may follow a name at once. */
  #terminate(): void {
    const next = this.#template[this.#at]
    if (next === undefined || ' \t\r\n.,|:)('.includes(next) || this.#template.startsWith('}}', this.#at))
      return
    throw new SyntaxFault(`${JSON.stringify(next)} means nothing here`, this.#at)
  }

  #match(shape: RegExp): string | undefined {
    shape.lastIndex = this.#at
    return shape.exec(this.#template)?.[0]
  }

  #add(kind: TokenKind, at: number, text: string): void {
    this.#tokens.push({ kind, text, at, spaced: this.#spaced })
    this.#spaced = false
    this.#at = kind === 'left' ? this.#at : at + text.length
  }
}
