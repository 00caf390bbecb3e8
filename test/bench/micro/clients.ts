// Where a client is, and whose it is, out of the table: what `topology`, `policy` and `ratelimit` want to know of a query.

import { Asker } from '../../../src/plugin/kubernetes/asker.ts'
import { ClientNamespaces, NOBODY } from '../../../src/plugin/kubernetes/client-namespace.ts'
import { sockaddr } from '../../../src/query/sockaddr.ts'
import { SlimCluster, slimPod } from '../../support/slim-cluster.ts'
import { shuffled } from '../common/queries.ts'
import { cycle, type MicroCase } from './case.ts'

const NODES = 1000
/** Of all Pods those that ask within some seconds. */
const ASKING = [1, 200, 20_000]
/** As many as are remembered; what is looked up waits for memory, as long as the machine lets it. */
const BUDGETED = 200
const PODS_MAX = 20_000
const TABLE_OCTETS = 1 << 26

const addressOf = (pod: number): string =>
  `10.${(pod % NODES) >> 8}.${(pod % NODES) & 255}.${2 + Math.floor(pod / NODES)}`

function cluster(): SlimCluster {
  const kinds = ['Service', 'EndpointSlice', 'Namespace', 'Node', 'Pod'] as const
  const clients = { podNames: false, hosts: true, labels: [] }
  const world = new SlimCluster({ clients, nodes: true, verifiedPods: true }, { kinds }, TABLE_OCTETS)
  const nodes = Array.from({ length: NODES }, (_, n) => ({
    name: `node-${n}`,
    zone: `zone-${n % 3}`,
    networks: [`192.168.${n >> 8}.${n & 255}/32`, `10.${n >> 8}.${n & 255}.0/24`],
  }))
  world.cluster.replace('Node', nodes)
  const pods = Array.from({ length: PODS_MAX }, (_, n) => slimPod(`ns-${n % 100}/pod-${n}`, addressOf(n)))
  world.cluster.replace('Pod', pods)
  return world.list(['demo'], [])
}

export function clientCases(): MicroCase[] {
  const { reader } = cluster()
  const asker = new Asker(reader, true)
  const namespaces = new ClientNamespaces(reader)
  return ASKING.flatMap(count => {
    const all = shuffled(Array.from({ length: count }, (_, n) => sockaddr(addressOf(n), 40_000)!))
    const who = `${count.toLocaleString('en')} ${count === 1 ? 'client' : 'clients'}`
    const next = cycle(all)
    const place = (): boolean => {
      reader.enter()
      const isKnown = asker.find(next(), 0)
      reader.leave()
      return isKnown
    }
    const namespace = (): string => namespaces.at(next(), 0)
    if (!place() || namespace() === NOBODY) throw new TypeError('a client is not known')
    const budget = (name: string): Pick<MicroCase, 'budget'> =>
      count !== BUDGETED ? {} : { budget: { file: `plugin/kubernetes/${name}.ts`, what: who } }
    return [
      { title: `client: node and zone of ${who}`, run: place, ...budget('asker') },
      { title: `client: namespace of ${who}`, run: namespace, ...budget('client-namespace') },
    ]
  })
}
