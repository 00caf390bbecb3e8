// What a server made of a case against what is kept: a list of checks, each with what differs.

import type { Case, Question } from './cases.ts'
import { differences, knownReason } from './compare.ts'
import { type Outcome, TRACES } from './kept.ts'
import type { Answer, Entry } from './normalise.ts'
import type { Ran } from './run-case.ts'

/** One thing that was looked at. */
export interface Check {
  readonly case: string
  /** The question, or `start`, `log`, `metrics`, `http`, `end`. */
  readonly what: string
  /** What differs, in words; none where all is well. */
  readonly found: readonly string[]
  /** Both answers where they differ. */
  readonly detail: readonly string[]
  /** Why CoreDNS's answer was not wanted. */
  readonly deviates?: string
  readonly skipped?: string
}

/** What is kept of a case: CoreDNS's answers to all questions, Seamark's to those that are meant to differ. */
export interface Kept {
  readonly coredns: Outcome | undefined
  readonly own: Outcome | undefined
}

/** The checks of a case that was run. @param strict - of CoreDNS: nothing is meant to differ */
export function judge(one: Case, ran: Ran, { coredns: want, own }: Kept, strict: boolean): Check[] {
  const check = (
    what: string,
    found: readonly string[],
    detail: readonly string[],
    more: Partial<Check> = {},
  ): Check => ({
    case: one.id,
    what,
    found,
    detail: found.length > 0 ? detail : [],
    ...more,
  })
  if (!want) return [check('start', ['nothing is kept'], [])]
  const start = check('start', (want.start === 'ok') === (ran.start === 'ok') ? [] : ['start'], [
    want.start,
    ran.start,
    ran.output,
  ])
  if (start.found.length > 0 || ran.start !== 'ok') return [start]
  const asked = one.questions.map(({ text }) => text)
  if (asked.join('\n') !== want.answers.map(({ q }) => q).join('\n'))
    return [check('start', ['the kept answers are to other questions'], [])]
  const deviating = one.questions.filter(({ deviates }) => deviates !== undefined)
  const checks = one.questions.map((question, i) => {
    const got = ran.answers[i]!.answer
    const skipped = ran.skipped.get(i)
    if (skipped !== undefined) return check(question.text, [], [], { skipped })
    if (strict || question.deviates === undefined)
      return judgeAnswer(question, want.answers[i]!.answer, got, strict)
    const kept = own?.answers[deviating.indexOf(question)]
    const { deviates } = question
    if (kept?.q !== question.text)
      return check(question.text, ['no answer of its own is kept'], [], { deviates })
    const found = differences(kept.answer, got, question)
    return check(question.text, found, shown(kept.answer, got, 'kept'), { deviates })
  })
  function judgeAnswer(question: Question, wanted: Answer, got: Answer, isStrict: boolean): Check {
    const found = differences(wanted, got, question)
    const reason = found.length === 0 || isStrict ? undefined : knownReason(found, wanted, got, question)
    if (reason !== undefined) return check(question.text, [], [], { deviates: reason })
    return check(question.text, found, shown(wanted, got, 'CoreDNS'))
  }
  for (const trace of TRACES) {
    if (one[trace] === undefined) continue
    const only = onlyIn(want[trace] ?? [], ran[trace] ?? [])
    checks.push(check(trace, only.length > 0 ? [`${only.length} lines`] : [], only))
  }
  return [...checks, check('end', ran.status === 0 || strict ? [] : [`status ${ran.status}`], [ran.output])]
}

/** What only one has, `-` or `+` in front. */
function onlyIn(want: readonly string[], got: readonly string[]): string[] {
  const left = [...got]
  const missing = want.filter(line => {
    const at = left.indexOf(line)
    if (at >= 0) left.splice(at, 1)
    return at < 0
  })
  return [...missing.map(line => `- ${line}`), ...left.map(line => `+ ${line}`)]
}

const shown = (want: Answer, got: Answer, who: string): string[] => [
  `${who}:`,
  ...linesOf(want).map(line => `    ${line}`),
  'here:',
  ...linesOf(got).map(line => `    ${line}`),
]

function linesOf(answer: Answer): string[] {
  const seen = (answer.seen ?? []).map(line => `seen ${line}`)
  if ('outcome' in answer) return [answer.outcome, ...seen]
  const { rcode, flags, question, edns } = answer
  const entries = (section: string, all: readonly Entry[]): string[] =>
    all.map(entry => `${section} ${entry.join(' ')}`)
  return [
    `${rcode} [${flags}] ${question.join('; ')}${edns ? ` edns ${JSON.stringify(edns)}` : ''}`,
    ...entries('answer', answer.answer),
    ...entries('authority', answer.authority),
    ...entries('additional', answer.additional),
    ...seen,
  ]
}
