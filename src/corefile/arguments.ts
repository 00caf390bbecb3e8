// What a directive reads its line with: a taker for each kind of argument. A taker that finds something else reports it
// at the word and returns undefined, so that a directive reads on and all its mistakes are told at once. What is left
// over when the reader is done (arguments, a block) is reported too.
//
//   readLine(directive, problems, line => {
//     ttl = line.has ? line.integer('the TTL in seconds', 0, 3600) ?? ttl : ttl
//     line.options({
//       pods: line => { pods = line.choice('the mode', ['disabled', 'insecure', 'verified']) ?? pods },
//       fallthrough: line => { fallthroughZones = line.zones() },
//       noendpoints: () => { endpoints = false },
//     })
//   })

import { accessSync } from 'node:fs'
import { resolve } from 'node:path'
import { familyOf } from '../shared/ip.ts'
import type { Directive } from './corefile.ts'
import { isAbsent } from './host.ts'
import { parseKey } from './key.ts'
import type { Detail, Problems } from './problem.ts'
import { placeText, type Token } from './token.ts'
import { type ListenAddress, parseDuration, parseListenAddress } from './values.ts'
import { type Network, parseNetwork, parseZone } from './zone.ts'

/** Reads one option's line. */
export type LineReader = (line: Line) => void

/** The options of a block by their word. */
export type OptionReaders = Readonly<Record<string, LineReader>>

/** Options that CoreDNS once had: what to write instead. They are warned about and otherwise ignored. */
export type RemovedOptions = Readonly<Record<string, string>>

/** Bounds of a duration, and whether a bare number means seconds. */
export interface DurationBounds {
  /** 0 unless given. */
  readonly minMs?: number
  readonly maxMs?: number
  /** `30` is 30 seconds; otherwise a unit is asked for, as Go does. */
  readonly bareSeconds?: boolean
}

/** Reads a directive with `read`, then reports what `read` left over. */
export function readLine(directive: Directive, problems: Problems, read: LineReader): void {
  readWith(new Line(directive, problems), read)
}

/** Reads the block of a directive, reporting every option that `readers` does not have; no block is no options. */
export function options(
  directive: Directive,
  problems: Problems,
  readers: OptionReaders,
  removed: RemovedOptions = {},
): void {
  const earlier = new Map<string, Token>()
  for (const option of directive.block ?? []) {
    const { text } = option.word
    const reader = Object.hasOwn(readers, text) ? readers[text] : undefined
    const owner = directive.word.text
    if (reader !== undefined) {
      readWith(new Line(option, problems, earlier.get(text)), reader)
      if (!earlier.has(text)) earlier.set(text, option.word)
    } else if (Object.hasOwn(removed, text)) {
      problems.warning(option.word, `${text} was removed from ${owner}: ${removed[text]}`, { found: text })
    } else {
      const allowed = Object.keys(readers).sort()
      problems.error(option.word, `unknown property of ${owner}`, { found: text, allowed })
    }
  }
}

/** The first of several directives of one word; every further one is an error at its word. */
export function once(directives: readonly Directive[], problems: Problems): Directive | undefined {
  const [first, ...further] = directives
  for (const { word } of further) reportTwice(word, first!.word, problems)
  return first
}

/**
 * The first of several directives of one word, where CoreDNS takes all and looks at that one alone; each further one that
 * says something else is warned about.
 */
export function first(directives: readonly Directive[], problems: Problems): Directive | undefined {
  return counting('first', directives[0], directives, problems)
}

/** The same where the last one counts. */
export function last(directives: readonly Directive[], problems: Problems): Directive | undefined {
  return counting('last', directives.at(-1), directives, problems)
}

function counting(
  which: 'first' | 'last',
  chosen: Directive | undefined,
  directives: readonly Directive[],
  problems: Problems,
): Directive | undefined {
  for (const directive of directives) {
    if (chosen === undefined || wordsOf(directive) === wordsOf(chosen)) continue
    const { text } = directive.word
    problems.warning(
      directive.word,
      `only the ${which} ${text} of a server block counts, as in CoreDNS: that at ${placeText(chosen.word)}`,
    )
  }
  return chosen
}

/** Everything that a directive says, as one text. */
const wordsOf = ({ word, args, block = [] }: Directive): string =>
  JSON.stringify([word.text, args.map(({ text }) => text), block.map(wordsOf)])

function readWith(line: Line, read: LineReader): void {
  read(line)
  line.finish()
}

