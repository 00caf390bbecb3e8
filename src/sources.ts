// The clusters that the Corefile's `kubernetes` directives watch: for each distinct source one table, one set of slim
// objects and one watch, shared by all directives that ask for the same and kept across reloads.

import { describeChange } from './manifest/describe.ts'
import { ManifestSource } from './manifest/source.ts'
import type { ProcessLog } from './observe/log.ts'
import type { Meters } from './observe/meters.ts'
import type { ReadySource } from './observe/ready.ts'
import type { Registry } from './observe/registry.ts'
import { type KubernetesConfig, sourceKey } from './plugin/kubernetes/config.ts'
import { systemClock } from './shared/clock.ts'
import { Cluster } from './table/cluster.ts'
import { TableWriter } from './table/writer.ts'
import { type ApiLocation, openAccess } from './watch/access.ts'
import { ApiClient } from './watch/client.ts'
import type { Kind, ObjectSource, SlimEndpointSlice } from './watch/objects.ts'
import type { ReflectorStatus } from './watch/reflector-options.ts'
import { ApiSource, slimConverters } from './watch/source.ts'

const LOG_FROM = 'plugin/kubernetes'

/** One watched cluster. */
export interface WatchedCluster extends ReadySource {
  readonly key: string
  readonly config: KubernetesConfig
  readonly table: TableWriter
  readonly cluster: Cluster
  readonly source: ObjectSource
  /** Resolves when everything has been listed once. */
  readonly whenSynced: Promise<void>
}

export interface SourcesOptions {
  readonly log: ProcessLog
  readonly meters: Meters
  readonly registry: Registry
}

export class Sources {
  readonly #options: SourcesOptions
  #watched = new Map<string, WatchedCluster>()

  constructor(options: SourcesOptions) {
    this.#options = options
    options.registry.collect(registry => this.#publishStatus(registry))
  }

  /** How the watches and tables stand, at every scrape. */
  #publishStatus(registry: Registry): void {
    const statuses = this.all.flatMap(({ source }) => (source instanceof ApiSource ? source.status() : []))
    const each = (name: string, value: (status: ReflectorStatus) => number | undefined): void => {
      const samples = statuses.map(status => ({
        labels: { resource: status.resource },
        value: value(status),
      }))
      registry.publish(
        name,
        samples.flatMap(({ labels, value }) => (value === undefined ? [] : [{ labels, value }])),
      )
    }
    each('seamark_watch_synced', status => (status.synced ? 1 : 0))
    each('seamark_watch_objects', status => status.objects)
    each('seamark_watch_last_byte_age_seconds', status =>
      status.lastByteAgeMs === undefined ? undefined : status.lastByteAgeMs / 1000,
    )
    each('seamark_watch_relists_total', status => status.relists)
    each('seamark_watch_skipped_total', status => status.skipped)
    registry.publish(
      'seamark_watch_restarts_total',
      statuses.flatMap(({ resource, restartsByCause }) =>
        Object.entries(restartsByCause).map(([cause, value]) => ({ labels: { resource, cause }, value })),
      ),
    )
    const tables = this.all.map(({ config, table }) => ({ labels: { source: config.primaryZone }, table }))
    registry.publish(
      'seamark_table_names',
      tables.map(({ labels, table }) => ({ labels, value: table.nameCount })),
    )
    registry.publish(
      'seamark_table_octets',
      tables.map(({ labels, table }) => ({ labels, value: table.touchedOctets })),
    )
  }

