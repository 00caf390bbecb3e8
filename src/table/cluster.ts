// Where a source's events become the table: keeps the slim objects, notes which names an event touches, and publishes
// them a moment later in one batch (batches.ts). Only names that an event
// touched are built anew, and only those whose block differs are published; addresses that come are published before
// those that go, so that no address is without an owner in between.

import type { Kind, Kinds, Sink, SlimEndpointSlice, SlimPod, SlimService } from '../objects/objects.ts'
import { keysIn, namespacedKey, objectKey, partsOf } from '../objects/objects.ts'
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
import { type ClientOptions, Clients } from './clients.ts'
import { FLAG, hashOctets, KIND } from './layout.ts'
import { type Slices, withoutSlice, withSlice } from './slices.ts'
import type { TableWriter } from './writer.ts'

export interface ClusterOptions extends BuildOptions {
  /** Exposed namespaces; empty: all. */
  readonly namespaces: readonly string[]
  /** What is kept of Pods as clients; nothing where nobody asks. */
  readonly clients?: ClientOptions | undefined
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

export class Cluster implements Sink {
  readonly #writer: TableWriter
  readonly #options: ClusterOptions
  readonly #hooks: ClusterHooks
  readonly #exposed: ReadonlySet<string>
  readonly #objects: { [K in Kind]: Map<string, Kinds[K]> } = {
    Service: new Map(),
    EndpointSlice: new Map(),
    Namespace: new Map(),
    Pod: new Map(),
    ServiceImport: new Map(),
  }
  /** Slices by NAMESPACE/SERVICE; most have one. */
  readonly #slices: Slices = new Map()
  /** Imported slices by NAMESPACE/IMPORT. */
  readonly #importSlices: Slices = new Map()
  /** Running Pods by key octets (latin1), counted: two may have one address for a moment. */
  readonly #pods = new Map<string, number>()
  readonly #clients: Clients | undefined
  readonly #unsynced: Set<Kind>
  readonly #dirtyServices = new Set<string>()
  readonly #dirtyImports = new Set<string>()
  readonly #dirtyNamespaces = new Set<string>()
  readonly #dirtyPods = new Map<string, { readonly namespace: string; readonly ip: string }>()
  #changedSlices: SlimEndpointSlice[] = []
  /** When the first event of each kind in the batch came. */
  #since = new Map<Kind, number>()
  readonly #batches: Batches
  /** Whether the batch changes a service that may be in a zone of addresses outside the cluster. */
  #externalsChanged = false

  constructor(writer: TableWriter, options: ClusterOptions, hooks: ClusterHooks) {
    this.#writer = writer
    this.#options = options
    this.#hooks = hooks
    this.#exposed = new Set(options.namespaces)
    this.#unsynced = new Set(options.kinds)
    const { clock, firstListingMs = 0, schedule } = hooks
    this.#batches = new Batches(clock, firstListingMs, schedule, () => this.publish())
    this.#clients = options.clients && new Clients(options.clients)
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
    if (before) this.#unlink(kind, before)
    this.#link(kind, object)
  }

