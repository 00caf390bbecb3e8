// What requests to the fake API server mean and what its errors look like.

import { parseSelector } from '../../src/objects/label-selector.ts'
import { FAKE_RESOURCES, type RawObject, type ResourceName } from './fake-cluster.ts'

/** A Status object as the API server writes them. */
export const statusOf = (code: number, reason: string, message: string, details: object = {}): RawObject => ({
  kind: 'Status',
  apiVersion: 'v1',
  metadata: { name: '' },
  status: 'Failure',
  message,
  reason,
  details,
  code,
})

/** A path without the namespace that it is about: `/api/v1/namespaces/shop/pods`. */
export function pathOf(path: string): { readonly path: string; readonly namespace: string } {
  const [, head, namespace, rest] = /^(.*)\/namespaces\/([^/]+)(\/[^/]+)$/.exec(path) ?? []
  return namespace === undefined ? { path, namespace: '' } : { path: `${head}${rest}`, namespace }
}

/** The resource that a path is about. */
export function resourceOf(path: string): ResourceName | undefined {
  for (const [name, { group, version }] of Object.entries(FAKE_RESOURCES)) {
    const prefix = group === '' ? `/api/${version}` : `/apis/${group}/${version}`
    if (path === `${prefix}/${name}`) return name as ResourceName
  }
  return undefined
}

/** Which objects the selectors of a query mean, in a namespace or ('') in all. */
export function matcher(query: URLSearchParams, namespace = ''): (object: RawObject) => boolean {
  const selector = parseSelector(query.get('labelSelector') ?? '')
  const fields = (query.get('fieldSelector') ?? '').split(',').filter(Boolean)
  return object => {
    const labels = new Map(Object.entries(object.metadata.labels ?? {}))
    if (typeof selector === 'function' && !selector(labels)) return false
    if (namespace !== '' && object.metadata.namespace !== namespace) return false
    return fields.every(field => {
      const [, path = '', sign, value] = /^([^!=]+)(!?=)(.*)$/.exec(field) ?? []
      const found = path
        .split('.')
        .reduce<unknown>((at, key) => (at as Record<string, unknown> | undefined)?.[key], object)
      return (found === value) === (sign === '=')
    })
  }
}

/** A continue token: where in which version the next page begins. */
export const encodeToken = (version: number, from: number): string =>
  Buffer.from(JSON.stringify({ version, from })).toString('base64url')

/** Reads a continue token; undefined for the first page. */
export function decodeToken(
  token: string | null,
): { readonly version: number; readonly from: number } | undefined {
  return token ? JSON.parse(Buffer.from(token, 'base64url').toString()) : undefined
}

/** A list of objects. In typed lists the items do not repeat their kind. */
export function typedList(resource: ResourceName, metadata: object, items: readonly RawObject[]): object {
  const { kind, group, version } = FAKE_RESOURCES[resource]
  return {
    kind: `${kind}List`,
    apiVersion: group === '' ? version : `${group}/${version}`,
    metadata,
    items: items.map(({ kind: _, apiVersion: __, ...item }) => item),
  }
}

/** A list of their metadata alone. */
export const metadataList = (_: ResourceName, metadata: object, items: readonly RawObject[]): object => ({
  kind: 'PartialObjectMetadataList',
  apiVersion: 'meta.k8s.io/v1',
  metadata,
  items: items.map(item => ({
    kind: 'PartialObjectMetadata',
    apiVersion: 'meta.k8s.io/v1',
    metadata: item.metadata,
  })),
})

/** What the server does with `sendInitialEvents`: stream, refuse with that status, or not know it at all. */
export type WatchListSupport = 'on' | 'ignore' | 400 | 403 | 404 | 422

/** Why a watch that wants initial events is refused: status, reason and message; undefined where it is not. */
export function initialEventsRefusal(
  query: URLSearchParams,
  support: WatchListSupport,
): readonly [status: number, reason: string, message: string] | undefined {
  const invalid = 'ListOptions.meta.k8s.io "" is invalid'
  if (support !== 'on' && support !== 'ignore') {
    const reasons = { 400: 'BadRequest', 403: 'Forbidden', 404: 'NotFound', 422: 'Invalid' } as const
    const why =
      'sendInitialEvents: Forbidden: sendInitialEvents is forbidden for watch unless the WatchList feature gate is enabled'
    return [support, reasons[support], `${invalid}: ${why}`]
  }
  if (query.get('resourceVersionMatch') === 'NotOlderThan') return undefined
  const why = 'sendInitialEvents requires setting resourceVersionMatch to NotOlderThan'
  return [422, 'Invalid', `${invalid}: resourceVersionMatch: Forbidden: ${why}`]
}
