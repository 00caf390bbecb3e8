// Values that the chart refuses, with what Helm says about them: the path of the value and the type that it should have.

import type { Values } from '../helm.ts'

/** Each with a part of the message. */
export const REFUSED_VALUES: readonly {
  readonly title: string
  readonly values: Values
  readonly message: RegExp
}[] = [
  {
    title: "CoreDNS's own image",
    values: { image: { repository: 'registry.k8s.io/coredns/coredns', tag: 'v1.12.4' } },
    message: /image\.repository registry\.k8s\.io\/coredns\/coredns is CoreDNS's image/,
  },
  { title: 'a number of replicas in words', values: { replicaCount: 'two' }, message: /replicaCount/ },
  { title: 'server blocks that are no list', values: { servers: { plugins: [] } }, message: /servers/ },
  {
    title: 'a plugin without a name',
    values: { servers: [{ plugins: [{ parameters: 30 }] }] },
    message: /servers[./]0[./]plugins[./]0/,
  },
  {
    title: 'a scheme that is none',
    values: { servers: [{ zones: [{ zone: '.', scheme: 'tls' }], plugins: [] }] },
    message: /servers[./]0[./]zones[./]0[./]scheme/,
  },
  {
    title: 'a port beyond the last',
    values: { servers: [{ port: 70_000, plugins: [] }] },
    message: /servers[./]0[./]port/,
  },
  {
    title: 'a zone file without contents',
    values: { zoneFiles: [{ filename: 'db' }] },
    message: /zoneFiles[./]0/,
  },
  {
    title: 'a Secret that is mounted nowhere',
    values: { extraSecrets: [{ name: 'certificates' }] },
    message: /extraSecrets[./]0/,
  },
  { title: 'a type of Service', values: { serviceType: 'Cluster' }, message: /serviceType/ },
  { title: 'a digest that is none', values: { image: { digest: 'latest' } }, message: /image[./]digest/ },
  { title: 'a misspelt key of state', values: { state: { snapshots: true } }, message: /snapshots/ },
]
