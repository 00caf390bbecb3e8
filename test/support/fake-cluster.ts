// What an API server knows, without the server: objects by resource, one version counter for all of them, and the
// history of changes until it is compacted. Several fake API servers may show the same cluster, at different times.

/** A raw Kubernetes object; the cluster fills in resourceVersion, uid and creationTimestamp. */
export interface RawObject {
  readonly metadata: {
    readonly name: string
    readonly namespace?: string
    readonly labels?: Readonly<Record<string, string>>
    readonly annotations?: Readonly<Record<string, string>>
    readonly resourceVersion?: string
    readonly [field: string]: unknown
  }
  readonly [field: string]: unknown
}

/** One step of the history. */
export interface Change {
  readonly version: number
  readonly object: RawObject
  /** Absent for a creation. */
  readonly before?: RawObject
  readonly deleted: boolean
}

/** The API's resources as the fake serves them. */
export const FAKE_RESOURCES = {
  services: { kind: 'Service', group: '', version: 'v1', namespaced: true },
  namespaces: { kind: 'Namespace', group: '', version: 'v1', namespaced: false },
  nodes: { kind: 'Node', group: '', version: 'v1', namespaced: false },
  events: { kind: 'Event', group: '', version: 'v1', namespaced: true },
  pods: { kind: 'Pod', group: '', version: 'v1', namespaced: true },
  endpointslices: { kind: 'EndpointSlice', group: 'discovery.k8s.io', version: 'v1', namespaced: true },
  dnsrecords: { kind: 'DNSRecord', group: 'seamark.dev', version: 'v1alpha1', namespaced: true },
  dnsendpoints: { kind: 'DNSEndpoint', group: 'externaldns.k8s.io', version: 'v1alpha1', namespaced: true },
  ingresses: { kind: 'Ingress', group: 'networking.k8s.io', version: 'v1', namespaced: true },
  gateways: { kind: 'Gateway', group: 'gateway.networking.k8s.io', version: 'v1', namespaced: true },
  httproutes: { kind: 'HTTPRoute', group: 'gateway.networking.k8s.io', version: 'v1', namespaced: true },
  dnspolicies: { kind: 'DNSPolicy', group: 'seamark.dev', version: 'v1alpha1', namespaced: true },
  stubdomains: { kind: 'StubDomain', group: 'seamark.dev', version: 'v1alpha1', namespaced: false },
  serviceimports: {
    kind: 'ServiceImport',
    group: 'multicluster.x-k8s.io',
    version: 'v1alpha1',
    namespaced: true,
  },
} as const

/** The plural of a resource. */
export type ResourceName = keyof typeof FAKE_RESOURCES

/** What a backup holds. */
export interface Backup {
  readonly version: number
  readonly compacted: number
  readonly objects: ReadonlyMap<ResourceName, ReadonlyMap<string, RawObject>>
  readonly history: ReadonlyMap<ResourceName, readonly Change[]>
}

/** The objects of a cluster and their history. */
export class FakeCluster {
  /** How a version is spelled in metadata; tests make it opaque. */
  spell: (version: number) => string = version => String(version)
  #version = 1000
  #compacted = 0
  readonly #objects = new Map<ResourceName, Map<string, RawObject>>()
  readonly #history = new Map<ResourceName, Change[]>()
  readonly #listeners = new Set<() => void>()

  /** The version of the latest change. */
  get version(): number {
    return this.#version
  }

  /** Changes up to this version are forgotten. */
  get compacted(): number {
    return this.#compacted
  }

  /** Creates or replaces an object, as it is: nothing is validated, so that tests can store rubbish. */
  apply(resource: ResourceName, object: RawObject): void {
    const { kind, group, version } = FAKE_RESOURCES[resource]
    const objects = this.#of(resource)
    const key = keyOf(object)
    const before = objects.get(key)
    const stored: RawObject = {
      kind,
      apiVersion: group === '' ? version : `${group}/${version}`,
      ...object,
      metadata: { ...object.metadata, resourceVersion: this.spell(++this.#version) },
    }
    objects.set(key, stored)
    this.#record(resource, {
      version: this.#version,
      object: stored,
      deleted: false,
      ...(before && { before }),
    })
  }

  /** Deletes an object; the event carries its last state with the version of the deletion. */
  delete(resource: ResourceName, name: string, namespace?: string): void {
    const objects = this.#of(resource)
    const key = namespace === undefined ? name : `${namespace}/${name}`
    const before = objects.get(key)
    if (!before) return
    objects.delete(key)
    const object = {
      ...before,
      metadata: { ...before.metadata, resourceVersion: this.spell(++this.#version) },
    }
    this.#record(resource, { version: this.#version, object, before, deleted: true })
  }

  /** Forgets the history, as etcd's compaction does. */
  compact(): void {
    this.#compacted = this.#version
    this.#history.clear()
  }

  /** A copy of what there is now, as a backup of etcd. */
  backUp(): Backup {
    const objects = [...this.#objects].map(([resource, of]) => [resource, new Map(of)] as const)
    const history = [...this.#history].map(([resource, of]) => [resource, [...of]] as const)
    return {
      version: this.#version,
      compacted: this.#compacted,
      objects: new Map(objects),
      history: new Map(history),
    }
  }

  /**
   * Puts a backup in the place of what there is: versions run backwards. `version` moves the counter elsewhere, as
   * `etcdutl snapshot restore --bump-revision` does. No watch is told: that is what API servers do, by ending them.
   */
  restore(backup: Backup, version = backup.version): void {
    this.#version = version
    this.#compacted = backup.compacted
    this.#objects.clear()
    this.#history.clear()
    for (const [resource, objects] of backup.objects) this.#objects.set(resource, new Map(objects))
    for (const [resource, history] of backup.history) this.#history.set(resource, [...history])
  }

  /** Moves the version on without a change that any watch can see. */
  touch(): void {
    this.#version++
    for (const listener of this.#listeners) listener()
  }

  /** The objects of a resource as of a version (now, unless told otherwise), by key in order. */
  list(resource: ResourceName, version = this.#version): RawObject[] {
    const objects = new Map(this.#of(resource))
    for (const change of (this.#history.get(resource) ?? []).toReversed()) {
      if (change.version <= version) break
      if (change.before) objects.set(keyOf(change.object), change.before)
      else objects.delete(keyOf(change.object))
    }
    return [...objects.entries()].sort(([a], [b]) => (a < b ? -1 : 1)).map(([, object]) => object)
  }

  /** The changes of a resource after a version. */
  changesSince(resource: ResourceName, version: number): Change[] {
    const history = this.#history.get(resource) ?? []
    let from = history.length
    while (from > 0 && history[from - 1]!.version > version) from--
    return history.slice(from)
  }

  /** Calls back after each change until the function that comes back is called. */
  onChange(listener: () => void): () => void {
    this.#listeners.add(listener)
    return () => this.#listeners.delete(listener)
  }

  #of(resource: ResourceName): Map<string, RawObject> {
    let objects = this.#objects.get(resource)
    if (!objects) {
      objects = new Map()
      this.#objects.set(resource, objects)
    }
    return objects
  }

  #record(resource: ResourceName, change: Change): void {
    const history = this.#history.get(resource)
    if (history) history.push(change)
    else this.#history.set(resource, [change])
    for (const listener of this.#listeners) listener()
  }
}

const keyOf = ({ metadata }: RawObject): string =>
  metadata.namespace === undefined ? metadata.name : `${metadata.namespace}/${metadata.name}`
