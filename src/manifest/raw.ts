// From the text of one manifest file to raw objects with their places. A file holds any number of YAML documents (or
// JSON); a List, or a list of one kind (`ServiceList`), stands for its items. The parsed nodes are kept with an object,
// so that a problem found much later can still say at which line and column its cause is written.

import {
  type Document,
  isAlias,
  isMap,
  isNode,
  isScalar,
  isSeq,
  LineCounter,
  type Node,
  parseAllDocuments,
  visit,
  type YAMLMap,
} from 'yaml'
import { field, isJson, type Json, labelsOf, type Path, quote, textAt } from '../objects/field.ts'
import type { Labels } from '../objects/label-selector.ts'
import { isDnsLabel, isDnsSubdomain } from '../objects/slim.ts'
import type { ManifestProblem } from './problem.ts'

/** Where an object is written. */
export interface Place {
  readonly file: string
  /** The place of a field, or of what is nearest to it when it is absent; line and column count from 1. */
  at(path: Path): { readonly line: number; readonly column: number }
}

/** The kinds that are read, each with the API groups it is known by. */
const KIND_GROUPS = {
  Namespace: [''],
  Service: [''],
  Endpoints: [''],
  EndpointSlice: ['discovery.k8s.io'],
  Pod: [''],
  ReplicaSet: ['apps', 'extensions'],
  ReplicationController: [''],
  Deployment: ['apps', 'extensions'],
  StatefulSet: ['apps'],
  DaemonSet: ['apps', 'extensions'],
  Node: [''],
  ServiceImport: ['multicluster.x-k8s.io'],
  DNSRecord: ['seamark.dev'],
  DNSEndpoint: ['externaldns.k8s.io'],
  Ingress: ['networking.k8s.io', 'extensions'],
  StubDomain: ['seamark.dev'],
  Gateway: ['gateway.networking.k8s.io'],
  HTTPRoute: ['gateway.networking.k8s.io'],
  DNSPolicy: ['seamark.dev'],
} as const satisfies Record<string, readonly string[]>

export type ManifestKind = keyof typeof KIND_GROUPS

/** Kinds that folders of manifests often hold and that no cluster DNS looks at: left out without a word. */
const SILENT_KINDS = new Set(
  `APIService ClusterRole ClusterRoleBinding ConfigMap ControllerRevision CronJob CSIDriver CSINode CustomResourceDefinition
  Event FlowSchema HorizontalPodAutoscaler IngressClass Job Kustomization Lease LimitRange MutatingWebhookConfiguration
  NetworkPolicy PersistentVolume PersistentVolumeClaim PodDisruptionBudget PodTemplate PriorityClass
  PriorityLevelConfiguration ResourceQuota Role RoleBinding RuntimeClass Secret ServiceAccount StorageClass
  ValidatingAdmissionPolicy ValidatingAdmissionPolicyBinding ValidatingWebhookConfiguration VolumeAttachment`.split(
    /\s+/,
  ),
)

/** Groups whose kinds Kubernetes itself has; a kind of any other is a custom resource, and named once for the whole folder. */
const OWN_GROUPS =
  /^(?:|apps|autoscaling|batch|extensions|policy|multicluster\.x-k8s\.io|seamark\.dev|externaldns\.k8s\.io|(?:admissionregistration|apiextensions|apiregistration|authentication|authorization|certificates|coordination|discovery|events|flowcontrol\.apiserver|networking|node|rbac\.authorization|resource|scheduling|storage)\.k8s\.io)$/

