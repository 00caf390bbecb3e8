// What rules do to a reply. Each rule that was applied to the question leaves its steps; they run in the reverse order of
// the rules, over all three sections (CoreDNS plugin/rewrite/reverter.go):
//
//   names    owners, or the names in CNAME, DNAME, MX, NAPTR, NS, PTR, SOA (the first of its two) and SRV
//   ttl      between two bounds
//   rcode    one code for another
//   cname    another target, and what follows it looked up anew

import { type MaybePromise, type Reply, servfail } from '../../query/reply.ts'
import { EDE } from '../../wire/extended-error.ts'
import type { Name } from '../../wire/name.ts'
import { type Rr, withTtl } from '../../wire/record.ts'
import { RDATA_LAYOUT, TYPE } from '../../wire/rrtype.ts'
import type { AnswerRule, CnameRule, RcodeRule, TtlRule } from './config.ts'
import { compileSubstitution, type Renamer } from './match.ts'
import { nameOf, showText, textOf } from './text.ts'

/** The question that a reply is for, as the rules made it, and a way to ask the whole server its type of another name. */
export interface Asked {
  readonly qtype: number
  lookup(qname: Name): Promise<Reply>
}

/** One step. */
export type ReplyStep = (reply: Reply, asked: Asked) => MaybePromise<Reply>

/** Of a name that is none; a rule can make a long one. */
const SHOWN_MAX_CHARACTERS = 1024
/** A code above 15 that a client without EDNS cannot be told (RFC 6891 6.1.3). */
const PLAIN_RCODE_MAX = 15

/** The types whose names an answer rule for values changes. */
const VALUE_TYPES: ReadonlySet<number> = new Set([
  TYPE.CNAME,
  TYPE.DNAME,
  TYPE.MX,
  TYPE.NAPTR,
  TYPE.NS,
  TYPE.PTR,
  TYPE.SOA,
  TYPE.SRV,
])

/** Runs the steps of all applied rules, given in the order of the rules. */
export function applySteps(reply: Reply, steps: readonly ReplyStep[], asked: Asked): MaybePromise<Reply> {
  let changed: MaybePromise<Reply> = reply
  for (const step of steps.toReversed()) {
    changed = changed instanceof Promise ? changed.then(late => step(late, asked)) : step(changed, asked)
  }
  return changed
}

/** The failure of a rule that would make a name that is none; CoreDNS's words. */
export function illegalName(text: string): Reply {
  const error = `invalid name after rewrite: ${showText(text.slice(0, SHOWN_MAX_CHARACTERS))}`
  return servfail({ code: EDE.OTHER, text: 'a rewrite rule made no legal name' }, error)
}

/** The step of an answer rule. */
export const answerStep = ({ part, ...substitution }: AnswerRule): ReplyStep =>
  renameStep(part, compileSubstitution(substitution))

/** Renames owners or values; the first name that becomes illegal makes the reply a SERVFAIL. */
export function renameStep(part: AnswerRule['part'], rename: Renamer): ReplyStep {
  const renameRecord = part === 'name' ? renameOwner : renameValue
  return reply => {
    let illegal: string | undefined
    const renameName = (name: Name): Name => {
      const text = rename(textOf(name))
      if (text === undefined) return name
      const renamed = nameOf(text)
      illegal ??= renamed === undefined ? text : undefined
      return renamed ?? name
    }
    const section = (records: readonly Rr[]): Rr[] => records.map(record => renameRecord(record, renameName))
    const renamed = {
      ...reply,
      answer: section(reply.answer),
      authority: section(reply.authority),
      additional: section(reply.additional),
    }
    return illegal === undefined ? renamed : illegalName(illegal)
  }
}

function renameOwner(record: Rr, rename: (name: Name) => Name): Rr {
  const owner = rename(record.owner)
  return owner === record.owner ? record : { ...record, owner }
}

function renameValue(record: Rr, rename: (name: Name) => Name): Rr {
  if (!VALUE_TYPES.has(record.type)) return record
  const { rdata } = record
  const span = firstName(rdata, RDATA_LAYOUT.get(record.type)!)
  if (span === undefined) return record
  const before = rdata.subarray(span.from, span.to)
  const after = rename(before)
  if (after === before) return record
  return { ...record, rdata: Buffer.concat([rdata.subarray(0, span.from), after, rdata.subarray(span.to)]) }
}

/** Where the first name of record data stands; undefined where the data does not hold what its layout says. */
function firstName(rdata: Uint8Array, layout: string): { from: number; to: number } | undefined {
  let from = 0
  for (const field of layout) {
    if (field === 'n') break
    from += field === 's' ? (rdata[from] ?? 0) + 1 : Number(field)
  }
  let to = from
  while (to < rdata.length && rdata[to] !== 0) to += rdata[to]! + 1
  return to < rdata.length ? { from, to: to + 1 } : undefined
}

/** The step of a `ttl` rule. */
export function ttlStep({ minSeconds, maxSeconds }: TtlRule): ReplyStep {
  const bounded = (records: readonly Rr[]): Rr[] =>
    records.map(record => withTtl(record, Math.min(maxSeconds, Math.max(minSeconds, record.ttlSeconds))))
  return reply => ({
    ...reply,
    answer: bounded(reply.answer),
    authority: bounded(reply.authority),
    additional: bounded(reply.additional),
  })
}

/** The step of an `rcode` rule, for a client with or without EDNS. */
export const rcodeStep =
  ({ from, to }: RcodeRule, edns: boolean): ReplyStep =>
  reply =>
    reply.rcode === from && (edns || to <= PLAIN_RCODE_MAX) ? { ...reply, rcode: to } : reply

/**
 * The step of a `cname` rule: the first CNAME of the answer whose target matches gets the new one, and what follows is
 * what the server finds there, its code and authority included. Loops end with the client's budget of look-ups.
 */
export function cnameStep({ substitution }: CnameRule): ReplyStep {
  const rename = compileSubstitution(substitution)
  return (reply, asked) => {
    for (const [at, record] of reply.answer.entries()) {
      const text = record.type === TYPE.CNAME ? rename(textOf(record.rdata)) : undefined
      if (text === undefined) continue
      const target = nameOf(text)
      if (target === undefined) return illegalName(text)
      const before = reply.answer.slice(0, at).filter(({ type }) => type === TYPE.CNAME)
      const chain = { ...reply, authenticData: false, answer: [...before, { ...record, rdata: target }] }
      // Whoever asks for the alias itself wants nothing behind it (RFC 1034 3.6.2).
      return asked.qtype === TYPE.CNAME ? chain : follow(chain, asked.lookup(target))
    }
    return reply
  }
}

async function follow(chain: Reply, end: Promise<Reply>): Promise<Reply> {
  const { rcode, truncated, answer, authority, extendedError } = await end
  return {
    ...chain,
    rcode,
    truncated,
    answer: [...chain.answer, ...answer],
    authority,
    additional: [],
    extendedError,
  }
}
