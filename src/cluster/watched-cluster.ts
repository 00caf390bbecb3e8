// One watched cluster: a table, the slim objects behind it, the source that brings them (an API server or a folder) and,
// where a volume is named for it, the snapshot from which a restart goes on while the API server is away.

import { KINDS, wantedKinds } from '../objects/kinds.ts'
import type { Kind, SlimEndpointSlice } from '../objects/objects.ts'
import type { ObjectSource } from '../objects/source.ts'
import type { ReadySource } from '../observe/ready.ts'
import { type KubernetesConfig, sourceKey } from '../plugin/kubernetes/config.ts'
import { systemClock } from '../shared/clock.ts'
import { formatDuration } from '../shared/duration.ts'
import { Cluster } from '../table/cluster.ts'
import { TableWriter } from '../table/writer.ts'
import { readSnapshot, SnapshotWriter } from '../watch/snapshot.ts'
import { capturedBy } from './capture.ts'
import { Freshness } from './freshness.ts'
import { StatusWriter } from './object-status.ts'
import { makeSource, type SourceOptions } from './source.ts'

const LOG_FROM = 'plugin/kubernetes'
/** Most clusters are listed by then. */
const FIRST_LISTING_MS = 1000
/** A state that goes on changing is saved this often. */
const SNAPSHOT_INTERVAL_MS = 30_000

export class WatchedCluster implements ReadySource {
  readonly name = 'kubernetes'
  readonly key: string
  readonly config: KubernetesConfig
  readonly table = new TableWriter()
  readonly cluster: Cluster
  readonly #options: SourceOptions
  readonly #synced = Promise.withResolvers<void>()
  readonly #troubled = Promise.withResolvers<void>()
  #source: ObjectSource | undefined
  #snapshot: SnapshotWriter | undefined
  #restoredAtMs: number | undefined
  #freshness: Freshness | undefined
  #statuses: StatusWriter | undefined
  /** Namespaces that capture names by the search path, each told once. */
  readonly #capturing = new Set<string>()

  private constructor(config: KubernetesConfig, options: SourceOptions) {
    this.key = sourceKey(config)
    this.config = config
    this.#options = options
    this.cluster = new Cluster(
      this.table,
      { ...config, kinds: wantedKinds(config) },
      {
        schedule: publish => void setImmediate(publish),
        clock: systemClock,
        firstListingMs: FIRST_LISTING_MS,
        synced: () => this.#listed(),
        published: (changed, delays, slices) => this.#published(changed, delays, slices),
        broken: (name, cause) => {
          options.meters.counter('coredns_panics_total').add()
          const text = cause instanceof Error ? (cause.stack ?? cause.message) : String(cause)
          this.#log('ERROR', `recovered from a bug: publishing ${name}: ${text}`)
        },
        refused: text => this.#log('WARNING', text),
        judged: (kind, key) => this.#statuses?.note(kind, key),
        full: (error, names) => {
          options.meters.counter('seamark_table_full_total').add(names.length)
          this.#log('ERROR', `${error.message}: ${names.slice(0, 5).join(', ')} keep their answers`)
        },
      },
    )
  }

