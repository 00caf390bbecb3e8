// Rows 1 to 11 of the fault matrix: the API server away, silent, stale or unwilling. In all of them the sink keeps the
// last good state, and equals the server's soon after it is well again.

import t from 'tap'
import { service } from '../support/fake-objects.ts'
import { row } from './fault-rows.ts'
import { World } from './watched-api.ts'

const addService = (world: World, name = 'new'): void =>
  world.cluster.apply('services', service('default', name))
const killWatches = (world: World): void => {
  for (const watch of world.server.watches()) watch.kill()
}

for (const minutes of [0.2, 10]) {
  t.test(row(1, `${minutes} min`), async t => {
    const world = await World.make(t, { absent: true })
    await world.within(5000, 'a first failure of each', () =>
      world.source.waitingFor().every(one => one.includes('127')),
    )
    await world.pass(minutes * 60_000)
    t.equal(world.source.synced, false)
    t.same(world.sink.calls, [], 'nothing is published, an empty state least of all')
    t.match(world.source.waitingFor(), [
      /^waiting for namespaces: cannot watch: connecting to 127\.0\.0\.1:\d+: .*ECONNREFUSED/,
      /^waiting for services: /,
      /^waiting for endpointslices: /,
    ])
    t.equal(world.logs.length, 3, 'one line for each resource, however long it lasts')
    await world.server.listen()
    const ms = await world.within(2000, 'synced', () => world.source.synced)
    t.ok(ms <= 2000, `synced ${ms} ms after the API appeared`)
    t.same(world.source.waitingFor(), [])
    t.ok(world.converged())
  })
}

t.test(row(2), async t => {
  const world = await World.make(t)
  const calls = [...world.sink.calls]
  await world.server.kill()
  await world.pass(600_000)
  t.same(world.sink.calls, calls, 'the state stays as it is')
  t.equal(world.source.synced, true, 'and stays synced')
  t.match(world.status('services').lastError, /ECONNREFUSED/)
  addService(world)
  await world.server.listen()
  const ms = await world.within(35_000, 'converged', () => world.converged())
  t.ok(ms <= 35_000, `reconnected ${ms} ms after the return`)
  t.equal(world.status('services').relists, 1, 'resumed from the last version, without a relist')
  t.match(world.status('services').restartsByCause, { network: Number })
  await world.within(35_000, 'all reconnected', () =>
    world.source.status().every(one => one.lastError === undefined),
  )
  const services = world.logs.filter(line => line.includes('services:'))
  t.match(
    services,
    [/^warning services: /, /^info services: reading again after 6\d\d s$/],
    'one line for each change',
  )
  t.ok(
    world.source.status().every(one => (one.restartsByCause.network ?? 0) < 80),
    'about one attempt in 15 s, not a storm',
  )
})

t.test(row(3), async t => {
  const world = await World.make(t)
  const calls = [...world.sink.calls]
  await world.pass(30_000)
  world.server.pause()
  addService(world)
  const ms = await world.within(120_000, 'noticed', () => world.status('services').lastError !== undefined)
  t.ok(ms <= 80_000, `noticed after ${ms} ms`)
  await world.pass(300_000)
  t.same(world.sink.calls, calls)
  t.match(world.status('services').restartsByCause, { timeout: Number }, 'attempts go on, each timed out')
  t.ok((world.status('services').lastByteAgeMs ?? 0) > 300_000, 'and the age of the last octet tells')
  world.server.resume()
  await world.within(35_000, 'converged', () => world.converged())
})

t.test(row(4), async t => {
  const world = await World.make(t)
  world.server.mute()
  addService(world)
  const ms = await world.within(60_000, 'converged', () => world.converged())
  t.ok(ms <= 60_000, `the change became visible after ${ms} ms`)
  t.equal(world.status('services').relists, 1)
})

for (const seconds of [0, 10, 20, 30, 40]) {
  t.test(row(4, `${seconds} s after a watch was begun anew`), async t => {
    const world = await World.make(t)
    await world.pass(60_000)
    await world.pass(seconds * 1000)
    world.server.mute()
    addService(world)
    const ms = await world.within(60_000, 'converged', () => world.converged())
    t.ok(ms <= 60_000, `the change became visible after ${ms} ms`)
  })
}

t.test('a quiet cluster with bookmarks is not silence', async t => {
  const world = await World.make(t)
  await world.pass(240_000)
  t.same(world.status('services').restartsByCause, {})
})

const LOST: readonly (readonly [what: string, change: (world: World) => void])[] = [
  ['a new object', addService],
  [
    'a change',
    world => world.cluster.apply('services', service('default', 'web', { clusterIPs: ['10.9.9.9'] })),
  ],
  ['a deletion', world => world.cluster.delete('services', 'web', 'default')],
]

for (const [what, change] of LOST) {
  for (const watchList of [true, false]) {
    t.test(row(5, `${what}, ${watchList ? 'streamed' : 'paged'}`), async t => {
      const world = await World.make(t, { watchList })
      for (const watch of world.server.watches('services')) watch.lose = 1
      change(world)
      // With it the watch is beyond the event: one that goes on from there does not tell it again.
      world.server.bookmark()
      const ms = await world.within(120_000, 'repaired', () => world.converged(), 1000)
      t.ok(ms <= 120_000, `repaired after ${ms} ms`)
      t.equal(world.status('services').restartsByCause.consistency, 1)
      t.equal(world.logs.filter(line => line.includes('the watch has lost an event')).length, 1)
    })
  }
}

