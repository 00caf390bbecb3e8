// What the words that no other server has cost: those who use them, and those whose queries they do not concern. The same
// queries with the word and without, in turns; objects of this row's own, a tenth of the others', from the fake API server,
// which has all definitions. The client's address is known as a Pod's, and its node's.

import { Scope } from '../../e2e/processes.ts'
import type { RawObject } from '../../support/fake-cluster.ts'
import { pod, service } from '../../support/fake-objects.ts'
import { endpointSlice, type ServiceShape } from '../common/cluster.ts'
import { startFakeWorld } from '../common/cluster-source.ts'
import type { Context, Row } from '../common/context.ts'
import { type Placed, placeObjects } from '../common/objects.ts'
import { clusterIps, shuffled, writeQueries } from '../common/queries.ts'
import type { RowResult } from '../common/results.ts'
import { Changing, factors, type Lines, result } from './beside.ts'
import type { RowLoad } from './round.ts'

const SIZE = { services: 1000, endpoints: 10, wide: [] }
const NEAR = 100
const NAMESPACE = 'ns-1'
const CLIENT = '127.0.0.1'
/** Of a query that the word does not concern. */
const NOTHING = 1.02
/** Of one that it judges, and of one that is answered by it. */
const JUDGED = 1.1

interface Variant extends Lines {
  readonly title: string
  readonly goal?: number
  /** Default A of ClusterIPs. */
  readonly queries?: (services: readonly ServiceShape[]) => string[]
}

const numbers = Array.from({ length: NEAR }, (_, n) => n)
const nearName = (n: number): string => `near-${n}`
const near = (): string[] => shuffled(numbers.map(n => `${nearName(n)}.${NAMESPACE}.svc.cluster.local A`))

/** A node in zone-0 whose Pods have the addresses that are asked from, such a Pod, and headless Services that ask for a zone. */
const objects: readonly Placed[] = [
  ['nodes', { metadata: { name: 'node-0', labels: { 'topology.kubernetes.io/zone': 'zone-0' } }, spec: { podCIDRs: ['127.0.0.0/8'] } }],
  ['pods', pod(NAMESPACE, 'client', CLIENT)],
  ...numbers.map((n): Placed => {
    const spec = { clusterIP: 'None', clusterIPs: ['None'], trafficDistribution: 'PreferSameZone' }
    return ['services', service(NAMESPACE, nearName(n), spec)]
  }),
  ...numbers.map((n): Placed => {
    const addresses = Array.from({ length: SIZE.endpoints }, (_, i) => `10.200.${n}.${i + 1}`)
    return ['endpointslices', endpointSlice(NAMESPACE, `${nearName(n)}-0`, nearName(n), addresses) as RawObject]
  }),
] // biome-ignore format: a table

const topology = ['topology auto']

// biome-ignore format: a table
const VARIANTS: readonly Variant[] = [
  { title: 'the same Corefile (the noise of this machine)', lines: [] },
  { title: '`topology auto`', lines: [], kubernetes: topology, goal: NOTHING },
  { title: '`topology auto`, A of a headless Service with `trafficDistribution`, 4 of 10 addresses are near', lines: [], kubernetes: topology,
    queries: near, goal: JUDGED },
  { title: '`policy` that allows', lines: ['policy {', 'default deny', 'allow from ns-1 to ns-*', '}'] },
  { title: '`policy` with `objects` that allows', lines: ['policy {', 'objects', '}'] },
  { title: '`ratelimit` that does not bite', lines: ['ratelimit {', 'queries 1000000', '}'], goal: JUDGED },
  { title: '`k8s_records` and `stubdomains` without an object', goal: NOTHING,
    lines: ['k8s_records example.org {', 'from dnsrecords', 'delegate example.org to *', 'fallthrough', '}', 'stubdomains'] },
  { title: '`autopath @query`', lines: ['autopath @query'], goal: NOTHING },
  { title: '`ipv6 off`', lines: ['ipv6 off'], goal: NOTHING },
]

export const optInRow: Row = {
  id: 'opt-in',
  title: 'with and without',
  async run(context: Context): Promise<RowResult[]> {
    await context.stopAll()
    const scope = new Scope()
    try {
      const world = await startFakeWorld(scope, SIZE)
      await placeObjects(scope, world, objects)
      const server = await Changing.start(scope, context, { ...context.bench, world }, { pods: 'verified' })
      const results: RowResult[] = []
      for (const { title, queries = clusterIps, goal, ...lines } of VARIANTS) {
        const file = writeQueries(context.folder, 'opt-in', queries(world.services))
        const row: RowLoad = { file: () => file, load: {}, codes: { NOERROR: 1 }, fill: false }
        results.push(result(`${this.title}: ${title}`, '×', await factors(context, server, lines, row), goal))
      }
      return results
    } finally {
      await scope.end()
    }
  },
}
