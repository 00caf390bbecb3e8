// DNSPolicies and labels of namespaces out of an API server: a tenant narrows, the administrator widens, each object is told what
// became of it, and what was kept stays kept while the API server is away, or lists everything anew.

import t, { type Test } from 'tap'
import { decodeMessage } from '../../support/dns-message.ts'
import { encodeQuestion } from '../../support/dns-question.ts'
import { FakeApiServer } from '../../support/fake-api-server.ts'
import { FakeCluster, type RawObject } from '../../support/fake-cluster.ts'
import { namespace, pod, service } from '../../support/fake-objects.ts'
import { ServerBlock } from '../../support/server-block.ts'
import { toldCluster } from '../../support/told-cluster.ts'
import { untilWithin, VirtualClock } from '../../support/virtual-clock.ts'

const RED = '10.1.1.1'
const BLUE = '10.1.2.1'
const OPTIONS = {
  policies: true,
  labelledNamespaces: true,
  verifiedPods: true,
  clients: { podNames: false, hosts: false, labels: [] },
} as const
const KINDS = ['Namespace', 'Service', 'EndpointSlice', 'Pod', 'DNSPolicy'] as const

const policy = (name: string, spec: object, generation = 1, status?: unknown): RawObject => ({
  metadata: { name, namespace: 'red', generation, creationTimestamp: '2026-01-01T00:00:00Z' },
  spec,
  ...(status !== undefined && { status }),
})

async function world(t: Test) {
  const clock = new VirtualClock()
  const cluster = new FakeCluster()
  cluster.apply('namespaces', namespace('red', { team: 'a' }))
  cluster.apply('namespaces', namespace('blue', { closed: 'no' }))
  cluster.apply('services', service('blue', 'web', { clusterIP: '10.0.0.2', clusterIPs: ['10.0.0.2'] }))
  cluster.apply('pods', pod('red', 'a', RED))
  cluster.apply('pods', pod('blue', 'a', BLUE))
  const server = new FakeApiServer({ cluster, clock })
  await server.listen()
  const { slim, source, stop } = toldCluster({ server, config: OPTIONS, kinds: KINDS, clock, seed: 1 })
  const block = new ServerBlock(
    'policy {\nobjects\ndeny from team=a to closed=yes\n}\nkubernetes cluster.local {\npods verified\n}\nhosts {\n192.0.2.1 www.test\nfallthrough\n}',
    slim,
  )
  t.same(block.problems.list, [])
  t.teardown(async () => {
    await stop()
    await server.close()
    await block.stop()
  })
  await source.start()
  const within = (what: string, condition: () => boolean) => untilWithin(clock, 120_000, what, condition)
  await within('synced', () => source.synced)
  const asks = (address: string, name: string): boolean => {
    const octets = block.ask(encodeQuestion({ name, type: 'A' }), {
      client: { address, port: 5353, family: 4 },
    })
    return decodeMessage(octets!).rcode === 'NOERROR'
  }
  return {
    cluster,
    server,
    within,
    /** Whether a Pod of red resolves the Service of blue, and the name outside. */
    web: () => asks(RED, 'web.blue.svc.cluster.local'),
    www: () => asks(RED, 'www.test'),
    others: () => asks(BLUE, 'web.blue.svc.cluster.local') && asks(BLUE, 'www.test'),
    status: (name: string) =>
      cluster.list('dnspolicies').find(({ metadata }) => metadata.name === name)?.status,
    /** `True Served`, of the condition Accepted. */
    accepted: (name: string): string => {
      const status = cluster.list('dnspolicies').find(({ metadata }) => metadata.name === name)?.status as
        | { readonly conditions?: readonly Record<string, unknown>[]; readonly observedGeneration?: number }
        | undefined
      const accepted = status?.conditions?.find(({ type }) => type === 'Accepted')
      return `${accepted?.status} ${accepted?.reason} of ${status?.observedGeneration}`
    },
  }
}

t.test('a tenant narrows, an administrator widens, and each object is told what became of it', async t => {
  const { cluster, within, web, www, others, accepted, status } = await world(t)
  t.same([web(), www()], [true, true], 'as it was')
  cluster.apply('dnspolicies', policy('own', { names: { block: ['test'] } }))
  await within('the tenant narrows', () => !www())
  t.ok(web())
  await within('its status', () => accepted('own') === 'True Served of 1')
  cluster.apply('namespaces', namespace('blue', { closed: 'yes' }))
  await within('the administrator closes a namespace', () => !web())
  cluster.apply(
    'dnspolicies',
    policy('wide', {
      names: { allow: ['test'] },
      namespaces: { allow: ['*'], allowSelectors: [{ matchLabels: { closed: 'yes' } }] },
    }),
  )
  await within('the status of the other', () => accepted('wide') === 'True Served of 1')
  t.same([web(), www()], [false, false], 'no object of a tenant widens')
  cluster.apply(
    'dnspolicies',
    policy(
      'own',
      { namespaces: { blockSelectors: [{ matchExpressions: [{ key: 'a', operator: 'Is' }] }] } },
      2,
      status('own'),
    ),
  )
  await within('the refusal', () => accepted('own') === 'False Invalid of 2')
  t.notOk(www(), 'what it said before goes on')
  cluster.apply('namespaces', namespace('blue', { closed: 'no' }))
  await within('the administrator opens the namespace', web)
  cluster.delete('dnspolicies', 'own', 'red')
  await within('the tenant takes it back', www)
  t.ok(others())
})

t.test('an API server that is away, and one that has to be listed anew', async t => {
  const { cluster, server, within, web, www, others } = await world(t)
  cluster.apply('dnspolicies', policy('own', { names: { block: ['test'] } }))
  cluster.apply('namespaces', namespace('blue', { closed: 'yes' }))
  await within('both', () => !web() && !www())
  await server.kill()
  cluster.apply('pods', pod('red', 'b', '10.1.1.2'))
  for (let i = 0; i < 5; i++) cluster.apply('namespaces', namespace(`more${i}`))
  cluster.compact()
  // Its watches have nothing to go on from: all is listed again, and nothing is open in between.
  const kept = { asked: 0, open: 0 }
  const look = (): boolean => {
    kept.asked++
    if (web() || www()) kept.open++
    return server.count(({ resource, watch }) => resource === 'dnspolicies' && watch) > before
  }
  const before = server.count(({ resource, watch }) => resource === 'dnspolicies' && watch)
  await server.listen()
  await within('a watch again', look)
  t.same([kept.asked > 0, kept.open], [true, 0])
  t.ok(others())
  cluster.apply('namespaces', namespace('blue', { closed: 'no' }))
  cluster.delete('dnspolicies', 'own', 'red')
  await within('what has changed since', () => web() && www())
})