/** A template of Helm's that was not rendered: what stands in it is no YAML, or no name. */
const HELM =
  /\{\{-?\s*(?:[.$](?:Values|Release|Chart|Capabilities|Files|Template)\b|(?:include|template|define|if|range|with|end|toYaml)\b)/

const CLUSTER_WIDE: readonly ManifestKind[] = ['Namespace', 'Node', 'StubDomain']
const LABEL_NAMED: readonly ManifestKind[] = ['Namespace', 'Service', 'ServiceImport']

/** Lists within lists deeper than this are refused. */
const LIST_DEPTH_MAX = 4
/** A YAML alias may be used this often (the "billion laughs" bound of the yaml package). */
const ALIASES_MAX = 100

/** An object of one of the kinds above, with a valid name; its fields are not judged yet. */
export interface RawObject {
  readonly kind: ManifestKind
  /** Lower case; '' for what belongs to no namespace. */
  readonly namespace: string
  readonly name: string
  readonly labels: Labels
  readonly raw: Json
  readonly place: Place
}

/** Whether a kind belongs to no namespace. */
export const isClusterWide = (kind: ManifestKind): boolean => CLUSTER_WIDE.includes(kind)

/** The same object under that name and in that namespace. */
export function withMetadata(object: RawObject, name: string, namespace: string): RawObject {
  const { metadata } = object.raw
  const own = { ...(isJson(metadata) ? metadata : {}), name, ...(namespace !== '' && { namespace }) }
  return { ...object, name, namespace, raw: { ...object.raw, metadata: own } }
}

/** Where objects are that name no namespace, unless the folder says otherwise. */
export const DEFAULT_NAMESPACE = 'default'

/** KIND NAMESPACE/NAME, as messages call an object. */
export const titleOf = (o: {
  readonly kind: string
  readonly namespace: string
  readonly name: string
}): string => `${o.kind} ${o.namespace === '' ? o.name : `${o.namespace}/${o.name}`}`

/** Makes a raw object of JSON that is known to be well formed; one without namespace is in that one, as kubectl has it. */
export function rawObject(
  kind: ManifestKind,
  raw: Json,
  place: Place,
  fallback = DEFAULT_NAMESPACE,
): RawObject {
  const namespaced = !isClusterWide(kind)
  const namespace = namespaced ? textAt(raw, 'metadata', 'namespace').toLowerCase() || fallback : ''
  const metadata = field(raw, 'metadata')
  return {
    kind,
    namespace,
    name: textAt(raw, 'metadata', 'name').toLowerCase(),
    labels: labelsOf(raw),
    raw: namespaced && isJson(metadata) ? { ...raw, metadata: { ...metadata, namespace } } : raw,
    place,
  }
}

/** What a file holds; an error among the problems means that the objects may be incomplete. */
export interface ParsedManifest {
  readonly objects: readonly RawObject[]
  readonly problems: readonly ManifestProblem[]
  /** Objects of kinds that Kubernetes itself does not have. */
  readonly custom: readonly CustomResource[]
}

/** One object that is left alone. */
export interface CustomResource {
  readonly kind: string
  readonly group: string
  readonly at: Pick<ManifestProblem, 'file' | 'line' | 'column'>
}

/** Reads the text of one file; never throws. Objects without a namespace are in `namespace`. */
export function parseManifest(
  file: string,
  text: string,
  namespace: string = DEFAULT_NAMESPACE,
): ParsedManifest {
  const parsed = new ManifestParser(file, namespace).parse(text)
  const broken = parsed.problems.some(({ severity }) => severity === 'error')
  const template = broken ? HELM.exec(text) : null
  return template === null
    ? parsed
    : { objects: [], problems: [unrendered(file, text, template.index)], custom: [] }
}

function unrendered(file: string, text: string, offset: number): ManifestProblem {
  const before = text.slice(0, offset).split('\n')
  const message =
    'a template that was not rendered: nothing of this file is served; write what helm template NAME CHART prints'
  return { severity: 'error', file, line: before.length, column: before.at(-1)!.length + 1, message }
}

class ManifestParser {
  readonly #file: string
  readonly #lines = new LineCounter()
  readonly #objects: RawObject[] = []
  readonly #problems: ManifestProblem[] = []
  readonly #custom: CustomResource[] = []
  readonly #namespace: string

  constructor(file: string, namespace: string) {
    this.#file = file
    this.#namespace = namespace
  }

  parse(text: string): ParsedManifest {
    for (const document of this.#documents(text)) {
      const errors = document.errors.length
      for (const error of document.errors) this.#say('error', error.pos[0], `broken YAML: ${error.message}`)
      if (errors > 0 || this.#slips(document) || document.contents === null) continue
      const start = document.contents.range[0]
      try {
        const value: unknown = document.toJS({ maxAliasCount: ALIASES_MAX })
        if (value !== null) this.#object(value, document.contents, document, 0)
      } catch (cause) {
        this.#say('error', start, `broken YAML: ${messageOf(cause)}`)
      }
    }
    return { objects: this.#objects, problems: this.#problems, custom: this.#custom }
  }

  #documents(text: string): Document.Parsed[] {
    try {
      const documents = parseAllDocuments(text, {
        lineCounter: this.#lines,
        prettyErrors: false,
        merge: true,
        uniqueKeys: false,
        logLevel: 'error',
      })
      return Array.isArray(documents) ? documents : []
    } catch (cause) {
      this.#say('error', 0, `broken YAML: ${messageOf(cause)}`)
      return []
    }
  }

  /** Keys given twice in one mapping and aliases of nothing: the yaml package finds the first in quadratic time and
   *  tells the second without a place. */
  #slips(document: Document.Parsed): boolean {
    const before = this.#problems.length
    const anchors = new Set<string>()
    visit(document, (_, node) => {
      if (isAlias(node)) {
        if (!anchors.has(node.source)) {
          this.#say(
            'error',
            node.range?.[0] ?? 0,
            `broken YAML: no anchor &${node.source} stands before *${node.source}`,
          )
        }
      } else if (isNode(node) && node.anchor !== undefined) anchors.add(node.anchor)
      if (isMap(node)) this.#repeatedKeys(node)
    })
    return this.#problems.length > before
  }

  #repeatedKeys(map: YAMLMap): void {
    const keys = new Set<unknown>()
    for (const { key } of map.items) {
      if (!isScalar(key)) continue
      if (keys.has(key.value) && key.value !== '<<') {
        this.#say('error', key.range?.[0] ?? 0, `broken YAML: the key ${quote(key.value)} is given twice`)
      }
      keys.add(key.value)
    }
  }

  #object(value: unknown, node: Node, document: Document.Parsed, depth: number, listKind = ''): void {
    const kind = textAt(value, 'kind') || listKind
    const items = field(value, 'items')
    const isList = kind.endsWith('List') && (Array.isArray(items) || items === undefined || items === null)
    const place = this.#place(node, document)
    if (isList && depth < LIST_DEPTH_MAX) {
      const list: readonly unknown[] = Array.isArray(items) ? items : []
      list.forEach((item, i) => {
        const child = nodeAt(node, document, ['items', i])
        this.#object(item, child, document, depth + 1, kind.slice(0, -'List'.length))
      })
      return
    }
    const found = isList
      ? complaint('error', [], `lists within lists, more than ${LIST_DEPTH_MAX} deep`)
      : judge(value, kind, place, this.#namespace)
    if (found === undefined) return
    if ('group' in found) this.#custom.push({ ...found, at: { file: this.#file, ...place.at(['kind']) } })
    else if ('raw' in found) this.#objects.push(found)
    else {
      const { severity, path, message } = found
      this.#problems.push({ severity, file: this.#file, ...place.at(path), message })
    }
    if ('raw' in found && listKind === '' && textAt(value, 'apiVersion') === '') {
      const message = `${kind} without apiVersion: read as if it had the usual one`
      this.#problems.push({ severity: 'warning', file: this.#file, ...place.at(['kind']), message })
    }
  }

  #place(node: Node, document: Document.Parsed): Place {
    return {
      file: this.#file,
      at: path => this.#position(nodeAt(node, document, path).range?.[0] ?? 0),
    }
  }

  #position(offset: number): { line: number; column: number } {
    const { line, col } = this.#lines.linePos(offset)
    return { line: Math.max(1, line), column: Math.max(1, col) }
  }

  #say(severity: ManifestProblem['severity'], offset: number, message: string): void {
    this.#problems.push({ severity, file: this.#file, ...this.#position(offset), message })
  }
}

