// `rewrite` at work: rules change the question on its way down, and leave steps that turn the reply back on its way up.

import {
  BACK,
  DONE,
  type Kept,
  LOOKUP,
  NEXT,
  type Packet,
  type Step,
  type Trace,
} from '../../query/packet.ts'
import { HEADER_OCTETS } from '../../wire/header.ts'
import type { Name } from '../../wire/name.ts'
import { CLASS, typeName } from '../../wire/rrtype.ts'
import type { Scan } from '../../wire/scan.ts'
import type { Handler } from '../plugin.ts'
import { concernsZone } from './concern.ts'
import type { NameRule, RewriteConfig, Rule } from './config.ts'
import { applyEdns, showOptions } from './edns0.ts'
import { compileMatch, compileSubstitution, type Renamer, remap } from './match.ts'
import { Passage } from './passage.ts'
import { failIllegal, joinFound, runSteps } from './reply.ts'
import { answerStep, cnameStep, type ReplyStep, renameStep } from './step.ts'
import { textOf } from './text.ts'

/** Passages that are kept for other questions. */
const FREE_MAX = 16

const isRename = ({ kind }: ReplyStep): boolean => kind === 'rename'

/** A rule made ready. */
interface Compiled {
  readonly stop: boolean
  /** As it stands in the Corefile. */
  readonly written: string
  /** HOT: whether it can change a question of class IN about the name with that text, or a reply to it. */
  readonly concerns: (text: string, qtype: number) => boolean
  /** Applies it; false where it does not apply, or makes no legal name. */
  readonly apply: (passage: Passage, packet: Packet) => boolean
}

/** The rules of one server block on one serving thread. */
export class RewriteHandler implements Handler {
  readonly #rules: readonly Rule[]
  readonly #compiled: readonly Compiled[]
  /** For the next packet; it is used up where a rule applies. */
  #unused = new Passage()
  /** Those of packets whose replies are turned back. */
  readonly #free: Passage[] = []

  constructor({ rules }: RewriteConfig) {
    this.#rules = rules
    this.#compiled = rules.map(rule => ({ stop: rule.stop, written: rule.written, ...compileRule(rule) }))
  }

  concernsZone(zone: Name): boolean {
    return this.#rules.some(rule => concernsZone(rule, zone))
  }

  /** The first rule that applies finds the question as it came. */
  concerns({ folded, qtype }: Scan): boolean {
    const text = textOf(folded)
    for (let i = 0; i < this.#compiled.length; i++) if (this.#compiled[i]!.concerns(text, qtype)) return true
    return false
  }

  handle(packet: Packet): Step {
    const passage = this.#unused
    passage.begin(packet)
    let applied = false
    for (let i = 0; i < this.#compiled.length; i++) {
      const { stop, apply } = this.#compiled[i]!
      const applies = apply(passage, packet)
      if (applies && packet.trace !== undefined) note(packet.trace, this.#compiled[i]!, passage)
      if (applies) applied = true
      else if (passage.illegal === undefined) continue
      if (stop || passage.illegal !== undefined) break
    }
    if (!applied && passage.illegal === undefined) return NEXT
    this.#unused = this.#free.pop() ?? new Passage()
    if (passage.illegal !== undefined) return failIllegal(packet, passage.illegal)
    passage.left = passage.steps.length
    if (passage.changed) ask(packet, passage)
    packet.becomesSmaller ||= passage.steps.some(isRename)
    packet.keep(passage)
    return BACK
  }

  /** The reply to the changed question becomes one to the question that was asked. */
  back(packet: Packet, kept: Kept): Step {
    const passage = kept as Passage
    packet.addedOptions = passage.addedOptions
    if (passage.changed) {
      packet.unask()
      // What was validated is the answer to another question (RFC 4035 3.2.3).
      packet.clearAuthentic()
    }
    return this.#turn(packet, passage)
  }

  found(packet: Packet, kept: Kept, asked: Packet): Step {
    joinFound(packet, kept as Passage, asked)
    return this.#turn(packet, kept as Passage)
  }

  #turn(packet: Packet, passage: Passage): Step {
    if (runSteps(packet, passage) === LOOKUP) return LOOKUP
    showOptions(packet, passage)
    passage.clear()
    if (this.#free.length < FREE_MAX) this.#free.push(passage)
    return DONE
  }
}

function note(trace: Trace, { written }: Compiled, { text, changed, qtype }: Passage): void {
  const now = changed ? `: the question is now ${text} ${typeName(qtype)}` : ''
  trace.note('rewrite', `${written}${now}`, { rule: written, ...(changed && { name: text }) })
}

function ask(packet: Packet, { name, qtype, qclass }: Passage): void {
  const { question, scan } = packet
  if (name !== undefined) packet.ask(name, 0, name.length, qtype, qclass)
  else packet.ask(question, packet.qnameAt, scan.questionEnd - scan.start - HEADER_OCTETS - 4, qtype, qclass)
}

function compileRule(rule: Rule): Omit<Compiled, 'stop' | 'written'> {
  switch (rule.field) {
    case 'name':
      return compileNameRule(rule)
    case 'type':
      return {
        concerns: (_text, qtype) => qtype === rule.from,
        apply(passage) {
          if (passage.qtype !== rule.from) return false
          passage.qtype = rule.to
          passage.changed = true
          return true
        },
      }
    case 'class':
      return {
        concerns: () => rule.from === CLASS.IN,
        apply(passage) {
          if (passage.qclass !== rule.from) return false
          passage.qclass = rule.to
          passage.changed = true
          return true
        },
      }
    case 'ttl':
    case 'rcode': {
      const matches = compileMatch(rule.match)
      const step: ReplyStep =
        rule.field === 'ttl'
          ? { kind: 'ttl', minSeconds: rule.minSeconds, maxSeconds: rule.maxSeconds }
          : { kind: 'rcode', from: rule.from, to: rule.to }
      return {
        concerns: matches,
        apply({ text, steps }) {
          if (!matches(text)) return false
          steps.push(step)
          return true
        },
      }
    }
    case 'cname': {
      const step = cnameStep(rule)
      return { concerns: () => true, apply: ({ steps }) => steps.push(step) > 0 }
    }
    case 'edns0': {
      // Another option may lead to another answer, which the cache keeps apart; the client's own lead to none.
      const changes = rule.data !== undefined
      return { concerns: () => changes, apply: (passage, packet) => applyEdns(rule, packet, passage) }
    }
  }
}

function compileNameRule({ substitution, auto, answers }: NameRule): Omit<Compiled, 'stop' | 'written'> {
  const rename = compileSubstitution(substitution)
  const backwards = auto && substitution.kind === 'suffix' ? suffixBackwards(substitution) : undefined
  const further = answers.map(answerStep)
  const stepsOf = (back: Renamer): ReplyStep[] => [renameStep('name', back), renameStep('value', back)]
  const stepsBackwards = backwards && stepsOf(backwards)
  return {
    concerns: compileMatch(substitution),
    apply(passage) {
      const before = passage.text
      const text = rename(before)
      if (text === undefined || !passage.rename(text)) return false
      const steps = auto ? (stepsBackwards ?? stepsOf(remap(text, before))) : []
      for (let i = 0; i < steps.length; i++) passage.steps.push(steps[i]!)
      for (let i = 0; i < further.length; i++) passage.steps.push(further[i]!)
      return true
    },
  }
}

/** The suffix put back wherever it was taken off, also from names that nobody asked for. */
const suffixBackwards = ({ from, to }: NameRule['substitution']) =>
  compileSubstitution({ kind: 'suffix', from: to, to: from })
