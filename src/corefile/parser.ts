// Reads a Corefile into server blocks and directives, knowing no directive's meaning (coredns/caddy caddyfile/parse.go).
// It never throws: what is wrong becomes a problem with a place, and reading goes on with the next line or block.
//
//   (common) {                      a snippet: remembered, not served
//     errors
//   }
//   .:53, tls://example.org {       a server block: keys, then directives
//     import common
//     cache 30 {                    a directive: word, arguments, block of lines of the same shape
//       success 9984 30
//     }
//   }

import type { Corefile, Directive, ServerBlock } from './corefile.ts'
import { type CorefileHost, nodeHost } from './host.ts'
import { TokenStream } from './imports.ts'
import { readKey } from './key.ts'
import { reportOverlaps } from './overlap.ts'
import { Problems } from './problem.ts'
import { isClose, isOpen, type Token } from './token.ts'
import { isDirectiveWord } from './words.ts'

/** What a reader may set besides the text. */
export interface ParseOptions {
  /** The port of `dns` keys without one, 53 unless -dns.port says otherwise; it decides which keys collide. */
  readonly defaultPort?: number
}

/** Braces within braces; no directive of CoreDNS nests deeper than 2. */
export const DEPTH_MAX = 16

/** Reads a Corefile and all it imports. An unreadable file is a problem at its head, as is every other mistake. */
export function parseCorefile(
  file: string,
  host: CorefileHost = nodeHost,
  options: ParseOptions = {},
): Corefile {
  return parse(host, options, stream => stream.openFile(file))
}

/**
 * Reads a Corefile given as text, such as standard input. Its problems and its relative imports go by `file`, which is
 * not opened and is not among the files of the result.
 */
export function parseCorefileText(
  text: string,
  file: string,
  host: CorefileHost = nodeHost,
  options: ParseOptions = {},
): Corefile {
  return parse(host, options, stream => stream.openText(text, file))
}

function parse(host: CorefileHost, options: ParseOptions, open: (stream: TokenStream) => void): Corefile {
  const problems = new Problems()
  const stream = new TokenStream(host, problems)
  open(stream)
  const blocks = new Parser(stream, problems).blocks()
  reportOverlaps(blocks, problems, options.defaultPort)
  return { blocks, problems: problems.list, files: stream.files }
}

/** The words before a block: its keys, and the brace if one follows. */
interface Head {
  readonly words: readonly Token[]
  readonly open: Token | undefined
}

class Parser {
  readonly #stream: TokenStream
  readonly #problems: Problems

  constructor(stream: TokenStream, problems: Problems) {
    this.#stream = stream
    this.#problems = problems
  }

  blocks(): ServerBlock[] {
    const blocks: ServerBlock[] = []
    for (let token = this.#stream.peek(); token !== undefined; token = this.#stream.peek()) {
      if (isClose(token)) {
        this.#stream.next()
        this.#problems.error(token, 'this brace closes nothing')
        continue
      }
      const block = this.#topLevel()
      if (block !== undefined) blocks.push(block)
    }
    return blocks
  }

