// Who gets which endpoints of a headless service: by the client's node and zone, never none where there are some.

import t from 'tap'
import type { SlimNode, SlimPod, SlimService } from '../../../src/objects/objects.ts'
import { slimEndpointSlice, slimNode, slimService as slimOf } from '../../../src/objects/slim.ts'
import type { KubernetesConfig } from '../../../src/plugin/kubernetes/config.ts'
import { sourceKey } from '../../../src/plugin/kubernetes/config.ts'
import { KubernetesHandler } from '../../../src/plugin/kubernetes/handler.ts'
import type { Coming } from '../../support/asking.ts'
import { decodeMessage } from '../../support/dns-message.ts'
import { encodeQuestion } from '../../support/dns-question.ts'
import { Random } from '../../support/random.ts'
import { onRoad } from '../../support/road.ts'
import { ServerBlock } from '../../support/server-block.ts'
import { headless, KUBERNETES, SlimCluster, slimSlice } from '../../support/slim-cluster.ts'
import { query, testThread } from '../../support/words.ts'

const KINDS = ['Service', 'EndpointSlice', 'Namespace', 'Node'] as const
const node = (name: string, zone: string, ...networks: string[]): SlimNode => ({ name, zone, networks })

/** Two nodes in zone a, one in b, one in c. */
const NODES: readonly SlimNode[] = [
  node('a1', 'a', '192.168.0.1/32', '10.0.1.0/24', 'fd00:0:0:1::/64'),
  node('a2', 'a', '192.168.0.2/32', '10.0.2.0/24'),
  node('b1', 'b', '192.168.0.3/32', '10.0.3.0/24', 'fd00:0:0:3::/64'),
  node('c1', 'c', '192.168.0.4/32', '10.0.4.0/24'),
]

function clusterOf(
  endpoints: readonly string[],
  near: SlimService['near'] | 'nothing' = 'zone',
  atLeast = 1,
  more: Partial<KubernetesConfig> = {},
): SlimCluster {
  const config: Partial<KubernetesConfig> = { topology: { of: 'auto', atLeast }, nodes: true, ...more }
  const cluster = new SlimCluster(config, { kinds: KINDS })
  cluster.cluster.replace('Node', NODES)
  const service = headless('demo/db')
  return cluster.list(
    ['demo'],
    [near === 'nothing' || near === undefined ? service : { ...service, near }],
    [slimSlice('demo/db-1', 'db', endpoints)],
  )
}

/** The last numbers of the addresses. */
const addresses = (cluster: SlimCluster, from: string, question = 'db.demo.svc A'): string =>
  cluster
    .short(question, { from })
    .replace(/^NOERROR ?/, '')
    .split(', ')
    .map(text =>
      text
        .replace(/^(?:A|AAAA) /, '')
        .split(/[.:]/)
        .at(-1),
    )
    .join(' ')

const MISSED = 'cache: has no answer to it'
const ENDPOINTS = ['10.0.1.11 db-0 a - a1/a', '10.0.2.12 db-1 a - a2/a', '10.0.3.13 db-2 b - b1/b']

t.test('by zone, by node, for those who are known', async t => {
  const rows: [near: 'zone' | 'node' | 'nothing', from: string, addresses: string][] = [
    ['zone', '10.0.1.77', '11 12'],
    ['zone', '10.0.2.77', '11 12'],
    ['zone', '10.0.3.77', '13'],
    ['zone', '10.0.4.77', '11 12 13'], // nothing in zone c
    ['zone', '172.16.0.1', '11 12 13'], // nobody knows where that is
    ['zone', '192.168.0.3', '13'], // a node, and what has its network
    ['zone', 'fd00:0:0:3::9', '13'],
    ['zone', 'fd00:0:0:2::9', '11 12 13'],
    ['node', '10.0.1.77', '11'],
    ['node', '10.0.2.77', '12'],
    ['node', '10.0.3.77', '13'],
    ['node', '10.0.4.77', '11 12 13'],
    ['nothing', '10.0.1.77', '11 12 13'],
  ] // biome-ignore format: a table
  for (const [near, from, expected] of rows)
    t.equal(addresses(clusterOf(ENDPOINTS, near), from), expected, `${near} ${from}`)
})

