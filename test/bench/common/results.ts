// What was measured, and the report of it: a line for each piece of work with the medians of all servers, Seamark's share of
// what others took in the same run, the goal, and whether it is met.

import { SUBJECTS, type SubjectId } from './servers.ts'
import { median } from './statistics.ts'
import { figure, markdownTable, yesNo } from './table.ts'

/** What one server did in one round. */
export interface Figure {
  /** Infinity for a server that was killed. */
  readonly value: number
  /** Queries a second, where as many as possible were asked. */
  readonly perSecond?: number
}

/** One line of the report. */
export interface RowResult {
  readonly title: string
  readonly unit: string
  /** By server, one figure a round. */
  readonly figures: ReadonlyMap<SubjectId, readonly Figure[]>
  /** In words; absent where nothing was promised. */
  readonly goal?: string
  /** Whether Seamark's median meets the goal; undefined where that is not known. */
  readonly met?: boolean | undefined
  /** How much of its goal it takes: above 1 the goal is missed. */
  readonly strain?: number | undefined
  readonly notes?: readonly string[]
}

/** The median of a server's figures; undefined where it has none. */
export function medianOf(
  figures: RowResult['figures'],
  id: SubjectId,
  of: (figure: Figure) => number | undefined = ({ value }) => value,
): number | undefined {
  const values = (figures.get(id) ?? []).map(of).filter(value => value !== undefined)
  return values.length === 0 ? undefined : median(values)
}

/** The goal that Seamark's figure does not exceed a bound, and the verdict. */
export function atMost(bound: number, figures: RowResult['figures']): Pick<RowResult, 'goal' | 'met'> {
  const value = medianOf(figures, 'seamark')
  return { goal: `≤ ${bound.toLocaleString('en')}`, met: value === undefined ? undefined : value <= bound }
}

/** The goal that Seamark takes at most these shares of what others take in the same run, and the verdict. */
export function atMostOf(
  shares: Readonly<Partial<Record<SubjectId, number>>>,
  figures: RowResult['figures'],
): Pick<RowResult, 'goal' | 'met' | 'strain'> {
  const own = medianOf(figures, 'seamark')
  const all = Object.entries(shares) as [SubjectId, number][]
  const strains = all.flatMap(([id, share]) => {
    const other = medianOf(figures, id)
    return own === undefined || other === undefined ? [] : [own / other / share]
  })
  const strain = strains.length === 0 ? undefined : Math.max(...strains)
  const goal = all.map(([id, share]) => `≤ ${share} × ${SUBJECTS[id]}`).join(', ')
  return { goal, strain, met: strain === undefined ? undefined : strain <= 1 }
}

/** The results, those first that are furthest from their goal; what has none comes last. */
export const worstFirst = (results: readonly RowResult[]): RowResult[] =>
  results.toSorted((a, b) => (b.strain ?? 0) - (a.strain ?? 0))

/** Collects figures under titles, in the order in which the titles come first. */
export class FigureTable {
  readonly #byTitle = new Map<string, { unit: string; figures: Map<SubjectId, Figure[]> }>()

  add(title: string, unit: string, id: SubjectId, value: number): void {
    const row = this.#byTitle.get(title) ?? { unit, figures: new Map<SubjectId, Figure[]>() }
    this.#byTitle.set(title, row)
    row.figures.set(id, [...(row.figures.get(id) ?? []), { value }])
  }

  /** A result for each title; `goalOf` says what was promised of it. */
  results(
    goalOf: (title: string, figures: RowResult['figures']) => Pick<RowResult, 'goal' | 'met'>,
  ): RowResult[] {
    return [...this.#byTitle].map(([title, row]) => ({ title, ...row, ...goalOf(title, row.figures) }))
  }
}

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

const titleOf = ({ title, notes = [] }: RowResult): string =>
  notes.length > 0 ? `${title} (${notes.join('; ')})` : title

/** One result in one line, as progress. */
export function resultLine(result: RowResult): string {
  const servers = [...result.figures.keys()].map(id => `${SUBJECTS[id]} ${cell(result, id)}`)
  const goal = result.goal === undefined ? '' : `; goal ${result.goal}: ${yesNo(result.met)}`
  return `  ${titleOf(result)}, ${result.unit}: ${servers.join(', ') || '–'}${goal}`
}

/** The table, in the order of the results. `subjects` are the columns, `ratios` those that Seamark is divided by. */
export function reportTable(
  results: readonly RowResult[],
  subjects: readonly SubjectId[],
  ratios: readonly SubjectId[],
): string {
  const head = ['work', 'unit', ...subjects.map(id => SUBJECTS[id])]
  head.push(...ratios.map(id => `Seamark ÷ ${SUBJECTS[id]}`), 'goal', 'met')
  const lines = results.map(result => [
    titleOf(result),
    result.unit,
    ...subjects.map(id => cell(result, id)),
    ...ratios.map(id => ratio(result, id)),
    result.goal ?? '–',
    yesNo(result.met),
  ])
  return markdownTable(head, lines)
}
