// What the road of a query knows of each zone that its listener serves: made by blocks.ts, once for a configuration.

import type { QueryMeters } from '../observe/query-meters.ts'
import type { Handler } from '../plugin/plugin.ts'
import type { Packet, Served } from '../query/packet.ts'
import type { TableReader } from '../table/reader.ts'
import type { Name } from '../wire/name.ts'
import type { FastAnswers } from './fast-answers.ts'

/** One zone of one server block, as a listener serves it. */
export interface ServedZone extends Served {
  readonly zone: Name
  /** Whether this view is for the packet; absent without `view`. */
  readonly accepts?: ((packet: Packet) => boolean) | undefined
  /** In the order of the chain, the fast path among them. */
  readonly handlers: readonly Handler[]
  /** The fast path, where it is the first of them. */
  readonly fast: FastAnswers | undefined
  /** Those of the handlers that judge packets before all else, by their numbers. */
  readonly gates: readonly number[]
  /** The word of the last one. */
  readonly lastWord: string
  /** The tables that its queries are answered from. */
  readonly tables: readonly TableReader[]
  /** Whether queries of other classes than IN go down the chain (`chaos`, `rewrite class`). */
  readonly anyClass: boolean
  /** What clients that ask which server this is are told (`nsid`). */
  readonly nsid: Uint8Array | undefined
  /** Whether clients with EDNS are told why they get nothing (`ede`). */
  readonly reasons: boolean
  /** Absent without `prometheus`. */
  readonly meters: QueryMeters | undefined
}
