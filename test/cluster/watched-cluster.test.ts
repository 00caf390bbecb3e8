// What one watched cluster says of itself.

import t from 'tap'
import { publishStatus } from '../../src/cluster/status.ts'
import { WatchedCluster } from '../../src/cluster/watched-cluster.ts'
import { ProcessLog } from '../../src/observe/log.ts'
import { Registry } from '../../src/observe/registry.ts'
import { systemClock } from '../../src/shared/clock.ts'
import { KUBERNETES } from '../support/slim-cluster.ts'

const namespaces = (...names: string[]): string =>
  names.map(name => `apiVersion: v1\nkind: Namespace\nmetadata:\n  name: ${name}\n`).join('---\n')

t.test('namespaces that capture names by the search path are warned about once, and counted', async t => {
  const directory = t.testdir({ 'namespaces.yaml': namespaces('shop', 'com') })
  const registry = new Registry()
  const lines: string[] = []
  const output = { write: (text: string) => lines.push(text) > 0, flush: async () => true }
  const log = new ProcessLog(output, systemClock, registry.meters)
  const config = { ...KUBERNETES, source: { kind: 'manifests' as const, directory } }
  const watched = await WatchedCluster.start(config, { log, meters: registry.meters })
  if (typeof watched === 'string') throw new Error(watched)
  t.teardown(() => watched.stop())
  await watched.whenUsable
  const captured = lines.filter(line => line.includes('captures'))
  t.same(captured, [
    '[WARNING] plugin/kubernetes: namespace com captures names of the domain com: Pods that ask for them are sent to Services in it\n',
  ])
  t.equal(watched.capturingNamespaces, 1)
  publishStatus(registry, [watched])
  const gauge = registry.gather().find(({ family }) => family.name === 'seamark_capturing_namespaces')
  t.same(gauge?.samples[0]?.numbers, [1])
})
