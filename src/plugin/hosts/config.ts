// What `hosts` is told, as data, with what was read of its file.

export const FILE = '/etc/hosts'
export const TTL_SECONDS = 3600
export const TTL_MAX_SECONDS = 65_535
export const RELOAD_MS = 5000
/** The file is not looked at more often. */
export const RELOAD_MIN_MS = 100

/** What was read of a file. */
export interface LoadedHosts {
  readonly image: SharedArrayBuffer
  /** Addresses and PTR records. */
  readonly entries: number
  /** Which state of the file it is: '' is none. */
  readonly state: string
  readonly modifiedSeconds: number
  /** What was wrong with the file, where these are the Corefile's lines alone. */
  readonly problem?: string
}

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
  /** What was read with the Corefile: where the file could not be, its own lines alone. */
  readonly loaded: LoadedHosts
  /** Of those names, types other than A, AAAA and PTR always do. */
  readonly fallthroughUnsupported: boolean
}
