// Splits a Corefile into words (coredns/caddy caddyfile/lexer.go): words stand between blanks; a word that begins with
// a quote runs to the next quote, over lines if need be, and knows one escape, \"; a # outside quotes begins a comment,
// even in the middle of a word; a carriage return outside quotes and a byte order mark are no characters at all.
//
//   log "a \"b\" # c"# d     gives  log  and  a "b" # c

import { type Environment, substitute } from './environment.ts'
import type { Problems } from './problem.ts'
import type { Place, Token } from './token.ts'

/** What Go's unicode.IsSpace takes for a blank. */
const BLANK = /[\t\n\v\f\r \u0085\u00a0\u1680\u2000-\u200a\u2028\u2029\u202f\u205f\u3000]/

/**
 * Every word of `text`, in order. A quote that is never closed is an error at the quote; the word then ends with its
 * line, so that the rest of the file is still read.
 */
export function tokenize(text: string, file: string, env: Environment, problems: Problems): Token[] {
  const tokens: Token[] = []
  let at = text.startsWith('\uFEFF') ? 1 : 0
  let line = 1
  let lineStart = at
  let startsLine = true

  const add = (written: string, quoted: boolean, line: number, column: number): void => {
    tokens.push({ text: substitute(written, env), written, quoted, file, line, column, startsLine })
    startsLine = false
  }
  while (at < text.length) {
    const character = text[at]!
    if (character === '\n') {
      line++
      lineStart = ++at
      startsLine = true
    } else if (isBlank(character)) {
      at++
    } else if (character === '#') {
      at = lineEnd(text, at)
    } else if (character === '"') {
      const column = at - lineStart + 1
      const close = closingQuote(text, at + 1)
      if (close === -1) problems.error({ file, line, column }, 'this quote is never closed')
      const end = close === -1 ? lineEnd(text, at) : close
      const inside = text.slice(at + 1, end)
      add(inside.replaceAll('\\"', '"'), true, line, column)
      at = close === -1 ? end : end + 1
      const lastBreak = inside.lastIndexOf('\n')
      if (lastBreak !== -1) {
        line += inside.split('\n').length - 1
        lineStart = end - inside.length + lastBreak + 1
      }
    } else {
      const column = at - lineStart + 1
      const end = wordEnd(text, at)
      add(text.slice(at, end).replaceAll('\r', ''), false, line, column)
      at = end
      if (text[at] === '#') warnOfComment(text, { file, line, column: at - lineStart + 1 }, at, problems)
    }
  }
  return tokens
}

/** CoreDNS forgets such a comment at its first blank and reads on, against its own documentation. */
function warnOfComment(text: string, place: Place, at: number, problems: Problems): void {
  const comment = text.slice(at, lineEnd(text, at)).trim()
  if (!/\s/.test(comment)) return
  problems.warning(place, 'a comment begins inside a word; CoreDNS reads the words after its first blank')
}

const isBlank = (character: string): boolean =>
  character <= ' ' || character > '~' ? BLANK.test(character) : false

function lineEnd(text: string, at: number): number {
  const end = text.indexOf('\n', at)
  return end === -1 ? text.length : end
}

function wordEnd(text: string, start: number): number {
  let at = start
  while (at < text.length) {
    const character = text[at]!
    if (character === '#' || (character !== '\r' && isBlank(character))) break
    at++
  }
  return at
}

/** The index of the quote that closes, -1 for none: a quote behind a backslash does not, and `\\` is no escape. */
function closingQuote(text: string, start: number): number {
  for (let at = start; at < text.length; at++) {
    if (text[at] === '\\') at++
    else if (text[at] === '"') return at
  }
  return -1
}
