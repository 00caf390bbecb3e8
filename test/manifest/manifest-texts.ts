// What the manifest tests share: short manifests, a folder as texts by file name, and what comes of it in short words.

import { AddressBook } from '../../src/manifest/addresses.ts'
import { type ClusterState, type CompileOptions, compile } from '../../src/manifest/compile.ts'
import { formatProblem } from '../../src/manifest/problem.ts'
import { parseManifest } from '../../src/manifest/raw.ts'
import { unpackEndpoints } from '../../src/objects/endpoints.ts'
import type { Kind, Kinds } from '../../src/objects/objects.ts'

const GROUPS: Readonly<Record<string, string>> = {
  EndpointSlice: 'discovery.k8s.io/v1',
  ReplicaSet: 'apps/v1',
  Deployment: 'apps/v1',
  StatefulSet: 'apps/v1',
  DaemonSet: 'apps/v1',
  ServiceImport: 'multicluster.x-k8s.io/v1alpha1',
}

/** A manifest as JSON on one line (which is YAML too): `name`, or `name` and more metadata. */
export const manifest = (kind: string, metadata: string | object, fields: object = {}): string =>
  JSON.stringify({
    apiVersion: GROUPS[kind] ?? 'v1',
    kind,
    metadata: typeof metadata === 'string' ? { name: metadata } : metadata,
    ...fields,
  })

export const service = (name: string | object, spec: object): string => manifest('Service', name, { spec })

/** A workload of Pods that carry `app: NAME`, with a container port when one is given. */
export const workload = (
  kind: string,
  name: string,
  replicas: number,
  more: object = {},
  pod: object = {},
): string =>
  manifest(kind, name, {
    spec: {
      replicas,
      selector: { matchLabels: { app: name } },
      template: { metadata: { labels: { app: name } }, spec: pod },
      ...more,
    },
  })

/** Joins the documents of one file. */
export const documents = (...texts: readonly string[]): string => texts.join('\n---\n')

export interface Compiled {
  readonly state: ClusterState
  /** FILE:LINE:COLUMN: severity: message */
  readonly problems: readonly string[]
}

/** Compiles files given by name, without touching a disk. */
export function compileFiles(
  files: Readonly<Record<string, string>>,
  options: CompileOptions = {},
  book: AddressBook = new AddressBook(),
): Compiled {
  const parsed = Object.keys(files)
    .sort()
    .map(file => parseManifest(file, files[file]!))
  const { state, problems } = compile(
    parsed.flatMap(({ objects }) => objects),
    book,
    options,
  )
  return { state, problems: [...parsed.flatMap(p => p.problems), ...problems].map(formatProblem) }
}

/** Compiles one file, `a.yaml`. */
export const compileText = (text: string, options: CompileOptions = {}): Compiled =>
  compileFiles({ 'a.yaml': text }, options)

/** The objects of a kind without the built-in ones. */
export function own<K extends Kind>(state: ClusterState, kind: K): Kinds[K][] {
  const bare = compileFiles({}).state
  const all: ReadonlyMap<string, Kinds[K]> = state[kind]
  return [...all].filter(([key]) => !bare[kind].has(key)).map(([, object]) => object)
}

/** The endpoints of a Service, slice by slice: `HOST=ADDRESS … / PORT …`. */
export function endpointsOf(state: ClusterState, key: string): string[] {
  return [...state.EndpointSlice.values()]
    .filter(slice => `${slice.namespace}/${slice.serviceName}` === key)
    .map(slice => {
      const endpoints = unpackEndpoints(slice.endpoints).map(e =>
        e.hostname === '' ? e.address : `${e.hostname}=${e.address}`,
      )
      const ports = slice.ports.map(p => `${p.name}:${p.port}/${p.protocol}`)
      return `${endpoints.join(' ')} / ${ports.join(' ')}`
    })
}
