// Where two answers differ, in words. Not compared: the order of records (but aliases before what they lead to), TTLs within
// a second, what extended errors say beyond CoreDNS's.

import type { Question } from './cases.ts'
import type { Answer, Entry, Reply } from './normalise.ts'

/** What of a question the comparison looks at. */
export type Compared = Pick<Question, 'ordered' | 'ttlSlackSeconds' | 'ignore' | 'seen'>

const SECTIONS = ['answer', 'authority', 'additional'] as const

/** Names of what differs; none for equal answers. */
export function differences(want: Answer, got: Answer, question: Compared): string[] {
  const found =
    'outcome' in want || 'outcome' in got
      ? outcomeDifferences(want, got)
      : replyDifferences(want, got, question)
  const { seen } = question
  if (seen.length > 0 && JSON.stringify(want.seen) !== JSON.stringify(got.seen)) found.push('seen')
  return found.filter(word => !question.ignore.includes(word))
}

const outcomeOf = (answer: Answer): string => ('outcome' in answer ? answer.outcome : '')

const outcomeDifferences = (want: Answer, got: Answer): string[] =>
  outcomeOf(want) === outcomeOf(got) ? [] : ['outcome']

function replyDifferences(want: Reply, got: Reply, { ordered, ttlSlackSeconds }: Compared): string[] {
  const found: string[] = []
  if (want.rcode !== got.rcode) found.push('rcode')
  if (want.flags !== got.flags) found.push('flags')
  if (want.question.join() !== got.question.join()) found.push('question')
  if (want.opcode !== got.opcode) found.push('opcode')
  for (const section of SECTIONS) {
    const isOrdered = ordered && section === 'answer'
    const [left, right] = [want[section], got[section]]
    if (haveSame(left, right, ttlSlackSeconds, isOrdered)) continue
    found.push(haveSame(folded(left), folded(right), ttlSlackSeconds, isOrdered) ? 'case' : section)
  }
  if (!aliasesComeFirst(got.answer) && aliasesComeFirst(want.answer)) found.push('cname-order')
  return [...found, ...ednsDifferences(want.edns, got.edns)]
}

function ednsDifferences(want: Reply['edns'], got: Reply['edns']): string[] {
  if (!want || !got) return !want === !got ? [] : ['edns']
  const found: string[] = []
  if (want.do !== got.do) found.push('edns.do')
  if (want.version !== got.version) found.push('edns.version')
  if (want.options.join() !== got.options.join()) found.push('edns.options')
  if (!(want.ede ?? []).every(error => got.ede?.includes(error))) found.push('edns.ede')
  return found
}

const folded = (entries: readonly Entry[]): Entry[] =>
  entries.map(([name, ttl, type, data]) => [name.toLowerCase(), ttl, type, data.toLowerCase()])

function haveSame(
  left: readonly Entry[],
  right: readonly Entry[],
  slackSeconds: number,
  isOrdered: boolean,
): boolean {
  const [one, other] = isOrdered ? [left, right] : [sorted(left), sorted(right)]
  return (
    one.length === other.length &&
    one.every(
      (entry, i) => textOf(entry) === textOf(other[i]!) && Math.abs(entry[1] - other[i]![1]) <= slackSeconds,
    )
  )
}

const textOf = ([name, , type, data]: Entry): string => `${name} ${type} ${data}`

function sorted(entries: readonly Entry[]): Entry[] {
  return entries.toSorted((one, other) => {
    const [left, right] = [textOf(one), textOf(other)]
    return left < right ? -1 : left > right ? 1 : one[1] - other[1]
  })
}

/** Whether each CNAME stands before what it leads to. */
function aliasesComeFirst(answer: readonly Entry[]): boolean {
  const owners = answer.map(([name]) => name.toLowerCase())
  return answer.every(([name, , type, data], i) => {
    const target = owners.indexOf(data.toLowerCase())
    return type !== 'CNAME' || name.toLowerCase() === data.toLowerCase() || target < 0 || target > i
  })
}

/**
 * Why a difference is right wherever it comes up, or undefined where one of them is not.
 * @param found - names of differences, at least one
 */
export function knownReason(
  found: readonly string[],
  want: Answer,
  got: Answer,
  question: Pick<Question, 'edns'>,
): string | undefined {
  const known = new Map([['case', 'names as this client spelled them']])
  if (!('outcome' in want) && !('outcome' in got)) {
    const { edns } = question
    if (!edns && want.edns && !got.edns)
      known.set('edns', 'no OPT to a client that sent none (RFC 6891 6.1.1)')
    if (!edns?.dnssecOk && want.edns?.do) known.set('edns.do', 'DO only to clients that set it (RFC 3225 3)')
    if (/\bTC\b/.test(want.flags) && /\bTC\b/.test(got.flags))
      for (const section of SECTIONS) known.set(section, 'what is left in a truncated reply is open')
  }
  if (!found.every(word => known.has(word))) return undefined
  return [...new Set(found.map(word => known.get(word)))].join('; ')
}
