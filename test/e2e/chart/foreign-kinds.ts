// Definitions of other projects' kinds that the chart can render, so that a real API server takes them: which fields they
// have is for those projects to say, and not checked here.

import type { KubeObject } from '../api-client.ts'

const KINDS = [
  { group: 'monitoring.coreos.com', version: 'v1', kind: 'ServiceMonitor', plural: 'servicemonitors' },
  { group: 'monitoring.coreos.com', version: 'v1', kind: 'PrometheusRule', plural: 'prometheusrules' },
  {
    group: 'cilium.io',
    version: 'v2',
    kind: 'CiliumLocalRedirectPolicy',
    plural: 'ciliumlocalredirectpolicies',
  },
] as const

/** The definitions. */
export const foreignDefinitions = (): KubeObject[] =>
  KINDS.map(({ group, version, kind, plural }) => ({
    apiVersion: 'apiextensions.k8s.io/v1',
    kind: 'CustomResourceDefinition',
    metadata: { name: `${plural}.${group}` },
    spec: {
      group,
      scope: 'Namespaced',
      names: { plural, singular: kind.toLowerCase(), kind, listKind: `${kind}List` },
      versions: [
        {
          name: version,
          served: true,
          storage: true,
          schema: { openAPIV3Schema: { type: 'object', 'x-kubernetes-preserve-unknown-fields': true } },
        },
      ],
    },
  }))
