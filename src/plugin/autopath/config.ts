// What `autopath` is told, as data.

/** The path of the Pod that asks. */
export const KUBERNETES = '@kubernetes'

/** The path of whoever asks, of which the name itself tells the namespace. */
export const QUERY = '@query'

/** The configuration of `autopath`. */
export interface AutopathConfig {
  readonly zones: readonly string[]
  /** Whose path it is: that of a file; of the Pod that asks, or of the name that is asked: then `search`, this machine's own, is behind it. */
  readonly of: 'file' | 'pod' | 'query'
  /** Lower-case absolute names. */
  readonly search: readonly string[]
}
