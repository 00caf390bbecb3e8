// Objects that one row needs beside those of the world: put into its API server, and taken out again at the end.

import type { Scope } from '../../e2e/processes.ts'
import { FAKE_RESOURCES, type RawObject, type ResourceName } from '../../support/fake-cluster.ts'
import { isFake, isReal, type World } from './cluster-source.ts'
import { create } from './etcd-store.ts'

/** An object and what it is one of. */
export type Placed = readonly [ResourceName, RawObject]

/** Puts the objects into the world's API server until the scope ends. */
export async function placeObjects(scope: Scope, world: World, objects: readonly Placed[]): Promise<void> {
  for (const [resource, object] of objects) {
    const { kind, version: apiVersion } = FAKE_RESOURCES[resource]
    const { name, namespace = '' } = object.metadata
    if (isFake(world)) {
      world.api.cluster.apply(resource, object)
      scope.add(name, () => world.api.cluster.delete(resource, name, namespace))
      continue
    }
    if (!isReal(world)) throw new TypeError(`objects cannot be put into ${world.apiServer}`)
    const { client } = world.plane
    await create(client, resource, object)
    scope.add(name, () => client.delete({ apiVersion, kind, namespace, name }, 0))
    const { status } = object
    if (status) await client.patch({ apiVersion, kind, namespace, name }, { status }, 'status')
  }
}
