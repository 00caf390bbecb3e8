// The resources that Seamark reads: where the API serves them and what RBAC calls them.

import type { Kind } from '../objects/objects.ts'

/** One resource of the Kubernetes API. */
export interface Resource<K extends Kind = Kind> {
  readonly kind: K
  /** The plural in lower case, as in URLs and RBAC rules. */
  readonly name: string
  /** The API group; '' is the core group. */
  readonly group: string
  /** Of all namespaces together. */
  readonly path: string
}

/** By kind. Endpoints is not among them: EndpointSlices have taken its place (discovery.k8s.io/v1). */
export const RESOURCES: { readonly [K in Kind]: Resource<K> } = {
  Service: { kind: 'Service', name: 'services', group: '', path: '/api/v1/services' },
  EndpointSlice: {
    kind: 'EndpointSlice',
    name: 'endpointslices',
    group: 'discovery.k8s.io',
    path: '/apis/discovery.k8s.io/v1/endpointslices',
  },
  Namespace: { kind: 'Namespace', name: 'namespaces', group: '', path: '/api/v1/namespaces' },
  Pod: { kind: 'Pod', name: 'pods', group: '', path: '/api/v1/pods' },
  ServiceImport: {
    kind: 'ServiceImport',
    name: 'serviceimports',
    group: 'multicluster.x-k8s.io',
    path: '/apis/multicluster.x-k8s.io/v1alpha1/serviceimports',
  },
}

/** What to add to the ClusterRole so that the resource can be read, as one line of YAML. */
export function rbacRule(resource: Resource): string {
  return `{apiGroups: ["${resource.group}"], resources: ["${resource.name}"], verbs: ["list", "watch"]}`
}
