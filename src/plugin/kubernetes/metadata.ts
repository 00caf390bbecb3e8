// The labels that `kubernetes` leaves about a name in one of its zones (CoreDNS plugin/kubernetes/metadata.go): its parts
// as parse-name.ts reads them, '' for one that it does not have.
//
//   _http._tcp.web.demo.svc.cluster.local     kind svc, namespace demo, service web, port-name http, protocol tcp
//   web.demo.cluster.local                    parse-error

import { formatLabel } from '../../wire/name.ts'
import type { Scan } from '../../wire/scan.ts'
import type { Request } from './parse-name.ts'

/** Which labels a zone has beside those that every zone has. */
export interface LabelOptions {
  readonly zonal: boolean
  readonly multicluster: boolean
}

/** Leaves the labels of a name that was read in the metadata. */
export function labelRequest(
  request: Request,
  { folded }: Scan,
  { zonal, multicluster }: LabelOptions,
  metadata: Map<string, string>,
): void {
  const { shape } = request
  const set = (label: string, value: string): void => void metadata.set(`kubernetes/${label}`, value)
  const part = (at: number): string => (at < 0 ? '' : formatLabel(folded, at))
  if (shape === 'unknown' || shape === 'dns-version' || shape === 'ns.dns') {
    set('parse-error', 'invalid query name')
    return
  }
  const isZonal = shape === 'zone'
  set('port-name', isZonal ? '' : unmarked(part(request.portAt)))
  set('protocol', unmarked(part(request.protocolAt)))
  set('endpoint', isZonal ? '' : part(request.endpointAt))
  if (multicluster) set('cluster', part(request.clusterAt))
  if (zonal) set('zone', isZonal ? dotted(folded, request.endpointAt, request.portAt) : '')
  set('service', part(request.serviceAt))
  set('namespace', part(request.namespaceAt))
  set('kind', shape === 'apex' || shape === 'category' ? '' : request.pod ? 'pod' : 'svc')
}

/** Without the one underscore that a port and a protocol begin with. */
const unmarked = (label: string): string => (label.startsWith('_') ? label.slice(1) : label)

/** The labels of folded[at … end), with dots between them. */
function dotted(folded: Uint8Array, at: number, end: number): string {
  const labels: string[] = []
  for (; at < end; at += 1 + folded[at]!) labels.push(formatLabel(folded, at))
  return labels.join('.')
}
