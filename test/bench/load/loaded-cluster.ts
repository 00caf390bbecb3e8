// The cluster under load: that of the other benchmarks on the fake API server, and beside it the objects that the packet
// fuzzer asks about.

import type { Scope } from '../../e2e/processes.ts'
import type { RawObject, ResourceName } from '../../support/fake-cluster.ts'
import { manifests } from '../../support/target-cluster.ts'
import type { ClusterSize } from '../common/cluster.ts'
import { type FakeWorld, startFakeWorld } from '../common/cluster-source.ts'

const RESOURCES: Readonly<Record<string, ResourceName>> = {
  Namespace: 'namespaces',
  Service: 'services',
  EndpointSlice: 'endpointslices',
}

/** Starts it. */
export async function startLoadWorld(scope: Scope, size: ClusterSize): Promise<FakeWorld> {
  const world = await startFakeWorld(scope, size)
  for (const text of manifests().split('\n---\n')) {
    const object = JSON.parse(text) as RawObject & { readonly kind: string }
    world.api.cluster.apply(RESOURCES[object.kind]!, object)
  }
  return world
}
