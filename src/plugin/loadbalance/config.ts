// What `loadbalance` is told, as data.

/** CoreDNS's default. */
export const RELOAD_MS = 30_000
/** A file is not looked at more often. */
export const RELOAD_MIN_MS = 100
/** Networks of `prefer`. */
export const PREFER_MAX = 256

/** The weights of `weighted`. */
export interface WeightFile {
  /** Absolute, or as the process's folder has it. */
  readonly file: string
  /** 0 is never. */
  readonly reloadMs: number
  /** Its text when the Corefile was read; undefined where it could not be read then. */
  readonly text: string | undefined
}

/** The configuration of `loadbalance`. */
export interface LoadbalanceConfig {
  /** Without it the policy is round_robin. */
  readonly weights: WeightFile | undefined
  /** Networks in CIDR notation, the most wanted first. */
  readonly prefer: readonly string[]
}
