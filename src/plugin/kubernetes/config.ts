// The `kubernetes` directive: its options with defaults and bounds (coredns.md 4.1), and what Seamark adds to them:
// `manifests` and `local_ips`.

/** Where the objects come from. */
export type SourceConfig =
  | { readonly kind: 'manifests'; readonly directory: string }
  | {
      readonly kind: 'api'
      /** `endpoint URL`; without it and without kubeconfig the cluster the Pod runs in. */
      readonly endpoint?: string
      readonly tls?: { readonly cert: string; readonly key: string; readonly ca: string }
      readonly kubeconfig?: string
      readonly context?: string
    }

export interface KubernetesConfig {
  /** Lower-case absolute names, forward and reverse, in the order written. */
  readonly zones: readonly string[]
  /** The first zone that is not a reverse one: PTR targets end with it. */
  readonly primaryZone: string
  readonly pods: 'disabled' | 'insecure' | 'verified'
  /** 0 … 3600, default 5 */
  readonly ttlSeconds: number
  /** Zones whose name errors go to the next plugin; undefined: none, ['.']: all. */
  readonly fallthrough: readonly string[] | undefined
  readonly endpointPodNames: boolean
  /** Exposed namespaces; empty: all. */
  readonly namespaces: readonly string[]
  readonly namespaceLabels: string
  readonly labels: string
  readonly noEndpoints: boolean
  readonly ignoreEmptyService: boolean
  readonly zonal: boolean
  /** How long a start waits for the first list before it serves without, default 5000. */
  readonly startupTimeoutMs: number
  readonly multiclusterZones: readonly string[]
  readonly source: SourceConfig
  /** Where the last good state is kept across restarts, and how old it may be to be served. */
  readonly snapshot: { readonly file: string; readonly maxAgeMs: number } | undefined
  /** Addresses named by apex NS and ns.dns in place of the bound ones. */
  readonly localIps: readonly string[]
}

export const SNAPSHOT_AGE_DEFAULT_MS = 86_400_000
export const TTL_DEFAULT_SECONDS = 5
export const TTL_MAX_SECONDS = 3600
export const STARTUP_TIMEOUT_DEFAULT_MS = 5000

/**
 * The key of what a configuration watches and how it is built: directives with equal keys, before and after a reload,
 * share one watch and one table.
 */
export function sourceKey(config: KubernetesConfig): string {
  const {
    source,
    namespaces,
    namespaceLabels,
    labels,
    noEndpoints,
    ignoreEmptyService,
    zonal,
    endpointPodNames,
    snapshot,
  } = config
  const verified = config.pods === 'verified'
  const multicluster = config.multiclusterZones.length > 0
  return JSON.stringify([
    source, [...namespaces].sort(), namespaceLabels, labels, noEndpoints, ignoreEmptyService, zonal, endpointPodNames,
    verified, multicluster, snapshot,
  ]) // biome-ignore format: one list
}
