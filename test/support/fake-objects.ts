// Raw objects as a real API server returns them, with the metadata that nobody needs: a third of the octets of a real
// EndpointSlice are managedFields, owner references and labels.

import type { FakeCluster, RawObject } from './fake-cluster.ts'

/** A Namespace. */
export const namespace = (name: string, labels: Readonly<Record<string, string>> = {}): RawObject => ({
  metadata: { name, labels: { 'kubernetes.io/metadata.name': name, ...labels } },
  spec: { finalizers: ['kubernetes'] },
  status: { phase: 'Active' },
})

/** A Service; `spec` is laid over one of type ClusterIP with a port http/80. */
export const service = (
  ns: string,
  name: string,
  spec: Readonly<Record<string, unknown>> = {},
  labels: Readonly<Record<string, string>> = {},
): RawObject => ({
  metadata: { namespace: ns, name, labels },
  spec: {
    type: 'ClusterIP',
    clusterIP: '10.96.0.10',
    clusterIPs: ['10.96.0.10'],
    ports: [{ name: 'http', port: 80, protocol: 'TCP', targetPort: 8080 }],
    ...spec,
  },
})

/** An EndpointSlice of a Service with these ready addresses and a port http/8080. */
export const slice = (
  ns: string,
  name: string,
  serviceName: string,
  addresses: readonly string[],
  more: Readonly<Record<string, unknown>> = {},
): RawObject => ({
  metadata: { namespace: ns, name, labels: { 'kubernetes.io/service-name': serviceName } },
  addressType: 'IPv4',
  ports: [{ name: 'http', port: 8080, protocol: 'TCP' }],
  endpoints: addresses.map(address => ({ addresses: [address], conditions: { ready: true } })),
  ...more,
})

/** A Pod with an address. */
export const pod = (ns: string, name: string, ip: string, phase = 'Running'): RawObject => ({
  metadata: { namespace: ns, name },
  status: { phase, podIP: ip, podIPs: [{ ip }] },
})

/** How many objects to make. */
export interface Amounts {
  readonly services: number
  /** EndpointSlices per Service. */
  readonly slices: number
  /** Endpoints per EndpointSlice. */
  readonly endpoints: number
  readonly namespaces: number
}

/** Fills a cluster with objects as wordy as real ones: about 3.3 kB for a slice of 10 endpoints. */
export function populate(cluster: FakeCluster, amounts: Amounts): void {
  for (let n = 0; n < amounts.namespaces; n++) cluster.apply('namespaces', namespace(`ns-${n}`))
  for (let s = 0; s < amounts.services; s++) {
    const ns = `ns-${s % amounts.namespaces}`
    const name = `service-${s}`
    const ip = `10.${96 + (s >> 16)}.${(s >> 8) & 255}.${s & 255}`
    cluster.apply('services', wordy(service(ns, name, { clusterIP: ip, clusterIPs: [ip] }), s))
    for (let i = 0; i < amounts.slices; i++)
      cluster.apply('endpointslices', wordySlice(ns, name, s, i, amounts.endpoints))
  }
}

/** An EndpointSlice with all that the controller writes. */
export function wordySlice(
  ns: string,
  serviceName: string,
  s: number,
  i: number,
  endpoints: number,
): RawObject {
  const list = Array.from({ length: endpoints }, (_, e) => {
    const n = s * endpoints + e
    return {
      addresses: [`10.${(n >> 16) & 255}.${(n >> 8) & 255}.${n & 255}`],
      conditions: { ready: true, serving: true, terminating: false },
      nodeName: `node-${n % 100}`,
      targetRef: { kind: 'Pod', namespace: ns, name: `${serviceName}-7d4b9c6f5-${n}`, uid: uid(n) },
      zone: `zone-${n % 3}`,
    }
  })
  return wordy(slice(ns, `${serviceName}-${i}`, serviceName, [], { endpoints: list }), s)
}

/** The object with the metadata that nobody needs. */
export function wordy(object: RawObject, n: number): RawObject {
  const { metadata } = object
  return {
    ...object,
    metadata: {
      ...metadata,
      uid: uid(n),
      generation: 1,
      creationTimestamp: '2026-01-01T00:00:00Z',
      labels: {
        ...metadata.labels,
        'app.kubernetes.io/name': metadata.name,
        'app.kubernetes.io/managed-by': 'Helm',
      },
      ownerReferences: [
        { apiVersion: 'v1', kind: 'Service', name: metadata.name, uid: uid(n), controller: true },
      ],
      managedFields: [
        {
          manager: 'kube-controller-manager',
          operation: 'Update',
          apiVersion: 'v1',
          time: '2026-01-01T00:00:00Z',
          fieldsType: 'FieldsV1',
          fieldsV1: {
            'f:metadata': { 'f:labels': { '.': {}, 'f:app.kubernetes.io/name': {} } },
            'f:ports': {},
          },
        },
      ],
    },
  }
}

const uid = (n: number): string => `b7e1c2d4-0000-4000-8000-${n.toString(16).padStart(12, '0')}`
