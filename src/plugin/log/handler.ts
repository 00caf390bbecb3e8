// `log` at work: a line for each query that a rule is about, once its reply is known.

import type { Query } from '../../query/query.ts'
import type { Outcome } from '../../query/reply.ts'
import { isWithin, type Name, name } from '../../wire/name.ts'
import type { Next, ServingContext, TreeHandler } from '../plugin.ts'
import { classOf, type ReplyClass, replyType } from './classify.ts'
import type { LogConfig } from './config.ts'
import { compileFormat, type LogEntry } from './format.ts'

interface Rule {
  readonly name: Name
  readonly all: boolean
  readonly classes: ReadonlySet<ReplyClass>
  readonly write: (entry: LogEntry) => string
}

/** The rules of one server block on one serving thread. */
export class LogHandler implements TreeHandler {
  readonly trees = true
  readonly #context: ServingContext
  readonly #rules: readonly Rule[]

  constructor({ rules }: LogConfig, context: ServingContext) {
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
