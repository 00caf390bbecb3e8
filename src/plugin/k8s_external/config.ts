// The `k8s_external` directive: its options with defaults and bounds.

export interface ExternalConfig {
  /** Lower-case absolute names. */
  readonly zones: readonly string[]
  /** The label below which the zone's own name server is: ns1.APEX.ZONE. */
  readonly apex: string
  /** 0 … 3600 */
  readonly ttlSeconds: number
  /** Whether headless services are reached by their endpoints, which must be reachable from outside then. */
  readonly headless: boolean
  /** Zones whose name errors go to the next plugin; undefined: none. */
  readonly fallthrough: readonly string[] | undefined
}

export const TTL_DEFAULT_SECONDS = 5
export const TTL_MAX_SECONDS = 3600
export const APEX_DEFAULT = 'dns'
