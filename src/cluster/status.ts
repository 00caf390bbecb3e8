// How the watches, tables and snapshots stand, published at every scrape.

import type { ResourceStatus } from '../objects/source.ts'
import type { Registry } from '../observe/registry.ts'
import type { WatchedCluster } from './watched-cluster.ts'

/** Publishes the state of all that is watched now. */
export function publishStatus(registry: Registry, all: readonly WatchedCluster[]): void {
  publishWatches(registry, all)
  const each = (name: string, value: (watched: WatchedCluster) => number | undefined): void => {
    const samples = all.map(watched => ({
      labels: { source: watched.config.primaryZone },
      value: value(watched),
    }))
    registry.publish(
      name,
      samples.flatMap(({ labels, value }) => (value === undefined ? [] : [{ labels, value }])),
    )
  }
  each('seamark_table_names', ({ table }) => table.nameCount)
  each('seamark_table_octets', ({ table }) => table.touchedOctets)
  each('seamark_table_retired_blocks', ({ table }) => table.retiredCount)
  each('seamark_capturing_namespaces', ({ capturingNamespaces }) => capturingNamespaces)
  each('seamark_table_stale', ({ table }) => (table.age === 0 ? 0 : 1))
  each('seamark_table_age_seconds', ({ ageSeconds }) => ageSeconds)
  each('seamark_snapshot_saved_timestamp_seconds', ({ snapshot }) =>
    snapshot?.savedAtMs === undefined ? undefined : snapshot.savedAtMs / 1000,
  )
  each('seamark_snapshot_failures_total', ({ snapshot }) => snapshot?.failures)
}

function publishWatches(registry: Registry, all: readonly WatchedCluster[]): void {
  const statuses = all.flatMap(({ source }) => source.status())
  const resources = Map.groupBy(statuses, ({ resource }) => resource)
  // Of how well several clusters do, the worst counts; everything else is added up.
  const each = (
    name: string,
    value: (status: ResourceStatus) => number | undefined,
    worst: (...values: number[]) => number = sum,
  ): void => {
    const samples = [...resources].flatMap(([resource, of]) => {
      const values = of.flatMap(status => value(status) ?? [])
      return values.length === 0 ? [] : [{ labels: { resource }, value: worst(...values) }]
    })
    registry.publish(name, samples)
  }
  each('seamark_watch_synced', status => (status.synced ? 1 : 0), Math.min)
  each('seamark_watch_objects', status => status.objects)
  each('seamark_watch_last_byte_age_seconds', ({ lastByteAgeMs }) => secondsOf(lastByteAgeMs), Math.max)
  each('seamark_watch_age_seconds', ({ ageMs }) => secondsOf(ageMs), Math.max)
  each('seamark_watch_relists_total', status => status.relists)
  each('seamark_watch_skipped_total', status => status.skipped)
  registry.publish(
    'seamark_watch_restarts_total',
    statuses.flatMap(({ resource, restartsByCause }) =>
      Object.entries(restartsByCause).map(([cause, value]) => ({ labels: { resource, cause }, value })),
    ),
  )
}

const sum = (...values: number[]): number => values.reduce((all, value) => all + value, 0)

const secondsOf = (ms: number | undefined): number | undefined => (ms === undefined ? undefined : ms / 1000)
