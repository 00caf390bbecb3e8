// The words of a Corefile as one stream, with what `import` names spliced into its place (coredns/caddy
// caddyfile/parse.go, doImport): a snippet defined earlier, one file, or the files of a pattern with one `*`, in name
// order, relative to the file that holds the import. CoreDNS has no arguments for imports.
//
//   frames, innermost last:   Corefile ▸ custom/a.override ▸ (common)

import { dirname, isAbsolute, join } from 'node:path'
import { type CorefileHost, isAbsent } from './host.ts'
import { tokenize } from './lexer.ts'
import { nearestWord, type Problems } from './problem.ts'
import { isClose, isOpen, type Place, placeText, type Token } from './token.ts'

/** Imports in one Corefile, those of snippets and of files together; CoreDNS counts 10000 snippets and more files. */
export const EXPANSIONS_MAX = 10_000
/** Words in one Corefile after all imports. */
export const TOKENS_MAX = 1_000_000
/** UTF-16 units in one file; a ConfigMap holds at most 1 MiB. */
export const FILE_MAX_LENGTH = 4_194_304

/** Tokens being read, and the import that brought them. */
interface Frame {
  readonly tokens: readonly Token[]
  readonly name: string
  /** The frame of the import statement; undefined for the Corefile itself. */
  readonly importer: Frame | undefined
  next: number
}

/** The words of a Corefile in reading order. */
export class TokenStream {
  readonly #host: CorefileHost
  readonly #problems: Problems
  readonly #frames: Frame[] = []
  readonly #snippets = new Map<string, { readonly definition: Token; readonly body: readonly Token[] }>()
  readonly #texts = new Map<string, readonly Token[] | undefined>()
  #source: Frame | undefined
  #expansions = 0
  #taken = 0

  /** `problems` receives what is wrong with files and imports. */
  constructor(host: CorefileHost, problems: Problems) {
    this.#host = host
    this.#problems = problems
  }

  /** Every file read so far, in order, each once. */
  get files(): string[] {
    return [...this.#texts].filter(([, tokens]) => tokens !== undefined).map(([file]) => file)
  }

  /** Begins with the words of a text whose errors are told under `file`. */
  openText(text: string, file: string): void {
    this.#push(this.#tokenize(text, file), file, undefined)
  }

  /** Begins with the words of a file; an unreadable one is an error at its head. */
  openFile(file: string): void {
    const tokens = this.#read(file, { file, line: 1, column: 1 }, `cannot read ${file}`, false)
    if (tokens !== undefined) this.#push(tokens, file, undefined)
  }

  /** The next word without taking it; undefined at the end. */
  peek(): Token | undefined {
    for (;;) {
      const frame = this.#frames.at(-1)
      if (frame === undefined || frame.next < frame.tokens.length) return frame?.tokens[frame.next]
      this.#frames.pop()
    }
  }

  /** Takes the next word; undefined at the end. */
  next(): Token | undefined {
    const token = this.peek()
    if (token === undefined) return undefined
    if (++this.#taken > TOKENS_MAX) {
      this.#problems.error(token, `more than ${TOKENS_MAX} words after all imports; the rest is not read`)
      this.#frames.length = 0
      return undefined
    }
    this.#source = this.#frames.at(-1)!
    this.#source.next++
    return token
  }

  /** The next word if it stands on the line of the word before it, braces included; undefined otherwise. */
  peekOnLine(): Token | undefined {
    const token = this.peek()
    return token === undefined || token.startsLine ? undefined : token
  }

  /** Remembers the body of `(name) { … }` for imports below it; a second definition is an error at `definition`. */
  define(name: string, definition: Token, body: readonly Token[]): void {
    const earlier = this.#snippets.get(name)?.definition
    if (earlier !== undefined) {
      const message = `snippet ${name} is already defined at ${placeText(earlier)}`
      this.#problems.error(definition, message, { found: definition.text })
      return
    }
    this.#snippets.set(name, { definition, body })
  }

  /**
   * Takes the arguments of the `import` word just taken and splices in what they ask for: the next word taken is the
   * first imported. A block behind it, an error, is left to the caller to skip.
   */
  import(statement: Token): void {
    const importer = this.#source!
    const words: Token[] = []
    for (let token = this.peekOnLine(); token !== undefined; token = this.peekOnLine()) {
      if (isOpen(token) || isClose(token)) break
      words.push(this.next()!)
    }
    const [target, surplus] = words
    const brace = this.peekOnLine()
    if (brace !== undefined && isOpen(brace)) {
      this.#problems.error(brace, 'import takes no block')
    } else if (target === undefined || target.text === '') {
      this.#problems.error(target ?? statement, 'import needs a file, a pattern or the name of a snippet')
    } else if (surplus !== undefined) {
      this.#problems.error(surplus, 'import takes one argument', { found: surplus.text })
    } else if (++this.#expansions > EXPANSIONS_MAX) {
      if (this.#expansions === EXPANSIONS_MAX + 1) {
        this.#problems.error(statement, `more than ${EXPANSIONS_MAX} imports; the rest is left out`)
      }
    } else {
      this.#splice(target, importer)
    }
  }

  #splice(target: Token, importer: Frame): void {
    const snippet = this.#snippets.get(target.text)
    if (snippet !== undefined) {
      const name = `(${target.text})`
      if (!this.#isCycle(target, name, importer)) this.#push(startLine(snippet.body), name, importer)
      return
    }
    const frames = this.#filesOf(target).flatMap(file => {
      if (this.#isCycle(target, file, importer)) return []
      const tokens = this.#read(file, target, this.#missing(target, file))
      return tokens === undefined ? [] : [{ tokens, file }]
    })
    // What is read first is pushed last.
    for (const { tokens, file } of frames.reverse()) this.#push(tokens, file, importer)
  }

