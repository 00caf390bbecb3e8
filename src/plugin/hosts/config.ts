// What `hosts` is told, as data.

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
