// `errors`: logs what went wrong inside the server while a query was answered (CoreDNS plugin/errors). Replies that are
// merely negative are no errors and are not logged.
//
//   errors {
//     consolidate 5m ".* i/o timeout$" warning show_first
//     stacktrace
//   }
//
//   [ERROR] plugin/errors: 2 example.org. A: dialing upstream 10.0.0.2:53: connect ECONNREFUSED
//   [WARNING] plugin/errors: 41 errors like '.* i/o timeout$' occurred in last 5m0s

import type { RE2JS } from 're2js'
import { type Line, once, readLine } from '../corefile/arguments.ts'
import { REGEX_MAX_CHARACTERS, regexProblem } from '../corefile/regex.ts'
import type { Level } from '../observe/thread-log.ts'
import { BACK, DONE, type Packet, type Step } from '../query/packet.ts'
import type { Timer } from '../shared/clock.ts'
import { formatDuration } from '../shared/duration.ts'
import { lazy } from '../shared/lazy.ts'
import { formatName } from '../wire/name.ts'
import { typeName } from '../wire/rrtype.ts'
import type { Handler, ServingContext, Word } from './plugin.ts'

/** Patterns that an error is held against. */
const CONSOLIDATIONS_MAX = 100
/** Of an error that came from outside; the line's end says that more followed. */
const ERROR_MAX_CHARACTERS = 1024

const LEVELS: Readonly<Record<string, Level>> = {
  warning: 'WARNING',
  error: 'ERROR',
  info: 'INFO',
  debug: 'DEBUG',
}

/** Errors that are counted for a while and told in one line. */
export interface Consolidation {
  readonly periodMs: number
  /** RE2 syntax, found anywhere in the error's text. */
  readonly regex: string
  readonly level: Level
  /** The first error of a period is logged at once too. */
  readonly showFirst: boolean
}

/** The configuration of `errors`. */
export interface ErrorsConfig {
  /** The first one that matches takes the error. */
  readonly consolidations: readonly Consolidation[]
  /** Whether the log has the stack of an exception in a plugin, which is a bug. */
  readonly stacktrace: boolean
}

/** `errors [stdout]`, once in a server block. */
export const errorsWord: Word<ErrorsConfig> = {
  word: 'errors',
  doc: {
    usage: 'errors [stdout]',
    meaning: 'logs what went wrong inside the server while it answered a query',
    options: [
      {
        usage: 'consolidate DURATION REGEX [warning|error|info|debug] [show_first]',
        meaning:
          'counts the errors that match, and tells their number once in DURATION; show_first logs the first at once',
        default: 'every error in a line of its own, at the level error',
        range: `DURATION from 1ms, REGEX of RE2 in ${REGEX_MAX_CHARACTERS} characters, ${CONSOLIDATIONS_MAX} lines`,
      },
      { usage: 'stacktrace', meaning: "logs the stack of an exception, which is a bug of the server's" },
    ],
    example: `
      . {
          errors {
              consolidate 5m ".* timed out after .*" warning
          }
          forward . /etc/resolv.conf
      }`,
  },
  parse(directives, problems) {
    const consolidations: Consolidation[] = []
    let stacktrace = false
    const directive = once(directives, problems)
    if (directive === undefined) return undefined
    readLine(directive, problems, line => {
      if (line.has) line.choice('a place to log to', ['stdout'])
      line.options({
        stacktrace: () => {
          stacktrace = true
        },
        consolidate: option => {
          const consolidation = readConsolidation(option)
          if (consolidation === undefined) return
          if (consolidations.length < CONSOLIDATIONS_MAX) consolidations.push(consolidation)
          else option.error(option.word, `more than ${CONSOLIDATIONS_MAX} consolidations`)
        },
      })
    })
    return { consolidations, stacktrace }
  },
  effect: () => ({ transparent: true }),
  create: (config, context) => new ErrorsHandler(config, context),
}

function readConsolidation(line: Line): Consolidation | undefined {
  const periodMs = line.duration('the period', { minMs: 1 })
  const token = line.token('a regular expression')
  if (token !== undefined) {
    const reason = regexProblem(token.text)
    if (reason !== undefined) line.error(token, reason, { found: token.text.slice(0, 100) })
  }
  let level: Level | undefined
  let showFirst = false
  const allowed = [...Object.keys(LEVELS), 'show_first']
  for (const option of line.rest()) {
    const { text } = option
    if (text === 'show_first') showFirst = true
    else if (!Object.hasOwn(LEVELS, text))
      line.error(option, 'this is not an option of consolidate', { found: text, allowed })
    else if (level !== undefined) line.error(option, 'consolidate takes one level', { found: text })
    else if (showFirst) line.error(option, 'the level must come before show_first', { found: text })
    else level = LEVELS[text]
  }
  if (periodMs === undefined || token === undefined) return undefined
  return { periodMs, regex: token.text, level: level ?? 'ERROR', showFirst }
}

interface Pattern extends Consolidation {
  readonly compiled: RE2JS
  errors: number
  timer: Timer | undefined
}

class ErrorsHandler implements Handler {
  readonly #context: ServingContext
  readonly #patterns: readonly Pattern[]

  constructor({ consolidations }: ErrorsConfig, context: ServingContext) {
    this.#context = context
    this.#patterns = consolidations.map(consolidation => ({
      ...consolidation,
      compiled: lazy.re2js.RE2JS.compile(consolidation.regex),
      errors: 0,
      timer: undefined,
    }))
  }

  handle(): Step {
    return BACK
  }

  back(packet: Packet): Step {
    if (packet.error !== undefined) this.#see(packet, packet.error)
    return DONE
  }

  /** Tells what was counted so far; the periods under way end. */
  stop(): void {
    for (const pattern of this.#patterns) {
      if (pattern.timer === undefined) continue
      pattern.timer.cancel()
      this.#summarize(pattern)
    }
  }

  #see({ rcode, scan }: Packet, error: string): void {
    const text = error.length > ERROR_MAX_CHARACTERS ? `${error.slice(0, ERROR_MAX_CHARACTERS)}…` : error
    const pattern = this.#patterns.find(({ compiled }) => compiled.test(text))
    if (pattern !== undefined && !this.#count(pattern)) return
    const asked = `${formatName(scan.folded)} ${typeName(scan.qtype)}`
    this.#context.log.write(pattern?.level ?? 'ERROR', 'plugin/errors', `${rcode} ${asked}: ${text}`)
  }

  /** Counts the error; true where it is logged by itself too. */
  #count(pattern: Pattern): boolean {
    pattern.errors++
    if (pattern.errors > 1) return false
    pattern.timer = this.#context.clock.after(pattern.periodMs, () => this.#summarize(pattern))
    return pattern.showFirst
  }

  #summarize(pattern: Pattern): void {
    const { errors, regex, level, periodMs, showFirst } = pattern
    pattern.errors = 0
    pattern.timer = undefined
    if (errors === 0 || (errors === 1 && showFirst)) return
    const text = `${errors} errors like '${regex}' occurred in last ${formatDuration(periodMs)}`
    this.#context.log.write(level, 'plugin/errors', text)
  }
}
