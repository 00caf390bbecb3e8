// What a query costs in a small, a large and a very large cluster: it must not matter. The clusters come from the fake API
// server, as creating 100,000 Services takes a real one half an hour; each Service has two endpoints.

import { Scope } from '../../e2e/processes.ts'
import { startFakeWorld } from '../common/cluster-source.ts'
import type { Context, Row } from '../common/context.ts'
import { clusterIps, writeQueries } from '../common/queries.ts'
import { medianOf, type RowResult } from '../common/results.ts'
import { type Subject, type SubjectId, start } from '../common/servers.ts'
import { doubt, type RowLoad, rounds } from './round.ts'

const SIZES = [100, 10_000, 100_000]
const QUICK_SIZES = [100, 10_000]
const ENDPOINTS = 2
const SUBJECTS: readonly SubjectId[] = ['seamark', 'coredns', 'knot']
/** What the largest may cost against the smallest. */
const FLAT = 1.25

async function atSize(context: Context, services: number): Promise<RowResult> {
  const scope = new Scope()
  try {
    const world = await startFakeWorld(scope, { services, endpoints: ENDPOINTS, wide: [] })
    const bench = { ...context.bench, world }
    const running: Subject[] = []
    for (const id of context.available(SUBJECTS))
      running.push(await start(scope, id, bench, { cores: context.cores.server }))
    const file = writeQueries(context.folder, 'scale', clusterIps(world.services))
    const row: RowLoad = { file: () => file, load: {}, codes: { NOERROR: 1 }, fill: false }
    const measured = await rounds(context, running, row)
    const notes = [doubt(measured)].filter(text => text !== undefined)
    return {
      notes,
      figures: measured.figures,
      title: `A of a ClusterIP among ${services.toLocaleString('en')} Services`,
      unit: 'µs',
    }
  } finally {
    await scope.end()
  }
}

export const scaleRow: Row = {
  id: 'scale',
  title: 'A of a ClusterIP among 100, 10,000 and 100,000 Services',
  async run(context) {
    await context.stopAll()
    const results: RowResult[] = []
    for (const services of context.effort.quick ? QUICK_SIZES : SIZES)
      results.push(await atSize(context, services))
    const smallest = medianOf(results[0]!.figures, 'seamark')
    return results.map((result, at) => {
      const value = medianOf(result.figures, 'seamark')
      if (at === 0 || value === undefined || smallest === undefined) return result
      return { ...result, goal: `≤ ${FLAT} × the first`, met: value <= FLAT * smallest }
    })
  },
}
