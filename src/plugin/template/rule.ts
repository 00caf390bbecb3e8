// One `template` directive, compiled: which questions it takes.

import { type Zoned, ZoneTable } from '../../query/zone-table.ts'
import { compilePattern, type Pattern } from '../../shared/pattern.ts'
import { name } from '../../wire/name.ts'
import { CLASS, TYPE } from '../../wire/rrtype.ts'
import type { Scan } from '../../wire/scan.ts'
import type { Section, TemplateRule } from './config.ts'
import type { Match } from './data.ts'
import { RecordTemplate } from './record-template.ts'

/** A regular expression, compiled. */
interface Regex {
  readonly text: string
  readonly pattern: Pattern
}

/** Whether every group was found. */
const isWhole = (groups: readonly (string | undefined)[]): groups is readonly string[] =>
  !groups.includes(undefined)

/** A directive, compiled. */
export class Rule {
  readonly config: TemplateRule
  readonly records: Readonly<Record<Section, readonly RecordTemplate[]>>
  /** Its one record, where there is no other and it is in the answer. */
  readonly onlyAnswer: RecordTemplate | undefined
  readonly #zones: ZoneTable<Zoned & { readonly text: string }>
  readonly #fallthrough: ZoneTable<Zoned>
  readonly #regexes: readonly Regex[]

  constructor(config: TemplateRule) {
    this.config = config
    this.#zones = new ZoneTable(config.zones.map(text => ({ text, zone: name(text) })))
    this.#fallthrough = new ZoneTable((config.fallthrough ?? []).map(text => ({ zone: name(text) })))
    this.#regexes = config.regexes.map(text => ({ text, pattern: compilePattern(text) }))
    const { answer, additional, authority } = config.records
    this.records = {
      answer: answer.map(text => new RecordTemplate(text)),
      additional: additional.map(text => new RecordTemplate(text)),
      authority: authority.map(text => new RecordTemplate(text)),
    }
    const isOnly = answer.length === 1 && additional.length === 0 && authority.length === 0
    this.onlyAnswer = isOnly ? this.records.answer[0] : undefined
  }

  /** HOT: the zone of the directive that the question is for; undefined where zone, class or type are others. */
  zoneOf(scan: Scan): string | undefined {
    if (!this.#isFor(scan.qclass, scan.qtype)) return undefined
    const index = this.#zones.indexOf(scan)
    return index < 0 ? undefined : this.#zones.at(index).text
  }

  /** HOT: whether `zoneOf` would give one, for a question of class IN. */
  concerns(scan: Scan): boolean {
    return this.#isFor(CLASS.IN, scan.qtype) && this.#zones.indexOf(scan) >= 0
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
    for (const { text, pattern } of this.#regexes) {
      const found = pattern.find(qname)
      if (found === undefined) continue
      return {
        regex: text,
        groups: isWhole(found) ? found : found.map(group => group ?? ''),
        names: pattern.names,
      }
    }
    return undefined
  }

  /** Whether a name that no expression takes goes on. */
  letsThrough(scan: Scan): boolean {
    return this.#fallthrough.indexOf(scan) >= 0
  }
}