t.test('with fewer than at_least nearby the next circle is taken', async t => {
  const rows: [near: 'zone' | 'node', atLeast: number, from: string, addresses: string][] = [
    ['node', 1, '10.0.1.77', '11'],
    ['node', 2, '10.0.1.77', '11 12'],
    ['node', 3, '10.0.1.77', '11 12 13'],
    ['zone', 2, '10.0.1.77', '11 12'],
    ['zone', 2, '10.0.3.77', '11 12 13'],
    ['zone', 9, '10.0.3.77', '11 12 13'],
  ] // biome-ignore format: a table
  for (const [near, atLeast, from, expected] of rows)
    t.equal(addresses(clusterOf(ENDPOINTS, near, atLeast), from), expected, `${near} at_least ${atLeast}`)
})

t.test('SRV, endpoint names, ports, and each family for itself', async t => {
  const cluster = clusterOf([...ENDPOINTS, 'fd00:0:0:3::23 db-3 b - b1/b'])
  const short = (question: string, from: string): string => cluster.short(question, { from })
  t.equal(
    short('db.demo.svc SRV', '10.0.3.77'),
    'NOERROR SRV 0 50 8080 db-2.db.demo.svc, SRV 0 50 8080 db-3.db.demo.svc + A 10.0.3.13, AAAA fd00:0:0:3::23',
  )
  t.equal(
    short('_http._tcp.db.demo.svc SRV', '10.0.1.77'),
    'NOERROR SRV 0 50 8080 db-0.db.demo.svc, SRV 0 50 8080 db-1.db.demo.svc + A 10.0.1.11, A 10.0.2.12',
  )
  t.equal(short('db-2.db.demo.svc A', '10.0.1.77'), 'NOERROR A 10.0.3.13', 'who is named is given')
  t.equal(addresses(cluster, '10.0.1.77', 'db.demo.svc AAAA'), '23', 'the only address of the family')
  t.equal(addresses(cluster, '10.0.3.77', 'db.demo.svc AAAA'), '23')
  t.equal(short('nobody.db.demo.svc A', '10.0.1.77'), 'NXDOMAIN')
})

t.test('names of one zone give that zone, whoever asks', async t => {
  const cluster = clusterOf(ENDPOINTS, 'zone', 1, { zonal: true })
  t.equal(addresses(cluster, '10.0.1.77', 'b.pin._zone.db.demo.svc A'), '13')
  t.equal(addresses(cluster, '10.0.1.77'), '11 12')
})

t.test('hints, and endpoints of which nothing is known', async t => {
  const cluster = clusterOf(['10.0.1.11 - a - a1/b,c', '10.0.3.13 - b - b1/b', '10.0.9.9 - - - /'])
  t.equal(addresses(cluster, '10.0.1.77'), '9')
  t.equal(addresses(cluster, '10.0.3.77'), '11 13 9')
  t.equal(addresses(cluster, '10.0.4.77'), '11 9')
})

t.test('hints name nodes', async t => {
  const cluster = clusterOf(['10.0.1.11 - a - a2,b1/a', '10.0.3.13 - b - b1/b'], 'node')
  t.equal(addresses(cluster, '10.0.2.77'), '11')
  t.equal(addresses(cluster, '10.0.3.77'), '11 13')
  t.equal(addresses(cluster, '10.0.1.77'), '11', 'none for its node, one for its zone')
  t.equal(addresses(cluster, '10.0.4.77'), '11 13')
})

t.test('a client whose node is in no zone gets all, or those on its node', async t => {
  const endpoints = [...ENDPOINTS, '10.0.7.17 - - - d1/', '10.0.9.9 - - - /']
  for (const [near, expected] of [['zone', '11 12 13 17 9'], ['node', '17']] as const) {
    const cluster = clusterOf(endpoints, near)
    cluster.cluster.upsert('Node', node('d1', '', '10.0.7.0/24'))
    t.equal(addresses(cluster, '10.0.7.77'), expected, near)
  }
}) // biome-ignore format: a table