  /** One server block or snippet; undefined where nothing to serve came of it. */
  #topLevel(): ServerBlock | undefined {
    const { words, open } = this.#head()
    const [first] = words
    if (first === undefined) {
      if (open === undefined) return undefined
      this.#problems.error(open, 'a server block needs a zone before its brace')
      this.#lines(open, 1)
      return undefined
    }
    if (words.length === 1 && first.text.startsWith('(') && first.text.endsWith(')')) {
      this.#snippet(first, open)
      return undefined
    }
    if (isDirectiveWord(first.text)) {
      // CoreDNS takes it for a zone called "cache" and serves that.
      if (open === undefined) {
        this.#problems.error(first, 'this directive stands outside every server block', { found: first.text })
        return undefined
      }
      this.#problems.warning(first, 'a zone with the name of a directive: is a brace misplaced above?', {
        found: first.text,
      })
    }
    const keys = words.flatMap(word => readKey(word, this.#problems))
    const directives = this.#lines(open, 1)
    return keys.length > 0 ? { keys, directives } : undefined
  }

  #head(): Head {
    const words: Token[] = []
    let comma: Token | undefined
    for (let token = this.#stream.peek(); token !== undefined; token = this.#stream.peek()) {
      if (token.startsLine && words.length > 0 && comma === undefined && !isOpen(token)) break
      if (isClose(token)) {
        if (!token.startsLine) this.#problems.error(this.#stream.next()!, 'this brace closes nothing')
        break
      }
      this.#stream.next()
      if ((token.startsLine || words.length === 0) && token.text === 'import') {
        this.#import(token)
        continue
      }
      if (token.text === '') {
        this.#problems.warning(token, 'this zone is empty and left out', { found: token.written })
        continue
      }
      const glued = this.#gluedOpen(token)
      const word = glued?.word ?? token
      const open = glued?.open ?? (isOpen(token) ? token : undefined)
      if (word !== open) {
        words.push(...splitAtCommas(word))
        comma = word.text.endsWith(',') ? word : undefined
      }
      if (open === undefined) continue
      if (comma !== undefined)
        this.#problems.error(comma, 'a zone must follow this comma', { found: comma.text })
      return { words, open }
    }
    if (comma !== undefined)
      this.#problems.error(comma, 'a zone must follow this comma', { found: comma.text })
    return { words, open: undefined }
  }

  #snippet(definition: Token, open: Token | undefined): void {
    if (open === undefined) {
      this.#problems.error(definition, 'a snippet needs a block in braces', { found: definition.text })
      return
    }
    const name = definition.text.slice(1, -1)
    if (name === '') this.#problems.error(definition, 'a snippet needs a name', { found: definition.text })
    const body: Token[] = []
    if (this.#collect(open, token => body.push(token))) this.#stream.define(name, definition, body)
  }

  /** Takes everything up to the brace that closes `open`; false, with an error, where there is none. */
  #collect(open: Token, keep: (token: Token) => void): boolean {
    let depth = 1
    for (let token = this.#stream.next(); token !== undefined; token = this.#stream.next()) {
      if (isOpen(token)) depth++
      else if (isClose(token) && --depth === 0) return true
      keep(token)
    }
    this.#problems.error(open, 'this brace is never closed')
    return false
  }

  /** The lines up to the brace that closes `open`, or up to the end of the file without one. `depth` counts braces. */
  #lines(open: Token | undefined, depth: number): Directive[] {
    const lines: Directive[] = []
    if (open !== undefined) this.#expectLineEnd()
    let before = open
    for (let token = this.#stream.next(); token !== undefined; token = this.#stream.next()) {
      if (isClose(token)) {
        if (open === undefined) {
          this.#problems.error(token, 'this brace closes nothing')
          continue
        }
        if (!token.startsLine && before !== open) {
          this.#problems.error(token, 'a closing brace must begin its line', { found: token.text })
        }
        if (depth > 1) this.#refuseTail()
        return lines
      }
      before = token
      if (isOpen(token)) {
        this.#problems.error(token, 'an opening brace must end the line of its directive', {
          found: token.text,
        })
        this.#block(token, depth)
      } else if (token.text === 'import') {
        this.#import(token)
      } else {
        lines.push(this.#directive(token, depth))
      }
    }
    if (open !== undefined) this.#problems.error(open, 'this brace is never closed')
    return lines
  }

  #directive(first: Token, depth: number): Directive {
    const glued = this.#gluedOpen(first)
    const word = glued?.word ?? first
    if (glued !== undefined) return { word, args: [], block: this.#block(glued.open, depth) }
    const args: Token[] = []
    for (let token = this.#stream.peekOnLine(); token !== undefined; token = this.#stream.peekOnLine()) {
      if (isClose(token)) break
      this.#stream.next()
      if (isOpen(token)) return { word, args, block: this.#block(token, depth) }
      const glued = this.#gluedOpen(token)
      args.push(glued?.word ?? token)
      if (glued !== undefined) return { word, args, block: this.#block(glued.open, depth) }
    }
    return { word, args, block: undefined }
  }

  /** The block that `open` begins inside another one, which is `depth` braces deep. */
  #block(open: Token, depth: number): Directive[] {
    if (depth < DEPTH_MAX) return this.#lines(open, depth + 1)
    this.#problems.error(open, `braces more than ${DEPTH_MAX} deep`)
    this.#collect(open, () => {})
    return []
  }

  /** `cache{` or `example.org{` at the end of a line: CoreDNS takes the brace for a part of the word. */
  #gluedOpen(token: Token): { readonly word: Token; readonly open: Token } | undefined {
    const { written, text, quoted, column } = token
    if (quoted || written.length < 2 || !written.endsWith('{') || written.endsWith('{{')) return undefined
    if (this.#stream.peekOnLine() !== undefined) return undefined
    this.#problems.error(token, 'a blank is needed before the opening brace', { found: text })
    return {
      word: { ...token, text: text.slice(0, -1), written: written.slice(0, -1) },
      open: { ...token, text: '{', written: '{', column: column + written.length - 1, startsLine: false },
    }
  }

  /** CoreDNS reads on behind the brace as if a new line began; what is written there is easily overlooked. */
  #expectLineEnd(): void {
    const token = this.#stream.peekOnLine()
    if (token === undefined || isClose(token)) return
    this.#problems.warning(token, 'an opening brace should end its line', { found: token.text })
  }

  #refuseTail(): void {
    const tail = this.#stream.peekOnLine()
    if (tail === undefined || isClose(tail)) return
    this.#problems.error(tail, 'a closing brace must stand alone on its line', { found: tail.text })
    for (let token: Token | undefined = tail; token !== undefined; token = this.#stream.peekOnLine()) {
      if (isClose(token)) return
      this.#stream.next()
      if (isOpen(token)) this.#collect(token, () => {})
    }
  }

  #import(statement: Token): void {
    this.#stream.import(statement)
    const open = this.#stream.peekOnLine()
    if (open === undefined || !isOpen(open)) return
    this.#stream.next()
    this.#collect(open, () => {})
  }
}

/** `a,b,` as the words a and b, each at its own column. */
function splitAtCommas(token: Token): Token[] {
  if (!token.text.includes(',')) return token.text === '' ? [] : [token]
  const words: Token[] = []
  // Substitution moves the columns; then each word stands where the whole one does.
  const moved = token.text !== token.written || token.quoted
  let at = 0
  for (const text of token.text.split(',')) {
    if (text !== '') words.push({ ...token, text, written: text, column: token.column + (moved ? 0 : at) })
    at += text.length + 1
  }
  return words
}
