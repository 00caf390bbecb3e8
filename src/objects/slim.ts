// From raw Kubernetes objects (JSON as the API server returns it or as a file holds it) to the slim ones. Nothing
// here throws: an object that has no usable name is a problem, a field that is wrong is left out with a note and the
// rest of the object is kept. What is kept and what is dropped follows CoreDNS (plugin/kubernetes/object).

import { canonicalIp, parseCidr, parseIp } from '../shared/ip.ts'
import { dnsPolicyOf, type SlimDnsPolicy } from './dns-policies.ts'
import { EndpointPacker, type PackedEndpoints, TEXT_MAX as PLACE_MAX } from './endpoints.ts'
import { field, fieldAt, isJson, labelsOf, listAt, type Path, quote, textAt } from './field.ts'
import { TEXT_MAX } from './guards.ts'
import { internList, internPorts, internText } from './intern.ts'
import type {
  Near,
  SlimEndpointSlice,
  SlimNode,
  SlimPod,
  SlimPort,
  SlimService,
  SlimServiceImport,
} from './objects.ts'
import type { ObjectOptions, TopologyOptions } from './options.ts'
import {
  recordsOfDnsEndpoint,
  recordsOfDnsRecord,
  recordsOfIngress,
  recordsOfService,
  type SlimRecords,
} from './records.ts'
import { gatewayOf, routeOf, type SlimGateway, type SlimRoute } from './routes.ts'
import { type SlimStubDomain, stubDomainOf } from './stub-domains.ts'

/** Why an object cannot be kept at all, and which field says so. */
export interface SlimProblem {
  readonly problem: string
  readonly path: Path
}

/** Told of every field that was left out of an object that is kept. */
export type Note = (path: Path, message: string) => void

/** Which optional fields of endpoints are kept: they cost memory and most clusters never ask for them. */
export type SliceOptions = Partial<
  Pick<ObjectOptions, 'endpointPodNames' | 'zonal' | 'topology' | 'multicluster' | 'noEndpoints'>
>

/** Which optional fields of Services are kept. */
export type ServiceOptions = Partial<Pick<ObjectOptions, 'topology' | 'records'>>

/** Which optional fields of Pods are kept: what they are known by as clients. */
export type PodOptions = Partial<Pick<ObjectOptions, 'clients'>>

/** The label that ties an EndpointSlice to its Service (discovery.k8s.io). */
export const SERVICE_NAME_LABEL = 'kubernetes.io/service-name'
/** The labels that tie an EndpointSlice to a ServiceImport and to the cluster it was exported from (KEP-1645). */
export const IMPORT_NAME_LABEL = 'multicluster.kubernetes.io/service-name'
const SOURCE_CLUSTER_LABEL = 'multicluster.kubernetes.io/source-cluster'

/** Where a Node says what its topology zone is, the label of before Kubernetes 1.17 last. */
export const ZONE_LABELS = ['topology.kubernetes.io/zone', 'failure-domain.beta.kubernetes.io/zone']

const LABEL = /^[a-z0-9](?:[-a-z0-9]{0,61}[a-z0-9])?$/
const SUBDOMAIN = /^(?=.{1,253}$)[a-z0-9](?:[-a-z0-9]*[a-z0-9])?(?:\.[a-z0-9](?:[-a-z0-9]*[a-z0-9])?)*$/
/** Of one object; what is beyond is left out with a note. Slices may have 20,000 ports, nothing bounds those of a Service. */
export const PORTS_MAX = 20_000
export const ADDRESSES_MAX = 20_000
/** Addresses of one Node, and networks of its Pods; a Node has a few. */
export const NETWORKS_MAX = 64
export const SERVICE_TYPES = ['ClusterIP', 'NodePort', 'LoadBalancer', 'ExternalName'] as const
export const PROTOCOLS = ['tcp', 'udp', 'sctp']

const unnoted: Note = () => {}

/** Whether a result is a problem instead of an object. */
export const isProblem = (result: object): result is SlimProblem => 'problem' in result

/** Whether the text is a DNS-1123 label (RFC 1123 2.1, at most 63 octets), in lower case. */
export const isDnsLabel = (text: string): boolean => LABEL.test(text)

