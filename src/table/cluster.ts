// Where a source's events become the table: keeps the slim objects, notes which names an event touches, and publishes
// them a moment later in one batch (batches.ts). Only names that an event
// touched are built anew, and only those whose block differs are published; addresses that come are published before
// those that go, so that no address is without an owner in between.

import {
  emptyMaps,
  type Kind,
  type Kinds,
  keysIn,
  namespacedKey,
  objectKey,
  partsOf,
  type Sink,
  type SlimEndpointSlice,
  type SlimPod,
  type SlimService,
} from '../objects/objects.ts'
import type { ObjectOptions } from '../objects/options.ts'
import type { Clock } from '../shared/clock.ts'
import { TableFullError } from './arena.ts'
import { Batches } from './batches.ts'
import { eachAddress, flagsOf } from './block.ts'
import {
  type BuildOptions,
  buildImport,
  buildMark,
  buildOrphan,
  buildService,
  importKey,
  namespaceKey,
  podKey,
  serviceKey,
} from './build.ts'
import { Clients } from './clients.ts'
import { type Attempt, Dirty } from './dirty.ts'
import { FLAG, hashOctets, KIND } from './layout.ts'
import { type Slices, withoutSlice, withSlice } from './slices.ts'
import type { TableWriter } from './writer.ts'

export interface ClusterOptions
  extends BuildOptions,
    Pick<ObjectOptions, 'namespaces'>,
    Partial<Pick<ObjectOptions, 'clients'>> {
  /** The kinds that must be listed before the table counts as synced. */
  readonly kinds: readonly Kind[]
}

/** What a cluster tells of its work. */
export interface ClusterHooks {
  /** Runs `publish` soon, once: setImmediate outside of tests. */
  readonly schedule: (publish: () => void) => void
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
  /** The table is full: these names keep their former answers. */
  full?(error: TableFullError, names: readonly string[]): void
}

interface Links<T> {
  link(object: T): void
  unlink(object: T): void
}

const onBoth = <T>(touch: (object: T) => void): Links<T> => ({ link: touch, unlink: touch })

export class Cluster implements Sink {
  readonly #writer: TableWriter
  readonly #options: ClusterOptions
  readonly #hooks: ClusterHooks
  readonly #exposed: ReadonlySet<string>
  readonly #objects = emptyMaps()
  /** Slices by NAMESPACE/SERVICE; most have one. */
  readonly #slices: Slices = new Map()
  /** Imported slices by NAMESPACE/IMPORT. */
  readonly #importSlices: Slices = new Map()
  /** Running Pods by key octets (latin1), counted: two may have one address for a moment. */
  readonly #pods = new Map<string, number>()
  readonly #clients: Clients | undefined
  readonly #unsynced: Set<Kind>
  readonly #namespaces = new Dirty(name => this.#publishNamespace(name))
  readonly #services = new Dirty(key => this.#publishService(key))
  readonly #imports = new Dirty(key => this.#publishImport(key))
  /** By namespace and address. */
  readonly #podMarks = new Dirty(key => this.#publishPod(key))
  readonly #clientMarks = new Dirty(ip => this.#clients?.publish(ip, this.#writer) ?? false)
  /** Addresses that go with the batch: [address's hash, hash of the service's key]. */
  #gone: [number, number][] = []
  #changedSlices: SlimEndpointSlice[] = []
  /** When the first event of each kind in the batch came. */
  #since = new Map<Kind, number>()
  readonly #batches: Batches
  /** Whether the batch changes a service that may be in a zone of addresses outside the cluster. */
  #externalsChanged = false