/** Why a value is not kept. */
interface Complaint {
  readonly severity: ManifestProblem['severity']
  readonly path: Path
  readonly message: string
}

const complaint = (severity: Complaint['severity'], path: Path, message: string): Complaint => ({
  severity,
  path,
  message,
})

/** The object that a value stands for, or why it is none, or undefined for kinds that are left out silently. */
function judge(
  value: unknown,
  kind: string,
  place: Place,
  namespace: string,
): RawObject | Complaint | Omit<CustomResource, 'at'> | undefined {
  if (!isJson(value)) return complaint('error', [], `${quote(value)} is no Kubernetes object`)
  if (kind === '') return complaint('error', [], 'an object without kind')
  const group = apiGroup(textAt(value, 'apiVersion'))
  const groups: readonly string[] = isManifestKind(kind) ? KIND_GROUPS[kind] : []
  if (group !== undefined && !groups.includes(group) && !OWN_GROUPS.test(group)) return { kind, group }
  if (!isManifestKind(kind)) {
    if (SILENT_KINDS.has(kind)) return undefined
    const known = Object.keys(KIND_GROUPS).join(', ')
    return complaint('warning', ['kind'], `unknown kind ${quote(kind)}: not served (read are ${known})`)
  }
  if (group !== undefined && !groups.includes(group)) {
    return complaint('warning', ['apiVersion'], `kind ${kind} of the API group ${quote(group)} is not served`)
  }
  const object = rawObject(kind, value, place, namespace)
  const valid = LABEL_NAMED.includes(kind) ? isDnsLabel : isDnsSubdomain
  const metadata = field(value, 'metadata')
  if (object.name === '') return complaint('error', ['metadata', 'name'], `${kind} without a name`)
  if (!valid(object.name)) {
    const name = quote(field(metadata, 'name'))
    return complaint('error', ['metadata', 'name'], `${name} is no valid name of a ${kind}`)
  }
  if (object.namespace !== '' && !isDnsLabel(object.namespace)) {
    const namespace = quote(field(metadata, 'namespace'))
    return complaint('error', ['metadata', 'namespace'], `${namespace} is no valid namespace`)
  }
  return object
}

/** The node at the end of the path, or the last one on the way that exists. */
function nodeAt(start: Node, document: Document.Parsed, path: Path): Node {
  let node = start
  for (const key of path) {
    const here = isAlias(node) ? node.resolve(document) : node
    let next: unknown
    if (isMap(here)) {
      const pair = here.items.find(item => isScalar(item.key) && item.key.value === key)
      next = pair?.value ?? pair?.key
    } else if (isSeq(here) && typeof key === 'number') {
      next = here.items[key]
    }
    if (!isNode(next)) break
    node = next
  }
  return node
}

const isManifestKind = (kind: string): kind is ManifestKind => Object.hasOwn(KIND_GROUPS, kind)

/** The group of an apiVersion: '' for v1, undefined where there is none. */
function apiGroup(apiVersion: string): string | undefined {
  if (apiVersion === '') return undefined
  return apiVersion.includes('/') ? apiVersion.slice(0, apiVersion.indexOf('/')) : ''
}

const messageOf = (cause: unknown): string => (cause instanceof Error ? cause.message : String(cause))
