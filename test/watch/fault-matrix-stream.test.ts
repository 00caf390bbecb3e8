// Rows 12 to 17 of the fault matrix: what may come over a connection, and in which pieces.

import t from 'tap'
import type { SlimService } from '../../src/objects/objects.ts'
import { statusOf } from '../support/fake-api-wire.ts'
import { FakeCluster } from '../support/fake-cluster.ts'
import { namespace, service, slice } from '../support/fake-objects.ts'
import { framed } from '../support/protobuf.ts'
import { row } from './fault-rows.ts'
import { World } from './watched-api.ts'

const external = (name: string, target: string) =>
  service('default', name, {
    type: 'ExternalName',
    externalName: target,
    clusterIP: undefined,
    clusterIPs: undefined,
  })

t.test(row(12), async t => {
  const world = await World.make(t)
  world.cluster.apply('services', service('default', 'whole'))
  await world.until('whole', () => world.converged())
  for (const watch of world.server.watches('services')) watch.cut = true
  world.sink.calls.length = 0
  world.cluster.apply('services', service('default', 'cut'))
  world.cluster.apply('services', service('default', 'later'))
  await world.within(35_000, 'converged', () => world.converged())
  t.same(
    world.sink.calls,
    ['upsert Service default/cut', 'upsert Service default/later'],
    'each once, in order',
  )
  t.match(world.status('services'), { relists: 1, skipped: 0, restartsByCause: { network: 1 } })
})

for (const [title, text] of [
  ['not JSON', 'this is no JSON\n'],
  ['half an object', '{"type":"ADDED","object":{"kind":"Serv\n'],
  ['no event', '[1,2,3]\n'],
  ['an unknown type', '{"type":"RENAMED","object":{}}\n'],
  [
    'another kind',
    '{"type":"ADDED","object":{"kind":"Secret","metadata":{"name":"x","namespace":"default"}}}\n',
  ],
  ['ERROR without a Status', '{"type":"ERROR","object":null}\n'],
  ['a frame of other octets', Uint8Array.of(0, 0, 0, 3, 1, 2, 3)],
  ['a frame without an object', Uint8Array.of(0, 0, 0, 7, 10, 5, ...Buffer.from('ADDED'))],
  ['a frame of another kind', framed('ADDED', 'Secret', Buffer.alloc(0))],
  ['a frame of an unknown type', framed('RENAMED', 'Service', Buffer.alloc(0))],
  ['a frame of 4 GiB', Uint8Array.of(255, 255, 255, 255)],
] as const) {
  t.test(row(13, title), async t => {
    const world = await World.make(t, { json: !title.startsWith('a frame') })
    const before = world.sink.state('Service')
    for (const watch of world.server.watches('services')) watch.send(text)
    await world.until('dropped', () => world.status('services').restartsByCause.protocol === 1)
    t.same(world.sink.state('Service'), before)
    world.cluster.apply('services', service('default', 'new'))
    await world.within(35_000, 'converged', () => world.converged())
    t.equal(world.status('services').relists, 2, 'and the state was read anew')
  })
}

t.test(row(13, 'a line of 32 MiB'), async t => {
  const world = await World.make(t, { json: true })
  const [watch] = world.server.watches('services')
  const piece = 'x'.repeat(1024 * 1024)
  watch!.send('{"type":"ADDED","object":"')
  let pieces = 0
  for (; pieces < 32 && world.status('services').restartsByCause.protocol === undefined; pieces++) {
    watch!.send(piece)
    await world.until('written', () => watch!.written || world.server.watches().length < 3)
  }
  t.ok(pieces >= 8 && pieces < 24, `the connection was dropped after ${pieces} MiB`)
  t.match(world.status('services').lastError, /a line of more than 8388608 octets/)
  await world.within(35_000, 'read anew', () => world.status('services').relists === 2)
  t.ok(world.converged())
})

for (const watchList of [true, false]) {
  t.test(row(14, `chunks of one octet, ${watchList ? 'streamed' : 'paged'}`), async t => {
    const world = await World.make(t, { watchList })
    world.server.chunking = 'octet'
    world.cluster.apply('services', external('unicode', 'bücher-カタカナ-🦭.example'))
    world.cluster.apply('services', service('default', 'two'))
    world.cluster.delete('services', 'web', 'default')
    await world.until('converged', () => world.converged())
    const target: Partial<SlimService> | undefined = world.sink.of('Service').get('default/unicode')
    t.equal(target?.externalName, 'bücher-カタカナ-🦭.example', 'characters that were cut are whole')
  })
}

