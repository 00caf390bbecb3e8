// From the raw objects of a folder to the slim objects that a cluster with these manifests would have: the whole of it
// at once, from the same objects always the same (but for addresses that the book remembers).

import { field, listAt, quote, textAt } from '../objects/field.ts'
import type { LabelPredicate, Labels } from '../objects/label-selector.ts'
import { namespaceLabels } from '../objects/namespaces.ts'
import { emptyMaps, type Kinds, objectKey, type RecordKind } from '../objects/objects.ts'
import type { RecordOptions, StubOptions } from '../objects/options.ts'
import type { SlimRecords } from '../objects/records.ts'
import {
  isProblem,
  type Note,
  type PodOptions,
  type SliceOptions,
  type SlimProblem,
  slimDnsEndpoint,
  slimDnsPolicy,
  slimDnsRecord,
  slimGateway,
  slimIngress,
  slimNode,
  slimPod,
  slimRoute,
  slimService,
  slimServiceImport,
  slimStubDomain,
} from '../objects/slim.ts'
import { parseIp } from '../shared/ip.ts'
import type { AddressBook } from './addresses.ts'
import { builtIns, isBuiltIn } from './builtins.ts'
import { assignClusterIps, type ServiceView } from './cluster-ips.ts'
import { endpointSlices } from './endpoint-slices.ts'
import type { FolderObjects } from './evidence.ts'
import { type PodView, placePods, podIps, type Warn } from './pods.ts'
import type { ManifestProblem } from './problem.ts'
import { type ManifestKind, type RawObject, titleOf } from './raw.ts'
import { podSeeds } from './workloads.ts'

/** Every slim object by its key (objectKey), kind by kind. */
export type ClusterState = { readonly [K in keyof Kinds]: ReadonlyMap<string, Kinds[K]> }

/** What the `kubernetes` directive asks of a source of objects. */
export interface CompileOptions extends SliceOptions, PodOptions {
  /** Whether Nodes are looked at. */
  readonly nodes?: boolean
  /** Which objects ask for records. */
  readonly records?: RecordOptions | undefined
  /** Whether DNSPolicies are looked at. */
  readonly policies?: boolean
  readonly labelledNamespaces?: boolean
  /** Whether StubDomains are looked at. */
  readonly stubs?: StubOptions | undefined
  /** `labels`: Services, EndpointSlices and Pods that are kept. */
  readonly labels?: LabelPredicate | undefined
  /** `namespace_labels`: Namespaces (and ServiceImports' objects, by their labels) that are kept. */
  readonly namespaceLabels?: LabelPredicate | undefined
}

/** A state without any object. */
export const EMPTY_STATE: ClusterState = emptyMaps()

/**
 * Compiles the objects of a folder, given in file order (the first of two with one name is kept). Problems carry the
 * place of their cause; whatever has none is in the state.
 */