  /** Starts to watch what the directive asks for; the text of an error where that can never work. */
  static async start(config: KubernetesConfig, options: SourceOptions): Promise<WatchedCluster | string> {
    const watched = new WatchedCluster(config, options)
    const source = await makeSource(config, watched.cluster, options, () => watched.#troubled.resolve())
    if (typeof source === 'string') return source
    watched.#source = source
    watched.#statuses = watched.#statusWriter(source)
    await watched.#restore()
    await source.start()
    if (source.status().length > 0) watched.#lookAfter(source)
    return watched
  }

  get source(): ObjectSource {
    if (!this.#source) throw new TypeError('the cluster is not started')
    return this.#source
  }

  /** Resolves when everything has been listed once, or, where a snapshot stands in, when that is seen to fail. */
  get whenUsable(): Promise<unknown> {
    return this.table.restored
      ? Promise.race([this.#synced.promise, this.#troubled.promise])
      : this.#synced.promise
  }

  /** How the snapshot stands; undefined without one. */
  get snapshot(): ReturnType<SnapshotWriter['status']> | undefined {
    return this.#snapshot?.status()
  }

  ready(): boolean {
    return this.table.synced
  }

  /** How old what is served is, in seconds; 0 while the API server is heard, undefined for a folder. */
  get ageSeconds(): number | undefined {
    return this.#freshness && this.#freshness.ageMs / 1000
  }

  explain(): string {
    const waiting = this.source.waitingFor().join('; ')
    if (this.table.restored) return `serving the snapshot of ${dateOf(this.#restoredAtMs ?? 0)}; ${waiting}`
    if (!this.table.synced) return waiting
    const old = this.#freshness?.text
    return old === undefined ? 'synced' : `synced, but ${old}`
  }

  async stop(): Promise<void> {
    this.#freshness?.stop()
    this.#statuses?.stop()
    await this.#source?.stop()
    await this.#snapshot?.stop()
  }

  #log(level: 'INFO' | 'WARNING' | 'ERROR', text: string): void {
    this.#options.log.write(level, LOG_FROM, text)
  }

  /** Serves the last good state of an earlier process until the cluster is listed, and saves this one's from then on. */
  async #restore(): Promise<void> {
    const { snapshot } = this.config
    const source = this.#source
    if (snapshot === undefined || source?.sets === undefined) return
    const { file, maxAgeMs } = snapshot
    this.#snapshot = new SnapshotWriter({
      file,
      intervalMs: SNAPSHOT_INTERVAL_MS,
      clock: systemClock,
      collect: () => source.sets?.(),
      log: (level, message) => this.#log(level === 'info' ? 'INFO' : 'ERROR', message),
    })
    const nowMs = systemClock.wallMs()
    const read = await readSnapshot(file, nowMs, maxAgeMs)
    if ('problem' in read) {
      this.#log(read.problem === 'absent' ? 'INFO' : 'WARNING', `${read.message}: starting without it`)
      return
    }
    if (read.skipped > 0)
      this.#log(
        'WARNING',
        `snapshot ${file} has ${read.skipped} lines that hold no object: they are left out`,
      )
    if (!(await this.cluster.restore(read.sets))) {
      this.#log('WARNING', `snapshot ${file} is of another configuration: starting without it`)
      return
    }
    this.#restoredAtMs = read.savedAtMs
    const age = formatDuration(Math.max(0, Math.round((nowMs - read.savedAtMs) / 1000)) * 1000)
    this.#log(
      'WARNING',
      `serving the snapshot of ${dateOf(read.savedAtMs)} (${age} old, ${this.table.nameCount} names) until the cluster is listed`,
    )
  }

  /** Tells objects what becomes of them, where they have a status and there is one to keep it. */
  #statusWriter(source: ObjectSource): StatusWriter | undefined {
    const { writeStatus } = source
    if (writeStatus === undefined) return undefined
    const { cluster, table } = this
    return new StatusWriter({
      clock: systemClock,
      random: Math.random,
      meters: this.#options.meters,
      log: (level, text) => this.#log(level, text),
      keys: kind => cluster.objects(kind).keys(),
      known: (kind, key) => {
        // What a snapshot has, or half a list, is no ground to say anything.
        if (!cluster.synced || !table.synced || table.restored) return undefined
        const stated = cluster.objects(kind).get(key)?.stated
        const verdict = cluster.verdictOf(kind, key)
        return stated && verdict && { stated, verdict }
      },
      write: (kind, key, status) => writeStatus.call(source, kind, key, status),
    })
  }

  #lookAfter(source: ObjectSource): void {
    this.#freshness = new Freshness({
      clock: systemClock,
      watches: () => source.status(),
      restoredAtMs: () => (this.table.restored ? this.#restoredAtMs : undefined),
      table: this.table,
      log: (level, text) => this.#log(level, text),
    })
    this.#freshness.start()
  }

  /** Everything has been listed by this process. */
  #listed(): void {
    if (this.#restoredAtMs !== undefined)
      this.#log('INFO', 'the cluster is listed: the snapshot is out of use')
    this.#freshness?.look()
    this.#statuses?.noteAll()
    this.#synced.resolve()
  }

  #published(
    changed: boolean,
    delays: ReadonlyMap<Kind, number>,
    slices: readonly SlimEndpointSlice[],
  ): void {
    if (changed) this.#snapshot?.touch()
    if (delays.has('Namespace')) this.#judgeNamespaces()
    const { meters } = this.#options
    for (const [kind, delayMs] of delays) {
      meters
        .histogram('seamark_watch_publish_duration_seconds', { resource: KINDS[kind].name })
        .observe(delayMs / 1000)
    }
    if (slices.length > 0 && this.cluster.synced) this.#programmed(slices)
  }

  /** How many namespaces there are that capture names. */
  get capturingNamespaces(): number {
    return this.#capturing.size
  }

  #judgeNamespaces(): void {
    const namespaces = this.cluster.objects('Namespace')
    for (const namespace of this.#capturing) if (!namespaces.has(namespace)) this.#capturing.delete(namespace)
    for (const namespace of namespaces.keys()) {
      const captured = capturedBy(namespace, this.config.primaryZone)
      if (captured === undefined || this.#capturing.has(namespace)) continue
      this.#capturing.add(namespace)
      const text = `namespace ${namespace} captures ${captured}: Pods that ask for them are sent to Services in it`
      this.#log('WARNING', text)
    }
  }

  /** The time from the cause of an endpoint change to its published answer (docs/coredns.md 5). */
  #programmed(slices: readonly SlimEndpointSlice[]): void {
    const nowMs = systemClock.wallMs()
    for (const slice of slices) {
      const service = this.cluster.service(slice.namespace, slice.serviceName)
      if (!service) continue
      const kind = service.headless ? 'headless_with_selector' : 'cluster_ip'
      const seconds = Math.max(0, nowMs - slice.triggerTimeMs) / 1000
      this.#options.meters
        .histogram('coredns_kubernetes_dns_programming_duration_seconds', { service_kind: kind })
        .observe(seconds)
    }
  }
}

const dateOf = (wallMs: number): string => new Date(wallMs).toISOString()
