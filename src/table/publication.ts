// How one name of each sort gets into the table, in steps, from what is known of the cluster at that moment. Only a block that
// differs is published; addresses that come are published before it, those that go are taken out at the end of the batch, so
// that no address is without an owner in between.

import { type Kind, type Kinds, partsOf } from '../objects/objects.ts'
import { PIECES_A_STEP, type Steps } from '../shared/steps.ts'
import { AddressHashes, Words } from './address-hashes.ts'
import { flagsOf } from './block.ts'
import {
  type BuildOptions, buildMark, importKey, importSteps, namespaceKey, orphanSteps, podKey, serviceKey, serviceSteps,
} from './build.ts' // biome-ignore format: one import
import type { Clients } from './clients.ts'
import { FLAG, KIND, markOf } from './layout.ts'
import type { NamespaceLabels } from './namespace-labels.ts'
import type { Places } from './places.ts'
import type { Policies } from './policies.ts'
import type { Records } from './records.ts'
import type { Routes } from './routes.ts'
import type { SliceOwners } from './slices.ts'
import type { StubDomains } from './stub-domains.ts'
import type { TableWriter } from './writer.ts'

/** What is known of the cluster, as it is at each step. */
export interface ClusterView {
  readonly objects: { readonly [K in Kind]: ReadonlyMap<string, Kinds[K]> }
  readonly slices: SliceOwners
  readonly importSlices: SliceOwners
  readonly clients: Clients | undefined
  readonly places: Places | undefined
  readonly records: Records | undefined
  readonly routes: Routes | undefined
  readonly stubs: StubDomains | undefined
  readonly policies: Policies | undefined
  readonly labels: NamespaceLabels | undefined
  isExposed(namespace: string): boolean
  /** Whether a Pod with that NAMESPACE/ADDRESS runs. */
  isPod(id: string): boolean
}

export class Publication {
  readonly #writer: TableWriter
  readonly #options: BuildOptions
  readonly #view: ClusterView
  /** Addresses that go with the batch: the address's hash, then the mark of the service. */
  #gone = new Words()
  /** Whether the batch changes a service that may be in a zone of addresses outside the cluster. */
  externalsChanged = false

  constructor(writer: TableWriter, options: BuildOptions, view: ClusterView) {
    this.#writer = writer
    this.#options = options
    this.#view = view
  }

  /** Takes out the addresses that services have lost: after all services of the batch are published. */
  *removeGone(): Steps<void> {
    const gone = this.#gone
    this.#gone = new Words()
    for (let i = 0; i < gone.length; i += 2) {
      this.#writer.removeAddress(gone.at(i), gone.at(i + 1))
      if (i % PIECES_A_STEP === 0) yield
    }
    yield* this.#view.labels?.removeGone(this.#view.objects.Namespace, this.#writer) ?? []
  }

  /** The labels of a namespace. */
  *labels(name: string): Steps<boolean> {
    yield* this.#writer.nameRoom()
    this.#view.labels?.publish(name, this.#view.objects.Namespace.get(name), this.#writer)
    return false
  }

  *namespace(name: string): Steps<boolean> {
    const key = namespaceKey(name)
    return this.#view.isExposed(name)
      ? yield* this.#publish(key, buildMark(KIND.NAMESPACE, key))
      : this.#writer.remove(key)
  }

  /** By namespace and address. */
  *pod(id: string): Steps<boolean> {
    const key = podKey(...partsOf(id))
    if (!key) return false
    return this.#view.isPod(id)
      ? yield* this.#publish(key, buildMark(KIND.POD, key))
      : this.#writer.remove(key)
  }

  *client(ip: string): Steps<boolean> {
    yield* this.#writer.nameRoom()
    return this.#view.clients?.publish(ip, this.#writer) ?? false
  }

  *place(network: string): Steps<boolean> {
    yield* this.#writer.nameRoom()
    return this.#view.places?.publish(network, this.#writer) ?? false
  }

