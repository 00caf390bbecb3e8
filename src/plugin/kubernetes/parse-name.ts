// HOT: what a name in a cluster's zone asks for. The grammar, read from the right, with the zone taken off (Kubernetes DNS
// specification 2, docs/coredns.md 1.3):
//
//   (nothing)                      the apex                    svc, pod          a category
//   NS.svc  NS.pod                 a namespace                 SVC.NS.svc        a service
//   EP.SVC.NS.svc                  an endpoint                 ADDRESS.NS.pod    a Pod; up to two labels before it are ignored
//   _PORT._PROTO.SVC.NS.svc        a port; the underscores are optional, a lone one is any
//   ZONE….{pin|prefer}._zone.SVC.NS.svc       endpoints of one topology zone, where `zonal` is on
//   EP.CLUSTER.SVC.NS.svc          only in multicluster zones, where neither of the two begins with _
//
//   _http._tcp.web.default.svc.cluster.local:  port http, protocol tcp, service web, namespace default

import type { Scan } from '../../wire/scan.ts'

export type Shape =
  | 'apex'
  | 'category'
  | 'namespace'
  | 'service'
  | 'endpoint'
  | 'port'
  | 'zone'
  | 'pod'
  | 'dns-version'
  | 'ns.dns'
  | 'unknown'

/** What one name asks for; offsets are of length octets in Scan.folded, -1 for a part that it does not have. */
export class Request {
  shape: Shape = 'unknown'
  /** Whether the category is `pod`. */
  pod = false
  /** Where the zone begins. */
  zoneAt = 0
  /** Where the service's two labels (or the namespace's one, or the Pod's address) begin, and where the namespace's does. */
  serviceAt = -1
  namespaceAt = -1
  /** Behind the namespace's label. */
  keyEnd = 0
  endpointAt = -1
  /** The cluster that an imported endpoint is in; -1 is none. */
  clusterAt = -1
  portAt = -1
  protocolAt = -1
  /** Where a search domain begins that a resolver has put behind another name; set with the reason that names it. */
  searchAt = -1
  /** For shape zone: whether all endpoints stand in for a zone without any. */
  prefer = false

  /** Nothing is asked for yet but in a zone that begins at `zoneAt`. */
  clear(zoneAt: number): void {
    this.zoneAt = zoneAt
    this.serviceAt = this.namespaceAt = this.endpointAt = this.clusterAt = this.portAt = this.protocolAt = -1
    this.pod = false
    this.shape = 'apex'
  }

  /**
   * Reads the first `labels` labels of the name, those before a zone that begins at `zoneAt`; `zonal` and `multicluster`
   * say which forms the zone has.
   */
  read(scan: Scan, labels: number, zoneAt: number, zonal: boolean, multicluster: boolean): void {
    const { folded, labelAt } = scan
    this.clear(zoneAt)
    if (labels === 0) return
    const category = labelAt[labels - 1]!
    this.pod = isLabel(folded, category, POD)
    if (!this.pod && !isLabel(folded, category, SVC)) {
      this.shape = special(folded, labelAt[0]!, category, labels)
      return
    }
    this.shape = 'category'
    if (labels === 1) return
    this.keyEnd = category
    this.namespaceAt = labelAt[labels - 2]!
    this.shape = 'namespace'
    if (labels === 2) return
    this.serviceAt = labelAt[labels - 3]!
    this.shape = this.pod ? 'pod' : 'service'
    if (labels === 3) return
    if (this.pod) {
      // Of no meaning but for metadata.
      if (labels === 4) this.endpointAt = labelAt[0]!
      else if (labels === 5) {
        this.portAt = labelAt[0]!
        this.protocolAt = labelAt[1]!
      } else this.shape = 'unknown'
      return
    }
    if (zonal && !multicluster && labels >= 6 && this.#zone(folded, labelAt, labels)) return
    if (labels === 4) {
      this.shape = 'endpoint'
      this.endpointAt = labelAt[0]!
    } else if (
      labels === 5 &&
      multicluster &&
      !isMarked(folded, labelAt[0]!) &&
      !isMarked(folded, labelAt[1]!)
    ) {
      this.shape = 'endpoint'
      this.endpointAt = labelAt[0]!
      this.clusterAt = labelAt[1]!
    } else if (labels === 5) {
      this.shape = 'port'
      this.portAt = labelAt[0]!
      this.protocolAt = labelAt[1]!
    } else this.shape = 'unknown'
  }

  /** Whether the labels before the service are those of a name that was put there, and no port. */
  get hasForeignLabels(): boolean {
    return this.shape === 'endpoint' || this.shape === 'port'
  }

  #zone(folded: Uint8Array, labelAt: Uint8Array, labels: number): boolean {
    if (!isLabel(folded, labelAt[labels - 4]!, ZONE)) return false
    this.prefer = isLabel(folded, labelAt[labels - 5]!, PREFER)
    if (!this.prefer && !isLabel(folded, labelAt[labels - 5]!, PIN)) return false
    this.shape = 'zone'
    this.endpointAt = labelAt[0]!
    this.portAt = labelAt[labels - 5]!
    return true
  }
}

const UNDERSCORE = 0x5f
const octets = (text: string): Uint8Array => Uint8Array.of(text.length, ...Buffer.from(text))
/** 03 s v c */
export const SVC = octets('svc')
const POD = octets('pod')
const ZONE = octets('_zone')
const PIN = octets('pin')
const PREFER = octets('prefer')
const DNS = octets('dns')
const NS = octets('ns')
const DNS_VERSION = octets('dns-version')

/** Whether the label at `at` is `label`, length octet included. */
export function isLabel(folded: Uint8Array, at: number, label: Uint8Array): boolean {
  for (let i = 0; i < label.length; i++) if (folded[at + i] !== label[i]) return false
  return true
}

/** Whether the label begins with an underscore. */
const isMarked = (folded: Uint8Array, at: number): boolean => folded[at + 1] === UNDERSCORE

function special(folded: Uint8Array, first: number, last: number, labels: number): Shape {
  if (labels === 1) return isLabel(folded, last, DNS_VERSION) ? 'dns-version' : 'unknown'
  return labels === 2 && isLabel(folded, last, DNS) && isLabel(folded, first, NS) ? 'ns.dns' : 'unknown'
}