t.test(row(14, 'a thousand events in one chunk'), async t => {
  const world = await World.make(t)
  world.server.chunking = 'batch'
  world.server.pause()
  for (let n = 0; n < 1000; n++) world.cluster.apply('services', external(`s-${n}`, `ü${n}.example`))
  world.server.resume()
  await world.until('converged', () => world.converged())
  t.equal(world.sink.of('Service').size, 1001)
})

t.test(row(15), async t => {
  const world = await World.make(t)
  world.sink.calls.length = 0
  world.cluster.touch()
  world.server.bookmark()
  await world.pass(1000)
  world.cluster.compact()
  for (const watch of world.server.watches()) watch.kill()
  await world.within(5000, 'resumed', () => world.server.watches().length === 3)
  t.same(world.sink.calls, [], 'the sink heard nothing')
  t.match(
    world.status('services'),
    { relists: 1, restartsByCause: { network: 1 } },
    'and the new version was in use',
  )
})

for (const [title, spell, once] of [
  ['no numbers', (version: number) => `v/${version.toString(36)}=`, true],
  ['backwards all the time', (version: number) => String(1_000_000 - version), false],
  ['repeating', (version: number) => String(Math.floor(version / 4) * 4), true],
] as const) {
  t.test(row(16, title), async t => {
    const cluster = new FakeCluster()
    cluster.spell = spell
    cluster.apply('namespaces', namespace('default'))
    const world = await World.make(t, { cluster })
    for (let n = 0; n < 30; n++) {
      world.cluster.apply('services', service('default', `s-${n % 7}`, { clusterIPs: [`10.96.1.${n}`] }))
      if (n % 5 === 0) world.cluster.delete('services', `s-${(n + 3) % 7}`, 'default')
      if (n % 10 === 3) for (const watch of world.server.watches('services')) watch.kill()
      await world.within(10_000, 'converged', () => world.converged())
    }
    const { relists, objects } = world.status('services')
    t.equal(objects, world.cluster.list('services').length)
    t.ok(once ? relists === 1 : relists > 1, `listed ${relists} times`)
  })
}

/** 1,200 Services to be listed in pages of 100. */
function large(): FakeCluster {
  const cluster = new FakeCluster()
  cluster.apply('namespaces', namespace('default'))
  for (let n = 0; n < 1200; n++) cluster.apply('services', service('default', `s-${n}`))
  cluster.apply('endpointslices', slice('default', 's-1', 's-1', ['10.0.0.1']))
  return cluster
}

for (const times of [0, 1, 2]) {
  t.test(row(17, `${times} times`), async t => {
    const world = await World.make(t, { cluster: large(), watchList: false, timing: { pageSize: 100 } })
    const pages = world.server.count(one => one.resource === 'services' && !one.watch)
    t.equal(pages, 12)
    await world.until('watched', () => world.server.watches('services').length === 1)
    const body = JSON.stringify(statusOf(410, 'Expired', 'The provided continue parameter is too old'))
    world.server.answer({ status: 410, body, times, when: one => one.query.has('continue') })
    world.sink.calls.length = 0
    await world.server.kill()
    world.cluster.delete('services', 's-7', 'default')
    world.cluster.compact()
    await world.server.listen()
    await world.within(60_000, 'converged', () => world.converged())
    t.same(world.callsOf('Service'), ['replace Service 1199'], 'no half of a list was published')
    const unpaged = world.server.count(
      one => one.resource === 'services' && !one.watch && !one.query.has('limit'),
    )
    t.equal(unpaged, times === 2 ? 1 : 0, 'the second time the list is one request, which cannot age')
  })
}

for (const [title, refusal] of [
  ['ignores', 'ignore'],
  ['answers 400 to', 400],
  ['answers 403 to', 403],
  ['answers 404 to', 404],
  ['answers 422 to', 422],
] as const) {
  t.test(`an API server that ${title} sendInitialEvents is listed in pages`, async t => {
    const world = await World.make(t, { absent: true, cluster: large(), timing: { pageSize: 500 } })
    world.server.watchList = refusal
    await world.server.listen()
    await world.within(10_000, 'synced', () => world.source.synced)
    t.ok(world.converged())
    t.same(world.status('services').restartsByCause['watch-list-refused'], 1)
    t.equal(
      world.server.count(one => one.resource === 'services' && !one.watch),
      3,
      'three pages',
    )
    world.cluster.apply('services', service('default', 'new'))
    await world.within(1000, 'converged', () => world.converged())
  })
}
