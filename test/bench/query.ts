// `npm run bench`: what a query costs. The same 10,000 Services and 100,000 endpoints served by Seamark, CoreDNS and Knot in
// turn; the server has one core, dnsperf another.
//
//   npm run bench [-- [--quick] [--rounds N] [--seconds N] [--only TEXT]]
//
// --quick takes two minutes and tells whether all is well, not how fast it is. --only runs the rows whose titles contain
// TEXT. A whole run writes results.md. Exit status: 0, 1 a row failed or a goal was missed, 2 wrong arguments, 69
// (EX_UNAVAILABLE) dnsperf is not there.

import { join } from 'node:path'
import { parseArgs } from 'node:util'
import type { Scope } from '../e2e/processes.ts'
import { FULL_SIZE } from './common/cluster.ts'
import { Context, type Effort } from './common/context.ts'
import { isStored } from './common/etcd-store.ts'
import { buildBundles } from './common/image.ts'
import { machineLines } from './common/machine.ts'
import { type RowResult, reportTable } from './common/results.ts'
import { type Inner, runBench } from './common/run.ts'
import { runRows } from './common/run-rows.ts'
import type { SubjectId } from './common/servers.ts'
import { startFakeWorld, startRealWorld, type World } from './common/world.ts'
import { ROWS } from './query/rows.ts'

const RESULTS = join(import.meta.dirname, 'results.md')
const ROUNDS = 3
const SECONDS = 5
const QUICK_SECONDS = 0.5

interface Wanted extends Effort {
  readonly only: string
}

function readArguments(): Wanted {
  const { values } = parseArgs({
    options: {
      quick: { type: 'boolean', default: false },
      rounds: { type: 'string' },
      seconds: { type: 'string' },
      only: { type: 'string', default: '' },
    },
  })
  const { quick, only } = values
  const rounds = Number(values.rounds ?? (quick ? 1 : ROUNDS))
  const seconds = Number(values.seconds ?? (quick ? QUICK_SECONDS : SECONDS))
  if (!(rounds >= 1) || !(seconds > 0)) throw new TypeError('--rounds and --seconds must be positive numbers')
  return { quick, only, rounds, seconds }
}

/** The real API server, where its programs are built; for a quick run also only where its objects are stored already. */
function startWorld(scope: Scope, inner: Inner, quick: boolean): Promise<World> {
  const real = inner.tools.controlPlane && (!quick || isStored(FULL_SIZE))
  return real ? startRealWorld(scope, FULL_SIZE, inner) : startFakeWorld(scope, FULL_SIZE)
}

function report(results: readonly RowResult[], context: Context, knotd: string | undefined): string {
  const { bench, effort, subjects } = context
  return [
    '# What a query costs',
    '',
    ...machineLines(knotd),
    `Objects from ${bench.world.apiServer}. ${effort.rounds} rounds of ${effort.seconds} s each, medians.`,
    '',
    'µs are processor time of the server (user and system) for each query that was answered; in brackets queries answered a',
    'second. Server on one core, `dnsperf -c 8 -q 400` (TCP: `-m tcp -c 50`) on another, loopback, metrics on, the Corefile of',
    'kubeadm. "Seamark without koffi" takes its packets through `node:dgram`.',
    '',
    reportTable(results, subjects, ['coredns', 'knot']),
    '',
  ].join('\n')
}

async function bench(inner: Inner, wanted: Wanted): Promise<number> {
  const { scope, tools, cores, say, bind } = inner
  const { only, quick } = wanted
  const folder = scope.folder('bench')
  const bundles = await buildBundles(folder)
  const world = await startWorld(scope, inner, quick)
  say(`objects from ${world.apiServer}`)
  const subjects: readonly SubjectId[] = [
    'seamark',
    'dgram',
    ...(tools.coredns ? (['coredns', 'coredns30'] as const) : []),
    ...(tools.knotd === undefined ? [] : (['knot'] as const)),
  ]
  const context = new Context({
    bench: { world, bundles, bind, knotd: tools.knotd },
    cores,
    effort: wanted,
    folder,
    say,
    subjects,
  })
  scope.add('servers', () => context.stopAll())
  return runRows({
    rows: ROWS.filter(({ title }) => title.includes(only)),
    context,
    say,
    report: results => report(results, context, tools.knotd),
    file: only === '' && !quick ? RESULTS : undefined,
  })
}

await runBench(readArguments, bench)
