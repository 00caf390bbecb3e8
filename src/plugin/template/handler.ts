// `template CLASS TYPE [ZONE…] { … }`: answers questions out of themselves (CoreDNS plugin/template). Directives are tried in
// the order of the file: the first whose zone, class, type and regular expression take a question answers it; a name
// that is in its zone and that no expression takes is SERVFAIL, unless `fallthrough` lets it go on. Records are Go templates
// of lines as in a zone file (go/, ../../wire/presentation/).
//
//   template IN A example {
//       match "^ip-(?P<a>\d+)-(?P<b>\d+)-(?P<c>\d+)-(?P<d>\d+)[.]example[.]$"
//       answer "{{ .Name }} 60 IN A {{ .Group.a }}.{{ .Group.b }}.{{ .Group.c }}.{{ .Group.d }}"
//       fallthrough
//   }

import type { RE2JS } from 're2js'
import type { Query } from '../../query/query.ts'
import { answer, type MaybePromise, type Outcome, type Reply, servfail } from '../../query/reply.ts'
import { type Zoned, ZoneTable } from '../../query/zone-table.ts'
import { lazy } from '../../shared/lazy.ts'
import { foldName, formatName, isWithin, isWithinAny, type Name, name } from '../../wire/name.ts'
import { RCODE } from '../../wire/rcode.ts'
import { type Rr, targetOf } from '../../wire/record.ts'
import { CLASS, TYPE } from '../../wire/rrtype.ts'
import type { Scan } from '../../wire/scan.ts'
import type { Handler, Next, ServingContext, Word } from '../plugin.ts'
import { SECTIONS, type Section, type TemplateConfig, type TemplateRule } from './config.ts'
import { classAndType, type Match, type Taken, templateData } from './data.ts'
import { templateDoc } from './doc.ts'
import { parseTemplate } from './parse.ts'
import { RecordTemplate } from './record-template.ts'

const PLUGIN = 'template'

/** `template`, as often in a server block as there are rules. */
export const templateWord: Word<TemplateConfig> = {
  word: 'template',
  doc: templateDoc,
  parse: parseTemplate,
  create: (config, context) => new TemplateHandler(config, context),
}

/** A regular expression, compiled, with the numbers of its named groups. */
interface Regex {
  readonly text: string
  readonly compiled: RE2JS
  readonly names: Readonly<Record<string, number>>
}

/** A directive, compiled. */
class Rule {
  readonly config: TemplateRule
  readonly records: Readonly<Record<Section, readonly RecordTemplate[]>>
  /** The longest first. */
  readonly #zones: readonly { readonly text: string; readonly zone: Name }[]
  readonly #table: ZoneTable<Zoned>
  readonly #fallthrough: readonly Name[]
  readonly #regexes: readonly Regex[]

  constructor(config: TemplateRule) {
    this.config = config
    this.#zones = config.zones
      .map(text => ({ text, zone: name(text) }))
      .sort((a, b) => b.zone.length - a.zone.length)
    this.#table = new ZoneTable(this.#zones)
    this.#fallthrough = (config.fallthrough ?? []).map(name)
    this.#regexes = config.regexes.map(text => {
      const compiled = lazy.re2js.RE2JS.compile(text)
      return { text, compiled, names: compiled.namedGroups() }
    })
    const { answer, additional, authority } = config.records
    this.records = {
      answer: answer.map(text => new RecordTemplate(text)),
      additional: additional.map(text => new RecordTemplate(text)),
      authority: authority.map(text => new RecordTemplate(text)),
    }
  }

  /** The zone of the directive that the question is for; undefined where zone, class or type are others. */
  zoneOf({ question: { qname, qclass, qtype } }: Query): string | undefined {
    if (!this.#isFor(qclass, qtype)) return undefined
    return this.#zones.find(({ zone }) => isWithin(qname, zone))?.text
  }

  /** HOT: whether `zoneOf` would give one, for a question of class IN. */
  concerns(scan: Scan): boolean {
    return this.#isFor(CLASS.IN, scan.qtype) && this.#table.indexOf(scan) >= 0
  }

  /** A question for ANY is one for every directive. */
  #isFor(qclass: number, qtype: number): boolean {
    const { qclass: ownClass, qtype: ownType } = this.config
    if (ownClass !== CLASS.ANY && qclass !== CLASS.ANY && qclass !== ownClass) return false
    return ownType === TYPE.ANY || qtype === TYPE.ANY || qtype === ownType
  }

  /** The first regular expression that is found in the name. */
  match(qname: string): Match | undefined {
    if (this.#regexes.length === 0) return { regex: '.*', groups: [qname], names: {} }
    for (const { text, compiled, names } of this.#regexes) {
      const matcher = compiled.matcher(qname)
      if (!matcher.find()) continue
      const groups = Array.from({ length: compiled.groupCount() + 1 }, (_, i) => matcher.group(i) ?? '')
      return { regex: text, groups, names }
    }
    return undefined
  }

  /** Whether a name that no expression takes goes on. */
  letsThrough(qname: Name): boolean {
    return isWithinAny(qname, this.#fallthrough)
  }
}

class TemplateHandler implements Handler {
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
