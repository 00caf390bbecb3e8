// L9 and L10: what a server needs that does nothing, what it needs in a large cluster with full caches, and how soon it is ready in
// a very large one, CoreDNS beside it.

import { setTimeout as delay } from 'node:timers/promises'
import { Scope } from '../../e2e/processes.ts'
import { residentMib } from '../../support/process-stat.ts'
import type { ClusterSize } from '../common/cluster.ts'
import { dnsperf } from '../common/dnsperf.ts'
import { distinctExternals, writeQueries } from '../common/queries.ts'
import { type SubjectId, start } from '../common/servers.ts'
import { median } from '../common/statistics.ts'
import { measureListing } from '../watch/listing.ts'
import type { LoadContext, LoadRow } from './context.ts'
import { BOUNDS, promised } from './goals.ts'
import { startLoadWorld } from './loaded-cluster.ts'

const IDLE: ClusterSize = { services: 10, endpoints: 2, wide: [] }
const LARGE: ClusterSize = { services: 5000, endpoints: 10, wide: [] }
const VERY_LARGE: ClusterSize = { services: 10_000, endpoints: 10, wide: [] }
/** Twice what the caches hold. */
const FILLING_NAMES = 40_000
const SETTLE_MS = 2000
const CLIENTS = 64
const OUTSTANDING = 100

/** Resident memory of a server with one serving thread in a cluster of that size. */
async function footprint(context: LoadContext, size: ClusterSize, fill: boolean): Promise<number> {
  const { bench, cores, folder } = context
  const scope = new Scope()
  try {
    const world = await startLoadWorld(scope, size)
    const { port, program } = await start(scope, 'seamark', { ...bench, world }, { cores: cores.server })
    await delay(SETTLE_MS)
    if (fill) {
      const file = writeQueries(folder, 'filling', distinctExternals(0, FILLING_NAMES))
      await dnsperf({ port, file, core: cores.load, runs: 1, clients: CLIENTS, outstanding: OUTSTANDING })
    }
    return residentMib(program.pid)
  } finally {
    await scope.end()
  }
}

export const footprintRow: LoadRow = {
  title: 'L9 footprint',
  async run(context) {
    return [
      promised({
        title: 'L9 resident memory, idle, one serving thread',
        unit: 'MiB',
        values: { seamark: await footprint(context, IDLE, false) },
        most: BOUNDS.idleMib,
      }),
      promised({
        title: 'L9 resident memory, 5,000 Services, 50,000 endpoints, caches full',
        unit: 'MiB',
        values: { seamark: await footprint(context, LARGE, true) },
        most: BOUNDS.fullMib,
      }),
    ]
  },
}

export const startRow: LoadRow = {
  title: 'L10 start',
  async run(context) {
    const { bench, cores, effort } = context
    const times = new Map<SubjectId, number[]>()
    const worldScope = new Scope()
    try {
      const world = await startLoadWorld(worldScope, VERY_LARGE)
      for (let round = 0; round < Math.min(3, effort.rounds); round++) {
        for (const id of context.available(['seamark', 'coredns'])) {
          const scope = new Scope()
          try {
            const { listing } = await measureListing(scope, id, { ...bench, world }, cores.server)
            times.set(id, [...(times.get(id) ?? []), listing.seconds])
          } finally {
            await scope.end()
          }
        }
      }
    } finally {
      await worldScope.end()
    }
    const coredns = times.get('coredns')
    const bound = Math.min(
      BOUNDS.startSeconds,
      BOUNDS.startOfCoredns * median(coredns ?? [Number.POSITIVE_INFINITY]),
    )
    return [
      promised({
        title: 'L10 start to first complete answer, 10,000 Services, 100,000 endpoints',
        unit: 's',
        values: { seamark: times.get('seamark') ?? [] },
        most: bound,
        because: `${BOUNDS.startSeconds}, and ${BOUNDS.startOfCoredns} × CoreDNS`,
        ...(coredns && { notes: [`CoreDNS: ${median(coredns).toFixed(1)}`] }),
      }),
    ]
  },
}
