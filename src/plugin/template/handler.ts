// `template` at work: the first rule that takes a question renders its records; CNAME targets are looked up by the server.

import type { Query } from '../../query/query.ts'
import { answer, type MaybePromise, type Outcome, type Reply, servfail } from '../../query/reply.ts'
import { foldName, formatName } from '../../wire/name.ts'
import { RCODE } from '../../wire/rcode.ts'
import { type Rr, targetOf } from '../../wire/record.ts'
import { TYPE } from '../../wire/rrtype.ts'
import type { Scan } from '../../wire/scan.ts'
import type { Next, ServingContext, TreeHandler } from '../plugin.ts'
import { SECTIONS, type Section, type TemplateConfig } from './config.ts'
import { classAndType, type Taken, templateData } from './data.ts'
import { Rule } from './rule.ts'

const PLUGIN = 'template'

/** The rules of one server block on one serving thread. */
export class TemplateHandler implements TreeHandler {
  readonly trees = true
  readonly #rules: readonly Rule[]
  readonly #context: ServingContext

  constructor({ rules }: TemplateConfig, context: ServingContext) {
    this.#rules = rules.map(rule => new Rule(rule))
    this.#context = context
  }

  handle(query: Query, next: Next): MaybePromise<Outcome> {
    const { qname } = query.question
    let text: string | undefined
    for (const rule of this.#rules) {
      const zone = rule.zoneOf(query)
      if (zone === undefined) continue
      text ??= formatName(foldName(qname))
      const match = rule.match(text)
      if (match !== undefined)
        return this.#answer(rule, { query, rule: rule.config, zone, name: text, match })
      if (!rule.letsThrough(qname)) return servfail()
    }
    return next(query)
  }

  concerns(scan: Scan): boolean {
    for (let i = 0; i < this.#rules.length; i++) if (this.#rules[i]!.concerns(scan)) return true
    return false
  }

  #answer(rule: Rule, taken: Taken): MaybePromise<Outcome> {
    this.#count('coredns_template_matches_total', taken)
    const { rcode, extendedError } = rule.config
    if (rcode === RCODE.SERVFAIL) return servfail()
    const data = templateData(taken)
    const records: Record<Section, Rr[]> = { answer: [], additional: [], authority: [] }
    for (const section of SECTIONS) {
      for (const template of rule.records[section]) {
        const record = template.make(data)
        if ('reason' in record) {
          this.#count(record.family, taken, { section, template: template.label })
          return servfail(undefined, `template: ${section}: ${record.reason}`)
        }
        records[section].push(record)
      }
    }
    const reply = {
      ...answer(PLUGIN, records.answer, records.additional),
      authority: records.authority,
      rcode,
      extendedError,
    }
    return hasAlias(reply, taken.query) ? chase(reply, taken.query) : reply
  }

  #count(family: string, taken: Taken, labels: Readonly<Record<string, string>> = {}): void {
    const { query, zone } = taken
    const { server, view } = query
    this.#context.meters.counter(family, { server, zone, view, ...classAndType(taken), ...labels }).add()
  }
}

const hasAlias = ({ answer }: Reply, { question: { qtype } }: Query): boolean =>
  (qtype === TYPE.A || qtype === TYPE.AAAA) && answer.some(record => record.type === TYPE.CNAME)

/** Puts behind each CNAME of the answer what the whole server says about its target. */
async function chase(reply: Reply, query: Query): Promise<Reply> {
  const records: Rr[] = []
  let truncated = false
  for (const record of reply.answer) {
    records.push(record)
    if (record.type !== TYPE.CNAME) continue
    const target = await query.lookup(targetOf(record), query.question.qtype)
    records.push(...target.answer)
    truncated = target.truncated
  }
  return { ...reply, answer: records, truncated }
}
