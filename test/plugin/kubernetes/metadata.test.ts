// The labels that kubernetes leaves: about the name, and about the Pod that asks.

import t from 'tap'
import { type KubernetesConfig, sourceKey } from '../../../src/plugin/kubernetes/config.ts'
import { KubernetesHandler } from '../../../src/plugin/kubernetes/handler.ts'
import type { Query } from '../../support/query.ts'
import { onRoad } from '../../support/road.ts'
import { KUBERNETES, SlimCluster, slimPod } from '../../support/slim-cluster.ts'
import { query, testThread } from '../../support/words.ts'

/** What the handler leaves about the query. */
async function labelsOf(handler: KubernetesHandler, asked: Query): Promise<Map<string, string>> {
  const labels = new Map<string, string>()
  await onRoad(asked, packet => handler.annotate(packet, labels))
  return labels
}

function handlerOf(parts: Partial<KubernetesConfig> = {}) {
  const config = { ...KUBERNETES, ...parts }
  const cluster = new SlimCluster(parts).list(['demo'], [])
  const context = { ...testThread().context, tables: new Map([[sourceKey(config), cluster.reader]]) }
  const handler = new KubernetesHandler(config, context)
  /** The labels without `kubernetes/`, those that are empty left out. */
  const labels = async (question: string, address = '10.0.0.7'): Promise<Record<string, string>> => {
    const all = await labelsOf(handler, query(question, { client: { address, port: 1, family: 4 } }))
    const set = [...all].filter(([, value]) => value !== '')
    return Object.fromEntries(set.map(([label, value]) => [label.replace('kubernetes/', ''), value]))
  }
  return { handler, cluster, labels }
}

t.test('what a name asks for', async t => {
  const invalid = { 'parse-error': 'invalid query name' }
  const web = { kind: 'svc', namespace: 'demo', service: 'web' }
  const cases: [name: string, labels: object, parts?: Partial<KubernetesConfig>][] = [
    ['web.demo.svc', web],
    ['WEB.Demo.SVC', web],
    ['nope.gone.svc', { kind: 'svc', namespace: 'gone', service: 'nope' }],
    ['p0.web.demo.svc', { ...web, endpoint: 'p0' }],
    ['_http._tcp.web.demo.svc', { ...web, 'port-name': 'http', protocol: 'tcp' }],
    ['__a._.web.demo.svc', { ...web, 'port-name': '_a' }],
    ['demo.svc', { kind: 'svc', namespace: 'demo' }],
    ['svc', {}],
    ['', {}],
    ['1-2-3-4.demo.pod', { kind: 'pod', namespace: 'demo', service: '1-2-3-4' }],
    ['a.1-2-3-4.demo.pod', { kind: 'pod', namespace: 'demo', service: '1-2-3-4', endpoint: 'a' }],
    ['_a.b.1-2-3-4.demo.pod', { kind: 'pod', namespace: 'demo', service: '1-2-3-4', 'port-name': 'a', protocol: 'b' }],
    ['a.b.c.web.demo.svc', invalid],
    ['a.b.c.1-2-3-4.demo.pod', invalid],
    ['foo', invalid],
    ['ns.dns', invalid],
    ['dns-version', invalid],
    ['we\\.b.demo.svc', { ...web, service: 'we\\.b' }],
    ['a.pin._zone.web.demo.svc', invalid],
    ['a.b.pin._zone.web.demo.svc', { ...web, zone: 'a.b' }, { zonal: true }],
    ['p0.east.web.demo.svc', { ...web, endpoint: 'p0', cluster: 'east' }, { multiclusterZones: ['cluster.local.'] }],
    ['p0.east.web.demo.svc', { ...web, 'port-name': 'p0', protocol: 'east' }],
  ] // biome-ignore format: a table
  for (const [name, labels, parts] of cases) {
    const zone = name === '' ? 'cluster.local.' : `${name}.cluster.local.`
    t.same(await handlerOf(parts).labels(`${zone} A`), labels, name)
  }
  t.same(await handlerOf().labels('www.example.org. A'), {}, 'another zone')
  t.same(await handlerOf().labels('1.0.0.10.in-addr.arpa. PTR'), invalid, 'a reverse name')
  t.same(await handlerOf().labels('in-addr.arpa. SOA'), {})
})

