// What every cluster has without being told: the namespaces default and kube-system, the Service `kubernetes` with
// the API server behind it, and the Service `kube-dns` with two Pods. The folder's own objects of these names come
// before them; a folder with the Service `kubernetes` is a whole cluster as kubectl printed it, and lacks nothing.

import type { Json } from '../objects/field.ts'
import { type ManifestKind, type Place, type RawObject, rawObject } from './raw.ts'

/** The file that messages name for a built-in object. */
const BUILT_IN = '(built in)'

const PLACE: Place = { file: BUILT_IN, at: () => ({ line: 1, column: 1 }) }

const DNS_LABELS = { 'k8s-app': 'kube-dns' }

const SERVICES = [
  {
    metadata: { name: 'kubernetes', namespace: 'default' },
    spec: {
      clusterIP: '10.96.0.1',
      selector: { component: 'kube-apiserver' },
      ports: [{ name: 'https', port: 443, protocol: 'TCP', targetPort: 6443 }],
    },
  },
  {
    metadata: { name: 'kube-dns', namespace: 'kube-system', labels: DNS_LABELS },
    spec: {
      clusterIP: '10.96.0.10',
      selector: DNS_LABELS,
      ports: [
        { name: 'dns', port: 53, protocol: 'UDP', targetPort: 53 },
        { name: 'dns-tcp', port: 53, protocol: 'TCP', targetPort: 53 },
        { name: 'metrics', port: 9153, protocol: 'TCP', targetPort: 9153 },
      ],
    },
  },
] as const

const COREDNS = {
  metadata: { name: 'coredns', namespace: 'kube-system' },
  spec: {
    replicas: 2,
    selector: { matchLabels: DNS_LABELS },
    template: { metadata: { labels: DNS_LABELS } },
  },
}

/** The Pod that stands for the API server, in the namespace of its Service (a real one runs on a Node's own network). */
const API_SERVER = {
  metadata: { name: 'kube-apiserver', namespace: 'default', labels: { component: 'kube-apiserver' } },
}

/** The built-in objects that the folder does not hold itself. */
export function builtIns(objects: readonly RawObject[]): RawObject[] {
  const has = (kind: ManifestKind, namespace: string, name: string): boolean =>
    objects.some(o => o.kind === kind && o.namespace === namespace && o.name === name)
  const missing: RawObject[] = []
  const add = (kind: ManifestKind, raw: Json): void => {
    missing.push(rawObject(kind, raw, PLACE))
  }
  if (has('Service', 'default', 'kubernetes')) return []
  const [kubernetes, dns] = SERVICES
  add('Service', kubernetes)
  if (!has('Pod', 'default', 'kube-apiserver')) add('Pod', API_SERVER)
  if (!has('Service', 'kube-system', 'kube-dns')) {
    add('Service', dns)
    if (!has('Deployment', 'kube-system', 'coredns')) add('Deployment', COREDNS)
  }
  return missing
}

/** Whether an object is a built-in one. */
export const isBuiltIn = (object: RawObject): boolean => object.place.file === BUILT_IN
