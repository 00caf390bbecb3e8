// The API server as a source of objects: one reflector for each kind that the configuration needs (objects/kinds.ts), all on
// one client.

import type { Evidence } from '../objects/evidence.ts'
import { KINDS, wantedKinds } from '../objects/kinds.ts'
import { type Kind, partsOf, type Sink } from '../objects/objects.ts'
import type { ObjectOptions } from '../objects/options.ts'
import type { KindSet, ObjectSource, ResourceStatus } from '../objects/source.ts'
import type { StatedKind } from '../objects/stated.ts'
import type { Clock } from '../shared/clock.ts'
import type { ApiRequester, ApiWriter } from './client.ts'
import { apiEvidence } from './evidence.ts'
import { Reflector } from './reflector.ts'
import type { ReflectorTiming, WatchHooks } from './reflector-options.ts'

/** What a source is made of, and which objects it reads. */
export interface ApiSourceOptions extends Partial<ObjectOptions> {
  readonly client: ApiRequester & Partial<ApiWriter>
  readonly sink: Sink
  readonly clock: Clock
  /** Numbers in [0, 1). */
  readonly random: () => number
  readonly hooks?: WatchHooks | undefined
  readonly timing?: Partial<ReflectorTiming> | undefined
  /** False to list in pages instead of asking for a stream first. */
  readonly watchList?: boolean | undefined
}

type KindReflector = { readonly kind: Kind; readonly reflector: Reflector<Kind> }

/** Watches all that the selection needs, from `start` to `stop`. */
export class ApiSource implements ObjectSource {
  readonly evidence: Evidence
  readonly #client: ApiSourceOptions['client']
  readonly #reflectors: readonly KindReflector[]

  constructor(options: ApiSourceOptions) {
    this.#client = options.client
    this.evidence = apiEvidence(options.client, options.clock)
    this.#reflectors = reflectorsFor(options, {
      ...options.hooks,
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

  /** How each resource stands. */
  status(): readonly ResourceStatus[] {
    return this.#reflectors.map(({ reflector }) => reflector.status())
  }

  /** The state for a snapshot: the sets that the sink holds; undefined until all of them are complete. */
  sets(): KindSet[] | undefined {
    if (!this.synced) return undefined
    // Each reflector holds objects of its own kind and no others.
    return this.#reflectors.map(
      ({ kind, reflector }) => [kind, reflector.objects.values()] as unknown as KindSet,
    )
  }

  /** Merges into the status of an object (RFC 7396), by its key. */
  async writeStatus(kind: StatedKind, key: string, status: object): Promise<unknown> {
    const { path, name } = KINDS[kind]
    const [namespace, own] = key.includes('/') ? partsOf(key) : ['', key]
    const within = namespace === '' ? '' : `namespaces/${namespace}/`
    const base = path.slice(0, path.lastIndexOf(name))
    return this.#client.write?.({
      method: 'PATCH',
      path: `${base}${within}${name}/${own}/status`,
      body: { status },
    })
  }

  waitingFor(): readonly string[] {
    return this.status()
      .filter(status => !status.synced)
      .map(status => `waiting for ${status.resource}: ${status.lastError ?? 'reading the initial state'}`)
  }
}

function reflectorsFor(options: ApiSourceOptions, hooks: WatchHooks): KindReflector[] {
  const { client, sink, clock, random, timing, watchList } = options
  const reflector = <K extends Kind>(kind: K): KindReflector => {
    const resource = KINDS[kind]
    return {
      kind,
      reflector: new Reflector<K>({
        sink,
        client,
        clock,
        random,
        timing,
        hooks,
        watchList,
        resource,
        labelSelector: resource.labelSelector?.(options) || undefined,
        fieldSelector: resource.fieldSelector,
        convert: raw => resource.slim(raw, options),
      }),
    }
  }
  return wantedKinds(options).map(kind => reflector(kind))
}
