// What `hosts` is told, as data.

export const FILE = '/etc/hosts'
export const TTL_SECONDS = 3600
export const TTL_MAX_SECONDS = 65_535
export const RELOAD_MS = 5000
/** The file is not looked at more often. */
export const RELOAD_MIN_MS = 100

/** The configuration of `hosts`. */
export interface HostsConfig {
  /** Absolute. */
  readonly file: string
  readonly zones: readonly string[]
  /** The Corefile's own lines of addresses. */
  readonly inline: readonly string[]
  readonly ttlSeconds: number
  /** Whether addresses get PTR records. */
  readonly reverse: boolean
  /** 0 is never. */
  readonly reloadMs: number
  /** Names in these zones that are not listed go to the next plugin. */
  readonly fallthrough: readonly string[]
  /** Of those names, types other than A, AAAA and PTR always do. */
  readonly fallthroughUnsupported: boolean
}
