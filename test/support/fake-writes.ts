// Writes to the API server of the tests: POST creates an object, PATCH merges into one (RFC 7396), or into its status
// alone below `/status`. Texts and codes are kube-apiserver's.

import { resourceOf, statusOf } from './fake-api-wire.ts'
import { FAKE_RESOURCES, type FakeCluster, type RawObject, type ResourceName } from './fake-cluster.ts'

/** What a write is about. */
export interface WriteTarget {
  readonly resource: ResourceName
  readonly namespace: string
  /** '' for POST. */
  readonly name: string
  readonly status: boolean
}

/** What the path of a write names; undefined where the API has nothing there. */
export function writeTarget(path: string, method: string): WriteTarget | undefined {
  if (method === 'GET') return undefined
  const [, head, namespace = '', rest] =
    /^(\/apis?\/.*?)(?:\/namespaces\/([^/]+))?\/([^/]+(?:\/[^/]+){0,2})$/.exec(path) ?? []
  if (head === undefined || rest === undefined) return undefined
  const [plural, name = '', sub] = rest.split('/')
  const resource = resourceOf(`${head}/${plural}`)
  if (resource === undefined || (name === '') !== (method === 'POST')) return undefined
  return sub === undefined || sub === 'status'
    ? { resource, namespace, name, status: sub === 'status' }
    : undefined
}

/** The object that a write sends. */
export async function readWrite(request: AsyncIterable<Buffer>): Promise<RawObject> {
  return JSON.parse(Buffer.concat(await Array.fromAsync(request)).toString())
}

/** Carries a write out. */
export function write(cluster: FakeCluster, target: WriteTarget, body: RawObject): [number, object] {
  const { resource, namespace, name, status } = target
  const { group, namespaced } = FAKE_RESOURCES[resource]
  const place = namespaced ? { namespace } : {}
  const full = group === '' ? resource : `${resource}.${group}`
  const find = (wanted: string): RawObject | undefined =>
    cluster
      .list(resource)
      .find(({ metadata }) => metadata.name === wanted && (metadata.namespace ?? '') === namespace)
  if (name === '') {
    const message = `${full} "${body.metadata.name}" already exists`
    if (find(body.metadata.name)) return [409, statusOf(409, 'AlreadyExists', message)]
    cluster.apply(resource, { ...body, metadata: { ...body.metadata, ...place } })
    return [201, find(body.metadata.name)!]
  }
  const before = find(name)
  if (!before) return [404, statusOf(404, 'NotFound', `${full} "${name}" not found`)]
  const version = body.metadata?.resourceVersion
  if (version !== undefined && version !== before.metadata.resourceVersion) {
    const message = `Operation cannot be fulfilled on ${full} "${name}": the object has been modified`
    return [409, statusOf(409, 'Conflict', message)]
  }
  const patch = status ? { status: body.status } : body
  cluster.apply(resource, merge(before, patch) as RawObject)
  return [200, find(name)!]
}

/** RFC 7396 section 2. */
function merge(target: unknown, patch: unknown): unknown {
  if (typeof patch !== 'object' || patch === null || Array.isArray(patch)) return patch
  const merged: Record<string, unknown> = {
    ...(typeof target === 'object' && !Array.isArray(target) ? target : {}),
  }
  for (const [key, value] of Object.entries(patch)) {
    if (value === null) delete merged[key]
    else if (value !== undefined) merged[key] = merge(merged[key], value)
  }
  return merged
}
