// What a second core is worth: queries a second of two serving threads against those of one, with a generator on cores of its
// own. On a machine where it would have to share theirs it is not measured.

import { Scope } from '../../e2e/processes.ts'
import type { Row } from '../common/context.ts'
import { clusterIps, writeQueries } from '../common/queries.ts'
import { type Figure, medianOf, type RowResult } from '../common/results.ts'
import { type SubjectId, start } from '../common/servers.ts'
import { measure, type RowLoad } from './round.ts'

const SUBJECTS: readonly SubjectId[] = ['seamark', 'coredns']
const GOAL = 1.8
/** Of a generator with two threads: several sockets for each serving thread. */
const CLIENTS = 32

export const coresRow: Row = {
  id: 'two-cores',
  title: 'A of a ClusterIP, two cores against one',
  async run(context): Promise<RowResult[]> {
    const { cores, bench, effort, folder } = context
    const { title } = this
    const goal = `≥ ${GOAL}`
    const figures = new Map<SubjectId, Figure[]>()
    if (cores.spareLoad === undefined)
      return [{ title, unit: '×', figures, goal, notes: ['needs four cores: not measured'] }]
    const file = writeQueries(folder, 'cores', clusterIps(bench.world.services))
    const load = { clients: CLIENTS, core: cores.spareLoad, threads: 2 }
    const row: RowLoad = { file: () => file, load, codes: { NOERROR: 1 }, fill: false }
    for (const id of context.available(SUBJECTS)) {
      const scope = new Scope()
      try {
        const one = await context.subject(id)
        const two = await start(scope, id, bench, { cores: cores.twoServers })
        const all: Figure[] = []
        for (let round = 0; round < effort.rounds; round++) {
          const onOne = await measure(context, one, row)
          all.push({ value: (await measure(context, two, row)).perSecond / onOne.perSecond })
        }
        figures.set(id, all)
      } finally {
        await scope.end()
      }
    }
    const value = medianOf(figures, 'seamark')
    return [{ title, unit: '×', figures, goal, met: value === undefined ? undefined : value >= GOAL }]
  },
}