  #drop(kind: Kind, key: string): void {
    const before = this.#objects[kind].get(key)
    if (!before) return
    this.#objects[kind].delete(key)
    this.#unlink(kind, before)
  }

  /** Notes what an object that goes touches. */
  #unlink<K extends Kind>(kind: K, object: Kinds[K]): void {
    if (kind === 'EndpointSlice') this.#eachOwner(object as SlimEndpointSlice, withoutSlice)
    else this.#touch(kind, object)
    if (kind === 'Pod') this.#countPod(object as SlimPod, -1)
  }

  /** Notes what an object that comes touches. */
  #link<K extends Kind>(kind: K, object: Kinds[K]): void {
    if (kind === 'EndpointSlice') {
      const slice = object as SlimEndpointSlice
      this.#eachOwner(slice, withSlice)
      if (slice.triggerTimeMs > 0) this.#changedSlices.push(slice)
    } else this.#touch(kind, object)
    if (kind === 'Pod') this.#countPod(object as SlimPod, 1)
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
      this.#dirtyServices.add(key)
    }
    if (imported) {
      const key = namespacedKey(namespace, imported.name)
      change(this.#importSlices, key, slice)
      this.#dirtyImports.add(key)
    }
  }

  #touch<K extends Kind>(kind: K, object: Kinds[K]): void {
    if (kind === 'Service') this.#dirtyServices.add(objectKey(object))
    else if (kind === 'ServiceImport') this.#dirtyImports.add(objectKey(object))
    else if (kind === 'Namespace') this.#dirtyNamespaces.add(object.name)
  }

  #countPod(pod: SlimPod, by: 1 | -1): void {
    const { namespace, ip } = pod
    if (by > 0) this.#clients?.add(pod)
    else this.#clients?.remove(pod)
    const key = `${namespace}/${ip}`
    const count = (this.#pods.get(key) ?? 0) + by
    if (count > 0) this.#pods.set(key, count)
    else this.#pods.delete(key)
    this.#dirtyPods.set(key, { namespace, ip })
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
    const later: (() => void)[] = []
    const attempt = (what: string, change: () => boolean, again: () => void): boolean => {
      try {
        return change()
      } catch (cause) {
        if (!(cause instanceof TableFullError)) throw cause
        error = cause
        full.push(what)
        later.push(again)
        return false
      }
    }
    let changed = false
    for (const owner of keysIn(this.#dirtyNamespaces, this.#objects.Service, this.#slices))
      this.#dirtyServices.add(owner)
    for (const owner of keysIn(this.#dirtyNamespaces, this.#objects.ServiceImport))
      this.#dirtyImports.add(owner)
    for (const name of this.#dirtyNamespaces) {
      const again = (): void => void this.#dirtyNamespaces.add(name)
      attempt(name, () => this.#publishNamespace(name), again)
    }
    this.#dirtyNamespaces.clear()
    const gone: [addressHash: number, serviceHash: number][] = []
    for (const owner of this.#dirtyServices) {
      const again = (): void => void this.#dirtyServices.add(owner)
      if (attempt(owner, () => this.#publishService(owner, gone), again)) changed = true
    }
    this.#dirtyServices.clear()
    for (const [addressHash, serviceHash] of gone) this.#writer.removeAddress(addressHash, serviceHash)
    let importsChanged = false
    for (const key of this.#dirtyImports) {
      const again = (): void => void this.#dirtyImports.add(key)
      if (attempt(key, () => this.#publishImport(key), again)) importsChanged = true
    }
    this.#dirtyImports.clear()
    for (const [key, pod] of this.#dirtyPods) {
      const again = (): void => void this.#dirtyPods.set(key, pod)
      if (attempt(key, () => this.#publishPod(key, pod), again)) changed = true
    }
    this.#dirtyPods.clear()
    const clients = this.#clients
    if (clients) {
      const publish = (ip: string) => () => clients.publish(ip, this.#writer)
      for (const ip of clients.takeDirty()) attempt(ip, publish(ip), () => clients.touch(ip))
    }
    // What did not fit is tried again with the next batch: something may have gone by then.
    for (const again of later) again()
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

  #publishPod(id: string, { namespace, ip }: { readonly namespace: string; readonly ip: string }): boolean {
    const key = podKey(namespace, ip)
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

  #publishService(owner: string, gone: [number, number][]): boolean {
    const [namespace, name] = partsOf(owner)
    const key = serviceKey(namespace, name)
    const block = this.#buildBlock(owner, namespace, name)
    const serviceHash = hashOctets(key, 0, key.length)
    const known = this.#writer.find(key)
    const before = known === 0 ? NO_ADDRESSES : this.#addressesOf(known)
    const wasExternal = known !== 0 && isExternal(this.#writer.octets, known)
    if (!block) {
      for (const address of before) gone.push([address, serviceHash])
      this.#externalsChanged ||= wasExternal
      return this.#writer.remove(key)
    }
    const after = addressesIn(new Int32Array(block.buffer, 0, block.length >> 2), block, 0)
    const coming = [...after].filter(address => !before.has(address))
    // First, or a block that is too large would fill the index of addresses for nothing.
    if (coming.length > 0) this.#writer.checkRoom(block.length)
    const published = this.#withAddresses(coming, serviceHash, () => this.#writer.publish(key, block))
    if (published) for (const address of before) if (!after.has(address)) gone.push([address, serviceHash])
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
