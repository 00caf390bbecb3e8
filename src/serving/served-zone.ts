// What the road of a query knows of each zone that its listener serves: made by blocks.ts, once for a configuration.

import type { QueryMeters } from '../observe/query-meters.ts'
import type { FastCache } from '../plugin/cache/fast.ts'
import type { ClusterAnswers } from '../plugin/kubernetes/answers.ts'
import type { Guard, Handler } from '../plugin/plugin.ts'
import type { Packet, Served } from '../query/packet.ts'
import type { Name } from '../wire/name.ts'

/** One zone of one server block, as a listener serves it. */
export interface ServedZone extends Served {
  readonly zone: Name
  /** Whether this view is for the packet; absent without `view`. */
  readonly accepts?: ((packet: Packet) => boolean) | undefined
  /** In the order of the chain. */
  readonly handlers: readonly Handler[]
  /** The word of the last one. */
  readonly lastWord: string
  /** Zones of the cluster, longest first; none where a plugin before `kubernetes` takes the fast path. */
  readonly clusters: readonly ClusterAnswers[]
  /** Plugins before `kubernetes` that take some queries. */
  readonly clusterGuards: readonly Guard[]
  /** The block's cache; absent where a plugin before it takes the fast path. */
  readonly cache: FastCache | undefined
  /** Plugins before `cache` that take some queries. */
  readonly cacheGuards: readonly Guard[]
  /** Whether the cluster's queries count as having passed the cache. */
  readonly passesCache: boolean
  /** Whether queries of other classes than IN go down the chain (`chaos`, `rewrite class`). */
  readonly anyClass: boolean
  /** What clients that ask which server this is are told (`nsid`). */
  readonly nsid: Uint8Array | undefined
  /** Whether clients with EDNS are told why they get nothing (`ede`). */
  readonly reasons: boolean
  /** Absent without `prometheus`. */
  readonly meters: QueryMeters | undefined
}
