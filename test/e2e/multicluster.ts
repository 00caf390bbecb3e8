// The objects of Multi-Cluster Services (KEP-1645): the definition of ServiceImport, some imports and their slices, and
// the questions about them in the zone clusterset.local, where an endpoint's name also holds its cluster's.

import type { KubeObject } from './api-client.ts'
import { type Endpoint, slice } from './every-object.ts'
import type { ParityQuestion } from './questions.ts'

/** The zone of imported Services. */
export const CLUSTERSET_ZONE = 'clusterset.local'
const GROUP = 'multicluster.x-k8s.io'

/** Makes the API server know ServiceImports. */
export const serviceImportDefinition = (): KubeObject => ({
  apiVersion: 'apiextensions.k8s.io/v1',
  kind: 'CustomResourceDefinition',
  metadata: {
    name: `serviceimports.${GROUP}`,
    annotations: { 'api-approved.kubernetes.io': 'https://github.com/kubernetes/enhancements/pull/1748' },
  },
  spec: {
    group: GROUP,
    scope: 'Namespaced',
    names: {
      plural: 'serviceimports',
      singular: 'serviceimport',
      kind: 'ServiceImport',
      listKind: 'ServiceImportList',
    },
    versions: [
      {
        name: 'v1alpha1',
        served: true,
        storage: true,
        subresources: { status: {} },
        schema: { openAPIV3Schema: { type: 'object', 'x-kubernetes-preserve-unknown-fields': true } },
      },
    ],
  },
})

const imported = (name: string, type: 'ClusterSetIP' | 'Headless', ips: readonly string[]): KubeObject => ({
  apiVersion: `${GROUP}/v1alpha1`,
  kind: 'ServiceImport',
  metadata: { name, namespace: 'demo' },
  spec: { type, ips, ports: [{ name: 'http', protocol: 'TCP', port: 80 }] },
})

const importedSlice = (
  name: string,
  service: string,
  cluster: string,
  endpoints: readonly Endpoint[],
): KubeObject =>
  slice('demo', name, undefined, endpoints, {
    labels: {
      'multicluster.kubernetes.io/service-name': service,
      'multicluster.kubernetes.io/source-cluster': cluster,
    },
  })

/** Imports of both types; some bear the name of a local Service. */
export const importedObjects = (): KubeObject[] => [
  imported('web', 'ClusterSetIP', ['10.100.0.1']),
  imported('dual', 'ClusterSetIP', ['10.100.0.2', 'fd00:100::2']),
  imported('pending', 'ClusterSetIP', []),
  imported('hl', 'Headless', []),
  imported('bare', 'Headless', []),
  importedSlice('mc-hl-east', 'hl', 'east', [
    { addresses: ['10.6.0.1'], hostname: 'p0' },
    { addresses: ['10.6.0.2'] },
  ]),
  importedSlice('mc-hl-west', 'hl', 'west', [
    { addresses: ['10.6.1.1'], hostname: 'p0' },
    { addresses: ['10.6.1.2'], ready: false },
  ]),
  importedSlice('mc-web-east', 'web', 'east', [{ addresses: ['10.6.2.1'] }]),
]

// biome-ignore format: a table
const BELOW = [
  'p0.east.hl', 'p0.west.hl', 'P0.West.HL', '10-6-0-2.east.hl', '10-6-0-2.west.hl', '10-6-1-2.west.hl', 'p0.hl', 'x.east.hl',
  'p0.north.hl', '_http._tcp.hl', '_x._tcp.hl', 'a.p0.east.hl', 'bare', 'pending', '_http._tcp.web', '10-6-2-1.east.web',
] as const

/** Questions in the zone clusterset.local: those given, moved there, and names with a cluster in them. */
export function clustersetQuestions(questions: readonly ParityQuestion[]): ParityQuestion[] {
  const moved = questions
    .filter(({ name }) => /(?:^|\.)cluster\.local$/i.test(name))
    .map(question => ({ ...question, name: question.name.replace(/cluster\.local$/i, CLUSTERSET_ZONE) }))
  const below = BELOW.flatMap(name =>
    ['A', 'AAAA', 'SRV', 'TXT', 'CNAME', 'ANY'].map(type => ({
      name: `${name}.demo.svc.${CLUSTERSET_ZONE}`,
      type,
    })),
  )
  const reverse = ['1.0.100.10', '1.0.6.10', '1.2.6.10'].map(name => ({
    name: `${name}.in-addr.arpa`,
    type: 'PTR',
  }))
  return [...moved, ...below, ...reverse]
}