  /** Everything watched now. */
  get all(): readonly WatchedCluster[] {
    return [...this.#watched.values()]
  }

  /** The serial of a source's zones; undefined before everything was listed. */
  serialOf(key: string): number | undefined {
    const table = this.#watched.get(key)?.table
    return table?.synced ? table.serial : undefined
  }

  /** The tables for the serving threads. */
  get tables(): (readonly [string, SharedArrayBuffer])[] {
    return this.all.map(({ key, table }) => [key, table.buffer] as const)
  }

  /**
   * Starts what the directives need beside what is watched already; returns the errors in words, in which case what was
   * started is stopped again.
   */
  async prepare(configs: readonly KubernetesConfig[]): Promise<readonly string[]> {
    const errors: string[] = []
    const started: string[] = []
    for (const config of configs) {
      const key = sourceKey(config)
      if (this.#watched.has(key)) continue
      const watched = await this.#watch(key, config)
      if (typeof watched === 'string') errors.push(watched)
      else {
        this.#watched.set(key, watched)
        started.push(key)
      }
    }
    if (errors.length > 0) await this.#stop(started)
    return errors
  }

  /** Waits until all is listed, each directive for its `startup_timeout` at most. */
  async settle(configs: readonly KubernetesConfig[]): Promise<void> {
    await Promise.all(
      configs.map(async config => {
        const watched = this.#watched.get(sourceKey(config))
        if (!watched || watched.ready()) return
        const timeout = Promise.withResolvers<void>()
        const timer = setTimeout(timeout.resolve, config.startupTimeoutMs)
        await Promise.race([watched.whenSynced, timeout.promise])
        clearTimeout(timer)
        if (!watched.ready()) {
          this.#options.log.write(
            'WARNING',
            LOG_FROM,
            `starting with an unsynced Kubernetes API: ${watched.explain()}`,
          )
        }
      }),
    )
  }

  /** Stops what these directives no longer need. */
  async keepOnly(configs: readonly KubernetesConfig[]): Promise<void> {
    const wanted = new Set(configs.map(sourceKey))
    await this.#stop([...this.#watched.keys()].filter(key => !wanted.has(key)))
  }

  async stop(): Promise<void> {
    await this.#stop([...this.#watched.keys()])
  }

  async #stop(keys: readonly string[]): Promise<void> {
    const stopped = keys.flatMap(key => this.#watched.get(key) ?? [])
    for (const key of keys) this.#watched.delete(key)
    await Promise.all(stopped.map(({ source }) => source.stop()))
  }

  async #watch(key: string, config: KubernetesConfig): Promise<WatchedCluster | string> {
    const table = new TableWriter()
    const synced = Promise.withResolvers<void>()
    const cluster = new Cluster(
      table,
      {
        endpointPodNames: config.endpointPodNames,
        ignoreEmptyService: config.ignoreEmptyService,
        zonal: config.zonal,
        namespaces: config.namespaces,
        kinds: wantedKinds(config),
      },
      {
        schedule: publish => void setImmediate(publish),
        wallMs: systemClock.wallMs,
        synced: () => synced.resolve(),
        published: slices => this.#programmed(cluster, slices),
        full: (error, names) => {
          this.#options.meters.counter('seamark_table_full_total').add(names.length)
          this.#options.log.write(
            'ERROR',
            LOG_FROM,
            `${error.message}: ${names.slice(0, 5).join(', ')} keep their answers`,
          )
        },
      },
    )
    const made =
      config.source.kind === 'manifests' ? this.#manifests(config, cluster) : await this.#api(config, cluster)
    if (typeof made === 'string') return made
    const { source, waitingFor } = made
    await source.start()
    return {
      name: 'kubernetes',
      key,
      config,
      table,
      cluster,
      source,
      whenSynced: synced.promise,
      ready: () => table.synced,
      explain: () => (table.synced ? 'synced' : waitingFor()),
    }
  }

  #manifests(config: KubernetesConfig, cluster: Cluster): { source: ObjectSource; waitingFor: () => string } {
    const { log } = this.#options
    const directory = config.source.kind === 'manifests' ? config.source.directory : ''
    const zone = config.primaryZone.replace(/\.$/, '')
    const source = new ManifestSource({
      directory,
      sink: cluster,
      report: problem => {
        const place = `${problem.file}:${problem.line}:${problem.column}`
        log.write(
          problem.severity === 'error' ? 'ERROR' : 'WARNING',
          LOG_FROM,
          `${place}: ${problem.message}`,
        )
      },
      options: {
        endpointPodNames: config.endpointPodNames,
        zonal: config.zonal,
        labels: config.labels || undefined,
        namespaceLabels: config.namespaceLabels || undefined,
      },
      changed: (before, after) => {
        // The first state is told as a whole, when the server starts.
        if (!cluster.published) return
        for (const line of describeChange(before, after, zone)) log.write('INFO', LOG_FROM, line)
      },
    })
    return { source, waitingFor: () => `waiting for the folder ${directory}` }
  }

  async #api(
    config: KubernetesConfig,
    cluster: Cluster,
  ): Promise<{ source: ObjectSource; waitingFor: () => string } | string> {
    const { log } = this.#options
    const location = apiLocation(config)
    const access = await openAccess(location).catch((error: unknown) => describe(error))
    if (typeof access === 'string') return `plugin/kubernetes: ${access}`
    const { meters } = this.#options
    const source = new ApiSource({
      client: new ApiClient({
        access,
        clock: systemClock,
        onRequest: ({ method, host, code, durationSeconds }) => {
          meters.counter('coredns_kubernetes_rest_client_requests_total', { code, method, host }).add()
          meters
            .histogram('coredns_kubernetes_rest_client_request_duration_seconds', { verb: method, host })
            .observe(durationSeconds)
        },
      }),
      sink: cluster,
      clock: systemClock,
      random: Math.random,
      convert: slimConverters({ endpointPodNames: config.endpointPodNames, zonal: config.zonal }),
      endpoints: !config.noEndpoints,
      pods: config.pods === 'verified',
      multicluster: config.multiclusterZones.length > 0,
      labels: config.labels || undefined,
      namespaceLabels: config.namespaceLabels || undefined,
      hooks: {
        log: (level, message) =>
          log.write(level === 'info' ? 'INFO' : level === 'warning' ? 'WARNING' : 'ERROR', LOG_FROM, message),
      },
    })
    return { source, waitingFor: () => source.waitingFor().join('; ') }
  }

  /** The time from the cause of an endpoint change to its published answer (coredns.md 5). */
  #programmed(cluster: Cluster, slices: readonly SlimEndpointSlice[]): void {
    const nowMs = systemClock.wallMs()
    for (const slice of slices) {
      const service = cluster.service(slice.namespace, slice.serviceName)
      if (!service || !cluster.synced) continue
      const kind = service.headless ? 'headless_with_selector' : 'cluster_ip'
      const seconds = Math.max(0, nowMs - slice.triggerTimeMs) / 1000
      this.#options.meters
        .histogram('coredns_kubernetes_dns_programming_duration_seconds', { service_kind: kind })
        .observe(seconds)
    }
  }
}

function wantedKinds(config: KubernetesConfig): Kind[] {
  const kinds: Kind[] = ['Namespace', 'Service']
  if (!config.noEndpoints) kinds.push('EndpointSlice')
  if (config.pods === 'verified') kinds.push('Pod')
  if (config.multiclusterZones.length > 0) kinds.push('ServiceImport')
  return kinds
}

function apiLocation({ source }: KubernetesConfig): ApiLocation {
  if (source.kind === 'manifests') throw new RangeError('a folder has no API server')
  if (source.kubeconfig !== undefined) {
    return {
      from: 'kubeconfig',
      file: source.kubeconfig,
      ...(source.context === undefined ? {} : { context: source.context }),
    }
  }
  if (source.endpoint === undefined) return { from: 'in-cluster' }
  const { tls } = source
  return {
    from: 'endpoint',
    url: source.endpoint,
    ...(tls ? { tls: { certFile: tls.cert, keyFile: tls.key, caFile: tls.ca } } : {}),
  }
}

/** An error with its causes, as one line. */
function describe(error: unknown): string {
  if (!(error instanceof Error)) return String(error)
  return error.cause === undefined ? error.message : `${error.message}: ${describe(error.cause)}`
}
