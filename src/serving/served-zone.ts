// What the road of a query knows of each zone that its listener serves: made by blocks.ts, once for a configuration.

import type { QueryMeters } from '../observe/query-meters.ts'
import type { Handler } from '../plugin/plugin.ts'
import type { Packet, Served, Trace } from '../query/packet.ts'
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

/** The zone that has the packet. */
export const servedOf = (packet: Packet): ServedZone => packet.served as ServedZone

/** Tells which server block has the name, and whether its view takes the query. */
export function noteBlock(trace: Trace, { server, zoneText, view }: ServedZone, accepted: boolean): void {
  const block = `server block ${zoneText} of ${server}`
  if (view === '') trace.note('', block, { server, zone: zoneText })
  else if (accepted)
    trace.note('view', `${block}: view ${view} takes the query`, { server, zone: zoneText, view })
  else trace.note('view', `${block}: view ${view} does not take the query`)
}
