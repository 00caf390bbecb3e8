// The `kubernetes` directive: its options with defaults and bounds (docs/coredns.md 4.1), and what Seamark adds to them:
// `manifests` and `local_ips`.

import type { ObjectOptions } from '../../objects/options.ts'

/** Where the objects come from. */
export type SourceConfig =
  | {
      readonly kind: 'manifests'
      readonly directory: string
      /** Where objects are that name no namespace, in place of `default`. */
      readonly namespace?: string
    }
  | {
      readonly kind: 'api'
      /** `endpoint URL`; without it and without kubeconfig the cluster the Pod runs in. */
      readonly endpoint?: string
      readonly tls?: { readonly cert: string; readonly key: string; readonly ca: string }
      readonly kubeconfig?: string
      readonly context?: string
    }

/** What of it is about the objects and the table stands in ObjectOptions. */
export interface KubernetesConfig extends ObjectOptions {
  /** Lower-case absolute names, forward and reverse, in the order written. */
  readonly zones: readonly string[]
  /** The first zone that is not a reverse one: PTR targets end with it. */
  readonly primaryZone: string
  readonly pods: 'disabled' | 'insecure' | 'verified'
  /** 0 … 3600, default 5 */
  readonly ttlSeconds: number
  /** Zones whose name errors go to the next plugin; undefined: none, ['.']: all. */
  readonly fallthrough: readonly string[] | undefined
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

/** What changes neither what is watched nor what the table is made of it: answers alone, and how long a start waits. */
const NOT_OF_SOURCE: ReadonlySet<string> = new Set([
  'zones',
  'primaryZone',
  'pods',
  'ttlSeconds',
  'fallthrough',
  'startupTimeoutMs',
  'multiclusterZones',
  'localIps',
] satisfies (keyof KubernetesConfig)[])

/**
 * The key of what a configuration watches and how it is built: directives with equal keys, before and after a reload,
 * share one watch and one table. An option that nobody thought of makes one table too many, never a wrong one.
 */
export const sourceKey = (config: KubernetesConfig): string =>
  JSON.stringify(
    Object.entries({ ...config, namespaces: config.namespaces.toSorted() })
      .filter(([option]) => !NOT_OF_SOURCE.has(option))
      .sort(([a], [b]) => (a < b ? -1 : 1)),
  )

/** The same without what is kept of clients. */
const watchKey = (config: KubernetesConfig): string => sourceKey({ ...config, clients: undefined })

/** The directive keeping of clients whatever it or another one that watches the same needs: one table is enough for all. */
export function withSharedClients(
  config: KubernetesConfig,
  others: readonly KubernetesConfig[],
): KubernetesConfig {
  const key = watchKey(config)
  const all = others.filter(other => watchKey(other) === key).flatMap(({ clients }) => clients ?? [])
  if (all.length === 0) return config
  const labels = [...new Set(all.flatMap(clients => clients.labels))].sort()
  const podNames = all.some(clients => clients.podNames)
  return { ...config, clients: { podNames, hosts: all.some(clients => clients.hosts), labels } }
}