function reportTwice(word: Token, earlier: Token, problems: Problems): void {
  const imported = word.file === earlier.file ? '' : '; an imported file adds and cannot replace'
  problems.error(word, `${word.text} is given twice, first at ${placeText(earlier)}${imported}`, {
    found: word.text,
  })
}

/** The arguments of one line, taken from left to right. */
export class Line {
  /** The directive or option itself. */
  readonly word: Token
  readonly problems: Problems
  readonly #directive: Directive
  readonly #earlier: Token | undefined
  #next = 0
  #blockRead = false
  #failed = false

  /** `earlier` is the same option's word further up in the block, if it is there. */
  constructor(directive: Directive, problems: Problems, earlier?: Token) {
    this.word = directive.word
    this.problems = problems
    this.#directive = directive
    this.#earlier = earlier
  }

  /** Whether an argument is left. */
  get has(): boolean {
    return this.#next < this.#directive.args.length
  }

  /** The next argument's text without taking it; undefined where none is left. */
  get peek(): string | undefined {
    return this.#directive.args[this.#next]?.text
  }

  /** Whether the line has a block in braces, an empty one included. */
  get hasBlock(): boolean {
    return this.#directive.block !== undefined
  }

  /** Takes an argument as it is; `what` names it for the error where it is missing. */
  token(what: string): Token | undefined {
    const token = this.#directive.args[this.#next]
    if (token === undefined) {
      this.error(this.word, `${this.word.text} needs ${what}`)
      return undefined
    }
    this.#next++
    return token
  }

  /** Takes an argument's text. */
  text(what: string): string | undefined {
    return this.token(what)?.text
  }

  /** Takes every argument left, perhaps none. */
  rest(): readonly Token[] {
    const rest = this.#directive.args.slice(this.#next)
    this.#next = this.#directive.args.length
    return rest
  }

  /** Takes every argument left; none is an error. */
  some(what: string): readonly Token[] {
    if (!this.has) this.error(this.word, `${this.word.text} needs ${what}`)
    return this.rest()
  }

  /** Takes one word out of `allowed`. */
  choice<T extends string>(what: string, allowed: readonly T[]): T | undefined {
    return this.#value(what, text => allowed.find(word => word === text), `is not ${what}`, allowed)
  }

  /** Takes an integer of `min`..`max`. */
  integer(what: string, min = 0, max = Number.MAX_SAFE_INTEGER): number | undefined {
    return this.#number(what, /^[-+]?\d+$/, 'an integer', min, max)
  }

  /** Takes a decimal number of `min`..`max`. */
  decimal(what: string, min = 0, max = Number.MAX_VALUE): number | undefined {
    return this.#number(what, /^[-+]?(?:\d+\.?\d*|\.\d+)$/, 'a number', min, max)
  }

  /** Takes a duration such as 5s or 1m30s, in milliseconds. */
  duration(what: string, bounds: DurationBounds = {}): number | undefined {
    const { minMs = 0, maxMs = Number.MAX_SAFE_INTEGER, bareSeconds = false } = bounds
    const token = this.token(what)
    if (token === undefined) return undefined
    const bare = bareSeconds && /^\d+$/.test(token.text) ? Number(token.text) * 1000 : undefined
    const durationMs = bare ?? parseDuration(token.text)
    if (durationMs === undefined) {
      const example = bareSeconds ? 'such as 5s or 1m30s, or seconds' : 'such as 5s or 1m30s'
      return this.error(token, `${what} must be a duration ${example}`, { found: token.text })
    }
    if (durationMs >= minMs && durationMs <= maxMs) return durationMs
    const limit = durationMs < minMs ? `at least ${durationText(minMs)}` : `at most ${durationText(maxMs)}`
    return this.error(token, `${what} must be ${limit}`, { found: token.text })
  }

  /** Takes one zone name, in lower case with its final dot. */
  zone(what: string): string | undefined {
    const token = this.token(what)
    if (token === undefined) return undefined
    const zone = parseZone(token.text)
    return 'value' in zone ? zone.value : this.error(token, `${what}: ${zone.reason}`, { found: token.text })
  }

