// Where the servers under test learn the cluster from: a real API server that begins with stored objects, or the fake one
// in this process. Both are one API server for all of them.

import { ControlPlane } from '../../e2e/control-plane.ts'
import type { Scope } from '../../e2e/processes.ts'
import { FakeApiServer } from '../../support/fake-api-server.ts'
import { asStored, type ClusterSize, objectsOf, type ServiceShape, shapes } from './cluster.ts'
import { etcdData } from './etcd-store.ts'
import { startUpstream } from './upstream.ts'

/** What the servers read from, and what they forward to. */
export interface World {
  /** In words, for the report. */
  readonly apiServer: string
  readonly size: ClusterSize
  readonly services: readonly ServiceShape[]
  /** Lines of the kubernetes block that say where the API server is. */
  readonly access: readonly string[]
  readonly upstreamPort: number
}

/** A world on a real API server, which can be killed and brought back. */
export interface RealWorld extends World {
  readonly plane: ControlPlane
}

/** A world on the fake API server, which can be made to do anything. */
export interface FakeWorld extends World {
  readonly api: FakeApiServer
}

/** Starts a real API server with the stored objects, made first where they are not there. */
export async function startRealWorld(
  scope: Scope,
  size: ClusterSize,
  say: (line: string) => void,
): Promise<RealWorld> {
  const data = await etcdData(size, say)
  const plane = await ControlPlane.start(scope, { etcdData: data, controllers: false })
  return {
    apiServer: 'kube-apiserver, over TLS',
    size,
    services: shapes(size),
    access: [`kubeconfig ${plane.kubeconfigFile}`],
    upstreamPort: await startUpstream(scope),
    plane,
  }
}

/** Starts the fake API server with the same objects. */
export async function startFakeWorld(scope: Scope, size: ClusterSize): Promise<FakeWorld> {
  const api = new FakeApiServer()
  for (const [resource, object] of objectsOf(size)) api.cluster.apply(resource, asStored(object))
  // The history of making the objects is of no use to anybody.
  api.cluster.compact()
  await api.listen()
  scope.add('fake API server', () => api.close())
  return {
    apiServer: 'the fake API server, JSON over HTTP',
    size,
    services: shapes(size),
    access: [`endpoint ${api.url}`],
    upstreamPort: await startUpstream(scope),
    api,
  }
}
