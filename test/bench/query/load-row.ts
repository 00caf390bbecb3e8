// A row whose figure is what a query of one kind costs, on the servers that are kept running.

import type { ServiceShape } from '../common/cluster.ts'
import { writeQueries } from '../common/queries.ts'
import type { SubjectId } from '../common/servers.ts'
import { median } from '../common/statistics.ts'
import type { Context, Figure, Row, RowResult } from './context.ts'
import { doubt, type RowLoad, rounds } from './round.ts'

const EVERYBODY: readonly SubjectId[] = ['seamark', 'dgram', 'coredns', 'coredns30', 'knot']

/** A row in words and numbers. */
export interface LoadRow extends Partial<Omit<RowLoad, 'file'>> {
  readonly title: string
  readonly queries: (services: readonly ServiceShape[], serial: number) => string[]
  readonly goalUs?: number
  /** Default all. */
  readonly subjects?: readonly SubjectId[]
  readonly note?: string
}

/** The median of a server's figures; undefined where it has none. */
export function medianOf(
  figures: ReadonlyMap<SubjectId, readonly Figure[]>,
  id: SubjectId,
  of: (figure: Figure) => number | undefined = ({ value }) => value,
): number | undefined {
  const values = (figures.get(id) ?? []).map(of).filter(value => value !== undefined)
  return values.length === 0 ? undefined : median(values)
}

/** Goal and verdict of a result whose value must not exceed a bound. */
export function atMost(bound: number, value: number | undefined): Pick<RowResult, 'goal' | 'met'> {
  return { goal: `≤ ${bound}`, met: value === undefined ? undefined : value <= bound }
}

/** The row to be run. */
export function loadRow(row: LoadRow): Row {
  const { title, queries, load = {}, codes = { NOERROR: 1 }, fill = false, subjects = EVERYBODY, note } = row
  return {
    title,
    async run(context: Context): Promise<RowResult[]> {
      const { services } = context.bench.world
      const write = (serial: number): string => writeQueries(context.folder, 'row', queries(services, serial))
      const same = fill ? '' : write(0)
      const running = []
      for (const id of context.available(subjects)) running.push(await context.subject(id))
      const measured = await rounds(context, running, { file: fill ? write : () => same, load, codes, fill })
      const { figures } = measured
      const goal = row.goalUs === undefined ? {} : atMost(row.goalUs, medianOf(figures, 'seamark'))
      const notes = [note, doubt(measured)].filter(text => text !== undefined)
      return [{ title, unit: 'µs', figures, ...goal, notes }]
    },
  }
}
