// Names close to one that does not exist: the same Service in another namespace, one a slip of the keyboard away, and
// namespaces likewise.

import { nearestWord } from '../corefile/problem.ts'
import { partsOf } from '../objects/objects.ts'
import type { ClusterName } from './cluster-name.ts'

/** More are of no help. */
const OTHERS_MAX = 3

/** Full names that the person may have meant, without their final dot; the likeliest first. */
export function suggestions({ view, zone, namespace, service }: ClusterName): string[] {
  const suffix = `svc.${zone.replace(/\.$/, '')}`
  const { cluster } = view
  const inNamespace: string[] = []
  const elsewhere: string[] = []
  for (const key of cluster.objects('Service').keys()) {
    const [ofNamespace, name] = partsOf(key)
    if (ofNamespace === namespace) inNamespace.push(name)
    else if (name === service) elsewhere.push(ofNamespace)
  }
  const found: string[] = []
  const isThere = cluster.objects('Namespace').has(namespace)
  const nearNamespace = isThere
    ? undefined
    : nearestWord(namespace, [...cluster.objects('Namespace').keys()].sort())
  if (nearNamespace !== undefined && (service === '' || cluster.service(nearNamespace, service)))
    found.push([service, nearNamespace, suffix].filter(part => part !== '').join('.'))
  const near = service === '' ? undefined : nearestWord(service, inNamespace.sort())
  if (near !== undefined) found.push(`${near}.${namespace}.${suffix}`)
  for (const other of elsewhere.sort().slice(0, OTHERS_MAX)) found.push(`${service}.${other}.${suffix}`)
  return [...new Set(found)]
}