  *records(name: string): Steps<boolean> {
    yield* this.#writer.nameRoom()
    const { records } = this.#view
    return records === undefined ? false : yield* records.publish(name, this.#writer)
  }

  /** What a route asks for: no answer changes before its names are published. */
  *route(key: string): Steps<boolean> {
    this.#view.routes?.claim(key)
    yield
    return false
  }

  /** What waits for names of a namespace, likewise. */
  *waitingRecords(namespace: string): Steps<boolean> {
    yield* this.#view.records?.claimWaiting(namespace) ?? []
    return false
  }

  /** All StubDomains. */
  *stubs(): Steps<boolean> {
    yield* this.#writer.nameRoom()
    return this.#view.stubs?.publish(this.#view.objects.StubDomain, this.#writer) ?? false
  }

  /** The DNSPolicies of a namespace. */
  *policies(namespace: string): Steps<boolean> {
    yield* this.#writer.nameRoom()
    const { policies } = this.#view
    return policies === undefined ? false : yield* policies.publish(namespace, this.#writer)
  }

  *import(key: string): Steps<boolean> {
    const { objects, importSlices, isExposed } = this.#view
    const imported = objects.ServiceImport.get(key)
    const [namespace, name] = partsOf(key)
    const tableKey = importKey(namespace, name)
    if (!imported || !isExposed(namespace)) return this.#writer.remove(tableKey)
    const block = yield* importSteps(imported, importSlices.of(key), this.#options)
    return yield* this.#publish(tableKey, block)
  }

  *service(owner: string): Steps<boolean> {
    const writer = this.#writer
    const [namespace, name] = partsOf(owner)
    const key = serviceKey(namespace, name)
    const mark = markOf(writer.hashOf(key, 0, key.length))
    const block = yield* this.#block(owner, namespace, name)
    const known = writer.find(key)
    if (known !== 0 && block && writer.equals(known, block)) return false
    const wasExternal = known !== 0 && isExternal(writer.octets, known)
    const before = known === 0 ? NONE : yield* AddressHashes.of(writer, writer.words, writer.octets, known)
    if (!block) {
      for (let i = 0; i < before.list.length; i++) this.#gone.push(before.list.at(i)).push(mark)
      this.externalsChanged ||= wasExternal
      return writer.remove(key)
    }
    const after = yield* AddressHashes.of(
      writer,
      new Int32Array(block.buffer, 0, block.length >> 2),
      block,
      0,
    )
    yield* this.#withAddresses(before, after, mark, key, block)
    for (let i = 0; i < before.list.length; i++) {
      if (!after.has(before.list.at(i))) this.#gone.push(before.list.at(i)).push(mark)
      if ((i + 1) % PIECES_A_STEP === 0) yield
    }
    if (wasExternal || isExternal(block, 0)) this.externalsChanged = true
    return true
  }

  /** Adds a service's new addresses before its block comes, and takes them back where either does not fit. */
  *#withAddresses(
    before: AddressHashes,
    after: AddressHashes,
    mark: number,
    key: Uint8Array,
    block: Uint8Array,
  ): Steps<void> {
    const coming = new Words()
    for (let i = 0; i < after.list.length; i++) {
      if (!before.has(after.list.at(i))) coming.push(after.list.at(i))
      if ((i + 1) % PIECES_A_STEP === 0) yield
    }
    // First, or a block that is too large would fill the index of addresses for nothing.
    this.#writer.checkRoom(block.length)
    let added = 0
    try {
      yield* this.#writer.addressRoom(coming.length)
      for (; added < coming.length; added++) {
        this.#writer.addAddress(coming.at(added), mark)
        if ((added + 1) % PIECES_A_STEP === 0) yield
      }
      yield* this.#publish(key, block)
    } catch (error) {
      for (let i = 0; i < added; i++) this.#writer.removeAddress(coming.at(i), mark)
      throw error
    }
  }

  *#publish(key: Uint8Array, block: Uint8Array): Steps<boolean> {
    yield* this.#writer.nameRoom()
    return this.#writer.publish(key, block)
  }

  *#block(owner: string, namespace: string, name: string): Steps<Uint8Array | undefined> {
    const { objects, slices, isExposed } = this.#view
    if (!isExposed(namespace)) return undefined
    const service = objects.Service.get(owner)
    const own = slices.of(owner)
    if (service) return yield* serviceSteps(service, own, this.#options)
    return own.length > 0 && name !== '' ? yield* orphanSteps(namespace, name, own, this.#options) : undefined
  }
}

/** Whether a service may be in a zone of addresses outside the cluster. */
const isExternal = (octets: Uint8Array, block: number): boolean =>
  (flagsOf(octets, block) & (FLAG.EXTERNAL | FLAG.HEADLESS)) !== 0

const NONE = new AddressHashes()

/** Adds the keys of the map that lie in one of the namespaces. */
export function* keysIn(
  namespaces: ReadonlySet<string>,
  map: ReadonlyMap<string, unknown>,
  dirty: { add(key: string): void },
): Steps<void> {
  if (namespaces.size === 0) return
  let pieces = 0
  for (const key of map.keys()) {
    if (namespaces.has(key.slice(0, key.indexOf('/')))) dirty.add(key)
    if (++pieces % PIECES_A_STEP === 0) yield
  }
}
