// L4: an upstream that hears everything and says nothing. A thousand queries that wait for it must not be felt by those for
// names of the cluster. Knot is asked at the same time, on the core that Seamark has the waiting ones on: by how much its answers
// are later then is the generators' and the core's share.

import { setTimeout as delay } from 'node:timers/promises'
import { Scope } from '../../e2e/processes.ts'
import { dnsperf } from '../common/dnsperf.ts'
import { writeQueries } from '../common/queries.ts'
import { metric, type SubjectId, start } from '../common/servers.ts'
import { startUpstream } from '../common/upstream.ts'
import { CLIENTS, type LoadContext, type LoadRow } from './context.ts'
import { BOUNDS, promised } from './goals.ts'

const IN_FLIGHT = 1000
/** As many as are given up in a second, after two each. */
const FORWARDS_PER_SECOND = 500
const FORWARDED_NAMES = 100_000
const CLUSTER_RATE = 5000
const SECONDS_MAX = 4
/** Until that many wait. */
const FILL_SECONDS = 3
/** Loads are ended. */
const FOREVER_SECONDS = 600
/** A forwarder gives up before; so long it may take until none waits. */
const TIMEOUT_SECONDS = 6

/** p99 in ms, one a round, without and with forwards that wait. */
interface Latency {
  readonly id: SubjectId
  readonly idle: number[]
  readonly beside: number[]
}

/** Latencies of the cluster's names in turn with and without forwards that wait, round after round. */
async function measure(context: LoadContext, scope: Scope) {
  const { bench, cores, effort, folder } = context
  const upstreamPort = await startUpstream(scope, true)
  const own = await start(scope, 'seamark', bench, { cores: cores.server, upstreamPort })
  const [knotId] = context.available(['knot'])
  const asked = [own, ...(knotId ? [await context.subject(knotId)] : [])]
  const names = Array.from({ length: FORWARDED_NAMES }, (_, n) => `dead-${n}.example.org A`)
  const file = writeQueries(folder, 'dead', names)
  const seconds = Math.max(1, Math.min(SECONDS_MAX, effort.seconds))
  const latencies: Latency[] = asked.map(({ id }) => ({ id, idle: [], beside: [] }))
  const waiting: number[] = []
  let lost = 0
  const askAll = async (which: 'idle' | 'beside'): Promise<void> => {
    for (const [at, subject] of asked.entries()) {
      const result = await context.timed(subject, { rate: CLUSTER_RATE, seconds })
      latencies[at]![which].push(result.latencies?.p99 ?? Number.NaN)
      if (subject === own) lost += result.lost
    }
  }
  await context.timed(own, { rate: CLUSTER_RATE, seconds })
  for (let round = 0; round < effort.rounds; round++) {
    await askAll('idle')
    const enough = new AbortController()
    const forwards = dnsperf({
      port: own.port,
      file,
      core: cores.load,
      rate: FORWARDS_PER_SECOND,
      outstanding: IN_FLIGHT,
      timeoutSeconds: TIMEOUT_SECONDS,
      seconds: FOREVER_SECONDS,
      clients: CLIENTS,
      signal: enough.signal,
    })
    await delay(FILL_SECONDS * 1000)
    await askAll('beside')
    enough.abort()
    const { sent, completed } = await forwards
    waiting.push(sent - completed)
    await delay(TIMEOUT_SECONDS * 1000)
  }
  const refused = await metric(own, 'coredns_forward_max_concurrent_rejects_total')
  return { latencies, waiting, refused, lost, seconds }
}

export const isolationRow: LoadRow = {
  title: 'L4 isolation from a dead upstream',
  async run(context) {
    const scope = new Scope()
    try {
      const { latencies, waiting, refused, lost, seconds } = await measure(context, scope)
      const values = (of: (latency: Latency) => number[]) =>
        Object.fromEntries(latencies.map(each => [each.id, of(each)]))
      const at = `p99 of the cluster's names at ${CLUSTER_RATE.toLocaleString('en')}/s (${seconds} s)`
      return [
        promised({ title: `L4 ${at}, idle forwarder`, unit: 'ms', values: values(({ idle }) => idle) }),
        promised({
          title: `L4 ${at}, ${IN_FLIGHT.toLocaleString('en')} queries wait for a dead upstream`,
          unit: 'ms',
          values: values(({ beside }) => beside),
        }),
        promised({
          title: 'L4 one against the other',
          unit: '×',
          values: values(({ idle, beside }) => beside.map((each, round) => each / idle[round]!)),
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
