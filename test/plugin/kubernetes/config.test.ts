// Which directives share a watch and a table.

import t from 'tap'
import { type KubernetesConfig, sourceKey } from '../../../src/plugin/kubernetes/config.ts'
import { KUBERNETES } from '../../support/slim-cluster.ts'

/** Another value for every option, and whether it means another table. */
const OTHERS: {
  readonly [K in keyof KubernetesConfig]-?: [other: KubernetesConfig[K], table: 'same' | 'own']
} = {
  zones: [['example.org.'], 'same'],
  primaryZone: ['example.org.', 'same'],
  pods: ['disabled', 'same'],
  ttlSeconds: [30, 'same'],
  fallthrough: [['.'], 'same'],
  startupTimeoutMs: [1, 'same'],
  multiclusterZones: [['clusterset.local.'], 'same'],
  localIps: [['10.0.0.1'], 'same'],
  source: [{ kind: 'manifests', directory: '/manifests' }, 'own'],
  snapshot: [{ file: '/snapshot', maxAgeMs: 1 }, 'own'],
  namespaces: [['demo'], 'own'],
  labels: ['tier=front', 'own'],
  namespaceLabels: ['team=a', 'own'],
  endpointPodNames: [true, 'own'],
  noEndpoints: [true, 'own'],
  ignoreEmptyService: [true, 'own'],
  zonal: [true, 'own'],
  multicluster: [true, 'own'],
  topology: [{ of: 'zone', atLeast: 1 }, 'own'],
  nodes: [true, 'own'],
  records: [{ kinds: ['Ingress'], delegations: [], own: [], zones: [], ttlSeconds: 60 }, 'own'],
  policies: [true, 'own'],
  labelledNamespaces: [true, 'own'],
  stubs: [{ within: [''], own: ['cluster.local'] }, 'own'],
  verifiedPods: [true, 'own'],
  clients: [{ podNames: true, hosts: false, labels: ['app'] }, 'own'],
}

t.test('every option but those of answers alone means a table of its own', async t => {
  const key = sourceKey(KUBERNETES)
  for (const [option, [other, table]] of Object.entries(OTHERS)) {
    t.equal(sourceKey({ ...KUBERNETES, [option]: other }) === key ? 'same' : 'own', table, option)
  }
})

t.test('an option that nobody listed means a table of its own, too', async t => {
  const newer = { ...KUBERNETES, shiny: true }
  t.not(sourceKey(newer), sourceKey(KUBERNETES))
})

t.test('the order of namespaces and of options means nothing', async t => {
  const config = { ...KUBERNETES, namespaces: ['a', 'b'] }
  const turned = Object.fromEntries(Object.entries(config).reverse()) as unknown as KubernetesConfig
  t.equal(sourceKey({ ...turned, namespaces: ['b', 'a'] }), sourceKey(config))
})