export function compile(
  objects: readonly RawObject[],
  book: AddressBook,
  options: CompileOptions = {},
): FolderObjects & { readonly state: ClusterState; readonly problems: readonly ManifestProblem[] } {
  const problems: ManifestProblem[] = []
  const warn: Warn = (object, path, message) => {
    if (isBuiltIn(object)) return
    const { file } = object.place
    problems.push({
      severity: 'warning',
      file,
      ...object.place.at(path),
      message: `${titleOf(object)}: ${message}`,
    })
  }
  const own = withoutRepeats(objects, warn)
  const all = [...own, ...builtIns(own)]
  const of = (kind: ManifestKind): RawObject[] => all.filter(object => object.kind === kind)

  const taken = namedAddresses(all)
  const pods = placePods(podSeeds(all, warn), of('Node'), book, taken, warn)
  const services = clusterServices(of('Service'), of('ServiceImport'), options, book, taken, warn)
  const slices = endpointSlices(all, services.services, pods, options, warn)

  const isOfRecords = (kind: RecordKind): boolean => options.records?.kinds.includes(kind) ?? false
  const recordsOf = (kind: RecordKind, slim: typeof slimDnsRecord): SlimRecords[] =>
    isOfRecords(kind) ? of(kind).flatMap(object => slimmedBy(slim, object, warn)) : []

  const keep = options.labels ?? everything
  const keepNamespace = options.namespaceLabels ?? everything
  const state: ClusterState = {
    Namespace: namespaces(all, keepNamespace, options.labelledNamespaces === true),
    Service: byKey(services.services.filter(({ object }) => keep(object.labels)).map(({ slim }) => slim)),
    EndpointSlice: byKey(slices.filter(({ labels }) => keep(labels)).map(({ slice }) => slice)),
    Pod: byKey(pods.filter(pod => keep(pod.labels)).flatMap(pod => podOf(pod, options))),
    ServiceImport: byKey(services.imports),
    DNSRecord: byKey(recordsOf('DNSRecord', slimDnsRecord)),
    DNSEndpoint: byKey(recordsOf('DNSEndpoint', slimDnsEndpoint)),
    Ingress: byKey(recordsOf('Ingress', slimIngress)),
    Node: byKey(options.nodes ? of('Node').flatMap(object => slimmedBy(slimNode, object, warn)) : []),
    DNSPolicy: byKey(
      options.policies ? of('DNSPolicy').flatMap(object => slimmedBy(slimDnsPolicy, object, warn)) : [],
    ),
    StubDomain: byKey(
      options.stubs ? of('StubDomain').flatMap(object => slimmedBy(slimStubDomain, object, warn)) : [],
    ),
    Gateway: byKey(
      isOfRecords('HTTPRoute') ? of('Gateway').flatMap(object => slimmedBy(slimGateway, object, warn)) : [],
    ),
    HTTPRoute: byKey(
      isOfRecords('HTTPRoute') ? of('HTTPRoute').flatMap(object => slimmedBy(slimRoute, object, warn)) : [],
    ),
  }
  return { state, problems, services: of('Service'), pods, slices: of('EndpointSlice') }
}

const everything: LabelPredicate = () => true

const byKey = <T extends { readonly namespace?: string; readonly name: string }>(
  objects: readonly T[],
): Map<string, T> => new Map(objects.map(object => [objectKey(object), object]))

/** The first object of each kind and name. */
function withoutRepeats(objects: readonly RawObject[], warn: Warn): RawObject[] {
  const first = new Map<string, RawObject>()
  for (const object of objects) {
    const title = titleOf(object)
    const other = first.get(title)
    if (!other) {
      first.set(title, object)
      continue
    }
    const { line, column } = other.place.at([])
    warn(
      object,
      ['metadata', 'name'],
      `is already in ${other.place.file}:${line}:${column}, which is the one served`,
    )
  }
  return [...first.values()]
}

/** Every address that some object names: none of these is given to another. */
function namedAddresses(objects: readonly RawObject[]): Set<string> {
  const taken = new Set<string>()
  const quiet: Warn = () => {}
  const take = (value: unknown): void => {
    const ip = typeof value === 'string' ? parseIp(value) : undefined
    if (ip) taken.add(ip.text)
  }
  for (const object of objects) {
    if (object.kind === 'Service') {
      const slim = slimService(object.raw)
      if (!isProblem(slim)) for (const ip of [...slim.clusterIPs, ...slim.externalIPs]) take(ip)
    } else if (object.kind === 'Pod') podIps(object, quiet).forEach(take)
    else if (object.kind === 'ServiceImport') listAt(object.raw, 'spec', 'ips').forEach(take)
    else if (object.kind === 'Node') {
      for (const item of listAt(object.raw, 'status', 'addresses')) take(field(item, 'address'))
    } else if (object.kind === 'EndpointSlice') {
      for (const endpoint of listAt(object.raw, 'endpoints')) listAt(endpoint, 'addresses').forEach(take)
    } else if (object.kind === 'Endpoints') {
      for (const subset of listAt(object.raw, 'subsets')) {
        const both = [...listAt(subset, 'addresses'), ...listAt(subset, 'notReadyAddresses')]
        for (const address of both) take(field(address, 'ip'))
      }
    }
  }
  return taken
}

