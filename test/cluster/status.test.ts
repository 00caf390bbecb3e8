// What the metrics say of the watches of several clusters together.

import t from 'tap'
import { publishStatus } from '../../src/cluster/status.ts'
import type { WatchedCluster } from '../../src/cluster/watched-cluster.ts'
import type { ResourceStatus } from '../../src/objects/source.ts'
import { Registry } from '../../src/observe/registry.ts'
import { KUBERNETES } from '../support/slim-cluster.ts'

/** A cluster of which only the status of its Services is asked. */
const cluster = (primaryZone: string, status: Partial<ResourceStatus>): WatchedCluster =>
  ({
    config: { ...KUBERNETES, primaryZone },
    table: { age: 0, nameCount: 0, touchedOctets: 0, retiredCount: 0 },
    source: {
      status: () => [
        { resource: 'services', kind: 'Service', synced: true, stale: false, restartsByCause: {}, ...status },
      ],
    },
  }) as unknown as WatchedCluster

t.test('of several clusters the numbers are added up, and of how well they do the worst counts', async t => {
  const registry = new Registry()
  const good = {
    synced: true,
    objects: 10,
    ageMs: 1000,
    lastByteAgeMs: 500,
    relists: 1,
    restartsByCause: { gone: 1 },
  }
  const bad = {
    synced: false,
    objects: 5,
    ageMs: 90_000,
    lastByteAgeMs: 80_000,
    relists: 2,
    restartsByCause: { gone: 2 },
  }
  const cases: [clusters: object[], published: Record<string, number | undefined>][] = [
    [
      [good],
      {
        synced: 1,
        objects: 10,
        age_seconds: 1,
        last_byte_age_seconds: 0.5,
        relists_total: 1,
        restarts_total: 1,
      },
    ],
    [
      [good, bad],
      {
        synced: 0,
        objects: 15,
        age_seconds: 90,
        last_byte_age_seconds: 80,
        relists_total: 3,
        restarts_total: 3,
      },
    ],
    [
      [{ ...good, ageMs: undefined, lastByteAgeMs: undefined }],
      { age_seconds: undefined, last_byte_age_seconds: undefined },
    ],
  ]
  for (const [clusters, published] of cases) {
    publishStatus(
      registry,
      clusters.map((status, i) => cluster(`zone-${i}.`, status)),
    )
    const gathered = registry.gather()
    for (const [name, value] of Object.entries(published)) {
      const found = gathered.find(({ family }) => family.name === `seamark_watch_${name}`)
      t.same(found?.samples[0]?.numbers[0], value, `${name} of ${clusters.length}`)
    }
  }
})
