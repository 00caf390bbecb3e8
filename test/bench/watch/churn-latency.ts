// What clients notice of a cluster that changes all the time: latencies at a steady rate while nothing changes, and while
// 1,000 EndpointSlices a second do.

import { Churn } from '../common/churn.ts'
import type { FakeWorld } from '../common/cluster-source.ts'
import type { Cores } from '../common/cores.ts'
import { dnsperf, type LoadResult } from '../common/dnsperf.ts'
import { clusterIps, headlessAddresses, shuffled, writeQueries } from '../common/queries.ts'
import type { Subject } from '../common/servers.ts'

/** Queries a second. */
export const STEADY_RATE = 5000
/** EndpointSlices that change a second. */
export const CHANGES_PER_SECOND = 1000

/** Both loads, and the rate of changes that was reached. */
export interface ChurnLatency {
  readonly calm: LoadResult
  readonly churned: LoadResult
  readonly changesPerSecond: number
}

/** Loads the server for so many seconds without and with changes. */
export async function measureChurn(
  world: FakeWorld,
  subject: Subject,
  cores: Cores,
  options: { readonly seconds: number; readonly folder: string },
): Promise<ChurnLatency> {
  const lines = shuffled([...clusterIps(world.services), ...headlessAddresses(world.services)])
  const file = writeQueries(options.folder, 'churn', lines)
  const load = { port: subject.port, file, core: cores.load, rate: STEADY_RATE, latencies: true }
  const calm = await dnsperf({ ...load, seconds: options.seconds })
  const churn = Churn.start(world.api, world.services, CHANGES_PER_SECOND)
  const churned = await dnsperf({ ...load, seconds: options.seconds })
  return { calm, churned, changesPerSecond: churn.stop() }
}
