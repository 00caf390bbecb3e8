// Where the servers under test learn the cluster from: a real API server that begins with stored objects, or the fake one
// in this process. Both are one API server for all of them.

import { ControlPlane } from '../../e2e/control-plane.ts'
import { withServiceAccount } from '../../e2e/namespaces.ts'
import type { Scope } from '../../e2e/processes.ts'
import { ServiceAccount } from '../../e2e/service-account.ts'
import { FakeApiServer } from '../../support/fake-api-server.ts'
import { asStored, type ClusterSize, objectsOf, type ServiceShape, shapes } from './cluster.ts'
import { etcdData } from './etcd-store.ts'
import type { Inner } from './run.ts'
import { startUpstream } from './upstream.ts'

/** What the servers read from, and what they forward to. */
export interface World {
  /** In words, for the report. */
  readonly apiServer: string
  readonly size: ClusterSize
  readonly services: readonly ServiceShape[]
  /** Lines of the kubernetes block that say where the API server is; none for a server that is in the cluster. */
  readonly access: readonly string[]
  /** Where it is in the cluster: what its Pod's environment says of the API server, and a command that gives it an account. */
  readonly env?: Readonly<Record<string, string>>
  readonly wrap?: readonly string[]
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

/** Whether a world is on a real API server, or on the fake one. */
export const isReal = (world: World): world is RealWorld => 'plane' in world
export const isFake = (world: World): world is FakeWorld => 'api' in world

/** What a server in the cluster has: an account, and two variables. */
async function inCluster(scope: Scope, plane: ControlPlane): Promise<Pick<World, 'access' | 'env' | 'wrap'>> {
  const account = await ServiceAccount.create(plane, 'bench-dns', scope.folder('account'))
  return {
    access: [],
    env: { KUBERNETES_SERVICE_HOST: '127.0.0.1', KUBERNETES_SERVICE_PORT: String(plane.port) },
    wrap: withServiceAccount(account.folder),
  }
}

/**
 * Starts a real API server with the stored objects, made first where they are not there. Servers are in the cluster where
 * namespaces can be made for them, and have the administrator's kubeconfig elsewhere.
 */
export async function startRealWorld(
  scope: Scope,
  size: ClusterSize,
  { say, bind }: Pick<Inner, 'say' | 'bind'>,
): Promise<RealWorld> {
  const data = await etcdData(size, say)
  const plane = await ControlPlane.start(scope, { etcdData: data, controllers: false })
  return {
    apiServer: 'kube-apiserver, over TLS',
    size,
    services: shapes(size),
    ...(bind === undefined
      ? await inCluster(scope, plane)
      : { access: [`kubeconfig ${plane.kubeconfigFile}`] }),
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
    apiServer: 'the fake API server',
    size,
    services: shapes(size),
    access: [`endpoint ${api.url}`],
    upstreamPort: await startUpstream(scope),
    api,
  }
}
