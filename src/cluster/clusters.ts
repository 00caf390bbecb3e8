// The clusters that the Corefile's `kubernetes` directives watch: for each distinct source one table, one set of slim
// objects and one watch, shared by all directives that ask for the same and kept across reloads.

import type { Registry } from '../observe/registry.ts'
import { type KubernetesConfig, sourceKey } from '../plugin/kubernetes/config.ts'
import type { SourceOptions } from './source.ts'
import { publishStatus } from './status.ts'
import { WatchedCluster } from './watched-cluster.ts'

export interface ClustersOptions extends SourceOptions {
  readonly registry: Registry
}

export class Clusters {
  readonly #options: ClustersOptions
  #watched = new Map<string, WatchedCluster>()

  constructor(options: ClustersOptions) {
    this.#options = options
    options.registry.collect(registry => publishStatus(registry, this.all))
  }

  /** Everything watched now. */
  get all(): readonly WatchedCluster[] {
    return [...this.#watched.values()]
  }

  /** The serial of a source's zones, or of those of its imported services; undefined before everything was listed. */
  serialOf(key: string, imported: boolean): number | undefined {
    const table = this.#watched.get(key)?.table
    if (!table?.synced || table.restored) return undefined
    return imported ? table.importSerial : table.serial
  }

  /** The Pods that have these addresses, `NAMESPACE/NAME` by address, as far as Pods are watched; without those that share one. */
  podsOf(addresses: ReadonlySet<string>): ReadonlyMap<string, string> {
    const found = new Map<string, string>()
    const shared = new Set<string>()
    for (const { cluster } of this.all) {
      for (const { namespace, name, ip } of cluster.objects('Pod').values()) {
        if (!addresses.has(ip)) continue
        if (found.has(ip)) shared.add(ip)
        found.set(ip, `${namespace}/${name}`)
      }
    }
    for (const ip of shared) found.delete(ip)
    return found
  }

  /** The addresses of a Pod, `NAMESPACE/NAME`, or of all Pods of a namespace; undefined where no Pods are watched. */
  addressesOf(pods: string): readonly string[] | undefined {
    const watched = this.all.filter(({ config }) => config.pods === 'verified')
    if (watched.length === 0) return undefined
    const [namespace, name] = pods.split('/')
    return watched.flatMap(({ cluster }) =>
      [...cluster.objects('Pod').values()]
        .filter(pod => pod.namespace === namespace && (name === undefined || pod.name === name))
        .map(({ ip }) => ip),
    )
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
      const watched = await WatchedCluster.start(config, this.#options)
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
        if (!watched || (watched.ready() && !watched.table.restored)) return
        const timeout = Promise.withResolvers<void>()
        const timer = setTimeout(timeout.resolve, config.startupTimeoutMs)
        await Promise.race([watched.whenUsable, timeout.promise])
        clearTimeout(timer)
        if (!watched.ready()) {
          this.#options.log.write(
            'WARNING',
            'plugin/kubernetes',
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
    await Promise.all(stopped.map(watched => watched.stop()))
  }
}