/** Whether the text is a DNS-1123 subdomain (labels joined by dots, at most 253 octets), in lower case. */
export const isDnsSubdomain = (text: string): boolean => SUBDOMAIN.test(text)

/** metadata.name and metadata.namespace in lower case, or why they cannot be names. */
function identity(
  raw: unknown,
  named: (text: string) => boolean,
): { readonly namespace: string; readonly name: string } | SlimProblem {
  if (!isJson(raw)) return { problem: 'not an object', path: [] }
  const name = textAt(raw, 'metadata', 'name').toLowerCase()
  if (!named(name))
    return { problem: `${quote(field(raw.metadata, 'name'))} is no valid name`, path: ['metadata', 'name'] }
  const namespace = textAt(raw, 'metadata', 'namespace').toLowerCase()
  if (!isDnsLabel(namespace)) {
    return {
      problem: `${quote(field(raw.metadata, 'namespace'))} is no valid namespace`,
      path: ['metadata', 'namespace'],
    }
  }
  return { namespace: internText(namespace), name }
}

/** A Service; cluster addresses from spec.clusterIPs, else from spec.clusterIP. */
export function slimService(
  raw: unknown,
  note: Note = unnoted,
  options: ServiceOptions = {},
): SlimService | SlimProblem {
  const id = identity(raw, isDnsLabel)
  if (isProblem(id)) return id
  const type = SERVICE_TYPES.find(known => known === fieldAt(raw, 'spec', 'type')) ?? 'ClusterIP'
  if (type !== (fieldAt(raw, 'spec', 'type') ?? 'ClusterIP')) {
    note(
      ['spec', 'type'],
      `type ${quote(fieldAt(raw, 'spec', 'type'))} is none of ${SERVICE_TYPES.join(', ')}`,
    )
  }
  const external = type === 'ExternalName'
  const plural = listAt(raw, 'spec', 'clusterIPs').length > 0
  const asked = plural ? listAt(raw, 'spec', 'clusterIPs') : [fieldAt(raw, 'spec', 'clusterIP')]
  const headless = !external && asked[0] === 'None'
  const clusterIPs =
    external || headless
      ? []
      : addresses(asked, i => (plural ? ['spec', 'clusterIPs', i] : ['spec', 'clusterIP']), note)
  const externalIPs = [
    ...addresses(listAt(raw, 'spec', 'externalIPs'), i => ['spec', 'externalIPs', i], note),
    ...ingress(raw, note),
  ]
  const near = headless && options.topology ? nearOf(raw, options.topology.of) : undefined
  // Every field by its name: V8 keeps objects made by spreading in two pieces.
  const slim: SlimService = {
    namespace: id.namespace,
    name: id.name,
    type,
    clusterIPs: internList(clusterIPs),
    headless,
    externalName: external ? textAt(raw, 'spec', 'externalName').slice(0, TEXT_MAX) : '',
    ports: internPorts(ports(listAt(raw, 'spec', 'ports'), ['spec', 'ports'], note)),
    externalIPs: internList(externalIPs),
  }
  const asks = options.records?.kinds.includes('Service') ? recordsOfService(raw, id, note) : undefined
  if (near === undefined && asks === undefined) return slim
  return { ...slim, ...(near !== undefined && { near }), ...(asks !== undefined && { asks }) }
}

/** What a Service says of where its traffic goes (KEP-4444, KEP-3015, KEP-2433), or the Corefile of all of them. */
function nearOf(raw: unknown, of: TopologyOptions['of']): Near | undefined {
  const said = textAt(raw, 'spec', 'trafficDistribution')
  if (said === 'PreferSameNode') return 'node'
  if (of !== 'auto') return of
  const mode = textAt(raw, 'metadata', 'annotations', 'service.kubernetes.io/topology-mode').toLowerCase()
  return said === 'PreferSameZone' || said === 'PreferClose' || mode === 'auto' ? 'zone' : undefined
}

