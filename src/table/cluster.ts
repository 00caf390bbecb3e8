// Where a source's events become the table: keeps the slim objects, notes which names an event touches, and publishes
// them a moment later in one batch (batches.ts, publication.ts). Only names that an event touched are built anew.

import {
  emptyMaps,
  type Kind,
  type Kinds,
  namespacedKey,
  objectKey,
  type RecordKind,
  type Sink,
  type SlimEndpointSlice,
  type SlimPod,
  type SlimService,
} from '../objects/objects.ts'
import type { ObjectOptions } from '../objects/options.ts'
import type { SlimRecords } from '../objects/records.ts'
import { same } from '../objects/same.ts'
import type { StatedKind } from '../objects/stated.ts'
import type { Verdict } from '../objects/verdict.ts'
import type { Clock } from '../shared/clock.ts'
import type { Steps } from '../shared/steps.ts'
import { TableFullError } from './arena.ts'
import { Batches } from './batches.ts'
import type { BuildOptions } from './build.ts'
import { Clients } from './clients.ts'
import { type Attempt, Dirty } from './dirty.ts'
import { NamespaceLabels } from './namespace-labels.ts'
import { Places } from './places.ts'
import { Policies } from './policies.ts'
import { keysIn, Publication } from './publication.ts'
import { Records } from './records.ts'
import { Routes } from './routes.ts'
import { Serial } from './serial.ts'
import { SliceOwners } from './slices.ts'
import { StubDomains } from './stub-domains.ts'
import type { TableWriter } from './writer.ts'

export interface ClusterOptions
  extends BuildOptions,
    Pick<ObjectOptions, 'namespaces'>,
    Partial<
      Pick<ObjectOptions, 'clients' | 'nodes' | 'records' | 'stubs' | 'policies' | 'labelledNamespaces'>
    > {
  /** The kinds that must be listed before the table counts as synced. */
  readonly kinds: readonly Kind[]
}

/** What a cluster tells of its work. */
export interface ClusterHooks {
  /** Runs `turn` soon, once: setImmediate outside of tests. */
  readonly schedule: (turn: () => void) => void
  readonly clock: Clock
  /** How long at most the first changes wait for the listing to be complete; 0 by default. */
  readonly firstListingMs?: number
  /** All kinds are listed. */
  synced?(): void
  /**
   * A batch is published: whether an answer changed, how long ago the first event of each kind in it came, in ms, and
   * the slices in it that say when their cause was.
   */
  published?(changed: boolean, delays: ReadonlyMap<Kind, number>, slices: readonly SlimEndpointSlice[]): void
  /** Publishing that name has thrown: it keeps its former answers. */
  broken?(name: string, cause: unknown): void
  /** An object asks for a record that it may not have, or that is none: why not. */
  refused?(text: string): void
  /** What becomes of an object is another thing than before, or its status is. */
  judged?(kind: StatedKind, key: string): void
  /** The table is full: these names keep their former answers. */
  full?(error: TableFullError, names: readonly string[]): void
}

interface Links<T> {
  link(object: T): void
  unlink(object: T): void
}

/** All StubDomains are published as one. */
const STUBS = 'StubDomains'
/** How the owners of records that are DNSRecords begin. */
const OF_RECORDS = 'DNSRecord '

const onBoth = <T>(touch: (object: T) => void): Links<T> => ({ link: touch, unlink: touch })

