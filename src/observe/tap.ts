// Who follows queries (`seamark tap`), as serving threads and the control thread speak of it: what each wants to see, and lines of
// what was seen.

/** What one follower wants to see; what is absent does not matter. */
export interface TapFilter {
  readonly id: number
  /** Addresses of clients. */
  readonly clients?: readonly string[]
  /** Networks of clients. */
  readonly networks?: readonly string[]
  /** A name, for those below it, too. */
  readonly name?: string
  readonly qtype?: number
  readonly rcode?: number
  /** Who wrote the reply. */
  readonly plugin?: string
  /** Queries that took at least so long, in ms. */
  readonly minMs?: number
  /** One of so many of those. */
  readonly every: number
}

/** A query that was seen, as a line of JSON has it. */
export interface TapLine {
  /** RFC 3339. */
  readonly time: string
  readonly client: string
  readonly port: number
  /** `NAMESPACE/NAME` of the Pod that asks, where that is known. */
  readonly pod?: string
  readonly name: string
  readonly type: string
  readonly proto: string
  /** `-`: nobody gets a reply. */
  readonly rcode: string
  /** '' is the server itself. */
  readonly plugin: string
  readonly durationMs: number
  readonly octets: number
}

/** Lines for one follower, and how many there was no room for. */
export interface TapBatch {
  readonly id: number
  readonly lines: readonly TapLine[]
  readonly dropped: number
}
