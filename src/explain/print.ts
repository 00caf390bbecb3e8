// A report for a person at a terminal: who asks, each name that is tried with what the server did, what is behind the one that
// matters, and at last the cause and what to do.

import type { TracedNote, Transcript } from '../serving/traced.ts'
import type { Report, Tried } from './report.ts'

/** More records of one answer are counted. */
const RECORDS_SHOWN_MAX = 8

/** The text, with a line feed at its end. */
export function reportText(report: Report): string {
  const { name, type, client, resolver, tried, musl, about, notes, cause, advice, suggestions } = report
  const lines: string[] = []
  if (tried.length > 0) lines.push(`${name} ${type}, asked from ${client}`, `  resolver: ${resolver}`, '')
  for (const [i, one] of tried.entries()) lines.push(...triedLines(i + 1, one))
  if (about && about.facts.length + about.freshness.length > 0)
    lines.push(`Behind ${about.name}`, ...[...about.facts, ...about.freshness].map(indented), '')
  for (const note of notes) lines.push(note)
  if (musl !== '') lines.push(musl)
  lines.push(`Cause: ${cause}`, `Do: ${advice}`)
  if (suggestions.length > 1) lines.push(`Close to it: ${suggestions.join(', ')}`)
  return `${lines.join('\n')}\n`
}

const indented = (line: string): string => `  ${line}`

function triedLines(number: number, { transcript }: Tried): string[] {
  const { name, type, notes, answer } = transcript
  const shown = answer.slice(0, RECORDS_SHOWN_MAX)
  const more = answer.length - shown.length
  return [
    `${number}. ${name} ${type}: ${resultText(transcript)}`,
    ...notes.map(noteText).map(indented),
    ...shown.map(record => indented(`→ ${record.name} ${record.ttlSeconds} ${record.type} ${record.data}`)),
    ...(more > 0 ? [indented(`→ and ${more} more`)] : []),
    '',
  ]
}

function resultText({ outcome, rcode, plugin, reason, tookMs, truncated }: Transcript): string {
  if (outcome === 'silence') return `no reply, ${tookMs} ms`
  if (outcome === 'transfer') return 'a zone transfer'
  const by = plugin === '' ? '' : ` by ${plugin}`
  const why = reason === '' ? '' : ` (${reason})`
  return `${rcode}${truncated ? ', cut' : ''}${by}${why}, ${tookMs} ms`
}

const noteText = ({ word, text }: TracedNote): string => (word === '' ? text : `${word}: ${text}`)
