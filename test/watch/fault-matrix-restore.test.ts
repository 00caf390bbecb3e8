// Row 37 of the fault matrix: a backup of etcd is restored, and the history that the API server tells is not the one it was.
// What it does then is checked on a real one by test/e2e/restore.e2e.ts.

import t from 'tap'
import { FakeCluster } from '../support/fake-cluster.ts'
import { namespace, service, slice } from '../support/fake-objects.ts'
import { row } from './fault-rows.ts'
import { World, type WorldOptions } from './watched-api.ts'

/** A backup was made at some version, and since then the history went on to 10,000. */
async function backedUp(t: Parameters<typeof World.make>[0], options: WorldOptions = {}) {
  const cluster = new FakeCluster()
  cluster.apply('namespaces', namespace('default'))
  cluster.apply('services', service('default', 'web'))
  cluster.apply('services', service('default', 'deleted-since'))
  cluster.apply('endpointslices', slice('default', 'web-1', 'web', ['10.0.0.1']))
  const backup = cluster.backUp()
  cluster.delete('services', 'deleted-since', 'default')
  cluster.apply('services', service('default', 'new-since'))
  cluster.apply('services', service('default', 'web', { clusterIPs: ['10.96.9.9'] }))
  while (cluster.version < 10_000) cluster.touch()
  const world = await World.make(t, { ...options, cluster })
  await world.pass(60_000)
  return { world, backup }
}

const STREAMED = [true, false] as const

for (const watchList of STREAMED) {
  t.test(row(37, watchList ? 'streamed' : 'paged'), async t => {
    const { world, backup } = await backedUp(t, { watchList })
    world.server.restore(backup)
    const ms = await world.within(2000, 'the backup is served', () => world.converged())
    t.ok(ms <= 2000, `after ${ms} ms`)
    world.cluster.apply('services', service('default', 'after'))
    t.ok((await world.within(1000, 'a change', () => world.converged())) <= 1000, 'and what comes is seen')
    for (const resource of ['namespaces', 'services', 'endpointslices'] as const)
      t.match(world.status(resource), { relists: 2, restartsByCause: { restored: 1 } }, resource)
    t.match(
      world.logs.filter(line => line.includes('services:')),
      [
        /^warning services: cannot watch: /,
        /^info /,
        /is at version 10\d\d, after 10000: its history was restored/,
      ],
    )
    await world.pass(600_000, 5000)
    t.equal(world.status('services').relists, 2, 'once')
  })
}

t.test(row(37, 'the API server away for a minute meanwhile'), async t => {
  const { world, backup } = await backedUp(t)
  await world.server.kill()
  await world.pass(60_000)
  world.cluster.restore(backup)
  await world.server.listen()
  const ms = await world.within(35_000, 'the backup is served', () => world.converged())
  t.ok(ms <= 35_000, `after ${ms} ms, back-off included`)
})

t.test(row(37, 'without a word: no watch is closed'), async t => {
  const { world, backup } = await backedUp(t)
  world.cluster.restore(backup)
  const ms = await world.within(60_000, 'the backup is served', () => world.converged(), 1000)
  t.ok(ms <= 60_000, `after ${ms} ms: watches that end without a bookmark are looked into`)
})

t.test(row(37, 'the new history has passed the old one when it is heard of'), async t => {
  const { world, backup } = await backedUp(t)
  await world.server.kill()
  world.cluster.restore(backup)
  for (let n = 0; n < 20; n++) world.cluster.apply('services', service('default', `other-${n}`))
  while (world.cluster.version < 10_010) world.cluster.touch()
  await world.server.listen()
  const ms = await world.within(65_000, 'the backup is served', () => world.converged(), 1000)
  t.ok(ms <= 65_000, `after ${ms} ms, by the check that follows a lost connection`)
  t.match(world.status('services').restartsByCause, { consistency: 1 })
})

t.test(row(37, 'restored with --bump-revision --mark-compacted, as etcd advises'), async t => {
  const { world, backup } = await backedUp(t)
  world.server.restore({ ...backup, compacted: 1_000_000_000, history: new Map() }, 1_000_000_000)
  const ms = await world.within(2000, 'the backup is served', () => world.converged())
  t.ok(ms <= 2000, `after ${ms} ms`)
  t.match(world.status('services').restartsByCause, { gone: 1 })
})

t.test(row(37, 'versions that are no numbers'), async t => {
  const cluster = new FakeCluster()
  cluster.spell = version => `v${version.toString(36)}`
  cluster.apply('namespaces', namespace('default'))
  cluster.apply('services', service('default', 'web'))
  const backup = cluster.backUp()
  cluster.apply('services', service('default', 'new-since'))
  const world = await World.make(t, { cluster })
  world.server.restore(backup)
  const ms = await world.within(65_000, 'the backup is served', () => world.converged(), 1000)
  t.ok(ms <= 65_000, `after ${ms} ms, by comparing objects`)
})
