// `npm run bench:watch`: the watch's side of a server. On the same cluster of 10,000 Services and 100,000 endpoints, Seamark and
// CoreDNS in turn: start to first complete answer, also of a small cluster under a CPU limit, memory then and after the API server died and came back, how soon a new
// Service is answered, what a check of consistency costs (all on a real API server), and latencies while 1,000 EndpointSlices a second change (on the fake one,
// which can do that).
//
//   npm run bench:watch [-- [--quick] [--rounds N]]
//
// A whole run writes results-watch.md. Exit status: 0, 1 a goal was missed, 2 wrong arguments, 69 (EX_UNAVAILABLE) without
// dnsperf or a control plane.

import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { parseArgs } from 'node:util'
import { Scope } from '../e2e/processes.ts'
import { limitCpu } from '../support/cgroup-limit.ts'
import { type ClusterSize, FULL_SIZE } from './common/cluster.ts'
import { type FakeWorld, type RealWorld, startFakeWorld, startRealWorld } from './common/cluster-source.ts'
import { buildBundles } from './common/image.ts'
import { machineLines } from './common/machine.ts'
import { FigureTable, reportTable, resultLine } from './common/results.ts'
import { type Inner, runBench } from './common/run.ts'
import { type Bench, type SubjectId, start } from './common/servers.ts'
import { percentile } from './common/statistics.ts'
import { ToolsError } from './common/tools.ts'
import { measureCheck } from './watch/check.ts'
import { CHANGES_PER_SECOND, measureChurn, STEADY_RATE } from './watch/churn-latency.ts'
import { freshServices } from './watch/fresh-services.ts'
import { goalOf, TITLES } from './watch/goals.ts'
import { measureListing } from './watch/listing.ts'
import { measureOutage } from './watch/outage.ts'

const RESULTS = join(import.meta.dirname, 'results-watch.md')
const ROUNDS = 5
const FRESH_SERVICES = 200
const CHURN_SECONDS = 15
/** `limits: { cpu: 100m }`. */
const LIMIT_CORES = 0.1
const SMALL_SIZE: ClusterSize = { services: 10, endpoints: 10, wide: [] }

interface Wanted {
  readonly rounds: number
  readonly freshServices: number
  readonly churnSeconds: number
  readonly quick: boolean
}

function readArguments(): Wanted {
  const { values } = parseArgs({
    options: { quick: { type: 'boolean', default: false }, rounds: { type: 'string' } },
  })
  const { quick } = values
  const rounds = Number(values.rounds ?? (quick ? 1 : ROUNDS))
  if (!(rounds >= 1)) throw new TypeError('--rounds must be a positive number')
  return {
    quick,
    rounds,
    freshServices: quick ? 20 : FRESH_SERVICES,
    churnSeconds: quick ? 2 : CHURN_SECONDS,
  }
}

/** One server on the real API server. `round` makes names. */
async function onRealServer(
  inner: Inner,
  bench: Bench & { readonly world: RealWorld },
  id: SubjectId,
  round: number,
  wanted: Wanted,
  figures: FigureTable,
): Promise<void> {
  const scope = new Scope()
  const { plane } = bench.world
  try {
    const { subject, listing } = await measureListing(scope, id, bench, inner.cores.server)
    figures.add(TITLES.start, 's', id, listing.seconds)
    figures.add(TITLES.startCpu, 's', id, listing.cpuSeconds)
    figures.add(TITLES.ready, 'MiB', id, listing.residentMib)
    figures.add(TITLES.readyPeak, 'MiB', id, listing.peakMib)
    const times = await freshServices(plane, subject, `fresh-${id}-${round}`, wanted.freshServices)
    const sorted = times.toSorted((a, b) => a - b)
    figures.add(TITLES.freshP50, 'ms', id, percentile(sorted, 0.5))
    figures.add(TITLES.freshP99, 'ms', id, percentile(sorted, 0.99))
    const outage = await measureOutage(plane, subject, `back-${id}-${round}`)
    figures.add(TITLES.outage, 'MiB', id, outage.peakMib)
    figures.add(TITLES.outageSampled, 'MiB', id, outage.sampledMib)
  } finally {
    await scope.end()
  }
}

