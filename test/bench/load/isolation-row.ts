// L4: an upstream that hears everything and says nothing. A thousand queries that wait for it must not be felt by those for
// names of the cluster.

import { Scope } from '../../e2e/processes.ts'
import { dnsperf, type LoadResult } from '../common/dnsperf.ts'
import { writeQueries } from '../common/queries.ts'
import { metric, start } from '../common/servers.ts'
import { startUpstream } from '../common/upstream.ts'
import type { LoadContext, LoadRow } from './context.ts'
import { BOUNDS, promised } from './goals.ts'

const IN_FLIGHT = 1000
/** A few more than are given up in a second, after 4.8 s each: there are always as many as may be, and few are refused. */
const FORWARDS_PER_SECOND = 250
const FORWARDED_NAMES = 100_000
const CLUSTER_RATE = 5000
const SECONDS_MAX = 6
/** Until that many wait. */
const FILL_SECONDS = 4
/** A forwarder gives up before. */
const TIMEOUT_SECONDS = 10

/** Latencies of the cluster's names in turn with and without forwards that wait, round after round. */
async function measure(context: LoadContext, scope: Scope) {
  const { bench, cores, effort, folder } = context
  const upstreamPort = await startUpstream(scope, true)
  const subject = await start(scope, 'seamark', bench, { cores: cores.server, upstreamPort })
  const names = Array.from({ length: FORWARDED_NAMES }, (_, n) => `dead-${n}.example.org A`)
  const file = writeQueries(folder, 'dead', names)
  const seconds = Math.max(1, Math.min(SECONDS_MAX, effort.seconds))
  const idle: LoadResult[] = []
  const beside: LoadResult[] = []
  const waiting: number[] = []
  const cluster = (): Promise<LoadResult> => context.timed(subject, { rate: CLUSTER_RATE, seconds })
  await cluster()
  for (let round = 0; round < effort.rounds; round++) {
    idle.push(await cluster())
    const enough = new AbortController()
    const forwards = dnsperf({
      port: subject.port,
      file,
      core: cores.load,
      rate: FORWARDS_PER_SECOND,
      outstanding: IN_FLIGHT,
      timeoutSeconds: TIMEOUT_SECONDS,
      seconds: FILL_SECONDS + seconds + TIMEOUT_SECONDS,
      clients: 20,
      signal: enough.signal,
    })
    await new Promise(resolve => setTimeout(resolve, FILL_SECONDS * 1000))
    beside.push(await cluster())
    enough.abort()
    const { sent, completed } = await forwards
    waiting.push(sent - completed)
  }
  const refused = await metric(subject, 'coredns_forward_max_concurrent_rejects_total')
  return { idle, beside, waiting, refused, seconds }
}

export const isolationRow: LoadRow = {
  title: 'L4 isolation from a dead upstream',
  async run(context) {
    const scope = new Scope()
    try {
      const { idle, beside, waiting, refused, seconds } = await measure(context, scope)
      const p99 = (results: readonly LoadResult[]): number[] =>
        results.map(({ latencies }) => latencies?.p99 ?? Number.NaN)
      const [calm, loaded] = [p99(idle), p99(beside)]
      const lost = beside.reduce((sum, each) => sum + each.lost, 0)
      const at = `p99 of the cluster's names at ${CLUSTER_RATE.toLocaleString('en')}/s (${seconds} s)`
      return [
        promised({ title: `L4 ${at}, idle forwarder`, unit: 'ms', values: { seamark: calm } }),
        promised({
          title: `L4 ${at}, ${IN_FLIGHT.toLocaleString('en')} queries wait for a dead upstream`,
          unit: 'ms',
          values: { seamark: loaded },
        }),
        promised({
          title: 'L4 one against the other',
          unit: '×',
          values: { seamark: loaded.map((each, round) => each / calm[round]!) },
          most: BOUNDS.isolation,
          notes: [
            `waited at the end: ${waiting.join(', ')}; refused: ${refused}`,
            ...(lost > 0 ? [`lost: ${lost}`] : []),
          ],
        }),
      ]
    } finally {
      await scope.end()
    }
  },
}
