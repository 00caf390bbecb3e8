// Rows 27 to 31 of the fault matrix: permissions, tokens, certificates, a second server and the wall clock.

import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import t from 'tap'
import { type ApiAccess, endpointAccess, inClusterAccess } from '../../src/watch/access.ts'
import { type Authority, makeAuthority } from '../support/certificates.ts'
import { FakeApiServer } from '../support/fake-api-server.ts'
import { service } from '../support/fake-objects.ts'
import { row } from './fault-rows.ts'
import { World } from './watched-api.ts'

t.test(row(27), async t => {
  const world = await World.make(t, { absent: true })
  world.server.forbid('endpointslices')
  await world.server.listen()
  await world.within(
    5000,
    'services synced',
    () => world.status('services').synced && world.status('namespaces').synced,
  )
  await world.within(5000, 'refused', () => world.status('endpointslices').lastError !== undefined)
  t.equal(world.source.synced, false)
  t.same(
    world.sink.synced,
    new Set(['Namespace', 'Service']),
    'Services are there, slices are known to be unknown',
  )
  t.match(world.source.waitingFor(), [
    'waiting for endpointslices: 403 forbidden: cannot list endpointslices in API group "discovery.k8s.io"; ' +
      'add to the ClusterRole: {apiGroups: ["discovery.k8s.io"], resources: ["endpointslices"], verbs: ["list", "watch"]}',
  ])
  const before = world.server.requests.length
  await world.pass(300_000)
  const attempts = world.server.requests.slice(before).filter(one => one.resource === 'endpointslices').length
  t.ok(attempts >= 10 && attempts <= 130, `${attempts} requests in five minutes`)
  t.equal(world.logs.filter(line => line.includes('403 forbidden')).length, 1, 'said once')
  world.server.forbidden.clear()
  await world.within(36_000, 'synced', () => world.source.synced)
  t.ok(world.converged())
})

t.test(row(27, 'watch allowed, list not: streamed all the same'), async t => {
  const world = await World.make(t, { absent: true })
  world.server.forbid('services', ['list'])
  await world.server.listen()
  await world.within(5000, 'synced', () => world.source.synced)
})

t.test(row(27, 'list allowed, watch not'), async t => {
  const world = await World.make(t, { absent: true })
  world.server.forbid('services', ['watch'])
  await world.server.listen()
  await world.within(5000, 'synced', () => world.source.synced)
  t.ok(world.converged())
  await world.within(5000, 'refused', () => world.status('services').lastError !== undefined)
  t.match(
    world.status('services').lastError,
    /^403 forbidden: cannot watch services in API group ""; add to the ClusterRole: /,
  )
})

t.test(row(27, 'permission withdrawn and restored'), async t => {
  const world = await World.make(t)
  world.server.forbid('services')
  for (const watch of world.server.watches('services')) watch.kill()
  world.cluster.apply('services', service('default', 'new'))
  await world.pass(120_000)
  t.same(world.sink.keys('Service'), ['default/web'], 'the last good state is served')
  t.equal(world.source.synced, true)
  world.server.forbidden.clear()
  await world.within(36_000, 'converged', () => world.converged())
})

t.test('a resource that is not installed is named', async t => {
  const world = await World.make(t, { multicluster: true, absent: true })
  world.server.absent.add('serviceimports')
  await world.server.listen()
  await world.within(
    5000,
    'refused',
    () =>
      world.source.waitingFor().length === 1 && 'not-found' in world.status('serviceimports').restartsByCause,
  )
  t.match(world.source.waitingFor(), [
    'waiting for serviceimports: the API server does not serve /apis/multicluster.x-k8s.io/v1alpha1/serviceimports',
  ])
  world.server.absent.clear()
  await world.within(36_000, 'synced', () => world.source.synced)
})