/** An EndpointSlice with its ready addresses; undefined where no label says which Service or import it belongs to. */
export function slimEndpointSlice(
  raw: unknown,
  options: SliceOptions = {},
  note: Note = unnoted,
): SlimEndpointSlice | SlimProblem | undefined {
  const id = identity(raw, isDnsSubdomain)
  if (isProblem(id)) return id
  const labels = labelsOf(raw)
  const label = (key: string): string => (labels.get(key) ?? '').toLowerCase()
  const serviceName = options.noEndpoints ? '' : label(SERVICE_NAME_LABEL)
  const importName = options.multicluster ? label(IMPORT_NAME_LABEL) : ''
  if (serviceName === '' && importName === '') return undefined
  for (const [key, text] of [
    [SERVICE_NAME_LABEL, serviceName],
    [IMPORT_NAME_LABEL, importName],
  ] as const) {
    if (text === '' || isDnsLabel(text)) continue
    return { problem: `${quote(text)} is no valid Service name`, path: ['metadata', 'labels', key] }
  }
  const trigger = Date.parse(
    textAt(raw, 'metadata', 'annotations', 'endpoints.kubernetes.io/last-change-trigger-time'),
  )
  const sourceCluster = importName === '' ? '' : label(SOURCE_CLUSTER_LABEL)
  const isClusterLabel = sourceCluster === '' || isDnsLabel(sourceCluster)
  if (!isClusterLabel)
    note(
      ['metadata', 'labels', SOURCE_CLUSTER_LABEL],
      `${quote(sourceCluster)} is no label of a name: left out`,
    )
  return {
    namespace: id.namespace,
    name: id.name,
    serviceName,
    ports: internPorts(ports(listAt(raw, 'ports'), ['ports'], note)),
    endpoints: endpoints(raw, options, note),
    triggerTimeMs: Number.isNaN(trigger) ? 0 : trigger,
    ...(importName !== '' && {
      imported: { name: importName, cluster: isClusterLabel ? internText(sourceCluster) : '' },
    }),
  }
}

/** Addresses of one Pod; the API has one for each family. */
export const POD_IPS_MAX = 4

/**
 * A Pod as `pods verified` needs it; undefined for one that is being deleted, has ended (phase Succeeded or Failed),
 * is in the phase Unknown, or has no address yet.
 */
export function slimPod(raw: unknown, { clients }: PodOptions = {}): SlimPod | SlimProblem | undefined {
  const id = identity(raw, isDnsSubdomain)
  if (isProblem(id)) return id
  if (fieldAt(raw, 'metadata', 'deletionTimestamp')) return undefined
  if (['Succeeded', 'Failed', 'Unknown'].includes(textAt(raw, 'status', 'phase'))) return undefined
  const ip = parseIp(textAt(raw, 'status', 'podIP'))
  if (ip === undefined) return undefined
  const { namespace, name } = id
  if (clients === undefined) return { namespace, name, ip: ip.text }
  const labels = labelsOf(raw)
  const host = parseIp(textAt(raw, 'status', 'hostIP'))?.text
  const hostNetwork = host === ip.text || fieldAt(raw, 'spec', 'hostNetwork') === true
  const slim: SlimPod = {
    namespace,
    name,
    ip: ip.text,
    hostNetwork,
    labels: internList(clients.labels.map(key => internText(labels.get(key) ?? ''))),
  }
  const otherIps = otherIpsOf(raw, ip.text)
  return {
    ...slim,
    ...(otherIps.length > 0 && { otherIps }),
    ...(clients.hosts && host !== undefined && !hostNetwork && { hostIp: internText(host) }),
  }
}

/** Of status.podIPs those that are not status.podIP: a Pod asks from them, too. */
function otherIpsOf(raw: unknown, ip: string): string[] {
  const texts = listAt(raw, 'status', 'podIPs').slice(0, POD_IPS_MAX)
  const others = texts.flatMap(item => parseIp(textAt(item, 'ip'))?.text ?? [])
  return [...new Set(others)].filter(other => other !== ip)
}

/**
 * A Node: its InternalIPs and ExternalIPs, and the networks that its Pods have addresses of. Clouds that give Pods addresses of
 * their own networks leave these out.
 */