  /**
   * Takes every argument left as zones, a network as the reverse zones that cover it; `fallback` where none is left.
   * A scheme or a port before or behind a zone means nothing here and is warned about (CoreDNS drops them silently).
   */
  zones(fallback: readonly string[] = []): readonly string[] {
    if (!this.has) return fallback
    return this.rest().flatMap(token => {
      const parts = parseKey(token.text)
      if ('reason' in parts) {
        this.error(token, parts.reason, { found: token.text })
        return []
      }
      const { port, zones } = parts.value
      if (port !== undefined || token.text.includes('://')) {
        this.problems.warning(token, 'the scheme and the port of a zone mean nothing here', {
          found: token.text,
        })
      }
      return zones
    })
  }

  /** Takes an IPv4 or IPv6 address. */
  ip(what: string): string | undefined {
    return this.#value(what, text => (familyOf(text) === 0 ? undefined : text), 'is not an IP address')
  }

  /** Takes `HOST:PORT` or `:PORT`. */
  listenAddress(what: string): ListenAddress | undefined {
    return this.#value(what, parseListenAddress, 'is not HOST:PORT or :PORT')
  }

  /** Takes a network in CIDR notation; a bare address is a network of one where `bareAddress` is set. */
  network(what: string, bareAddress = false): Network | undefined {
    const read = (text: string): Network | undefined => {
      const length = bareAddress ? { 0: '', 4: '/32', 6: '/128' }[familyOf(text)] : ''
      return parseNetwork(text + length)
    }
    return this.#value(what, read, 'is not a network such as 10.0.0.0/8')
  }

  /** Reads the line's block; see the function of this name. */
  options(readers: OptionReaders, removed: RemovedOptions = {}): void {
    this.#blockRead = true
    options(this.#directive, this.problems, readers, removed)
  }

  /** The lines of the block, for a directive whose block does not hold options (hosts); none without a block. */
  lines(): readonly Directive[] {
    this.#blockRead = true
    return this.#directive.block ?? []
  }

  /** Reports an option that stands further up in the same block already. */
  once(): void {
    if (this.#earlier !== undefined) reportTwice(this.word, this.#earlier, this.problems)
  }

  /** Reports an error at a word of this line and returns undefined. */
  error(token: Token, message: string, detail: Detail = {}): undefined {
    this.#failed = true
    this.problems.error(token, message, detail)
  }

  /** Reports a file that a word names and that cannot be read: `what`, and the reason. */
  unreadable(token: Token, what: string, cause: unknown): undefined {
    const absent = isAbsent(cause) ? { absent: true as const } : {}
    return this.error(token, `${what}: ${(cause as Error).message}`, { found: token.text, ...absent })
  }

  /** Takes a word as the name of a file or folder, relative to `directory`; the error, if it must be there and is not. */
  path(what: string, directory: string): string | undefined {
    const token = this.token(what)
    if (token === undefined) return undefined
    const path = resolve(directory, token.text)
    try {
      accessSync(path)
    } catch (error) {
      return this.unreadable(token, `cannot read ${what}`, error)
    }
    return path
  }

  /** Reports what was not taken. After an error in this line arguments may be left because of it; then they are not. */
  finish(): void {
    const surplus = this.#directive.args[this.#next]
    const { text } = this.word
    if (surplus !== undefined && !this.#failed) {
      const message = this.#next === 0 ? `${text} takes no arguments` : `too many arguments for ${text}`
      this.problems.error(surplus, message, { found: surplus.text })
    }
    if (this.hasBlock && !this.#blockRead) this.problems.error(this.word, `${text} takes no block`)
  }

  #value<T>(
    what: string,
    read: (text: string) => T | undefined,
    complaint: string,
    allowed?: readonly string[],
  ): T | undefined {
    const token = this.token(what)
    if (token === undefined) return undefined
    const value = read(token.text)
    if (value !== undefined) return value
    return this.error(token, `this ${complaint}`, { found: token.text, ...(allowed && { allowed }) })
  }

  #number(what: string, shape: RegExp, kind: string, min: number, max: number): number | undefined {
    const token = this.token(what)
    if (token === undefined) return undefined
    const number = shape.test(token.text) ? Number(token.text) : Number.NaN
    if (number >= min && number <= max) return number
    const unbounded = max === Number.MAX_SAFE_INTEGER || max === Number.MAX_VALUE
    const range = unbounded ? `${kind}, at least ${min}` : `${kind} from ${min} to ${max}`
    return this.error(token, `${what} must be ${range}`, { found: token.text })
  }
}

/** A bound as it would be written: whole seconds as such, else milliseconds. */
const durationText = (ms: number): string => (ms % 1000 === 0 && ms > 0 ? `${ms / 1000}s` : `${ms}ms`)
