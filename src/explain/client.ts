// Who asks: a Pod with its resolver, an address, or nobody in particular.

import type { PodFacts } from '../objects/evidence.ts'
import { canonicalIp } from '../shared/ip.ts'
import { plainResolver, podResolver, type Resolver } from './resolver.ts'
import type { ClusterView, World } from './world.ts'

export interface Client {
  readonly address: string
  readonly text: string
  readonly resolver: Resolver
}

/** Where nobody says who asks: the server's own machine. */
const NOBODY = '127.0.0.1'
/** Without a cluster there is no search path. */
const BARE: Resolver = {
  search: [],
  ndots: 1,
  asksInstead: '',
  pod: '',
  isOnHost: false,
  from: 'no search path',
}

/** Who asks (ExplainRequest.from), or why that is not known, in a sentence. */
export async function clientOf(from: string, world: World): Promise<Client | string> {
  const { clusters, setup } = world
  const zone = setup.kubernetes[0]?.primaryZone
  const plain = zone === undefined ? BARE : plainResolver('default', zone)
  if (from === '') return { address: NOBODY, text: NOBODY, resolver: plain }
  const address = canonicalIp(from)
  if (address !== undefined) {
    const pod = await firstPod(clusters, view => view.source.evidence?.podAt(address))
    if (typeof pod === 'object' && zone !== undefined) return clientOfPod(pod, address, zone, world)
    const whose = typeof pod === 'string' ? pod : 'no Pod has this address for itself'
    return { address, text: `${address} (${whose})`, resolver: plain }
  }
  const [namespace = '', name = '', ...more] = from.split('/')
  if (namespace === '' || name === '' || more.length > 0)
    return `${JSON.stringify(from)} is neither NAMESPACE/POD nor an address.`
  if (zone === undefined) return `Without kubernetes in the Corefile nothing is known of Pod ${from}.`
  const pod = await firstPod(clusters, view => view.source.evidence?.pod(namespace, name))
  if (typeof pod === 'string') return `Pod ${from} cannot be seen: ${pod}.`
  if (pod === undefined) return `There is no Pod ${name} in namespace ${namespace}.`
  return clientOfPod(pod, pod.ips[0] ?? NOBODY, zone, world)
}

const clientOfPod = (pod: PodFacts, address: string, zone: string, world: World): Client => ({
  address,
  text: `${address} (Pod ${pod.namespace}/${pod.name})`,
  resolver: podResolver(pod, zone, nameserver => isHere(nameserver, world)),
})

/** Link-local addresses are those of caches on the node, which ask here. */
function isHere(address: string, { clusters }: World): boolean {
  const canonical = canonicalIp(address) ?? address
  if (/^(?:169\.254\.|fe[89ab])/.test(canonical)) return true
  for (const { cluster } of clusters)
    for (const { clusterIPs } of cluster.objects('Service').values())
      if (clusterIPs.includes(canonical)) return true
  return false
}

/** What the first cluster that knows the Pod says of it; a text is why none could be asked. */
async function firstPod(
  clusters: readonly ClusterView[],
  look: (view: ClusterView) => Promise<PodFacts | undefined> | undefined,
): Promise<PodFacts | string | undefined> {
  let problem: string | undefined
  for (const view of clusters) {
    try {
      const pod = await look(view)
      if (pod) return pod
    } catch (error) {
      problem = error instanceof Error ? error.message : String(error)
    }
  }
  return problem
}
