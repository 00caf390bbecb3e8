// Asks two servers the same questions and compares their replies: codes, flags, the sections as multisets, whether there
// is an OPT record. The SOA's serial and the order of records do not count, and of a truncated reply only that it is
// one. A difference is asked about again until a deadline, since an update may be on its way to one of the two.

import { setTimeout as delay } from 'node:timers/promises'
import { NoAnswer, type Query, query, type Reply, transfer } from '../support/dns-client.ts'
import type { AcceptedDifference } from './differences.ts'
import type { DnsServer } from './dns-server.ts'
import type { ParityQuestion } from './questions.ts'

const PARALLEL = 16
const RETRY_MS = 500
/** Longest time that an update may take to reach both. */
const SETTLE_DEADLINE_MS = 5000
/** The option of a server's identifier (RFC 5001). */
const NSID = 3
/** Differences that a report writes out. */
const SHOWN_DIFFERENCES = 40

/** A question that the two answered differently. */
export interface Difference {
  readonly question: ParityQuestion
  readonly reference: readonly string[]
  readonly subject: readonly string[]
}

/** The outcome of a comparison. */
export interface ParityReport {
  readonly asked: number
  readonly differences: readonly Difference[]
  /** How often each accepted difference was seen, by id. */
  readonly accepted: ReadonlyMap<string, number>
}

const serialHidden = (line: string): string => line.replace(/( IN SOA \S+ \S+) \d+ /, '$1 SERIAL ')

/** The options of that code as text. */
const optionTexts = (reply: Reply, code: number): string[] =>
  (reply.edns?.options ?? [])
    .filter(option => option.code === code)
    .map(({ data }) => Buffer.from(data).toString())

/** A reply as lines, without what does not count. */
export function comparable(reply: Reply): string[] {
  const { flags } = reply
  const bits = (['aa', 'tc', 'rd', 'ra', 'z', 'ad', 'cd'] as const).filter(flag => flags[flag])
  const head = [
    `rcode ${reply.rcode}`,
    `flags ${bits.join(' ')}`,
    `question ${reply.question.join(', ')}`,
    `opt ${reply.edns ? 'yes' : 'no'}`,
    ...optionTexts(reply, NSID).map(text => `nsid ${text}`),
    ...(reply.http === undefined ? [] : [`http ${reply.http}`]),
  ]
  if (flags.tc) return head
  const section = (name: string, lines: readonly string[]): string[] =>
    lines
      .map(serialHidden)
      .sort()
      .map(line => `${name} ${line}`)
  return [
    ...head,
    ...section('answer', reply.answer),
    ...section('authority', reply.authority),
    ...section('additional', reply.additional),
  ]
}

function toQuery(question: ParityQuestion): Query {
  const { udpSize, dnssecOk, nsid, ...rest } = question
  if (udpSize === undefined && dnssecOk === undefined && nsid === undefined) return rest
  const options = nsid ? [{ code: NSID, data: new Uint8Array(0) }] : []
  return { ...rest, edns: { ...(udpSize && { udpSize }), ...(dnssecOk && { dnssecOk }), options } }
}

/** A transfer as the zone that it makes: a record given twice is one (RFC 2181 5). */
const transferOnce = async (port: number, question: Query): Promise<Reply> => {
  const whole = await transfer(port, question)
  const [opening = '', ...rest] = whole.answer
  // Behind the opening SOA the closing one stays.
  return { ...whole, answer: [opening, ...new Set(rest)] }
}

/** Asks one question; a missing answer is an answer, too. */
export const askOne = (server: DnsServer, question: ParityQuestion): Promise<Reply | NoAnswer> => {
  const isTransfer = question.tcp === true && /^[AI]XFR$/.test(question.type)
  const ask = isTransfer ? transferOnce : query
  return ask(server.portFor(question.over), { host: server.address, ...toQuery(question) }).catch(
    (error: unknown) => {
      if (error instanceof NoAnswer) return error
      throw error
    },
  )
}