t.test('who is told why, and no cache gives one client what was chosen for another', async t => {
  const lines = `cache 30
    metadata
    template IN A alias.test {
      answer "{{ .Name }} 60 IN CNAME db.demo.svc.cluster.local."
    }
    template IN A plain.test {
      answer "{{ .Name }} 60 IN CNAME plain.demo.svc.cluster.local."
    }
    kubernetes cluster.local {
      topology auto
    }`
  const cluster = clusterOf(ENDPOINTS)
  cluster.cluster.upsert('Service', headless('demo/plain'))
  cluster.cluster.upsert('EndpointSlice', slimSlice('demo/plain-1', 'plain', ['10.0.1.11']))
  const block = new ServerBlock(lines, cluster)
  const from = (address: string): Coming => ({ client: { address, port: 1, family: 4 } })
  const notes = (name: string, client: string): Promise<string[]> =>
    block.notes(encodeQuestion({ name }), from(client))
  const ask = async (name: string, client: string): Promise<string> => {
    const octets = await block.late(encodeQuestion({ name }), from(client))
    return decodeMessage(octets!)
      .records.answer.flatMap(({ type, data }) => (type === 'A' ? String(data).split('.').at(-1) : []))
      .sort()
      .join(' ')
  }
  const rows: [client: string, addresses: string, why: string][] = [
    ['10.0.1.77', '11 12', 'gives the endpoints for zone a, where the client is, on node a1'],
    ['10.0.3.77', '13', 'gives the endpoints for zone b, where the client is, on node b1'],
    ['10.0.4.77', '11 12 13', 'gives all endpoints: none is for zone c, where the client is, on node c1'],
    ['172.16.0.1', '11 12 13', 'gives all endpoints: nobody knows on which node the client is'],
    ['10.0.1.78', '11 12', 'gives the endpoints for zone a, where the client is, on node a1'],
  ]
  for (const [client, expected, why] of rows) {
    for (const name of ['db.demo.svc.cluster.local', 'alias.test', 'alias.test'])
      t.equal(await ask(name, client), expected, `${name} from ${client}`)
    t.ok((await notes('db.demo.svc.cluster.local', client)).includes(`kubernetes: ${why}`), why)
  }
  await ask('plain.test', '10.0.1.77')
  t.notOk((await notes('plain.test', '10.0.3.77')).includes(MISSED), 'what all get is kept')
  t.ok((await notes('alias.test', '10.0.3.77')).includes(MISSED))
  await block.stop()
})

t.test('a question of nobody gets all, also behind one of somebody', async t => {
  const cluster = clusterOf(ENDPOINTS)
  t.equal(addresses(cluster, '10.0.3.77'), '13')
  t.equal(cluster.short('db.demo.svc A'), 'NOERROR A 10.0.1.11, A 10.0.2.12, A 10.0.3.13')
})

t.test('changes of Nodes are followed', async t => {
  const cluster = clusterOf(ENDPOINTS)
  cluster.cluster.upsert('Node', node('c1', 'b', '192.168.0.4/32', '10.0.4.0/24'))
  t.equal(addresses(cluster, '10.0.4.77'), '13', 'another zone')
  cluster.cluster.upsert('Node', node('c1', 'b', '192.168.0.4/32', '10.0.5.0/24'))
  t.equal(addresses(cluster, '10.0.4.77'), '11 12 13', 'another network')
  t.equal(addresses(cluster, '10.0.5.77'), '13')
  cluster.cluster.remove('Node', 'b1')
  t.equal(addresses(cluster, '10.0.3.77'), '11 12 13', 'a Node that has gone')
  cluster.cluster.upsert('Node', node('x1', 'b', '10.0.1.0/25'))
  t.equal(addresses(cluster, '10.0.1.77'), '13', 'the smaller network counts')
  t.equal(addresses(cluster, '10.0.1.177'), '11 12')
  cluster.cluster.upsert('Node', node('x2', 'b', '10.0.2.0/24'))
  t.equal(addresses(cluster, '10.0.2.77'), '11 12 13', 'what two Nodes claim is nobody’s')
  cluster.cluster.remove('Node', 'x2')
  t.equal(addresses(cluster, '10.0.2.77'), '11 12')
})

