// What `autopath` is told, as data.

/** The path of the Pod that asks. */
export const KUBERNETES = '@kubernetes'

/** The configuration of `autopath`. */
export interface AutopathConfig {
  readonly zones: readonly string[]
  /** Whether the path is the one of the Pod that asks; `search`, this machine's own, comes behind it. */
  readonly ofPod: boolean
  /** Lower-case absolute names. */
  readonly search: readonly string[]
}
