// `template` at work: the first rule that takes a question renders its records; CNAME targets are looked up by the server.

import type { Counter } from '../../observe/meters.ts'
import { pluginIndex } from '../../observe/query-meters.ts'
import { aliasReason } from '../../query/alias.ts'
import { DONE, type Kept, type KeptReply, LOOKUP, NEXT, type Packet, type Step } from '../../query/packet.ts'
import { FLAG_AA, FLAG_TC, readU16 } from '../../wire/header.ts'
import { formatName } from '../../wire/name.ts'
import { RCODE } from '../../wire/rcode.ts'
import { type Rr, targetOf } from '../../wire/record.ts'
import { TYPE } from '../../wire/rrtype.ts'
import type { Scan } from '../../wire/scan.ts'
import { RecordWalk, SECTION } from '../../wire/walk.ts'
import type { Handler, ServingContext } from '../plugin.ts'
import { SECTIONS, type Section, type TemplateConfig } from './config.ts'
import { classAndType, type Taken } from './data.ts'
import { Rule } from './rule.ts'

const PLUGIN = pluginIndex('template')
const MATCHES = 'coredns_template_matches_total'
const NUMBERS = {
  answer: SECTION.ANSWER,
  authority: SECTION.AUTHORITY,
  additional: SECTION.ADDITIONAL,
} as const

/** A reply with aliases whose targets are looked up. */
interface Chase {
  readonly rule: Rule
  readonly records: Readonly<Record<Section, readonly Rr[]>>
  /** The replies about the targets, in the order of the aliases. */
  readonly targets: KeptReply[]
  truncated: boolean
}

/** The rules of one server block on one serving thread. */
export class TemplateHandler implements Handler {
  readonly #rules: readonly Rule[]
  readonly #context: ServingContext
  readonly #matches = new Map<string, Counter>()

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
      if (!rule.letsThrough(scan)) return packet.fail(RCODE.SERVFAIL)
    }
    return NEXT
  }

  found(packet: Packet, kept: Kept, asked: Packet): Step {
    const chase = kept as Chase
    chase.targets.push(asked.keepReply())
    chase.truncated = asked.truncated
    return goOn(packet, chase)
  }

  #answer(rule: Rule, taken: Taken): Step {
    const { packet } = taken
    this.#countMatch(taken)
    packet.trace?.note('template', `a rule of zone ${taken.zone} takes ${taken.name}`)
    if (rule.config.rcode === RCODE.SERVFAIL) return packet.fail(RCODE.SERVFAIL)
    const records: Record<Section, Rr[]> = { answer: [], additional: [], authority: [] }
    for (const section of SECTIONS) {
      for (const template of rule.records[section]) {
        const record = template.make(taken)
        if ('reason' in record) {
          this.#count(record.family, taken, { section, template: template.label })
          return packet.fail(RCODE.SERVFAIL, -1, '', `template: ${section}: ${record.reason}`)
        }
        records[section].push(record)
      }
    }
    return goOn(packet, { rule, records, targets: [], truncated: false })
  }

  #countMatch(taken: Taken): void {
    const { packet, zone } = taken
    const { server, view } = packet.served
    const { qclass, qtype } = packet.scan
    const key = `${taken.rule.qtype} ${taken.rule.qclass} ${qclass} ${qtype} ${zone} ${view} ${server}`
    let counter = this.#matches.get(key)
    if (counter === undefined) {
      counter = this.#count(MATCHES, taken)
      if (this.#matches.size < COUNTERS_MAX) this.#matches.set(key, counter)
    } else counter.add()
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

/** Counters that are at hand; others are looked for by their labels. */
const COUNTERS_MAX = 1024

/** Looks the next alias's target up, or writes the reply: behind each alias what the whole server says about its target. */
function goOn(packet: Packet, chase: Chase): Step {
  const { qtype } = packet.scan
  const { answer } = chase.records
  if (qtype === TYPE.A || qtype === TYPE.AAAA) {
    let aliases = 0
    for (const record of answer) {
      if (record.type !== TYPE.CNAME || aliases++ < chase.targets.length) continue
      packet.wishName = targetOf(record)
      packet.wishType = qtype
      packet.keep(chase)
      return LOOKUP
    }
  }
  return write(packet, chase)
}

const walk = new RecordWalk()

function write(packet: Packet, chase: Chase): Step {
  const { rule, records, targets, truncated } = chase
  const composer = packet.compose()
  let looked = 0
  for (const section of WRITTEN) {
    for (const { owner, type, class: rrclass, ttlSeconds, rdata } of records[section]) {
      composer.record(NUMBERS[section], owner, 0, type, rrclass, ttlSeconds, rdata, 0, rdata.length)
      const target = section === 'answer' && type === TYPE.CNAME ? targets[looked++] : undefined
      if (target === undefined) continue
      for (
        walk.open(target.octets, 0, target.octets.length);
        walk.next() && walk.section === SECTION.ANSWER;
      )
        composer.copy(walk)
    }
  }
  const end = endOf(chase)
  if (end) {
    const { octets } = end
    for (walk.open(octets, 0, octets.length); walk.next() && walk.section <= SECTION.AUTHORITY; )
      if (walk.section === SECTION.AUTHORITY) composer.copy(walk)
  }
  packet.composed(end?.rcode ?? rule.config.rcode, PLUGIN, FLAG_AA | (truncated ? FLAG_TC : 0))
  const { extendedError = end && aliasReason(targetOf(records.answer.at(-1)!), end) } = rule.config
  packet.setReason(extendedError?.code ?? -1, extendedError?.text)
  return DONE
}

/**
 * The last alias's target, where that has nothing: its code and authority section are those of the whole reply (RFC 6604). A
 * template that sets a code, an authority section or records behind the alias means it.
 */
function endOf({ rule: { config }, records, targets }: Chase): KeptReply | undefined {
  const isOwn =
    config.rcode !== RCODE.NOERROR ||
    records.authority.length > 0 ||
    records.answer.at(-1)?.type !== TYPE.CNAME
  const last = isOwn ? undefined : targets.at(-1)
  return last && (last.rcode !== RCODE.NOERROR || readU16(last.octets, 6) === 0) ? last : undefined
}

/** In the order of a message. */
const WRITTEN = ['answer', 'authority', 'additional'] as const
