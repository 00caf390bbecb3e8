// What a serving thread lends to the handlers it makes. Everything that a test wants to own comes in here: time,
// randomness, counters, the log.

import type { Meters } from '../observe/meters.ts'
import type { ThreadLog } from '../observe/thread-log.ts'
import type { Clock } from '../shared/clock.ts'
import type { TableReader } from '../table/reader.ts'
import type { Handler } from './plugin.ts'

export interface ServingContext {
  readonly clock: Clock
  /** Unpredictable bytes and numbers come from node:crypto; this one is for what need not be: jitter, shuffling. 0 ≤ n < 1. */
  readonly random: () => number
  readonly meters: Meters
  readonly log: ThreadLog
  /** The answer tables by the key of their source (plugin/kubernetes/config.ts). */
  readonly tables: ReadonlyMap<string, TableReader>
  /** Zones read anew since the configuration was: images by their key (plugin/file/file.ts). It changes while serving. */
  readonly zoneImages: ReadonlyMap<string, SharedArrayBuffer>
  /** This server's own addresses, 4 or 16 octets each, loopback ones left out: what NS and ns.dns name. */
  readonly ownAddresses: readonly Uint8Array[]
  /** Which serving thread this is, from 0. */
  readonly thread: number
  /** How many serving threads there are: a limit on the whole process is divided by it. */
  readonly threads: number
  /** The zones of the server block, as in its keys. */
  readonly zones: readonly string[]
  /** The handlers of the server block in the order of the chain; complete once all are made. */
  readonly handlers: readonly Handler[]
  /** What `loadbalance` does to addresses: nothing, any order, or one that is chosen among all of them. */
  readonly addressOrder: 'given' | 'random' | 'chosen'
  /** The largest message over UDP that the server block sends to clients and takes from upstreams: `bufsize`. */
  readonly udpMaxOctets: number
}