export class Cluster implements Sink {
  readonly #writer: TableWriter
  readonly #hooks: ClusterHooks
  readonly #exposed: ReadonlySet<string>
  readonly #objects = emptyMaps()
  /** Slices by NAMESPACE/SERVICE. */
  readonly #slices = new SliceOwners()
  /** Imported slices by NAMESPACE/IMPORT. */
  readonly #importSlices = new SliceOwners()
  /** Running Pods by key octets (latin1), counted: two may have one address for a moment. */
  readonly #pods = new Map<string, number>()
  readonly #clients: Clients | undefined
  readonly #places: Places | undefined
  readonly #records: Records | undefined
  readonly #routes: Routes | undefined
  readonly #stubs: StubDomains | undefined
  readonly #policies: Policies | undefined
  readonly #labels: NamespaceLabels | undefined
  readonly #unsynced: Set<Kind>
  readonly #publication: Publication
  readonly #namespaces = new Dirty(name => this.#publication.namespace(name))
  readonly #labelMarks = new Dirty(name => this.#publication.labels(name))
  readonly #services = new Dirty(key => this.#publication.service(key))
  readonly #imports = new Dirty(key => this.#publication.import(key))
  /** By namespace and address. */
  readonly #podMarks = new Dirty(key => this.#publication.pod(key))
  readonly #clientMarks = new Dirty(ip => this.#publication.client(ip))
  readonly #placeMarks = new Dirty(network => this.#publication.place(network))
  /** Before the records, which they touch. */
  readonly #routeMarks = new Dirty(key => this.#publication.route(key))
  readonly #freedMarks = new Dirty(namespace => this.#publication.waitingRecords(namespace))
  readonly #recordMarks = new Dirty(name => this.#publication.records(name))
  readonly #stubMarks = new Dirty(() => this.#publication.stubs())
  readonly #policyMarks = new Dirty(namespace => this.#publication.policies(namespace))
  #changedSlices: SlimEndpointSlice[] = []
  /** When the first event of each kind in the batch came. */
  #since = new Map<Kind, number>()
  readonly #serial = new Serial()
  readonly #importSerial = new Serial()
  readonly #externalSerial = new Serial()
  readonly #batches: Batches

