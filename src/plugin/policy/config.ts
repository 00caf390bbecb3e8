// What `policy` is told, as data.

import type { To } from '../forward/config.ts'

/** Names of all lists of a block together. */
export const SUFFIXES_MAX = 1_000_000

/** One line about namespaces: the first that fits counts. */
export interface NamespaceRule {
  /** Where it is written, and how: `Corefile:3: deny from a to b`; not for clients. */
  readonly written: string
  readonly action: 'allow' | 'deny'
  /** Selectors (objects/selectors.ts), and HOST. */
  readonly from: readonly string[]
  readonly to: readonly string[]
}

/** The lines about names outside of the cluster that do one thing for the same clients: in which order they stand says nothing. */
export interface NameRule {
  /** As they are written, by the numbers that the names have. */
  readonly written: readonly string[]
  readonly action: 'allow' | 'block'
  readonly from: readonly string[]
  /** Names, and what is below them (suffixes.ts). */
  readonly suffixes: SharedArrayBuffer
}

/** Lines about upstreams. */
export const UPSTREAM_RULES_MAX = 64

/** One line about whom `forward` asks for some clients: the first that fits counts. */
export interface UpstreamRule {
  readonly written: string
  readonly from: readonly string[]
  readonly to: readonly To[]
}

/** The configuration of `policy`. */
export interface PolicyConfig {
  /** What holds where no line fits, and where that is written. */
  readonly default: 'allow' | 'deny'
  readonly defaultWritten: string
  /** Selectors of namespaces that everybody may resolve. */
  readonly shared: readonly string[]
  readonly namespaces: readonly NamespaceRule[]
  readonly names: readonly NameRule[]
  readonly upstreams: readonly UpstreamRule[]
  /** Whether who may not is told REFUSED in place of NXDOMAIN. */
  readonly refuses: boolean
  /** Whether DNSPolicies of namespaces take away more. */
  readonly objects: boolean
  /** Zones of `k8s_external` in the block: SERVICE.NAMESPACE.ZONE. */
  readonly externalZones: readonly string[]
}
