// The API server as a source of objects: one reflector for each resource that the configuration needs, all on one
// client. What is watched follows CoreDNS (plugin/kubernetes/controller.go):
//
//   services, namespaces   always
//   endpointslices         unless `noendpoints`; with `multicluster` at least those of ServiceImports
//   pods                   only for `pods verified` and autopath
//   serviceimports         only for `multicluster`

import type { Kind, ObjectSource, Sink } from '../objects/objects.ts'
import {
  IMPORT_NAME_LABEL,
  type PodOptions,
  type SliceOptions,
  slimEndpointSlice,
  slimNamespace,
  slimPod,
  slimService,
  slimServiceImport,
} from '../objects/slim.ts'
import type { Clock } from '../shared/clock.ts'
import type { ApiRequester } from './client.ts'
import { Reflector } from './reflector.ts'
import type { Convert, ReflectorStatus, ReflectorTiming, WatchHooks } from './reflector-options.ts'
import { RESOURCES } from './resource.ts'
import type { SnapshotSet } from './snapshot.ts'

/** Pods that have ended keep their address in the API but not on the network (CoreDNS: podListFunc). */
const LIVE_PODS = 'status.phase!=Succeeded,status.phase!=Failed,status.phase!=Unknown'

/** Which resources are needed, and which objects of them. */
export interface ApiSourceSelection {
  /** False for `noendpoints`. */
  readonly endpoints?: boolean | undefined
  /** `pods verified`, or autopath. */
  readonly pods?: boolean | undefined
  /** `multicluster`: ServiceImports and their slices. */
  readonly multicluster?: boolean | undefined
  /** `labels`: a selector for Services, EndpointSlices and Pods. */
  readonly labels?: string | undefined
  /** `namespace_labels`: a selector for Namespaces, and as in CoreDNS for ServiceImports. */
  readonly namespaceLabels?: string | undefined
}

/** How raw objects become slim ones, by kind. */
export type Converters = { readonly [K in Kind]: Convert<K> }

/** What a source is made of. */
export interface ApiSourceOptions extends ApiSourceSelection {
  readonly client: ApiRequester
  readonly sink: Sink
  readonly clock: Clock
  /** Numbers in [0, 1). */
  readonly random: () => number
  readonly convert?: Converters | undefined
  readonly hooks?: WatchHooks | undefined
  readonly timing?: Partial<ReflectorTiming> | undefined
  /** False to list in pages instead of asking for a stream first. */
  readonly watchList?: boolean | undefined
}

/** The converters of slim.ts, with the fields of endpoints and Pods that the configuration needs. */
export function slimConverters(options: SliceOptions & PodOptions = {}): Converters {
  return {
    Service: raw => slimService(raw),
    EndpointSlice: raw => slimEndpointSlice(raw, options),
    Namespace: raw => slimNamespace(raw),
    Pod: raw => slimPod(raw, options),
    ServiceImport: raw => slimServiceImport(raw),
  }
}

type KindReflector = { readonly kind: Kind; readonly reflector: Reflector<Kind> }

/** Watches all that the selection needs, from `start` to `stop`. */
export class ApiSource implements ObjectSource {
  readonly #reflectors: readonly KindReflector[]
  readonly #synced = Promise.withResolvers<void>()

  constructor(options: ApiSourceOptions) {
    this.#reflectors = reflectorsFor(options, {
      ...options.hooks,
      synced: resource => {
        options.hooks?.synced?.(resource)
        if (this.synced) this.#synced.resolve()
      },
      recovered: resource => {
        options.hooks?.recovered?.(resource)
        // The server is back: the others need not wait for the end of their delays.
        for (const { reflector } of this.#reflectors) reflector.wake()
      },
    })
  }

  /** Begins all watches and returns at once: an API server that is away is waited for, not an error. */
  async start(): Promise<void> {
    for (const { reflector } of this.#reflectors) reflector.start()
  }

  /** Ends all watches. */
  async stop(): Promise<void> {
    for (const { reflector } of this.#reflectors) reflector.stop()
  }

  /** Every resource has been complete once; never false again after that. */
  get synced(): boolean {
    return this.#reflectors.every(({ reflector }) => reflector.status().synced)
  }

  /** Resolves at the first complete state of every resource; never rejects. */
  whenSynced(): Promise<void> {
    return this.#synced.promise
  }

  /** How each resource stands. */
  status(): readonly ReflectorStatus[] {
    return this.#reflectors.map(({ reflector }) => reflector.status())
  }

  /** The state for a snapshot: the sets that the sink holds; undefined until all of them are complete. */
  sets(): SnapshotSet[] | undefined {
    if (!this.synced) return undefined
    // Each reflector holds objects of its own kind and no others.
    return this.#reflectors.map(
      ({ kind, reflector }) => [kind, reflector.objects.values()] as unknown as SnapshotSet,
    )
  }

  /** One line for each resource that has not been complete yet and why, for `/ready`; empty when synced. */
  waitingFor(): readonly string[] {
    return this.status()
      .filter(status => !status.synced)
      .map(status => `waiting for ${status.resource}: ${status.lastError ?? 'reading the initial state'}`)
  }
}

function reflectorsFor(options: ApiSourceOptions, hooks: WatchHooks): KindReflector[] {
  const { client, sink, clock, random, timing, watchList, labels, namespaceLabels } = options
  const convert = options.convert ?? slimConverters()
  const reflector = <K extends Kind>(
    kind: K,
    labelSelector?: string,
    fieldSelector?: string,
  ): KindReflector => {
    const resource = RESOURCES[kind]
    const common = { sink, client, clock, random, timing, hooks, watchList, labelSelector, fieldSelector }
    return { kind, reflector: new Reflector<K>({ ...common, resource, convert: convert[kind] }) }
  }
  const reflectors = [reflector('Namespace', namespaceLabels), reflector('Service', labels)]
  if (options.endpoints !== false) reflectors.push(reflector('EndpointSlice', labels))
  else if (options.multicluster) {
    const selector = [labels, IMPORT_NAME_LABEL].filter(Boolean).join(',')
    reflectors.push(reflector('EndpointSlice', selector))
  }
  if (options.pods) reflectors.push(reflector('Pod', labels, LIVE_PODS))
  if (options.multicluster) reflectors.push(reflector('ServiceImport', namespaceLabels))
  return reflectors
}