export function slimNode(raw: unknown, note: Note = unnoted): SlimNode | SlimProblem {
  const name = clusterWideName(raw)
  if (typeof name !== 'string') return name
  const networks = new Set<string>()
  const take = (text: unknown, path: Path, what: string): void => {
    const network = typeof text === 'string' ? parseCidr(text) : undefined
    if (network) networks.add(network.text)
    else note(path, `${quote(text)} is no ${what}: left out`)
  }
  const status = ['status', 'addresses']
  within(listAt(raw, ...status), NETWORKS_MAX, 'addresses', () => status, note).forEach((item, i) => {
    if (!textAt(item, 'type').endsWith('IP')) return
    take(field(item, 'address'), [...status, i, 'address'], 'IP address')
  })
  const spec = ['spec', 'podCIDRs']
  within(listAt(raw, ...spec), NETWORKS_MAX, 'networks', () => spec, note).forEach((item, i) => {
    take(item, [...spec, i], 'network')
  })
  const labels = labelsOf(raw)
  const zone = ZONE_LABELS.map(key => labels.get(key)).find(value => value !== undefined) ?? ''
  return { name, zone: internText(zone.toLowerCase()), networks: [...networks] }
}

/** metadata.name of what belongs to no namespace, or why it is none. */
function clusterWideName(raw: unknown): string | SlimProblem {
  const name = textAt(raw, 'metadata', 'name').toLowerCase()
  if (isDnsSubdomain(name)) return name
  return {
    problem: `${quote(fieldAt(raw, 'metadata', 'name'))} is no valid name`,
    path: ['metadata', 'name'],
  }
}

/** A ServiceImport (multicluster.x-k8s.io): type Headless or ClusterSetIP, addresses in spec.ips. */
export function slimServiceImport(raw: unknown, note: Note = unnoted): SlimServiceImport | SlimProblem {
  const id = identity(raw, isDnsLabel)
  if (isProblem(id)) return id
  const headless = fieldAt(raw, 'spec', 'type') === 'Headless'
  return {
    namespace: id.namespace,
    name: id.name,
    headless,
    clusterIPs: headless ? [] : addresses(listAt(raw, 'spec', 'ips'), i => ['spec', 'ips', i], note),
    ports: internPorts(ports(listAt(raw, 'spec', 'ports'), ['spec', 'ports'], note)),
  }
}

/** The valid addresses of a list, canonical and each once; '' and nothing stand for "not allocated yet". */
function addresses(list: readonly unknown[], path: (i: number) => Path, note: Note): string[] {
  const found = new Set<string>()
  within(list, ADDRESSES_MAX, 'addresses', () => path(0), note).forEach((item, i) => {
    const address = typeof item === 'string' ? canonicalIp(item) : undefined
    if (address) found.add(address)
    else if (item !== '' && item !== undefined && item !== null)
      note(path(i), `${quote(item)} is no IP address`)
  })
  return [...found]
}

/** The beginning of the list, as much as is read of it. */
function within(
  list: readonly unknown[],
  max: number,
  what: string,
  path: () => Path,
  note: Note,
): readonly unknown[] {
  if (list.length <= max) return list
  note(path(), `${list.length} ${what}: those behind the first ${max} are left out`)
  return list.slice(0, max)
}

function ingress(raw: unknown, note: Note): string[] {
  const path = ['status', 'loadBalancer', 'ingress']
  return within(listAt(raw, ...path), ADDRESSES_MAX, 'addresses', () => path, note).flatMap((item, i) => {
    const address = textAt(item, 'ip')
    if (address === '') return textAt(item, 'hostname').slice(0, TEXT_MAX) || []
    return addresses([address], () => [...path, i, 'ip'], note)
  })
}

function ports(list: readonly unknown[], path: Path, note: Note): SlimPort[] {
  return within(list, PORTS_MAX, 'ports', () => path, note).flatMap((item, i) => {
    const name = (field(item, 'name') ?? '') as unknown
    const protocol = (field(item, 'protocol') ?? 'TCP') as unknown
    const port = (field(item, 'port') ?? -1) as unknown
    const wrong = (key: string, value: unknown, what: string): [] => {
      note([...path, i, key], `${quote(value)} is no ${what}: this port is left out`)
      return []
    }
    if (!isJson(item)) return wrong('', item, 'port')
    if (typeof name !== 'string' || (name !== '' && !isDnsLabel(name.toLowerCase()))) {
      return wrong('name', name, 'port name')
    }
    if (typeof protocol !== 'string' || !PROTOCOLS.includes(protocol.toLowerCase())) {
      return wrong('protocol', protocol, 'protocol (TCP, UDP or SCTP)')
    }
    if (typeof port !== 'number' || !Number.isInteger(port) || port > 65535 || (port < 1 && port !== -1)) {
      return wrong('port', port, 'port number')
    }
    return { name: name.toLowerCase(), port, protocol: protocol.toLowerCase() }
  })
}

