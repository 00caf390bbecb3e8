// `rewrite` at work: rules change the question on its way down, and leave steps that turn the reply back on its way up.

import { type Query, withQuestion } from '../../query/query.ts'
import { DROP, type MaybePromise, type Outcome, type Reply } from '../../query/reply.ts'
import type { Question } from '../../wire/message.ts'
import type { Name } from '../../wire/name.ts'
import type { Next, TreeHandler } from '../plugin.ts'
import { concernsZone } from './concern.ts'
import type { NameRule, RewriteConfig, Rule } from './config.ts'
import { applyEdns, type ShownOptions, showOptions } from './edns0.ts'
import { compileMatch, compileSubstitution, remap } from './match.ts'
import {
  answerStep,
  applySteps,
  cnameStep,
  illegalName,
  type ReplyStep,
  rcodeStep,
  renameStep,
  ttlStep,
} from './reply.ts'
import { nameOf, textOf } from './text.ts'

/** A query between two rules. */
interface Passage {
  readonly query: Query
  /** The name as it is now (text.ts). */
  readonly text: string
  readonly steps: readonly ReplyStep[]
  readonly shown: ShownOptions
}

/** A rule made ready: the passage behind it, undefined where it does not apply, or a reply that ends everything. */
type Apply = (passage: Passage) => Passage | Reply | undefined

const isReply = (result: Passage | Reply): result is Reply => 'rcode' in result

/** The rules of one server block on one serving thread. */
export class RewriteHandler implements TreeHandler {
  readonly trees = true
  readonly #rules: readonly Rule[]
  readonly #compiled: readonly { readonly stop: boolean; readonly apply: Apply }[]

  constructor({ rules }: RewriteConfig) {
    this.#rules = rules
    this.#compiled = rules.map(rule => ({ stop: rule.stop, apply: compileRule(rule) }))
  }

  concernsZone(zone: Name): boolean {
    return this.#rules.some(rule => concernsZone(rule, zone))
  }

  handle(query: Query, next: Next): MaybePromise<Outcome> {
    const passage = this.#pass(query)
    if (isReply(passage)) return passage
    const outcome = next(passage.query)
    if (passage.query === query && passage.steps.length === 0) return outcome
    return outcome instanceof Promise
      ? outcome.then(late => turnBack(late, passage, query))
      : turnBack(outcome, passage, query)
  }

  #pass(query: Query): Passage | Reply {
    let passage: Passage = { query, text: textOf(query.question.qname), steps: [], shown: new Map() }
    for (const { stop, apply } of this.#compiled) {
      const result = apply(passage)
      if (result === undefined) continue
      if (isReply(result)) return result
      passage = result
      if (stop) break
    }
    return passage
  }
}

/** The reply to the changed query as a reply to the query that was asked. */
function turnBack(outcome: Outcome, { query, steps, shown }: Passage, asked: Query): MaybePromise<Outcome> {
  if (outcome === DROP) return outcome
  const { qtype } = query.question
  const reply = {
    ...outcome,
    // What was validated is the answer to another question (RFC 4035 3.2.3).
    authenticData: outcome.authenticData && query.question === asked.question,
  }
  const turned = applySteps(reply, steps, { qtype, lookup: qname => asked.lookup(qname, qtype) })
  return turned instanceof Promise
    ? turned.then(late => showOptions(late, shown))
    : showOptions(turned, shown)
}

/** The query with a part of its question changed. */
const withPart = (query: Query, part: Partial<Question>): Query =>
  withQuestion(query, { ...query.question, ...part })

const stepping = (passage: Passage, ...steps: readonly ReplyStep[]): Passage => ({
  ...passage,
  steps: [...passage.steps, ...steps],
})

function compileRule(rule: Rule): Apply {
  switch (rule.field) {
    case 'name':
      return compileNameRule(rule)
    case 'type':
      return passage => {
        if (passage.query.question.qtype !== rule.from) return undefined
        return { ...passage, query: withPart(passage.query, { qtype: rule.to }) }
      }
    case 'class':
      return passage => {
        if (passage.query.question.qclass !== rule.from) return undefined
        return { ...passage, query: withPart(passage.query, { qclass: rule.to }) }
      }
    case 'ttl': {
      const matches = compileMatch(rule.match)
      const step = ttlStep(rule)
      return passage => (matches(passage.text) ? stepping(passage, step) : undefined)
    }
    case 'rcode': {
      const matches = compileMatch(rule.match)
      const steps = { plain: rcodeStep(rule, false), edns: rcodeStep(rule, true) }
      return passage => {
        if (!matches(passage.text)) return undefined
        return stepping(passage, passage.query.edns === undefined ? steps.plain : steps.edns)
      }
    }
    case 'cname': {
      const step = cnameStep(rule)
      return passage => stepping(passage, step)
    }
    case 'edns0':
      return passage => {
        const change = applyEdns(rule, passage.query, passage.shown)
        return change && { ...passage, ...change }
      }
  }
}

function compileNameRule({ substitution, auto, answers }: NameRule): Apply {
  const rename = compileSubstitution(substitution)
  const backwards = auto && substitution.kind === 'suffix' ? suffixBackwards(substitution) : undefined
  const further = answers.map(answerStep)
  return passage => {
    const text = rename(passage.text)
    if (text === undefined) return undefined
    const qname = nameOf(text)
    if (qname === undefined) return illegalName(text)
    const back = auto ? (backwards ?? remap(text, passage.text)) : undefined
    const own = back ? [renameStep('name', back), renameStep('value', back)] : []
    return { ...stepping(passage, ...own, ...further), query: withPart(passage.query, { qname }), text }
  }
}

/** The suffix put back wherever it was taken off, also from names that nobody asked for. */
const suffixBackwards = ({ from, to }: NameRule['substitution']) =>
  compileSubstitution({ kind: 'suffix', from: to, to: from })