/** A cluster as a Pod sees it: HTTPS, a token, a CA, all of which may be replaced. */
async function inCluster(t: Parameters<typeof World.make>[0], authority: Authority) {
  const files = new Map([
    ['/sa/token', 'token-1\n'],
    ['/sa/ca.crt', authority.cert],
  ])
  const reads: string[] = []
  const access = (server: FakeApiServer): ApiAccess => {
    server.tokens = new Set(['token-1'])
    const { hostname, port } = new URL(server.url)
    return inClusterAccess(
      { KUBERNETES_SERVICE_HOST: hostname, KUBERNETES_SERVICE_PORT: port },
      '/sa',
      async file => {
        reads.push(file)
        const text = files.get(file)
        if (text === undefined) throw new Error(`ENOENT: no such file or directory, open '${file}'`)
        return text
      },
    )
  }
  const world = await World.make(t, { access, server: { tls: authority.issue('kube-apiserver') } })
  return { world, files, reads }
}

const killWatches = (world: World): void => {
  for (const watch of world.server.watches()) watch.kill()
}

t.test(row(28, 'a rotated token is in use with the next request'), async t => {
  const { world, files } = await inCluster(t, makeAuthority())
  files.set('/sa/token', 'token-2')
  world.server.tokens = new Set(['token-2'])
  killWatches(world)
  world.cluster.apply('services', service('default', 'new'))
  await world.within(5000, 'converged', () => world.converged())
  t.equal(
    world.server.count(one => one.status === 401),
    0,
  )
})

t.test(row(28, 'rotated between reading and asking'), async t => {
  const { world, files } = await inCluster(t, makeAuthority())
  world.server.tokens = new Set(['token-2'])
  const refusedOnce = new Set<string | undefined>()
  world.server.answer({
    status: 401,
    when: ({ resource }) => {
      files.set('/sa/token', 'token-2')
      const first = !refusedOnce.has(resource)
      refusedOnce.add(resource)
      return first
    },
  })
  killWatches(world)
  world.cluster.apply('services', service('default', 'new'))
  await world.within(
    5000,
    'converged and reconnected',
    () => world.converged() && world.server.watches().length === 3,
  )
  t.equal(
    world.server.count(one => one.status === 401),
    3,
    'once for each resource',
  )
  for (const refused of world.server.requests.filter(one => one.status === 401)) {
    const next = world.server.requests.find(
      one => one.resource === refused.resource && one.status === 200 && one.atMs === refused.atMs,
    )
    t.ok(next, `${refused.resource} was asked for again at once`)
  }
  t.notOk('unauthorized' in world.status('services').restartsByCause, 'and nobody noticed')
})

t.test(row(28, 'no valid token for ten minutes'), async t => {
  const { world, files } = await inCluster(t, makeAuthority())
  world.server.tokens = new Set(['token-2'])
  killWatches(world)
  world.cluster.apply('services', service('default', 'new'))
  await world.pass(600_000)
  t.same(world.sink.keys('Service'), ['default/web'])
  t.match(world.status('services').lastError, /401 Unauthorized/)
  files.set('/sa/token', 'token-2')
  await world.within(35_000, 'converged', () => world.converged())
})

t.test(row(28, 'a token file that vanishes for a moment'), async t => {
  const { world, files } = await inCluster(t, makeAuthority())
  files.delete('/sa/token')
  killWatches(world)
  world.cluster.apply('services', service('default', 'new'))
  await world.within(5000, 'converged', () => world.converged())
})

t.test(row(29), async t => {
  const { world, files } = await inCluster(t, makeAuthority('old CA'))
  const next = makeAuthority('new CA')
  world.server.rotate(next.issue('kube-apiserver'))
  world.cluster.apply('services', service('default', 'new'))
  await world.pass(60_000)
  t.same(world.sink.keys('Service'), ['default/web'], 'the last good state is served')
  t.match(world.status('services').lastError, /certificate/)
  t.ok((world.status('services').restartsByCause.tls ?? 0) > 0)
  files.set('/sa/ca.crt', next.cert)
  await world.within(35_000, 'converged', () => world.converged())
})