  /** What an object of each kind touches when it comes (`link`) and when it goes. */
  readonly #links: { readonly [K in Kind]: Links<Kinds[K]> } = {
    Service: onBoth(service => this.#services.add(objectKey(service))),
    ServiceImport: onBoth(imported => this.#imports.add(objectKey(imported))),
    Namespace: onBoth(({ name }) => this.#namespaces.add(name)),
    EndpointSlice: {
      link: slice => {
        this.#eachOwner(slice, withSlice)
        if (slice.triggerTimeMs > 0) this.#changedSlices.push(slice)
      },
      unlink: slice => this.#eachOwner(slice, withoutSlice),
    },
    Pod: { link: pod => this.#countPod(pod, 1), unlink: pod => this.#countPod(pod, -1) },
  }

  constructor(writer: TableWriter, options: ClusterOptions, hooks: ClusterHooks) {
    this.#writer = writer
    this.#options = options
    this.#hooks = hooks
    this.#exposed = new Set(options.namespaces)
    this.#unsynced = new Set(options.kinds)
    const { clock, firstListingMs = 0, schedule } = hooks
    this.#batches = new Batches(clock, firstListingMs, schedule, () => this.publish())
    this.#clients = options.clients && new Clients(options.clients, ip => this.#clientMarks.add(ip))
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
   * a kind that is needed is not in it.
   */
  restore(sets: ReadonlyMap<Kind, readonly Kinds[Kind][]>): boolean {
    if (this.waitingFor.some(kind => !sets.has(kind))) return false
    for (const kind of this.waitingFor) for (const object of sets.get(kind) ?? []) this.#put(kind, object)
    this.#writer.setRestored(true)
    this.publish()
    this.#writer.setSynced(true)
    return true
  }

  #put<K extends Kind>(kind: K, object: Kinds[K]): void {
    const map = this.#objects[kind]
    const key = objectKey(object)
    const before = map.get(key)
    map.set(key, object)
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
  #eachOwner(
    slice: SlimEndpointSlice,
    change: (owners: Slices, key: string, slice: SlimEndpointSlice) => void,
  ): void {
    const { namespace, serviceName, imported } = slice
    if (serviceName !== '') {
      const key = namespacedKey(namespace, serviceName)
      change(this.#slices, key, slice)
      this.#services.add(key)
    }
    if (imported) {
      const key = namespacedKey(namespace, imported.name)
      change(this.#importSlices, key, slice)
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

  #schedule(kind: Kind): void {
    if (!this.#since.has(kind)) this.#since.set(kind, this.#hooks.clock.nowMs())
    this.#batches.note(this.synced)
  }

  /** Publishes all that is noted, now. */
  publish(): void {
    const listed = this.synced && (!this.#writer.synced || this.#writer.restored)
    const full: string[] = []
    let error: TableFullError | undefined
    const attempt: Attempt = (name, change) => {
      try {
        return change()
      } catch (cause) {
        if (!(cause instanceof TableFullError)) throw cause
        error = cause
        full.push(name)
        return 'full'
      }
    }
    const namespaces = this.#namespaces.names
    for (const key of keysIn(namespaces, this.#objects.Service, this.#slices)) this.#services.add(key)
    for (const key of keysIn(namespaces, this.#objects.ServiceImport)) this.#imports.add(key)
    this.#namespaces.publish(attempt)
    const servicesChanged = this.#services.publish(attempt)
    for (const [addressHash, serviceHash] of this.#gone) this.#writer.removeAddress(addressHash, serviceHash)
    this.#gone = []
    const importsChanged = this.#imports.publish(attempt)
    const changed = this.#podMarks.publish(attempt) || servicesChanged
    this.#clientMarks.publish(attempt)
    const serial = Math.floor(this.#hooks.clock.wallMs() / 1000)
    if (changed) this.#writer.setSerial(serial)
    if (importsChanged) this.#writer.setImportSerial(serial)
    if (this.#externalsChanged) this.#writer.setExternalSerial(serial)
    this.#externalsChanged = false
    if (listed) {
      this.#writer.setSynced(true)
      this.#writer.setRestored(false)
    }
    this.#writer.endBatch()
    this.#tell(changed || importsChanged)
    if (error) this.#hooks.full?.(error, full)
    if (listed) this.#hooks.synced?.()
  }

  #tell(changed: boolean): void {
    const nowMs = this.#hooks.clock.nowMs()
    const delays = new Map([...this.#since].map(([kind, sinceMs]) => [kind, nowMs - sinceMs]))
    const slices = this.#changedSlices
    this.#since.clear()
    this.#changedSlices = []
    this.#hooks.published?.(changed, delays, slices)
  }

  /** docs/coredns.md 1.4: in the list of `namespaces`, where there is one, and known to the API server. */
  #isExposed(namespace: string): boolean {
    return (
      (this.#exposed.size === 0 || this.#exposed.has(namespace)) && this.#objects.Namespace.has(namespace)
    )
  }

  #publishNamespace(name: string): boolean {
    const key = namespaceKey(name)
    return this.#isExposed(name)
      ? this.#writer.publish(key, buildMark(KIND.NAMESPACE, key))
      : this.#writer.remove(key)
  }

  #publishPod(id: string): boolean {
    const key = podKey(...partsOf(id))
    if (!key) return false
    return this.#pods.has(id) ? this.#writer.publish(key, buildMark(KIND.POD, key)) : this.#writer.remove(key)
  }

  #publishImport(key: string): boolean {
    const imported = this.#objects.ServiceImport.get(key)
    const [namespace, name] = partsOf(key)
    const tableKey = importKey(namespace, name)
    if (!imported || !this.#isExposed(namespace)) return this.#writer.remove(tableKey)
    const slices = this.#importSlices.get(key) ?? []
    return this.#writer.publish(tableKey, buildImport(imported, slices, this.#options))
  }

  #publishService(owner: string): boolean {
    const [namespace, name] = partsOf(owner)
    const key = serviceKey(namespace, name)
    const block = this.#buildBlock(owner, namespace, name)
    const serviceHash = hashOctets(key, 0, key.length)
    const known = this.#writer.find(key)
    const before = known === 0 ? NO_ADDRESSES : this.#addressesOf(known)
    const wasExternal = known !== 0 && isExternal(this.#writer.octets, known)
    if (!block) {
      for (const address of before) this.#gone.push([address, serviceHash])
      this.#externalsChanged ||= wasExternal
      return this.#writer.remove(key)
    }
    const after = addressesIn(new Int32Array(block.buffer, 0, block.length >> 2), block, 0)
    const coming = [...after].filter(address => !before.has(address))
    // First, or a block that is too large would fill the index of addresses for nothing.
    if (coming.length > 0) this.#writer.checkRoom(block.length)
    const published = this.#withAddresses(coming, serviceHash, () => this.#writer.publish(key, block))
    if (published)
      for (const address of before) if (!after.has(address)) this.#gone.push([address, serviceHash])
    if (published && (wasExternal || isExternal(block, 0))) this.#externalsChanged = true
    return published
  }

  /** Adds a service's new addresses before its block comes, and takes them back where either does not fit. */
  #withAddresses(coming: readonly number[], serviceHash: number, publish: () => boolean): boolean {
    let added = 0
    try {
      for (const address of coming) {
        this.#writer.addAddress(address, serviceHash)
        added++
      }
      return publish()
    } catch (error) {
      for (const address of coming.slice(0, added)) this.#writer.removeAddress(address, serviceHash)
      throw error
    }
  }

  #buildBlock(owner: string, namespace: string, name: string): Uint8Array | undefined {
    if (!this.#isExposed(namespace)) return undefined
    const service = this.#objects.Service.get(owner)
    const slices = this.#slices.get(owner) ?? []
    if (service) return buildService(service, slices, this.#options)
    return slices.length > 0 && name !== '' ? buildOrphan(namespace, name, slices, this.#options) : undefined
  }

  #addressesOf(block: number): ReadonlySet<number> {
    return addressesIn(this.#writer.words, this.#writer.octets, block)
  }
}

/** Whether a service may be in a zone of addresses outside the cluster. */
const isExternal = (octets: Uint8Array, block: number): boolean =>
  (flagsOf(octets, block) & (FLAG.EXTERNAL | FLAG.HEADLESS)) !== 0

const NO_ADDRESSES: ReadonlySet<number> = new Set()

/** The hashes of the addresses in a block. */
function addressesIn(words: Int32Array, octets: Uint8Array, block: number): ReadonlySet<number> {
  const addresses = new Set<number>()
  eachAddress(words, octets, block, (at, end) => addresses.add(hashOctets(octets, at, end)))
  return addresses
}