  /** What an object of each kind touches when it comes (`link`) and when it goes. */
  readonly #links: { readonly [K in Kind]: Links<Kinds[K]> } = {
    Service: {
      link: service => {
        this.#services.add(objectKey(service))
        if (service.asks) this.#records?.add('Service', service.asks)
      },
      unlink: service => {
        this.#services.add(objectKey(service))
        if (service.asks) this.#records?.remove('Service', service.asks)
      },
    },
    ServiceImport: onBoth(imported => this.#imports.add(objectKey(imported))),
    // A known one that comes has other labels, and nothing else.
    Namespace: onBoth(({ name }) => {
      this.#namespaces.add(name)
      if (this.#labels) this.#labelMarks.add(name)
    }),
    EndpointSlice: {
      link: slice => {
        this.#eachOwner(slice, 'add')
        if (slice.triggerTimeMs > 0) this.#changedSlices.push(slice)
      },
      unlink: slice => this.#eachOwner(slice, 'remove'),
    },
    Pod: { link: pod => this.#countPod(pod, 1), unlink: pod => this.#countPod(pod, -1) },
    Node: { link: node => this.#places?.add(node), unlink: node => this.#places?.remove(node) },
    DNSRecord: this.#recordLinks('DNSRecord'),
    DNSEndpoint: this.#recordLinks('DNSEndpoint'),
    Ingress: this.#recordLinks('Ingress'),
    Gateway: onBoth(gateway => this.#routes?.gatewayChanged(objectKey(gateway))),
    HTTPRoute: {
      link: route => this.#routes?.link(objectKey(route), route),
      unlink: route => this.#routes?.unlink(objectKey(route), route),
    },
    StubDomain: onBoth(() => this.#stubs?.changed()),
    DNSPolicy: {
      link: policy => this.#policies?.add(policy),
      unlink: policy => this.#policies?.remove(policy),
    },
  }

  constructor(writer: TableWriter, options: ClusterOptions, hooks: ClusterHooks) {
    this.#writer = writer
    this.#hooks = hooks
    this.#exposed = new Set(options.namespaces)
    this.#unsynced = new Set(options.kinds)
    const { clock, firstListingMs = 0, schedule } = hooks
    this.#batches = new Batches(clock, firstListingMs, schedule, () => this.#publish())
    this.#clients = options.clients && new Clients(options.clients, ip => this.#clientMarks.add(ip))
    this.#places = options.nodes ? new Places(network => this.#placeMarks.add(network)) : undefined
    this.#records =
      options.records &&
      new Records(
        options.records,
        name => this.#recordMarks.add(name),
        text => hooks.refused?.(text),
        owner => {
          if (owner.startsWith(OF_RECORDS)) hooks.judged?.('DNSRecord', owner.slice(OF_RECORDS.length))
        },
        namespace => this.#freedMarks.add(namespace),
      )
    this.#routes = this.#records && new Routes(this.#objects, this.#records, key => this.#routeMarks.add(key))
    this.#stubs =
      options.stubs &&
      new StubDomains(
        options.stubs,
        () => this.#stubMarks.add(STUBS),
        text => hooks.refused?.(text),
        name => hooks.judged?.('StubDomain', name),
      )
    this.#policies = options.policies
      ? new Policies(
          namespace => this.#policyMarks.add(namespace),
          text => hooks.refused?.(text),
          key => hooks.judged?.('DNSPolicy', key),
        )
      : undefined
    this.#labels =
      options.labelledNamespaces === true ? new NamespaceLabels(text => hooks.refused?.(text)) : undefined
    this.#publication = new Publication(writer, options, {
      objects: this.#objects,
      slices: this.#slices,
      importSlices: this.#importSlices,
      clients: this.#clients,
      places: this.#places,
      records: this.#records,
      routes: this.#routes,
      stubs: this.#stubs,
      policies: this.#policies,
      labels: this.#labels,
      isExposed: namespace => this.#isExposed(namespace),
      isPod: id => this.#pods.has(id),
    })
  }

  get synced(): boolean {
    return this.#unsynced.size === 0
  }

  /** Whether the first complete state is in the table. */
  get published(): boolean {
    return this.#writer.synced
  }

  /** The kinds not listed yet. */
  get waitingFor(): readonly Kind[] {
    return [...this.#unsynced]
  }

  /** The objects of a kind, by key. */
  objects<K extends Kind>(kind: K): ReadonlyMap<string, Kinds[K]> {
    return this.#objects[kind]
  }

  /** What became of an object with the last batch; undefined where nothing is known of it yet. */
  verdictOf(kind: StatedKind, key: string): Verdict | undefined {
    if (kind === 'DNSRecord') return this.#records?.verdictOf(`${OF_RECORDS}${key}`)
    return (kind === 'StubDomain' ? this.#stubs : this.#policies)?.verdictOf(key)
  }

  /** The slices of a service, for metrics. */
  service(namespace: string, name: string): SlimService | undefined {
    return this.#objects.Service.get(namespacedKey(namespace, name))
  }

  replace<K extends Kind>(kind: K, objects: Iterable<Kinds[K]>): void {
    const left = new Set(this.#objects[kind].keys())
    for (const object of objects) {
      this.#put(kind, object)
      left.delete(objectKey(object))
    }
    for (const key of left) this.#drop(kind, key)
    this.#unsynced.delete(kind)
    this.#schedule(kind)
  }

  upsert<K extends Kind>(kind: K, object: Kinds[K]): void {
    this.#put(kind, object)
    this.#schedule(kind)
  }

  remove(kind: Kind, key: string): void {
    this.#drop(kind, key)
    this.#schedule(kind)
  }

  /**
   * Serves a state of an earlier process, whole, until every kind has been listed anew. False, and nothing is done, where
   * a kind that is needed is not in it. To be called before anything else is noted.
   */
  async restore(sets: ReadonlyMap<Kind, readonly Kinds[Kind][]>): Promise<boolean> {
    if (this.waitingFor.some(kind => !sets.has(kind))) return false
    for (const kind of this.waitingFor) for (const object of sets.get(kind) ?? []) this.#put(kind, object)
    this.#writer.setRestored(true)
    await this.#batches.now()
    this.#writer.setSynced(true)
    return true
  }

  #put<K extends Kind>(kind: K, object: Kinds[K]): void {
    const map = this.#objects[kind]
    const key = objectKey(object)
    const before = map.get(key)
    if (before === object) return
    map.set(key, object)
    if (before && isStatusAlone(before, object)) {
      this.#hooks.judged?.(kind as StatedKind, key)
      return
    }
    if (before && kind === 'Namespace') {
      this.#labelMarks.add(key)
      return
    }
    if (before) this.#links[kind].unlink(before)
    this.#links[kind].link(object)
  }

  #drop<K extends Kind>(kind: K, key: string): void {
    const before = this.#objects[kind].get(key)
    if (!before) return
    this.#objects[kind].delete(key)
    this.#links[kind].unlink(before)
  }

  /** Changes what is known of the slices of a slice's Service, and of its import where it has one. */
  #eachOwner(slice: SlimEndpointSlice, change: 'add' | 'remove'): void {
    const { namespace, serviceName, imported } = slice
    if (serviceName !== '') {
      const key = namespacedKey(namespace, serviceName)
      this.#slices[change](key, slice)
      this.#services.add(key)
    }
    if (imported) {
      const key = namespacedKey(namespace, imported.name)
      this.#importSlices[change](key, slice)
      this.#imports.add(key)
    }
  }

  #countPod(pod: SlimPod, by: 1 | -1): void {
    const { namespace, ip } = pod
    if (by > 0) this.#clients?.add(pod)
    else this.#clients?.remove(pod)
    const key = `${namespace}/${ip}`
    const count = (this.#pods.get(key) ?? 0) + by
    if (count > 0) this.#pods.set(key, count)
    else this.#pods.delete(key)
    this.#podMarks.add(key)
  }

  #recordLinks(kind: RecordKind): Links<SlimRecords> {
    return {
      link: object => this.#records?.add(kind, object),
      unlink: object => this.#records?.remove(kind, object),
    }
  }

  #schedule(kind: Kind): void {
    if (!this.#since.has(kind)) this.#since.set(kind, this.#hooks.clock.nowMs())
    this.#batches.note(this.synced)
  }

  /** Publishes all that is noted; what is noted meanwhile is of this batch or of the next. */
  *#publish(): Steps<void> {
    const listed = this.synced && (!this.#writer.synced || this.#writer.restored)
    const full: string[] = []
    let error: TableFullError | undefined
    const broken = (name: string, cause: unknown): void => this.#hooks.broken?.(name, cause)
    const attempt: Attempt = function* (name, change) {
      try {
        return yield* change
      } catch (cause) {
        if (cause instanceof TableFullError) {
          error = cause
          full.push(name)
          return 'full'
        }
        // A bug of ours, or of what an object made of it: it costs this name.
        broken(name, cause)
        return false
      }
    }
    const { since, slices } = this.#takeNoted()
    const publication = this.#publication
    const namespaces = this.#namespaces.names
    yield* keysIn(namespaces, this.#objects.Service, this.#services)
    yield* keysIn(namespaces, this.#slices.keys, this.#services)
    yield* keysIn(namespaces, this.#objects.ServiceImport, this.#imports)
    yield* this.#labelMarks.publish(attempt)
    yield* this.#namespaces.publish(attempt)
    const servicesChanged = yield* this.#services.publish(attempt)
    yield* publication.removeGone()
    const importsChanged = yield* this.#imports.publish(attempt)
    const podsChanged = yield* this.#podMarks.publish(attempt)
    yield* this.#clientMarks.publish(attempt)
    yield* this.#placeMarks.publish(attempt)
    yield* this.#routeMarks.publish(attempt)
    yield* this.#freedMarks.publish(attempt)
    yield* this.#recordMarks.publish(attempt)
    yield* this.#stubMarks.publish(attempt)
    yield* this.#policyMarks.publish(attempt)
    const changed = servicesChanged || podsChanged
    const seconds = Math.floor(this.#hooks.clock.wallMs() / 1000)
    if (changed) this.#writer.setSerial(this.#serial.changed(seconds))
    if (importsChanged) this.#writer.setImportSerial(this.#importSerial.changed(seconds))
    if (publication.externalsChanged) this.#writer.setExternalSerial(this.#externalSerial.changed(seconds))
    publication.externalsChanged = false
    if (listed) {
      this.#writer.setSynced(true)
      this.#writer.setRestored(false)
    }
    this.#writer.endBatch()
    const nowMs = this.#hooks.clock.nowMs()
    const delays = new Map([...since].map(([kind, sinceMs]) => [kind, nowMs - sinceMs]))
    this.#hooks.published?.(changed || importsChanged, delays, slices)
    if (error) this.#hooks.full?.(error, full)
    if (listed) this.#hooks.synced?.()
  }

  #takeNoted(): { since: ReadonlyMap<Kind, number>; slices: readonly SlimEndpointSlice[] } {
    const noted = { since: this.#since, slices: this.#changedSlices }
    this.#since = new Map()
    this.#changedSlices = []
    return noted
  }

  /** docs/coredns.md 1.4: in the list of `namespaces`, where there is one, and known to the API server. */
  #isExposed(namespace: string): boolean {
    return (
      (this.#exposed.size === 0 || this.#exposed.has(namespace)) && this.#objects.Namespace.has(namespace)
    )
  }
}

/** Whether an object has changed in what its status says of it, and in nothing else. */
function isStatusAlone(before: object, now: object): boolean {
  if (!('stated' in before && 'stated' in now)) return false
  return same({ ...before, stated: 0 }, { ...now, stated: 0 })
}
