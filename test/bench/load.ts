// `npm run bench:load`: the promises about load, L1 to L15: what Seamark loses, how late it is and what it needs when it is asked
// as much as it can answer, or more, while the cluster changes, upstreams are dead, and packets are hostile. Knot gets the same
// load where that says how well the machine itself keeps up. The server has one core, dnsperf another, which the fake API
// server, the upstream and this program share.
//
//   npm run bench:load [-- [--quick] [--seconds N] [--only TEXT]]
//
// --quick takes two minutes and tells whether all is well. --seconds is how long L1's loads last (the promise says 600); other
// loads are shorter. --only runs the rows whose titles contain TEXT, `L5` for one. A whole run writes results-load.md. Exit
// status: 0, 1 a row failed or a promise was not kept, 2 wrong arguments, 69 (EX_UNAVAILABLE) dnsperf is not there.

import { join } from 'node:path'
import { parseArgs } from 'node:util'
import { FULL_SIZE } from './common/cluster.ts'
import type { Effort } from './common/context.ts'
import { buildBundles } from './common/image.ts'
import { machineLines } from './common/machine.ts'
import { type RowResult, reportTable } from './common/results.ts'
import { type Inner, runBench } from './common/run.ts'
import { runRows } from './common/run-rows.ts'
import type { SubjectId } from './common/servers.ts'
import { LoadContext } from './load/context.ts'
import { startLoadWorld } from './load/loaded-cluster.ts'
import { isWanted, ROWS } from './load/rows.ts'

const RESULTS = join(import.meta.dirname, 'results-load.md')
const ROUNDS = 5
const SECONDS = 60
const QUICK_SECONDS = 2
const QUICK_SIZE = { services: 1000, endpoints: 10, wide: [50] }

interface Wanted extends Effort {
  readonly only: string
}

function readArguments(): Wanted {
  const { values } = parseArgs({
    options: {
      quick: { type: 'boolean', default: false },
      seconds: { type: 'string' },
      only: { type: 'string', default: '' },
    },
  })
  const { quick, only } = values
  const seconds = Number(values.seconds ?? (quick ? QUICK_SECONDS : SECONDS))
  if (!(seconds >= 1)) throw new TypeError('--seconds must be a number from 1')
  return { quick, only, seconds, rounds: quick ? 1 : ROUNDS }
}

function report(results: readonly RowResult[], context: LoadContext, knotd: string | undefined): string {
  const { services, size } = context.bench.world
  const endpoints = services.length * size.endpoints
  return [
    '# What Seamark keeps up under load',
    '',
    ...machineLines({ knotd }),
    `${size.services.toLocaleString('en')} Services, ${endpoints.toLocaleString('en')} endpoints, from ${context.bench.world.apiServer}. One serving`,
    'thread on a core of its own; dnsperf, the API server and the upstream share another. Where nothing else is said the',
    'questions are for the addresses of all Services, and nothing waits for an answer before the next query is sent.',
    '',
    reportTable(results, ['seamark', ...context.available(['knot'])], []),
    '',
  ].join('\n')
}

async function bench(inner: Inner, wanted: Wanted): Promise<number> {
  const { scope, tools, cores, say, bind } = inner
  const { only, quick } = wanted
  const folder = scope.folder('bench')
  const bundles = await buildBundles(folder)
  const world = await startLoadWorld(scope, quick ? QUICK_SIZE : FULL_SIZE)
  const subjects: readonly SubjectId[] = [
    'seamark',
    ...(tools.coredns ? (['coredns'] as const) : []),
    ...(tools.knotd === undefined ? [] : (['knot'] as const)),
  ]
  const context = new LoadContext({
    bench: { world, bundles, bind, knotd: tools.knotd },
    cores,
    effort: wanted,
    folder,
    say,
    subjects,
  })
  scope.add('servers', () => context.stopAll())
  return runRows({
    rows: ROWS.filter(({ title }) => isWanted(title, only)),
    context,
    say,
    report: results => report(results, context, tools.knotd),
    file: only === '' && !quick ? RESULTS : undefined,
  })
}

await runBench(readArguments, bench)