/** What is compared of an answer. */
export const linesOf = (reply: Reply | NoAnswer): string[] =>
  reply instanceof NoAnswer ? [reply.code] : comparable(reply)

const replyOf = (reply: Reply | NoAnswer): Reply | undefined =>
  reply instanceof NoAnswer ? undefined : reply

/** Compares one question: undefined where both agree, the accepted difference's id, or the difference. */
async function compareOne(
  reference: DnsServer,
  subject: DnsServer,
  question: ParityQuestion,
  table: readonly AcceptedDifference[],
): Promise<string | Difference | undefined> {
  const [expected, got] = await Promise.all([askOne(reference, question), askOne(subject, question)])
  const [left, right] = [linesOf(expected), linesOf(got)]
  const [coredns, other] = [replyOf(expected), replyOf(got)]
  if (coredns && other && left.join('\n') === right.join('\n')) return undefined
  const row = table.find(({ applies }) => applies(question, coredns, other))
  if (row) return row.id
  return { question, reference: left, subject: right }
}

/** Asks everything once, sixteen questions at a time. */
async function round(
  reference: DnsServer,
  subject: DnsServer,
  questions: readonly ParityQuestion[],
  table: readonly AcceptedDifference[],
): Promise<{ differences: Difference[]; accepted: Map<string, number> }> {
  const differences: Difference[] = []
  const accepted = new Map<string, number>()
  const waiting = questions.values()
  const work = async (): Promise<void> => {
    for (const question of waiting) {
      const outcome = await compareOne(reference, subject, question, table)
      if (typeof outcome === 'string') accepted.set(outcome, (accepted.get(outcome) ?? 0) + 1)
      else if (outcome) differences.push(outcome)
    }
  }
  await Promise.all(Array.from({ length: PARALLEL }, work))
  return { differences, accepted }
}

/**
 * Asks both servers all questions.
 * @param table - the differences that are accepted; empty where the two are the same program
 */
export async function compare(
  reference: DnsServer,
  subject: DnsServer,
  questions: readonly ParityQuestion[],
  table: readonly AcceptedDifference[],
): Promise<ParityReport> {
  const end = performance.now() + SETTLE_DEADLINE_MS
  const { differences, accepted } = await round(reference, subject, questions, table)
  let left = differences
  while (left.length > 0 && performance.now() < end) {
    await delay(RETRY_MS)
    const again = await round(
      reference,
      subject,
      left.map(({ question }) => question),
      table,
    )
    left = again.differences
    for (const [id, count] of again.accepted) accepted.set(id, (accepted.get(id) ?? 0) + count)
  }
  return { asked: questions.length, differences: left, accepted }
}

const questionText = ({ name, type, ...how }: ParityQuestion): string =>
  `${name} ${type} ${JSON.stringify(how)}`

/** The differences in words: first how many of each sort, then the questions with what only one of the two said. */
export function describeDifferences({ asked, differences }: ParityReport): string {
  const sorts = new Map<string, number>()
  for (const { question, reference, subject } of differences) {
    const sort = `${question.type}: ${reference[0]} (${reference[1]}), here ${subject[0]} (${subject[1] ?? ''})`
    sorts.set(sort, (sorts.get(sort) ?? 0) + 1)
  }
  const shown = differences.slice(0, SHOWN_DIFFERENCES).map(({ question, reference, subject }) => {
    const only = (lines: readonly string[], others: readonly string[], mark: string): string[] =>
      lines.filter(line => !others.includes(line)).map(line => `    ${mark} ${line}`)
    return [
      `  ${questionText(question)}`,
      ...only(reference, subject, 'CoreDNS:'),
      ...only(subject, reference, 'here:   '),
    ].join('\n')
  })
  return [
    `${differences.length} of ${asked} answers differ`,
    ...[...sorts].sort((a, b) => b[1] - a[1]).map(([sort, count]) => `  ${count} × ${sort}`),
    ...shown,
    ...(differences.length > shown.length ? [`  … and ${differences.length - shown.length} more`] : []),
  ].join('\n')
}
