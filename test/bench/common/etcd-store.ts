// The objects of a cluster inside etcd's own files: put into a real API server once, which takes a minute for 20,000, and kept
// beside the control plane's programs for every later run. A name says the size and the version of the generator.

import { existsSync, renameSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import { type ApiClient, apiPath } from '../../e2e/api-client.ts'
import { ControlPlane } from '../../e2e/control-plane.ts'
import { Scope } from '../../e2e/processes.ts'
import { KUBERNETES_VERSION, programFolder } from '../../e2e/programs.ts'
import { FAKE_RESOURCES, type RawObject, type ResourceName } from '../../support/fake-cluster.ts'
import { type ClusterSize, OBJECTS_VERSION, objectsOf } from './cluster.ts'

const WRITERS = 8

/** Where the data of a cluster lies, whether or not it has been made. */
export function etcdFolder({ services, endpoints, wide }: ClusterSize): string {
  const size = [services, endpoints, ...wide].join('-')
  return join(programFolder(), `bench-etcd-${KUBERNETES_VERSION}-v${OBJECTS_VERSION}-${size}`)
}

/** Whether the data of a cluster has been made. */
export const isStored = (size: ClusterSize): boolean => existsSync(etcdFolder(size))

/** Creates an object of a resource. */
export function create(client: ApiClient, resource: ResourceName, object: RawObject): Promise<unknown> {
  const { kind, group, version } = FAKE_RESOURCES[resource]
  const apiVersion = group === '' ? version : `${group}/${version}`
  const { namespace } = object.metadata
  const path = apiPath({ apiVersion, kind, ...(namespace === undefined ? {} : { namespace }) })
  return client.request('POST', path, { kind, apiVersion, ...object })
}

async function createAll(
  client: ApiClient,
  objects: Iterator<readonly [ResourceName, RawObject]>,
): Promise<void> {
  for (let next = objects.next(); !next.done; next = objects.next()) await create(client, ...next.value)
}

/** The folder of a cluster's data, made first where it is not there. */
export async function etcdData(size: ClusterSize, say: (line: string) => void): Promise<string> {
  const folder = etcdFolder(size)
  if (isStored(size)) return folder
  say(`creating the objects of the cluster on a real API server (once, kept in ${folder})`)
  const started = performance.now()
  const scope = new Scope()
  try {
    const plane = await ControlPlane.start(scope, { controllers: false })
    const all = [...objectsOf(size)]
    // A namespace must be there before what is in it.
    await createAll(plane.client, all.filter(([resource]) => resource === 'namespaces').values())
    const rest = all.filter(([resource]) => resource !== 'namespaces').values()
    await Promise.all(Array.from({ length: WRITERS }, () => createAll(plane.client, rest)))
    const beside = `${folder}.${process.pid}`
    await plane.saveEtcd(beside)
    // Another run may have been faster.
    if (isStored(size)) rmSync(beside, { recursive: true })
    else renameSync(beside, folder)
  } finally {
    await scope.end()
  }
  say(
    `created ${size.services} Services and their slices in ${Math.round((performance.now() - started) / 1000)} s`,
  )
  return folder
}