t.test(row(5, 'by a server that lists no metadata alone'), async t => {
  const world = await World.make(t, { json: true })
  world.server.metadata = false
  for (const watch of world.server.watches('services')) watch.lose = 1
  addService(world)
  world.server.bookmark()
  await world.within(120_000, 'repaired', () => world.converged(), 1000)
})

t.test('a cluster that changes all the time is consistent for an hour', async t => {
  const world = await World.make(t)
  for (let n = 0; n < 3600; n++) {
    world.cluster.apply('services', service('default', `s-${n % 50}`, { clusterIPs: [`10.96.1.${n % 250}`] }))
    if (n % 7 === 0) world.cluster.delete('services', `s-${(n * 3) % 50}`, 'default')
    await world.pass(1000)
  }
  t.match(world.status('services'), { relists: 1, restartsByCause: {} })
  t.ok(world.converged())
})

for (const [number, goneAs] of [
  [6, 'status'],
  [7, 'event'],
] as const) {
  for (const watchList of [true, false]) {
    t.test(row(number, watchList ? 'streamed' : 'paged'), async t => {
      const world = await World.make(t, { watchList })
      world.server.goneAs = goneAs
      addService(world, 'kept')
      await world.until('seen', () => world.converged())
      world.sink.calls.length = 0
      await world.server.kill()
      addService(world)
      world.cluster.delete('services', 'web', 'default')
      world.cluster.compact()
      await world.server.listen()
      await world.within(35_000, 'converged', () => world.converged())
      t.same(world.callsOf('Service'), ['replace Service 2'], 'one step from the old state to the new')
      t.match(world.status('services'), { relists: 2, restartsByCause: { gone: 1 } })
    })
  }
}

t.test(row(8), async t => {
  const world = await World.make(t)
  world.server.endsResumedWatches = true
  await world.pass(2000)
  for (const watch of world.server.watches('services')) {
    watch.lose = 1
    watch.end()
  }
  addService(world)
  await world.within(10_000, 'converged', () => world.converged())
  t.equal(world.status('services').restartsByCause.stale, 1)
  const resumed = world.server.count(
    ({ resource, query }) => resource === 'services' && query.has('resourceVersion'),
  )
  t.equal(resumed, 3, 'the version was dropped after three closes')
})

for (const compacted of [false, true]) {
  t.test(row(9, compacted ? 'found by a relist' : 'told by the watch'), async t => {
    const world = await World.make(t)
    await world.server.kill()
    await world.pass(20_000)
    world.cluster.delete('services', 'web', 'default')
    if (compacted) world.cluster.compact()
    await world.server.listen()
    await world.within(35_000, 'reconnected', () => world.server.watches('services').length > 0)
    const ms = await world.within(1000, 'gone', () => world.converged())
    t.ok(ms <= 1000, `gone ${ms} ms after the connection`)
    t.same(world.sink.keys('Service'), [])
  })
}

t.test(row(10), async t => {
  const world = await World.make(t)
  const from = world.server.requests.length
  world.server.answer({
    status: 429,
    headers: { 'retry-after': '7' },
    body: 'Too many requests, please try again later.',
  })
  killWatches(world)
  await world.pass(120_000, 250)
  const times = world.server.requests.slice(from).filter(one => one.resource === 'services')
  const gaps = times.slice(1).map((one, i) => one.atMs - times[i]!.atMs)
  t.ok(times.length > 10 && times.length <= 18, `${times.length} requests in two minutes`)
  t.ok(
    gaps.every(ms => ms >= 7000),
    'never more than one in the advertised period',
  )
  t.match(world.status('services').lastError, /429/)
  world.server.heal()
  addService(world)
  await world.within(10_000, 'converged', () => world.converged())
})

for (const status of [500, 502, 503, 504]) {
  t.test(row(11, String(status)), async t => {
    const world = await World.make(t)
    const calls = [...world.sink.calls]
    world.server.answer({
      status,
      headers: { 'content-type': 'text/html' },
      body: '<html>\n<head><title>sorry</title></head>\n<body><h1>Bad Gateway</h1></body></html>\n',
    })
    killWatches(world)
    await world.pass(300_000)
    t.same(world.sink.calls, calls)
    t.match(
      world.status('services').lastError,
      new RegExp(`cannot (list|watch): ${status} sorry Bad Gateway`),
    )
    const requests = world.server.count(one => one.resource === 'services' && one.status === status)
    t.ok(requests > 8 && requests < 60, `${requests} attempts in five minutes`)
    world.server.heal()
    addService(world)
    await world.within(35_000, 'converged', () => world.converged())
    const lines = world.logs.filter(
      line => /(?:warning|info) services:/.test(line) && !line.includes('network'),
    )
    t.ok(lines.length <= 4, `${lines.length} lines in the log for five minutes of failures`)
  })
}
