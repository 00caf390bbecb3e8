// What is remembered of clients is what the table says: before and after it changes, whoever asked in between.

import t from 'tap'
import { Asker } from '../../../src/plugin/kubernetes/asker.ts'
import { ClientNamespaces } from '../../../src/plugin/kubernetes/client-namespace.ts'
import { RecentClients } from '../../../src/plugin/kubernetes/recent-clients.ts'
import { sockaddr } from '../../../src/query/sockaddr.ts'
import { SlimCluster, slimPod } from '../../support/slim-cluster.ts'

const KINDS = ['Service', 'EndpointSlice', 'Namespace', 'Node', 'Pod'] as const
const CLIENTS = { podNames: false, hosts: true, labels: [] }
const POD = '10.0.1.7'
const node = (name: string, zone: string) => ({ name, zone, networks: ['10.0.1.0/24', 'fd00:0:0:1::/64'] })

function world() {
  const cluster = new SlimCluster({ clients: CLIENTS, nodes: true, verifiedPods: true }, { kinds: KINDS })
  cluster.cluster.replace('Node', [])
  cluster.cluster.replace('Pod', [])
  cluster.list(['demo'], [])
  const { reader } = cluster
  const asker = new Asker(reader, true)
  const namespaces = new ClientNamespaces(reader)
  const namespace = (from: string): string => namespaces.at(sockaddr(from, 5353)!, 0)
  const zone = (from: string): string => {
    reader.enter()
    const isKnown = asker.find(sockaddr(from, 5353)!, 0)
    const { zoneAt } = asker
    const text = Buffer.from(reader.octets.subarray(zoneAt + 1, zoneAt + 1 + reader.octets[zoneAt]!))
    reader.leave()
    return isKnown ? text.toString() : 'nowhere'
  }
  return { objects: cluster.cluster, namespace, zone }
}

t.test('a place that changes is followed by the next query', async t => {
  const { objects, zone } = world()
  for (const from of [POD, 'fd00:0:0:1::7']) {
    objects.replace('Node', [])
    t.same([zone(from), zone(from)], ['nowhere', 'nowhere'], `${from} before there is a Node`)
    objects.replace('Node', [node('n1', 'a')])
    t.same([zone(from), zone(from)], ['a', 'a'], `${from} with one`)
    objects.replace('Node', [node('n1', 'b')])
    t.same([zone(from), zone(from)], ['b', 'b'], `${from} in another zone`)
    objects.replace('Node', [node('n1', 'b'), node('n2', 'c')])
    t.same([zone(from), zone(from)], ['nowhere', 'nowhere'], `${from} that two claim`)
  }
})

t.test('so is an address that becomes a Pod of another namespace', async t => {
  const { objects, namespace } = world()
  const rows: [pods: Parameters<typeof slimPod>[], namespace: string][] = [
    [[], ''],
    [[['red/web', POD]], 'red'],
    [[['blue/web', POD]], 'blue'],
    [
      [
        ['blue/web', POD],
        ['red/web', POD],
      ],
      '',
    ],
    [[['blue/web', POD, { hostNetwork: true }]], '@host'],
    [[], ''],
  ]
  for (const [pods, expected] of rows) {
    objects.replace(
      'Pod',
      pods.map(pod => slimPod(...pod)),
    )
    t.same([namespace(POD), namespace(POD)], [expected, expected], JSON.stringify(pods))
  }
})

t.test('clients that share an entry are told apart', async t => {
  const recent = new RecentClients()
  const addresses = Array.from({ length: 4 * RecentClients.ENTRIES }, (_, n) =>
    n % 2 === 0 ? `10.${n >> 8}.${n & 255}.1` : `fd00::${n.toString(16)}`,
  )
  const of = (n: number) => sockaddr(addresses[n]!, 5353)!
  const wrong = addresses.filter((_, n) => {
    const isNew = !recent.has(of(n), 0, 1)
    recent.learn(1, n + 1)
    const isKnown = recent.has(of(n), 0, 1) && recent.number === n + 1
    const isOld = !recent.has(of(n), 0, 2)
    return !(isNew && isKnown && isOld)
  })
  t.same(wrong, [])
})
