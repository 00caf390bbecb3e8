// `log` at work: a line for each query that a rule is about, once its reply is known.

import { BACK, DONE, DROP, NEXT, type Packet, type Step } from '../../query/packet.ts'
import { settleQuestion } from '../../query/settle.ts'
import { countLabels, foldName, type Name, name } from '../../wire/name.ts'
import { type Scan, zoneInScan } from '../../wire/scan.ts'
import type { Handler, ServingContext } from '../plugin.ts'
import { classOf, packetType, type ReplyClass } from './classify.ts'
import type { LogConfig } from './config.ts'
import { compileFormat, type LogFormat } from './format.ts'
import { writeJsonFields } from './json-fields.ts'

interface Rule {
  readonly name: Name
  readonly labels: number
  /** Undefined: all. */
  readonly classes: ReadonlySet<ReplyClass> | undefined
  readonly format: LogFormat
}

/** The rules of one server block on one serving thread. */
export class LogHandler implements Handler {
  readonly seesDrops = true
  readonly #context: ServingContext
  readonly #rules: readonly Rule[]

  constructor({ rules }: LogConfig, context: ServingContext) {
    this.#context = context
    this.#rules = rules.map(rule => ({
      name: foldName(name(rule.name)),
      labels: countLabels(name(rule.name)),
      classes: rule.classes.includes('all') ? undefined : new Set(rule.classes),
      format: compileFormat(rule.format),
    }))
  }

  handle({ scan }: Packet): Step {
    return this.#ruleFor(scan) === undefined ? NEXT : BACK
  }

  /** The time is that since the packet came. */
  back(packet: Packet): Step {
    const { clock, log } = this.#context
    const { classes, format } = this.#ruleFor(packet.scan)!
    const step = packet.isDropped ? DROP : DONE
    const type = format.needsType || classes ? packetType(packet, clock.wallMs()) : undefined
    if (classes && !classes.has(classOf(type!))) return step
    const line = log.line()
    if (line === undefined) return step
    const durationMs = clock.nowMs() - packet.receivedAtMs
    // The size is that of a reply to the question as it is here.
    settleQuestion(packet)
    format.write(line, packet, durationMs, type)
    if (log.isJson) writeJsonFields(line, packet, durationMs)
    log.endLine()
    return step
  }

  /** The first rule that covers the name. */
  #ruleFor(scan: Scan): Rule | undefined {
    for (let i = 0; i < this.#rules.length; i++) {
      const rule = this.#rules[i]!
      if (zoneInScan(scan, rule.name, rule.labels) >= 0) return rule
    }
    return undefined
  }
}