t.test('Pods of networks that no Node tells are where their nodes are', async t => {
  const clients = { podNames: false, hosts: true, labels: [] }
  const more = { verifiedPods: true, clients } as const
  const cluster = clusterOf(ENDPOINTS, 'zone', 1, more)
  const pod = (namespace: string, name: string, ip: string, hostIp?: string): SlimPod => ({
    namespace,
    name,
    ip,
    hostNetwork: false,
    labels: [],
    ...(hostIp !== undefined && { hostIp }),
  })
  cluster.cluster.replace('Pod', [
    pod('demo', 'of-b', '172.20.0.1', '192.168.0.3'),
    pod('demo', 'of-a', '172.20.0.2', '192.168.0.1'),
    pod('demo', 'six', 'fd00:20::1', '192.168.0.3'),
    pod('demo', 'of-nobody', '172.20.0.3', '192.168.0.99'),
    pod('demo', 'early', '172.20.0.4'),
    pod('demo', 'one', '172.20.0.5', '192.168.0.1'),
    pod('demo', 'other', '172.20.0.5', '192.168.0.3'),
    pod('demo', 'claimed', '10.0.1.9', '192.168.0.3'),
  ])
  const rows: [from: string, addresses: string, why: string][] = [
    ['172.20.0.1', '13', 'its node is in zone b'],
    ['172.20.0.2', '11 12', 'its node is in zone a'],
    ['fd00:20::1', '13', 'of the other family than its node'],
    ['172.20.0.3', '11 12 13', 'no Node has that address'],
    ['172.20.0.4', '11 12 13', 'no node yet'],
    ['172.20.0.5', '11 12 13', 'two Pods of two nodes: nobody knows'],
    ['172.20.0.9', '11 12 13', 'no Pod'],
    ['10.0.1.9', '11 12', 'what a Node says of its networks counts first'],
  ]
  for (const [from, expected, why] of rows) t.equal(addresses(cluster, from), expected, `${from}: ${why}`)
  cluster.cluster.upsert('Node', node('b1', 'a', '192.168.0.3/32'))
  t.equal(addresses(cluster, '172.20.0.1'), '11 12', 'its node is in another zone now')
  cluster.cluster.remove('Pod', 'demo/of-b')
  t.equal(addresses(cluster, '172.20.0.1'), '11 12 13', 'a Pod that has gone')
})

t.test('before all Nodes are listed everybody gets all', async t => {
  const cluster = new SlimCluster({ topology: { of: 'zone', atLeast: 1 }, nodes: true }, { kinds: KINDS })
  cluster.list(
    ['demo'],
    [{ ...headless('demo/db'), near: 'zone' }],
    [slimSlice('demo/db-1', 'db', ENDPOINTS)],
  )
  t.equal(addresses(cluster, '10.0.3.77'), '11 12 13')
  cluster.cluster.replace('Node', NODES)
  t.equal(addresses(cluster, '10.0.3.77'), '13')
})

t.test('over all places everybody is given, and nobody gets nothing', async t => {
  for (let seed = 1; seed <= 60; seed++) {
    const random = new Random(seed)
    const near = random.below(2) === 0 ? 'zone' : 'node'
    const atLeast = 1 + random.below(4)
    const endpoints = Array.from({ length: 1 + random.below(12) }, (_, i) => {
      const { name, zone } = NODES[random.below(NODES.length)]!
      const zones = random.below(4) === 0 ? 'a,b,c' : zone
      return `10.9.${seed}.${i + 1} ${random.below(2) === 0 ? `h${i}` : '-'} ${zone} - ${name}/${zones}`
    })
    const cluster = clusterOf(endpoints, near, atLeast)
    const all = new Set(endpoints.map(text => text.split(' ')[0]!.split('.')[3]!))
    const union = new Set<string>()
    for (const from of ['10.0.1.7', '10.0.2.7', '10.0.3.7', '10.0.4.7']) {
      const given = addresses(cluster, from).split(' ')
      t.ok(given.length >= Math.min(atLeast, all.size), `${seed}: ${from} gets ${given.length}`)
      for (const one of given) union.add(one)
    }
    t.same([...union].sort(), [...all].sort(), `${seed}: ${near}`)
  }
})