/** Ready is true or absent. A slice of the type FQDN holds host names, which are no endpoints here. */
function endpoints(raw: unknown, options: SliceOptions, note: Note): PackedEndpoints {
  if (textAt(raw, 'addressType') === 'FQDN') return ''
  const packer = new EndpointPacker()
  listAt(raw, 'endpoints').forEach((item, i) => {
    if (fieldAt(item, 'conditions', 'ready') === false) return
    let hostname = textAt(item, 'hostname').toLowerCase()
    if (hostname !== '' && !isDnsLabel(hostname)) {
      note(['endpoints', i, 'hostname'], `${quote(hostname)} is no host name: left out`)
      hostname = ''
    }
    const targetName = options.endpointPodNames ? textAt(item, 'targetRef', 'name').toLowerCase() : ''
    // A static Pod is called after its node, which may have a domain: its endpoint's name is made of the address.
    const podName = isDnsLabel(targetName) ? targetName : ''
    const zone = options.zonal ? textAt(item, 'zone').toLowerCase() : ''
    const place = options.topology ? placeOf(item) : ''
    listAt(item, 'addresses').forEach((address, j) => {
      if (typeof address === 'string' && packer.add(address, hostname, podName, zone, place)) return
      note(['endpoints', i, 'addresses', j], `${quote(address)} is no IP address: left out`)
    })
  })
  return packer.finish()
}

/** NODE,NODE/ZONE,ZONE: the nodes and the zones that the endpoint is for: by its hints where it has any, else its own. */
function placeOf(endpoint: unknown): string {
  const hinted = (kind: 'forNodes' | 'forZones', own: string): readonly string[] => {
    const hints = listAt(endpoint, 'hints', kind).map(hint => textAt(hint, 'name'))
    return hints.length > 0 ? hints : [textAt(endpoint, own)]
  }
  return placeText(hinted('forNodes', 'nodeName'), hinted('forZones', 'zone'))
}

/** The same of nodes and zones; those that are too many to be kept are none. */
export function placeText(nodes: readonly string[], zones: readonly string[]): string {
  const zoned = `/${zones.join(',')}`
  const texts = [`${nodes.join(',')}${zoned}`, zoned, '/']
  return internText((texts.find(({ length }) => length <= PLACE_MAX) ?? '/').toLowerCase())
}

const recordsBy =
  (of: typeof recordsOfDnsRecord) =>
  (raw: unknown, note: Note = unnoted): SlimRecords | SlimProblem => {
    const id = identity(raw, isDnsSubdomain)
    return isProblem(id) ? id : of(raw, id, note)
  }

/** Objects that ask for records outside of the cluster's zones (records.ts). */
export const slimDnsRecord = recordsBy(recordsOfDnsRecord)
export const slimDnsEndpoint = recordsBy(recordsOfDnsEndpoint)
export const slimIngress = recordsBy(recordsOfIngress)

/** A StubDomain (stub-domains.ts). */
export function slimStubDomain(raw: unknown, note: Note = unnoted): SlimStubDomain | SlimProblem {
  const name = clusterWideName(raw)
  return typeof name === 'string' ? stubDomainOf(raw, name, note) : name
}

/** A Gateway, and an HTTPRoute of it (routes.ts). */
export function slimGateway(raw: unknown): SlimGateway | SlimProblem {
  const id = identity(raw, isDnsSubdomain)
  return isProblem(id) ? id : gatewayOf(raw, id)
}

export function slimRoute(raw: unknown): SlimRoute | SlimProblem {
  const id = identity(raw, isDnsSubdomain)
  return isProblem(id) ? id : routeOf(raw, id)
}

/** A DNSPolicy (dns-policies.ts). */
export function slimDnsPolicy(raw: unknown, note: Note = unnoted): SlimDnsPolicy | SlimProblem {
  const id = identity(raw, isDnsSubdomain)
  return isProblem(id) ? id : dnsPolicyOf(raw, id, note)
}