/** Services and ServiceImports with their cluster addresses, which come out of one range. */
function clusterServices(
  services: readonly RawObject[],
  imports: readonly RawObject[],
  options: CompileOptions,
  book: AddressBook,
  taken: ReadonlySet<string>,
  warn: Warn,
): { readonly services: ServiceView[]; readonly imports: Kinds['ServiceImport'][] } {
  const views: ServiceView[] = []
  const slimmed = <T extends object>(object: RawObject, slim: T | SlimProblem): T[] => {
    if (!isProblem(slim)) return [slim]
    warn(object, slim.path, `${slim.problem}: not served`)
    return []
  }
  for (const object of services) {
    for (const slim of slimmed(object, slimService(object.raw, noteOf(object, warn), options))) {
      views.push({ object, slim })
      checkExternalName(object, slim, warn)
    }
  }
  for (const object of imports) {
    for (const slim of slimmed(object, slimServiceImport(object.raw, noteOf(object, warn)))) {
      views.push({ object, slim: { ...slim, type: 'ClusterIP', externalName: '', externalIPs: [] } })
    }
  }
  const assigned = assignClusterIps(views, book, taken, warn)
  return {
    services: assigned.filter(({ object }) => object.kind === 'Service'),
    imports: assigned
      .filter(({ object }) => object.kind === 'ServiceImport')
      .map(({ slim: { namespace, name, headless, clusterIPs, ports } }) => ({
        namespace,
        name,
        headless,
        clusterIPs,
        ports,
      })),
  }
}

const noteOf =
  (object: RawObject, warn: Warn): Note =>
  (path, message) =>
    warn(object, path, message)

function checkExternalName(object: RawObject, slim: Kinds['Service'], warn: Warn): void {
  if (slim.type !== 'ExternalName') return
  const path = ['spec', 'externalName']
  if (slim.externalName === '') warn(object, path, 'an ExternalName without a name: it resolves to nothing')
  else if (parseIp(slim.externalName)) {
    warn(
      object,
      path,
      `${quote(slim.externalName)} is an address, no name: a cluster answers NXDOMAIN for it`,
    )
  }
}

/** The folder's Namespaces, those that its objects are in, and the two that every cluster has. */
function namespaces(
  objects: readonly RawObject[],
  keep: LabelPredicate,
  labelled: boolean,
): Map<string, Kinds['Namespace']> {
  const labels = new Map<string, Labels>()
  for (const name of ['default', 'kube-system']) labels.set(name, new Map())
  for (const { namespace } of objects) if (namespace !== '') labels.set(namespace, new Map())
  for (const o of objects) if (o.kind === 'Namespace') labels.set(o.name, o.labels)
  const kept = [...labels].filter(([name, own]) =>
    keep(new Map([...own, ['kubernetes.io/metadata.name', name]])),
  )
  return byKey(
    kept.map(([name, own]) => (labelled ? { name, labels: namespaceLabels(name, own) } : { name })),
  )
}

function podOf(pod: PodView, options: PodOptions): Kinds['Pod'][] {
  const { namespace, name, labels, ips, deleted, hostNetwork } = pod
  const raw = {
    metadata: { namespace, name, labels: Object.fromEntries(labels) },
    spec: { hostNetwork },
    status: { podIP: ips[0], podIPs: ips.map(ip => ({ ip })), hostIP: textAt(pod.raw, 'status', 'hostIP') },
  }
  const slim = deleted ? undefined : slimPod(raw, options)
  return slim === undefined || isProblem(slim) ? [] : [slim]
}

/** The slim object of a raw one, or none and why. */
function slimmedBy<T extends object>(
  slimOf: (raw: unknown, note: Note) => T | SlimProblem,
  object: RawObject,
  warn: Warn,
): T[] {
  const slim = slimOf(object.raw, noteOf(object, warn))
  if (!isProblem(slim)) return [slim]
  warn(object, slim.path, `${slim.problem}: left out`)
  return []
}
