// One `template` directive, compiled: which questions it takes.

import type { RE2JS } from 're2js'
import type { Query } from '../../query/query.ts'
import { type Zoned, ZoneTable } from '../../query/zone-table.ts'
import { lazy } from '../../shared/lazy.ts'
import { isWithin, isWithinAny, type Name, name } from '../../wire/name.ts'
import { CLASS, TYPE } from '../../wire/rrtype.ts'
import type { Scan } from '../../wire/scan.ts'
import type { Section, TemplateRule } from './config.ts'
import type { Match } from './data.ts'
import { RecordTemplate } from './record-template.ts'

/** A regular expression, compiled, with the numbers of its named groups. */
interface Regex {
  readonly text: string
  readonly compiled: RE2JS
  readonly names: Readonly<Record<string, number>>
}

/** A directive, compiled. */
export class Rule {
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
