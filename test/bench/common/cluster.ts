// The cluster that is measured: Services in a hundred namespaces, 1 in 10 headless, each with one EndpointSlice of ten
// endpoints, and two wide headless ones. The same size gives the same objects, whether they are put into a real API
// server, a fake one, or a zone file.
//
//   web-17.ns-17.svc.cluster.local    10.100.0.17    port http/80, ten endpoints 10.16.0.170 …
//   db-19.ns-19.svc.cluster.local     headless       ten endpoints 10.16.0.190 …
//   wide-50.ns-0, wide-5000.ns-0      headless       slices of 100 endpoints

import type { RawObject, ResourceName } from '../../support/fake-cluster.ts'
import { service, slice, wordy } from '../../support/fake-objects.ts'

/** To be raised with every change of what is generated: stored clusters of another version are made anew. */
export const OBJECTS_VERSION = 1

export const NAMESPACES = 100
const HEADLESS_EVERY = 10
/** What the EndpointSlice controller puts into one slice at most. */
export const SLICE_ENDPOINTS_MAX = 100
const ZONE = 'svc.cluster.local'

/** How large a cluster is. */
export interface ClusterSize {
  readonly services: number
  /** Endpoints of each Service; 0 for no slices at all. */
  readonly endpoints: number
  /** Endpoints of the wide Services. */
  readonly wide: readonly number[]
}

/** The cluster of docs/costs.md: 10,000 Services, 100,000 endpoints and a few. */
export const FULL_SIZE: ClusterSize = { services: 10_000, endpoints: 10, wide: [50, 5000] }

/** One Service with its endpoints. */
export interface ServiceShape {
  readonly namespace: string
  readonly name: string
  /** In full, without a final dot. */
  readonly fqdn: string
  /** Undefined for a headless one. */
  readonly clusterIp: string | undefined
  readonly endpoints: readonly string[]
}

/** The Services of a cluster of that size, in the order of their numbers, the wide ones last. */
export function shapes({ services, endpoints, wide }: ClusterSize): ServiceShape[] {
  let used = 0
  const take = (count: number): string[] => Array.from({ length: count }, () => `10.${octets(16, used++)}`)
  const named = (namespace: string, name: string): Pick<ServiceShape, 'namespace' | 'name' | 'fqdn'> => ({
    namespace,
    name,
    fqdn: `${name}.${namespace}.${ZONE}`,
  })
  const plain = Array.from({ length: services }, (_, n) => {
    const headless = n % HEADLESS_EVERY === HEADLESS_EVERY - 1
    return {
      ...named(`ns-${n % NAMESPACES}`, `${headless ? 'db' : 'web'}-${n}`),
      clusterIp: headless ? undefined : `10.${octets(100, n)}`,
      endpoints: take(endpoints),
    }
  })
  const wides = wide.map(count => ({
    ...named('ns-0', `wide-${count}`),
    clusterIp: undefined,
    endpoints: take(count),
  }))
  return [...plain, ...wides]
}

/** `second.third.fourth` of the n-th address of a network 10.SECOND/16 and those behind it. */
const octets = (second: number, n: number): string => `${second + (n >> 16)}.${(n >> 8) & 255}.${n & 255}`

/** The namespaces, by name. */
export const namespaceNames = (): string[] => Array.from({ length: NAMESPACES }, (_, n) => `ns-${n}`)

/** The EndpointSlices of a Service, its endpoints in pieces of 100. */
export function slicesOf({ namespace, name, endpoints }: ServiceShape): RawObject[] {
  const count = Math.ceil(endpoints.length / SLICE_ENDPOINTS_MAX)
  return Array.from({ length: count }, (_, at) => {
    const part = endpoints.slice(at * SLICE_ENDPOINTS_MAX, (at + 1) * SLICE_ENDPOINTS_MAX)
    return endpointSlice(namespace, `${name}-${at}`, name, part)
  })
}

/** An EndpointSlice with these addresses and all that the controller writes about them. */
export function endpointSlice(
  namespace: string,
  name: string,
  serviceName: string,
  addresses: readonly string[],
): RawObject {
  const endpoints = addresses.map((address, n) => ({
    addresses: [address],
    conditions: { ready: true, serving: true, terminating: false },
    nodeName: `node-${n}`,
    targetRef: { kind: 'Pod', namespace, name: `${serviceName}-7d4b9c6f5-${n}`, uid: POD_UID },
    zone: `zone-${n % 3}`,
  }))
  return slice(namespace, name, serviceName, [], { endpoints })
}

const POD_UID = 'b7e1c2d4-0000-4000-8000-000000000000'

/** The Service object. */
export const serviceOf = ({ namespace, name, clusterIp = 'None' }: ServiceShape): RawObject =>
  service(namespace, name, { clusterIP: clusterIp, clusterIPs: [clusterIp] })

/** Every object of a cluster with its resource, namespaces first. */
export function* objectsOf(size: ClusterSize): Generator<readonly [ResourceName, RawObject]> {
  for (const name of namespaceNames()) yield ['namespaces', { metadata: { name } }]
  for (const shape of shapes(size)) {
    yield ['services', serviceOf(shape)]
    for (const slice of slicesOf(shape)) yield ['endpointslices', slice]
  }
}

/** The object with the metadata that an API server adds: for the fake one, so that it sends as many octets. */
export const asStored = (object: RawObject): RawObject => wordy(object, 0)
