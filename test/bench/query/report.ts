// The report of `npm run bench`: a line for each row with the medians, Seamark's share of what CoreDNS and Knot took in
// the same run, the goal, and whether it is met.

import { SUBJECTS, type SubjectId } from '../common/servers.ts'
import { figure, markdownTable, yesNo } from '../common/table.ts'
import type { RowResult } from './context.ts'
import { medianOf } from './load-row.ts'

function cell({ figures }: RowResult, id: SubjectId): string {
  const value = medianOf(figures, id)
  const perSecond = medianOf(figures, id, each => each.perSecond)
  if (value === undefined) return '–'
  if (value === Number.POSITIVE_INFINITY) return 'killed'
  return perSecond === undefined
    ? figure(value)
    : `${figure(value)} (${(Math.round(perSecond / 100) * 100).toLocaleString('en')}/s)`
}

function ratio({ figures }: RowResult, to: SubjectId): string {
  const [own, other] = [medianOf(figures, 'seamark'), medianOf(figures, to)]
  const known = own !== undefined && other !== undefined && Number.isFinite(other)
  return known ? figure(own / other) : '–'
}

/** One result in one line, as progress. */
export function resultLine(result: RowResult): string {
  const servers = [...result.figures.keys()].map(id => `${SUBJECTS[id]} ${cell(result, id)}`)
  const goal = result.goal === undefined ? '' : `; goal ${result.goal}: ${yesNo(result.met)}`
  return `  ${titleOf(result)}, ${result.unit}: ${servers.join(', ') || '–'}${goal}`
}

const titleOf = ({ title, notes = [] }: RowResult): string =>
  notes.length > 0 ? `${title} (${notes.join('; ')})` : title

/** The table, in the order of the results. `subjects` are the columns. */
export function reportTable(results: readonly RowResult[], subjects: readonly SubjectId[]): string {
  const head = [
    'work',
    'unit',
    ...subjects.map(id => SUBJECTS[id]),
    'Seamark ÷ CoreDNS',
    'Seamark ÷ Knot',
    'goal',
    'met',
  ]
  const lines = results.map(result => [
    titleOf(result),
    result.unit,
    ...subjects.map(id => cell(result, id)),
    ratio(result, 'coredns'),
    ratio(result, 'knot'),
    result.goal ?? '–',
    yesNo(result.met),
  ])
  return markdownTable(head, lines)
}
