// `npm run bench`: what a query costs. The same 10,000 Services and 100,000 endpoints served by Seamark, CoreDNS and Knot in
// turn; the server has one core, dnsperf another.
//
//   npm run bench [-- [--quick] [--rounds N] [--seconds N] [--rows ID,…] [--only TEXT]]
//
// --quick takes four minutes and tells whether all is well, not how fast it is. --rows runs the rows with these ids, --only
// those whose titles contain TEXT. A whole run takes an hour and writes results.md. Exit status: 0, 1 a row failed or a goal was missed, 2 wrong arguments, 69
// (EX_UNAVAILABLE) dnsperf is not there.

import { join } from 'node:path'
import { parseArgs } from 'node:util'
import type { Scope } from '../e2e/processes.ts'
import { FULL_SIZE } from './common/cluster.ts'
import { startFakeWorld, startRealWorld, type World } from './common/cluster-source.ts'
import { Context, type Effort, type Row } from './common/context.ts'
import { buildBundles } from './common/image.ts'
import { machineLines } from './common/machine.ts'
import { type RowResult, reportTable, worstFirst } from './common/results.ts'
import { type Inner, runBench } from './common/run.ts'
import { runRows } from './common/run-rows.ts'
import type { SubjectId } from './common/servers.ts'
import { COREFILE_ROWS } from './query/corefile-rows.ts'
import { ROWS } from './query/rows.ts'

const RESULTS = join(import.meta.dirname, 'results.md')
const ROUNDS = 3
const SECONDS = 5
const QUICK_SECONDS = 0.5
const QUICK_SIZE = { services: 1000, endpoints: 10, wide: [50, 5000] }

const ALL: readonly Row[] = [...ROWS, ...COREFILE_ROWS]

interface Wanted extends Effort {
  readonly rows: readonly Row[]
}

function readArguments(): Wanted {
  const { values } = parseArgs({
    options: {
      quick: { type: 'boolean', default: false },
      rounds: { type: 'string' },
      seconds: { type: 'string' },
      rows: { type: 'string' },
      only: { type: 'string', default: '' },
    },
  })
  const { quick, only } = values
  const ids = values.rows?.split(',') ?? ALL.map(({ id }) => id)
  for (const id of ids)
    if (!ALL.some(row => row.id === id))
      throw new TypeError(`--rows ${id}: there are ${ALL.map(row => row.id).join(', ')}`)
  const rows = ALL.filter(({ id, title }) => ids.includes(id) && title.includes(only))
  const rounds = Number(values.rounds ?? (quick ? 1 : ROUNDS))
  const seconds = Number(values.seconds ?? (quick ? QUICK_SECONDS : SECONDS))
  if (!(rounds >= 1) || !(seconds > 0)) throw new TypeError('--rounds and --seconds must be positive numbers')
  return { quick, rows, rounds, seconds }
}

/** The real API server, where its programs are built; for a quick run a small cluster on the fake one. */
function startWorld(scope: Scope, inner: Inner, quick: boolean): Promise<World> {
  if (quick) return startFakeWorld(scope, QUICK_SIZE)
  return inner.tools.controlPlane ? startRealWorld(scope, FULL_SIZE, inner) : startFakeWorld(scope, FULL_SIZE)
}

function report(
  results: readonly RowResult[],
  context: Context,
  { knotd, forwarders }: Inner['tools'],
): string {
  const { bench, effort, subjects } = context
  const titles = new Set(COREFILE_ROWS.map(({ title }) => title))
  const others = results.filter(({ title }) => titles.has(title))
  return [
    '# What a query costs',
    '',
    ...machineLines({ knotd, ...forwarders }),
    `Objects from ${bench.world.apiServer}. ${effort.rounds} rounds of ${effort.seconds} s each, medians.`,
    '',
    'µs are processor time of the server (user and system) for each query that was answered; in brackets queries answered a',
    'second. Server on one core, `dnsperf -c 8 -q 400` (over connections: `-c 50`) on another, loopback, metrics on, the',
    'Corefile of kubeadm. "Seamark without koffi" takes its packets through `node:dgram`. Only ratios within a row mean anything.',
    '',
    '## Other words in the Corefile, other transports, forwards',
    '',
    "The goal is a share of what others take in the same run; furthest from it first. Seamark and CoreDNS have kubeadm's",
    'Corefile with the change that the row names, one thread each, what they print goes to /dev/null; dnsdist and Unbound',
    'forward with one thread and a cache of the same size. Forwards (`-c 4 -q 100`) go to Knot, over TLS to dnsdist, on the core',
    'of dnsperf. Nothing comes out of a response cache unless the row says so.',
    '',
    reportTable(worstFirst(others), ['seamark', 'coredns', 'dnsdist', 'unbound'], ['coredns', 'dnsdist']),
    '',
    "## The cluster's own names, names from the cache, memory",
    '',
    reportTable(
      results.filter(result => !others.includes(result)),
      subjects,
      ['coredns', 'knot'],
    ),
    '',
  ].join('\n')
}

async function bench(inner: Inner, wanted: Wanted): Promise<number> {
  const { scope, tools, cores, say, bind } = inner
  const { rows, quick } = wanted
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
    bench: { world, bundles, bind, knotd: tools.knotd, forwarders: tools.forwarders },
    cores,
    effort: wanted,
    folder,
    say,
    subjects,
  })
  scope.add('servers', () => context.stopAll())
  return runRows({
    rows,
    context,
    say,
    report: results => report(results, context, tools),
    file: rows.length === ALL.length && !quick ? RESULTS : undefined,
  })
}

await runBench(readArguments, bench)