t.test('a label that a zone has is there even when it is empty', async t => {
  const { handler } = handlerOf({ zonal: true })
  const labels = await labelsOf(handler, query('web.demo.svc.cluster.local. A'))
  t.same(
    [...labels.keys()].map(label => label.replace('kubernetes/', '')),
    ['port-name', 'protocol', 'endpoint', 'zone', 'service', 'namespace', 'kind'],
  )
})

const CLIENTS = { podNames: true, hosts: false, labels: ['app', 'tier'] }

t.test('the Pod that asks', async t => {
  const { cluster, labels } = handlerOf({ pods: 'verified', clients: CLIENTS })
  const known = async (address: string): Promise<object> => {
    const { namespace, service, kind, ...client } = await labels('web.demo.svc.cluster.local. A', address)
    return client
  }
  const one = { 'client-namespace': 'demo', 'client-pod-name': 'a-0', 'client-label/app': 'a' }
  cluster.cluster.replace('Pod', [
    slimPod('demo/a-0', '10.1.0.1', { labels: ['a', ''] }),
    slimPod('demo/b-0', '10.1.0.2', { labels: ['b', 'web'] }),
    slimPod('demo/b-1', '10.1.0.2', { labels: ['b', 'web'] }),
    slimPod('demo/c-0', '10.1.0.3'),
    slimPod('other/c-0', '10.1.0.3'),
    slimPod('gone/d-0', 'fd00::4'),
  ])
  t.same(await known('10.1.0.1'), one)
  t.same(await known('10.1.0.2'), { 'client-namespace': 'demo' }, 'several Pods of one namespace')
  t.same(await known('10.1.0.3'), {}, 'Pods of two namespaces')
  t.same(
    await known('fd00::4'),
    { 'client-namespace': 'gone', 'client-pod-name': 'd-0' },
    'of a hidden namespace',
  )
  t.same(await known('10.1.0.9'), {})
  t.same(await known('fe80::1%2'), {})
  t.same(await labels('www.example.org. A', '10.1.0.1'), one, 'whatever is asked for')
  cluster.cluster.remove('Pod', 'other/c-0')
  t.same(
    await known('10.1.0.3'),
    { 'client-namespace': 'demo', 'client-pod-name': 'c-0' },
    'one of the two is gone',
  )
  cluster.cluster.upsert('Pod', slimPod('demo/c-0', '10.1.0.5', { labels: ['c', 'x'] }))
  t.same(await known('10.1.0.3'), {}, 'the address is given back')
  t.match(await known('10.1.0.5'), { 'client-label/app': 'c', 'client-label/tier': 'x' })
  cluster.cluster.upsert('Pod', slimPod('other/new', '10.1.0.5'))
  t.same(await known('10.1.0.5'), {}, 'a reused address, before the Pod that had it is seen to go')
})

t.test('nobody is known before all Pods are, or out of an old state', async t => {
  const { cluster, labels } = handlerOf({ pods: 'verified', clients: CLIENTS })
  const known = async (): Promise<boolean> => 'client-namespace' in (await labels('a.org. A', '10.1.0.1'))
  cluster.cluster.replace('Pod', [slimPod('demo/a', '10.1.0.1')])
  t.ok(await known())
  cluster.writer.setRestored(true)
  t.notOk(await known())
  cluster.writer.setRestored(false)
  cluster.writer.setSynced(false)
  t.notOk(await known())
})

t.test('a table keeps nothing of clients where nobody asks', async t => {
  const { cluster } = handlerOf({ pods: 'verified' })
  const before = cluster.writer.nameCount
  cluster.cluster.replace('Pod', [slimPod('demo/a', '10.1.0.1')])
  t.equal(cluster.writer.nameCount, before + 1, 'its name alone')
})
