// `log [NAMES…] [FORMAT] { class CLASSES… }`: a line for each query (CoreDNS plugin/log). Of several directives and
// names the first that covers the question decides. Lines are held to a rate and never wait (../../observe/log.ts).
//
//   log                                      every query in the common format
//   log example.org "{proto} {name} {type}"  its own format
//   log . { class denial error }             what did not succeed

import { type Line, readLine } from '../../corefile/arguments.ts'
import type { Problems } from '../../corefile/problem.ts'
import type { Token } from '../../corefile/token.ts'
import type { Query } from '../../query/query.ts'
import type { Outcome } from '../../query/reply.ts'
import { isWithin, type Name, name, parseName } from '../../wire/name.ts'
import type { Handler, Next, ServingContext, Word } from '../plugin.ts'
import { classOf, REPLY_CLASSES, type ReplyClass, replyType } from './classify.ts'
import { COMMON_FORMAT, compileFormat, expandFormat, type LogEntry } from './format.ts'

/** Names of one server block's log directives together. */
const RULES_MAX = 1000

/** What is logged of the questions below one name. */
export interface LogRule {
  /** As written, a name with or without its final dot. */
  readonly name: string
  readonly format: string
  /** One of them, or `all`. */
  readonly classes: readonly ReplyClass[]
}

/** The configuration of `log`. */
export interface LogConfig {
  readonly rules: readonly LogRule[]
}

/** `log`, as often as wanted. */
export const logWord: Word<LogConfig> = {
  word: 'log',
  doc: {
    usage: 'log [NAME…] [FORMAT]',
    meaning: 'logs a line for each query below the names; the first directive that covers a name decides',
    default: 'all names, the common format `{common}`',
    options: [
      {
        usage: 'class CLASS…',
        meaning: 'logs only replies of these classes',
        default: 'all',
        range: REPLY_CLASSES.join(', '),
      },
    ],
  },
  parse(directives, problems) {
    const rules: LogRule[] = []
    for (const directive of directives) {
      readLine(directive, problems, line => rules.push(...readRules(line, problems)))
      if (rules.length <= RULES_MAX) continue
      problems.error(directive.word, `more than ${RULES_MAX} names in the log directives of this block`)
      break
    }
    return { rules }
  },
  create: ({ rules }, context) => new LogHandler(rules, context),
}

function readRules(line: Line, problems: Problems): readonly LogRule[] {
  const { names, format } = readArguments([...line.rest()], problems)
  const classes: ReplyClass[] = []
  line.options({
    class: option => {
      if (!option.has) option.error(option.word, 'class needs a class', { allowed: REPLY_CLASSES })
      while (option.has) {
        const chosen = option.choice('a class', REPLY_CLASSES)
        if (chosen !== undefined) classes.push(chosen)
      }
    },
  })
  return names.map(name => ({ name, format, classes: classes.length > 0 ? classes : ['all'] }))
}

/** NAMES and FORMAT: the last argument is a format when it has a brace. */
function readArguments(args: Token[], problems: Problems): { names: readonly string[]; format: string } {
  const last = args.at(-1)
  let format = COMMON_FORMAT
  if (last?.text.includes('{')) {
    format = expandFormat(last.text)
    args.pop()
    if (args.length === 0) {
      const message =
        'CoreDNS takes a format without a name before it for a name and logs nothing; write `log . FORMAT`'
      problems.warning(last, message, { found: last.text })
    }
  }
  for (const token of args) {
    if (parseName(token.text) === undefined)
      problems.error(token, 'this is no domain name', { found: token.text })
  }
  return { names: args.length > 0 ? args.map(({ text }) => text) : ['.'], format }
}

interface Rule {
  readonly name: Name
  readonly all: boolean
  readonly classes: ReadonlySet<ReplyClass>
  readonly write: (entry: LogEntry) => string
}

class LogHandler implements Handler {
  readonly #context: ServingContext
  readonly #rules: readonly Rule[]

  constructor(rules: readonly LogRule[], context: ServingContext) {
    this.#context = context
    this.#rules = rules.map(rule => ({
      name: name(rule.name),
      all: rule.classes.includes('all'),
      classes: new Set(rule.classes),
      write: compileFormat(rule.format),
    }))
  }

  handle(query: Query, next: Next): Outcome | Promise<Outcome> {
    const rule = this.#rules.find(({ name }) => isWithin(query.question.qname, name))
    if (rule === undefined) return next(query)
    const startMs = this.#context.clock.nowMs()
    const outcome = next(query)
    if (!(outcome instanceof Promise)) return this.#log(rule, query, outcome, startMs)
    return outcome.then(late => this.#log(rule, query, late, startMs))
  }

  #log(rule: Rule, query: Query, outcome: Outcome, startMs: number): Outcome {
    const { clock, log } = this.#context
    const type = replyType(query, outcome, clock.wallMs())
    const replyClass = classOf(type)
    query.metadata.set('log/type', type)
    query.metadata.set('log/class', replyClass)
    if (rule.all || rule.classes.has(replyClass)) {
      log.write('INFO', '', rule.write({ query, outcome, durationMs: clock.nowMs() - startMs }))
    }
    return outcome
  }
}