t.test(row(29, 'two CAs in the file, rotated without a failure'), async t => {
  const { world, files } = await inCluster(t, makeAuthority('old CA'))
  const next = makeAuthority('new CA')
  files.set('/sa/ca.crt', `${files.get('/sa/ca.crt')}${next.cert}`)
  world.server.rotate(next.issue('kube-apiserver'))
  world.cluster.apply('services', service('default', 'new'))
  await world.within(5000, 'converged', () => world.converged())
  t.notOk('tls' in world.status('services').restartsByCause)
})

t.test(row(29, 'client certificate'), async t => {
  const folder = await mkdtemp(join(tmpdir(), 'seamark-test-'))
  t.teardown(() => rm(folder, { recursive: true }))
  const authority = makeAuthority()
  const file = (name: string): string => join(folder, name)
  const write = async (name: string): Promise<void> => {
    const { cert, key } = authority.issue(name)
    await Promise.all([writeFile(file('client.crt'), cert), writeFile(file('client.key'), key)])
  }
  await write('first')
  await writeFile(file('ca.crt'), authority.cert)
  const tls = { certFile: file('client.crt'), keyFile: file('client.key'), caFile: file('ca.crt') }
  const server = { tls: { ...authority.issue('kube-apiserver'), ca: authority.cert, requestCert: true } }
  const world = await World.make(t, {
    server,
    access: one => endpointAccess({ from: 'endpoint', url: one.url, tls }),
  })
  t.same(world.server.clients, new Set(['first']))
  await write('second')
  killWatches(world)
  await world.within(5000, 'reconnected', () => world.server.watches().length === 3)
  t.ok(world.server.clients.has('second'))
})

t.test(row(30), async t => {
  let url = ''
  const world = await World.make(t, {
    access: one => {
      url = one.url
      const first = endpointAccess({ from: 'endpoint', url: one.url })
      return { ...first, credentials: async () => ({ ...(await first.credentials()), server: new URL(url) }) }
    },
  })
  const lagging = await new FakeApiServer({ cluster: world.cluster, clock: world.clock }).listen()
  t.teardown(() => lagging.close())
  lagging.freeze()
  world.cluster.apply('services', service('default', 'new'))
  world.cluster.delete('services', 'web', 'default')
  await world.until('converged', () => world.converged())
  url = lagging.url
  killWatches(world)
  await world.pass(30_000)
  world.cluster.apply('services', service('default', 'newer'))
  for (let s = 0; s < 300; s += 10) {
    await world.pass(10_000)
    if (world.sink.keys('Service').includes('default/web')) t.fail('the past is shown')
  }
  t.same(world.sink.keys('Service'), ['default/new'], 'what it does not know of yet is missing')
  t.notOk(
    'restored' in world.status('services').restartsByCause,
    'to lag behind is not to have another history',
  )
  url = world.server.url
  for (const watch of lagging.watches()) watch.kill()
  await world.within(80_000, 'converged', () => world.converged(), 1000)
})

t.test(row(30, 'the lagging server catches up'), async t => {
  const world = await World.make(t)
  world.server.freeze()
  world.cluster.apply('services', service('default', 'new'))
  killWatches(world)
  await world.pass(10_000)
  world.server.thaw()
  await world.within(1000, 'converged', () => world.converged())
  t.equal(world.status('services').relists, 1)
})

t.test(row(31), async t => {
  const world = await World.make(t)
  const calls = [...world.sink.calls]
  for (const hours of [1, -2, 1]) {
    world.clock.stepWall(hours * 3_600_000)
    await world.pass(30_000)
  }
  t.same(world.sink.calls, calls)
  t.same(world.status('services').restartsByCause, {}, 'no timeout, no relist')
  t.ok((world.status('services').lastByteAgeMs ?? 0) < 60_000)
})
