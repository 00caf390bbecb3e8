import t from 'tap'
import { capturedBy } from '../../src/cluster/capture.ts'

t.test('namespaces that capture names by the search path', async t => {
  const cases: [namespace: string, captured: string | undefined][] = [
    ['default', undefined],
    ['kube-system', undefined],
    ['com-shop', undefined],
    ['com', 'names of the domain com'],
    ['io', 'names of the domain io'],
    ['svc', 'names that end in svc'],
    ['pod', 'names that end in pod'],
    ['cluster', 'names that end in cluster, a label of cluster.local.'],
    ['local', 'names that end in local, a label of cluster.local.'],
  ]
  for (const [namespace, captured] of cases)
    t.equal(capturedBy(namespace, 'cluster.local.'), captured, namespace)
})
