// A row whose figure is what a query of one kind costs, on the servers that are kept running.

import type { ServiceShape } from '../common/cluster.ts'
import type { Context, Row } from '../common/context.ts'
import { writeQueries } from '../common/queries.ts'
import { atMost, type RowResult } from '../common/results.ts'
import type { SubjectId } from '../common/servers.ts'
import { doubt, type RowLoad, rounds } from './round.ts'

const EVERYBODY: readonly SubjectId[] = ['seamark', 'dgram', 'coredns', 'coredns30', 'knot']

/** A row in words and numbers. */
export interface LoadRow extends Partial<Omit<RowLoad, 'file'>> {
  readonly id: string
  readonly title: string
  readonly queries: (services: readonly ServiceShape[], serial: number) => string[]
  readonly goalUs?: number
  /** Default all. */
  readonly subjects?: readonly SubjectId[]
  readonly note?: string
}

/** The row to be run. */
export function loadRow(row: LoadRow): Row {
  const {
    id,
    title,
    queries,
    load = {},
    codes = { NOERROR: 1 },
    fill = false,
    subjects = EVERYBODY,
    note,
  } = row
  return {
    id,
    title,
    async run(context: Context): Promise<RowResult[]> {
      const { services } = context.bench.world
      const write = (serial: number): string => writeQueries(context.folder, 'row', queries(services, serial))
      const same = fill ? '' : write(0)
      const running = []
      for (const id of context.available(subjects)) running.push(await context.subject(id))
      const measured = await rounds(context, running, { file: fill ? write : () => same, load, codes, fill })
      const { figures } = measured
      const goal = row.goalUs === undefined ? {} : atMost(row.goalUs, figures)
      const notes = [note, doubt(measured)].filter(text => text !== undefined)
      return [{ title, unit: 'µs', figures, ...goal, notes }]
    },
  }
}
