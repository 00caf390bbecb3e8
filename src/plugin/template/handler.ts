// `template` at work: the first rule that takes a question renders its records; what an alias leads to is looked up by the server.

import type { Counter } from '../../observe/meters.ts'
import { pluginIndex } from '../../observe/query-meters.ts'
import { type Part, takeFound, writeDraft } from '../../query/draft.ts'
import { DONE, NEXT, type Packet, type Step } from '../../query/packet.ts'
import { EDE } from '../../wire/extended-error.ts'
import { FLAG_AA } from '../../wire/header.ts'
import { formatName } from '../../wire/name.ts'
import { RCODE } from '../../wire/rcode.ts'
import { type Rr, targetOf } from '../../wire/record.ts'
import { TYPE } from '../../wire/rrtype.ts'
import type { Scan } from '../../wire/scan.ts'
import { SECTION } from '../../wire/walk.ts'
import type { Handler, ServingContext } from '../plugin.ts'
import { SECTIONS, type TemplateConfig } from './config.ts'
import { classAndType, type Taken } from './data.ts'
import { Rule } from './rule.ts'

const PLUGIN = pluginIndex('template')
const NO_MATCH = 'no template of the Corefile matches this name, and none lets it through'
const ON_PURPOSE = 'a template of the Corefile says SERVFAIL'
const NO_RECORD = 'a template of the Corefile made something that is no record'
const MATCHES = 'coredns_template_matches_total'
const NUMBERS = {
  answer: SECTION.ANSWER,
  authority: SECTION.AUTHORITY,
  additional: SECTION.ADDITIONAL,
} as const

/** The rules of one server block on one serving thread. */
export class TemplateHandler implements Handler {
  readonly #rules: readonly Rule[]
  readonly #context: ServingContext
  readonly #matches = new Map<string, Counter>()
  /** The counter of the last match. */
  #last: (Pick<Scan, 'qclass' | 'qtype'> & Pick<Taken, 'rule' | 'zone'> & LastCounter) | undefined

  constructor({ rules }: TemplateConfig, context: ServingContext) {
    this.#rules = rules.map(rule => new Rule(rule))
    this.#context = context
  }

  concerns(scan: Scan): boolean {
    for (let i = 0; i < this.#rules.length; i++) if (this.#rules[i]!.concerns(scan)) return true
    return false
  }

  /** HOT. */
  handle(packet: Packet): Step {
    const { scan } = packet
    let text: string | undefined
    for (let i = 0; i < this.#rules.length; i++) {
      const rule = this.#rules[i]!
      const zone = rule.zoneOf(scan)
      if (zone === undefined) continue
      text ??= formatName(scan.folded.subarray(0, scan.foldedLength))
      const match = rule.match(text)
      if (match !== undefined)
        return this.#answer(rule, { packet, rule: rule.config, zone, name: text, match })
      if (!rule.letsThrough(scan)) return packet.fail(RCODE.SERVFAIL, EDE.OTHER, NO_MATCH)
    }
    return NEXT
  }

  readonly found = takeFound

  #answer(rule: Rule, taken: Taken): Step {
    const { packet } = taken
    this.#countMatch(taken)
    packet.trace?.note('template', `a rule of zone ${taken.zone} takes ${taken.name}`)
    if (rule.config.rcode === RCODE.SERVFAIL) return packet.fail(RCODE.SERVFAIL, EDE.OTHER, ON_PURPOSE)
    const only = rule.onlyAnswer
    if (only !== undefined && rule.config.extendedError === undefined) {
      const record = only.make(taken)
      if (!('reason' in record) && record.type !== TYPE.CNAME)
        return writeOnly(packet, rule.config.rcode, record)
    }
    const parts: Part[] = []
    for (const section of SECTIONS) {
      for (const template of rule.records[section]) {
        const record = template.make(taken)
        if ('reason' in record) {
          this.#count(record.family, taken, { section, template: template.label })
          return packet.fail(RCODE.SERVFAIL, EDE.OTHER, NO_RECORD, `template: ${section}: ${record.reason}`)
        }
        parts.push({ section: NUMBERS[section], record })
        if (section === 'answer' && record.type === TYPE.CNAME && isAddress(packet.scan.qtype))
          parts.push({ section: SECTION.ANSWER, qname: targetOf(record), qtype: packet.scan.qtype })
      }
    }
    const { rcode, extendedError } = rule.config
    parts.sort((a, b) => a.section - b.section)
    return writeDraft(packet, {
      rcode,
      plugin: PLUGIN,
      bits2: FLAG_AA,
      // A template that sets a code, an authority section or records behind the alias means it.
      endsInAlias:
        rcode === RCODE.NOERROR &&
        rule.records.authority.length === 0 &&
        parts.findLast(({ section }) => section === SECTION.ANSWER)?.qname !== undefined,
      reasonOf: (_rcode, end) => extendedError ?? end,
      parts,
      found: [],
      truncated: false,
    })
  }

  #countMatch(taken: Taken): void {
    const { packet, zone, rule } = taken
    const { server, view } = packet.served
    const { qclass, qtype } = packet.scan
    const last = this.#last
    if (
      last?.served === packet.served &&
      last.rule === rule &&
      last.zone === zone &&
      last.qclass === qclass &&
      last.qtype === qtype
    ) {
      last.counter.add()
      return
    }
    const key = `${taken.rule.qtype} ${taken.rule.qclass} ${qclass} ${qtype} ${zone} ${view} ${server}`
    let counter = this.#matches.get(key)
    if (counter === undefined) {
      counter = this.#count(MATCHES, taken)
      if (this.#matches.size < COUNTERS_MAX) this.#matches.set(key, counter)
    } else counter.add()
    this.#last = { served: packet.served, rule, zone, qclass, qtype, counter }
  }

  #count(family: string, taken: Taken, labels: Readonly<Record<string, string>> = {}): Counter {
    const { packet, zone } = taken
    const { server, view } = packet.served
    const counter = this.#context.meters.counter(family, {
      server,
      zone,
      view,
      ...classAndType(taken),
      ...labels,
    })
    counter.add()
    return counter
  }
}

interface LastCounter {
  readonly served: Packet['served']
  readonly counter: Counter
}

/** Of most rules: one record, which leads to nothing else. */
function writeOnly(packet: Packet, rcode: number, record: Rr): typeof DONE {
  const { owner, type, class: rrclass, ttlSeconds, rdata } = record
  packet.compose().record(SECTION.ANSWER, owner, 0, type, rrclass, ttlSeconds, rdata, 0, rdata.length)
  packet.error = undefined
  packet.setReason(-1)
  packet.composed(rcode, PLUGIN, FLAG_AA)
  return DONE
}

/** Counters that are at hand; others are looked for by their labels. */
const COUNTERS_MAX = 1024

const isAddress = (qtype: number): boolean => qtype === TYPE.A || qtype === TYPE.AAAA
