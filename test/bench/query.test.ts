// Two rows of `npm run bench`, end to end with tiny numbers, so that the benchmarks do not rot.

import { availableParallelism } from 'node:os'
import t from 'tap'
import { Scope } from '../e2e/processes.ts'
import { programPath } from '../support/system-program.ts'
import { startFakeWorld } from './common/cluster-source.ts'
import { Context } from './common/context.ts'
import { readCores } from './common/cores.ts'
import { buildBundles } from './common/image.ts'
import { reportTable } from './common/results.ts'
import type { SubjectId } from './common/servers.ts'
import { COREFILE_ROWS } from './query/corefile-rows.ts'
import { ROWS } from './query/rows.ts'

const missing = ['dnsperf', 'taskset'].find(program => programPath(program) === undefined)
const skip = missing ? `${missing} is not installed` : availableParallelism() < 2 ? 'needs two cores' : false

t.test('A of a ClusterIP, and names that are forwarded', { skip }, async t => {
  const scope = new Scope()
  t.teardown(() => scope.end())
  const folder = scope.folder('bench-test')
  const world = await startFakeWorld(scope, { services: 20, endpoints: 2, wide: [] })
  const knotd = programPath('knotd')
  const subjects: SubjectId[] = knotd === undefined ? ['seamark'] : ['seamark', 'knot']
  const said: string[] = []
  const context = new Context({
    bench: { world, bundles: await buildBundles(folder), bind: '127.0.0.1', knotd },
    cores: readCores(),
    effort: { rounds: 1, seconds: 0.2, quick: true },
    folder,
    say: line => said.push(line),
    subjects,
  })
  scope.add('servers', () => context.stopAll())
  const results = await ROWS[0]!.run(context)
  t.strictSame([...results[0]!.figures.keys()], subjects)
  for (const [id, figures] of results[0]!.figures) {
    t.equal(figures.length, 1, `${id}: one round`)
    const { value } = figures[0]!
    // The kernel counts in ticks of 10 ms: of Knot it may have seen none.
    t.ok((value > 0 || id === 'knot') && value < 10_000, `${id}: ${value} µs a query`)
  }
  t.match(reportTable(results, subjects, ['knot']), /^\| A of a ClusterIP .*\| ≤ 6\.6 \| (yes|NO ) \|$/m)

  const [forwarded] = await COREFILE_ROWS.find(({ id }) => id === 'forward-miss')!.run(context)
  t.strictSame([...forwarded!.figures.keys()], ['seamark'])
  t.ok(forwarded!.figures.get('seamark')![0]!.value > 0, 'a forward costs something')
  const ids = [...ROWS, ...COREFILE_ROWS].map(({ id }) => id)
  t.equal(new Set(ids).size, ids.length, 'no two rows have the same id')
})
