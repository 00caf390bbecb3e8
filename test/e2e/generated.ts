// Some hundred random but valid objects from a seed: Services of all types with hand-made EndpointSlices in several
// namespaces. The same seed gives the same objects, so a failure can be had again.

import { Random } from '../support/random.ts'
import type { KubeObject } from './api-client.ts'
import { type Endpoint, service, slice } from './every-object.ts'

const NAMESPACE_COUNT = 6
const PROTOCOLS = ['TCP', 'UDP', 'SCTP'] as const
const PORT_NAMES = ['http', 'https', 'grpc', 'dns', 'a', 'metrics-1'] as const

/** The namespaces that the generated objects live in. */
export const generatedNamespaces = (): KubeObject[] =>
  Array.from({ length: NAMESPACE_COUNT }, (_, at) => ({
    apiVersion: 'v1',
    kind: 'Namespace',
    metadata: { name: `gen-${at}`, labels: { team: at % 2 === 0 ? 'blue' : 'red' } },
  }))

function ports(random: Random): { name: string; port: number; protocol: (typeof PROTOCOLS)[number] }[] {
  const names = PORT_NAMES.filter(() => random.chance(35))
  if (names.length === 0) names.push('http')
  return names.map(name => ({ name, port: 1 + random.below(65535), protocol: random.pick(PROTOCOLS) }))
}

function endpoints(random: Random, v6: boolean): Endpoint[] {
  const octet = (): number => 1 + random.below(254)
  const address = (): string =>
    v6
      ? `fd02:${(1 + random.below(15)).toString(16)}::${(1 + random.below(40)).toString(16)}`
      : `10.3.${random.below(4)}.${octet()}`
  const all = Array.from({ length: random.below(7) }, () => ({
    addresses: [address()],
    ...(random.chance(30) ? { hostname: `h${random.below(4)}` } : {}),
    ...(random.chance(70) ? { ready: random.chance(80) } : {}),
    ...(random.chance(20) ? { pod: `pod-${random.below(9)}` } : {}),
  }))
  return all.filter((one, at) => all.findIndex(other => other.addresses[0] === one.addresses[0]) === at)
}

/** `count` Services and what belongs to them. */
export function generatedObjects(seed: number, count: number): KubeObject[] {
  const random = new Random(seed)
  return Array.from({ length: count }, (_, at) => {
    const namespace = `gen-${random.below(NAMESPACE_COUNT)}`
    const name = `s${at}`
    const kind = random.below(10)
    const labels: Readonly<Record<string, string>> = random.chance(30)
      ? { tier: random.pick(['web', 'data']) }
      : {}
    if (kind === 0) {
      const target = random.pick([
        'www.example.net',
        `s${random.below(count)}.${namespace}.svc.cluster.local`,
        'gone.test',
      ])
      return [
        service(namespace, name, { type: 'ExternalName', externalName: target, ports: undefined }, labels),
      ]
    }
    const ipFamilyPolicy = random.pick(['SingleStack', 'RequireDualStack'])
    const spec = { ports: ports(random), ipFamilyPolicy, ...(kind < 6 ? { clusterIP: 'None' } : {}) }
    const slices = Array.from({ length: random.below(4) }, (_, part) => {
      const v6 = random.chance(30)
      const options = {
        addressType: v6 ? 'IPv6' : 'IPv4',
        ports: random.chance(90) ? ports(random) : [],
        labels,
      }
      return slice(namespace, `${name}-${part}`, name, endpoints(random, v6), options)
    })
    return [service(namespace, name, spec, labels), ...slices]
  }).flat()
}