/** One server in a small cluster on the fake API server, under a limit of processor time; nothing where none can be set. */
async function underLimit(inner: Inner, bench: Bench, id: SubjectId, figures: FigureTable): Promise<void> {
  const limit = limitCpu(LIMIT_CORES)
  if (!limit) return inner.say('  no limit of processor time can be set here: not measured')
  const scope = new Scope()
  scope.add('limit', limit.remove, limit.remove)
  try {
    const { listing } = await measureListing(scope, id, bench, inner.cores.server, limit.words)
    figures.add(TITLES.smallStart, 's', id, listing.seconds)
    figures.add(TITLES.smallStartCpu, 's', id, listing.cpuSeconds)
    figures.add(TITLES.smallReady, 'MiB', id, listing.residentMib)
  } finally {
    await scope.end()
  }
}

/** One server on the fake API server. */
async function onFakeServer(
  inner: Inner,
  bench: Bench & { readonly world: FakeWorld },
  id: SubjectId,
  folder: string,
  wanted: Wanted,
  figures: FigureTable,
): Promise<void> {
  const scope = new Scope()
  try {
    const subject = await start(scope, id, bench, { cores: inner.cores.server })
    const options = { seconds: wanted.churnSeconds, folder }
    const { calm, churned, changesPerSecond } = await measureChurn(bench.world, subject, inner.cores, options)
    inner.say(`  ${id}: ${Math.round(changesPerSecond)} changes a second`)
    figures.add(TITLES.calmP99, 'ms', id, calm.latencies?.p99 ?? Number.NaN)
    figures.add(TITLES.churnP99, 'ms', id, churned.latencies?.p99 ?? Number.NaN)
    figures.add(TITLES.churnLost, 'answers', id, churned.lost)
  } finally {
    await scope.end()
  }
}

async function bench(inner: Inner, wanted: Wanted): Promise<number> {
  const { scope, tools, bind, say } = inner
  if (!tools.controlPlane) throw new ToolsError('a real API server is needed, and cannot be built without Go')
  const folder = scope.folder('bench')
  const bundles = await buildBundles(folder)
  const subjects: readonly SubjectId[] = tools.coredns ? ['seamark', 'coredns'] : ['seamark']
  const figures = new FigureTable()
  const common = { bundles, bind, knotd: undefined }
  const real = await startRealWorld(scope, FULL_SIZE, inner)
  for (let round = 0; round < wanted.rounds; round++) {
    say(`round ${round + 1} of ${wanted.rounds} on the real API server`)
    for (const id of subjects)
      await onRealServer(inner, { ...common, world: real }, id, round, wanted, figures)
    const { check, anew } = await measureCheck(real.plane)
    figures.add(TITLES.checkOctets, 'MB', 'seamark', check.octets / 1e6)
    figures.add(TITLES.checkServer, 'ms', 'seamark', check.serverMs)
    figures.add(TITLES.checkOwn, 'ms', 'seamark', check.ownMs)
    figures.add(TITLES.anewOctets, 'MB', 'seamark', anew.octets / 1e6)
    figures.add(TITLES.anewServer, 'ms', 'seamark', anew.serverMs)
    figures.add(TITLES.anewOwn, 'ms', 'seamark', anew.ownMs)
  }
  const small = await startFakeWorld(scope, SMALL_SIZE)
  for (let round = 0; round < wanted.rounds; round++) {
    say(`round ${round + 1} of ${wanted.rounds} under ${LIMIT_CORES * 1000}m CPU`)
    for (const id of subjects) await underLimit(inner, { ...common, world: small }, id, figures)
  }
  const fake = await startFakeWorld(scope, FULL_SIZE)
  for (let round = 0; round < wanted.rounds; round++) {
    say(`round ${round + 1} of ${wanted.rounds} while slices change`)
    for (const id of subjects)
      await onFakeServer(inner, { ...common, world: fake }, id, folder, wanted, figures)
  }
  const results = figures.results(goalOf)
  for (const result of results) say(resultLine(result))
  const text = [
    '# How a server follows its cluster',
    '',
    ...machineLines(),
    `10,000 Services, 100,000 endpoints. ${wanted.rounds} rounds, medians. One serving thread on a core of its own; the API`,
    `server shares the others with the load. New Services: ${wanted.freshServices} a round. Changes: ${CHANGES_PER_SECOND} EndpointSlices a second on`,
    `the fake API server, ${STEADY_RATE} queries/s, ${wanted.churnSeconds} s.`,
    '',
    reportTable(results, subjects, ['coredns']),
    '',
  ].join('\n')
  say(`\n${text}`)
  if (!wanted.quick) {
    writeFileSync(RESULTS, text)
    say(`written to ${RESULTS}`)
  }
  return results.some(({ met }) => met === false) ? 1 : 0
}

await runBench(readArguments, bench)