t.test('what objects say', async t => {
  const service = (spec: object, annotations: object = {}, of: 'auto' | 'zone' | 'node' = 'auto') =>
    (slimOf({ metadata: { name: 'db', namespace: 'demo', annotations }, spec: { clusterIP: 'None', ...spec } }, undefined, {
      topology: { of, atLeast: 1 },
    }) as SlimService).near // biome-ignore format: one call
  const auto = { 'service.kubernetes.io/topology-mode': 'Auto' }
  t.equal(service({}), undefined)
  t.equal(service({ trafficDistribution: 'PreferSameZone' }), 'zone')
  t.equal(service({ trafficDistribution: 'PreferClose' }), 'zone')
  t.equal(service({ trafficDistribution: 'PreferSameNode' }), 'node')
  t.equal(service({ trafficDistribution: 'PreferElsewhere' }), undefined)
  t.equal(service({}, auto), 'zone')
  t.equal(service({}, {}, 'zone'), 'zone')
  t.equal(service({}, {}, 'node'), 'node')
  t.equal(service({ trafficDistribution: 'PreferSameNode' }, {}, 'zone'), 'node')
  t.equal(service({ clusterIP: '10.0.0.1', trafficDistribution: 'PreferClose' }), undefined, 'not headless')

  const slice = (endpoint: object) => {
    const raw = {
      metadata: { name: 'db-1', namespace: 'demo', labels: { 'kubernetes.io/service-name': 'db' } },
      endpoints: [{ addresses: ['10.0.0.1'], ...endpoint }],
    }
    const slim = slimEndpointSlice(raw, { topology: { of: 'auto', atLeast: 1 } })
    return (slim as { endpoints: string }).endpoints.slice(6)
  }
  t.equal(slice({ nodeName: 'N1', zone: 'Z1' }), 'n1/z1')
  t.equal(
    slice({ nodeName: 'n1', zone: 'z1', hints: { forZones: [{ name: 'z2' }, { name: 'z3' }] } }),
    'n1/z2,z3',
  )
  t.equal(slice({}), '/')
  const forNodes = (...names: string[]) => ({ hints: { forNodes: names.map(name => ({ name })) } })
  t.equal(slice({ nodeName: 'n1', zone: 'z1', ...forNodes('n2', 'n3') }), 'n2,n3/z1')
  t.equal(slice({ nodeName: 'n1', zone: 'z1', ...forNodes('n'.repeat(253)) }), '/z1', 'no room')
  t.equal(slice({ zone: 'z'.repeat(300) }), '/')

  const raw = {
    metadata: { name: 'N1', labels: { 'topology.kubernetes.io/zone': 'Z1' } },
    spec: { podCIDR: '10.0.1.0/24', podCIDRs: ['10.0.1.7/24', 'FD00::/64', 'x'] },
    status: {
      addresses: [
        { type: 'InternalIP', address: '192.168.0.1' },
        { type: 'ExternalIP', address: '203.0.113.1' },
        { type: 'Hostname', address: 'n1' },
        { type: 'InternalIP', address: 'none' },
      ],
    },
  }
  const notes: string[] = []
  t.same(
    slimNode(raw, path => void notes.push(path.join('.'))),
    { name: 'n1', zone: 'z1', networks: ['192.168.0.1/32', '203.0.113.1/32', '10.0.1.0/24', 'fd00::/64'] },
  )
  t.same(notes, ['status.addresses.3.address', 'spec.podCIDRs.2'])
  t.match(slimNode({ metadata: { name: '-' } }), { problem: /no valid name/ })
})

t.test('labels of the node and the zone of the client', async t => {
  const config = { ...KUBERNETES, nodes: true }
  const cluster = new SlimCluster(config, { kinds: KINDS }).list(['demo'], [])
  cluster.cluster.replace('Node', [...NODES, node('d1', '', '10.0.7.0/24')])
  const context = { ...testThread().context, tables: new Map([[sourceKey(config), cluster.reader]]) }
  const handler = new KubernetesHandler(config, context)
  const labels = async (address: string): Promise<string> => {
    const found = new Map<string, string>()
    const asked = query('x.example.org. A', { client: { address, port: 1, family: 4 } })
    await onRoad(asked, packet => handler.annotate(packet, found))
    return [...found].map(([label, value]) => `${label.slice(18)}=${value}`).join(' ')
  }
  t.equal(await labels('10.0.1.9'), 'node=a1 zone=a')
  t.equal(await labels('192.168.0.3'), 'node=b1 zone=b')
  t.equal(await labels('10.0.7.9'), 'node=d1')
  t.equal(await labels('10.0.8.9'), '')
})
