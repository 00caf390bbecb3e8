// What `stubdomains` is told, as data.

/** The configuration of `stubdomains`. */
export interface StubDomainsConfig {
  /** Lower-case absolute names: StubDomains may be these, or below them. */
  readonly zones: readonly string[]
}