  #filesOf(target: Token): string[] {
    const pattern = isAbsolute(target.text) ? target.text : join(dirname(target.file), target.text)
    if (/\*.*\*|\?.*\?|\[.*\]/s.test(target.text)) {
      this.#problems.error(target, 'a pattern may hold one * and one ? and no brackets', {
        found: target.text,
      })
      return []
    }
    if (!/[*?]/.test(target.text)) return [pattern]
    try {
      const files = [...this.#host.glob(pattern)]
      if (files.length === 0) {
        this.#problems.warning(target, 'no file matches this pattern', { found: target.text })
      }
      return files
    } catch (error) {
      this.#problems.error(target, `cannot list the files of this pattern: ${reasonOf(error)}`, {
        found: target.text,
      })
      return []
    }
  }

  #missing(target: Token, file: string): string {
    const near = nearestWord(target.text, [...this.#snippets.keys()])
    const hint = near === undefined ? '' : `; did you mean the snippet "${near}"?`
    return /[*?/.]/.test(target.text)
      ? `cannot import ${file}${hint}`
      : `cannot import ${target.text}: no snippet of this name above and no readable file ${file}${hint}`
  }

  #read(file: string, place: Place, failure: string, imported = true): readonly Token[] | undefined {
    if (this.#texts.has(file)) {
      const tokens = this.#texts.get(file)
      if (tokens === undefined) this.#problems.error(place, failure)
      return tokens
    }
    this.#texts.set(file, undefined)
    try {
      this.#texts.set(file, this.#tokenize(this.#host.readFile(file, imported), file))
    } catch (error) {
      const absent = imported && isAbsent(error) ? { absent: true as const } : {}
      this.#problems.error(place, `${failure}: ${reasonOf(error)}`, absent)
    }
    return this.#texts.get(file)
  }

  #tokenize(text: string, file: string): Token[] {
    if (text.length <= FILE_MAX_LENGTH) return tokenize(text, file, this.#host.env, this.#problems)
    this.#problems.error({ file, line: 1, column: 1 }, `longer than ${FILE_MAX_LENGTH} characters; not read`)
    return []
  }

  #isCycle(target: Token, name: string, importer: Frame): boolean {
    const path: string[] = [name]
    for (let frame: Frame | undefined = importer; frame !== undefined; frame = frame.importer) {
      path.unshift(frame.name)
      if (frame.name !== name) continue
      this.#problems.error(target, `import cycle: ${path.join(' imports ')}`, { found: target.text })
      return true
    }
    return false
  }

  #push(tokens: readonly Token[], name: string, importer: Frame | undefined): void {
    this.#frames.push({ tokens, name, importer, next: 0 })
  }
}

/** Imported words never continue the line above them, also when a snippet's body begins behind its brace. */
function startLine(tokens: readonly Token[]): readonly Token[] {
  const [first, ...rest] = tokens
  return first === undefined || first.startsLine ? tokens : [{ ...first, startsLine: true }, ...rest]
}

function reasonOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error)
}
