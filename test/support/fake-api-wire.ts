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

/** The resource that a path is about. */
export function resourceOf(path: string): ResourceName | undefined {
  for (const [name, { group, version }] of Object.entries(FAKE_RESOURCES)) {
    const prefix = group === '' ? `/api/${version}` : `/apis/${group}/${version}`
    if (path === `${prefix}/${name}`) return name as ResourceName
  }
  return undefined
}

/** Which objects the selectors of a query mean: labels in full, fields as far as `status.phase!=`. */
export function matcher(query: URLSearchParams): (object: RawObject) => boolean {
  const selector = parseSelector(query.get('labelSelector') ?? '')
  const fields = (query.get('fieldSelector') ?? '').split(',').filter(Boolean)
  return object => {
    const labels = new Map(Object.entries(object.metadata.labels ?? {}))
    if (typeof selector === 'function' && !selector(labels)) return false
    return fields.every(field => {
      const [path, value] = field.split('!=')
      return path !== 'status.phase' || (object.status as { phase?: string } | undefined)?.phase !== value
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
