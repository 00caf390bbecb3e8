// What a reflector is made of and what it tells about itself.

import type { Resource } from '../objects/kinds.ts'
import type { Kind, Kinds, Sink } from '../objects/objects.ts'
import type { SlimProblem } from '../objects/slim.ts'
import type { Clock } from '../shared/clock.ts'
import type { ApiErrorCode } from './api-error.ts'
import type { ApiRequester } from './client.ts'

/** A raw object to its slim copy; undefined for one that is not served, a problem for one that is malformed. */
export type Convert<K extends Kind> = (raw: unknown) => Kinds[K] | SlimProblem | undefined

/** Why a watch or a relist ended and another one was begun. */
export type RestartCause =
  | ApiErrorCode
  /** The server ended the stream as HTTP means it: `timeoutSeconds`, mostly. */
  | 'closed'
  /** Ended by the server again and again without one event: the version was dropped. */
  | 'stale'
  /** The periodic check found objects that are others in the API server. */
  | 'consistency'
  /** The API server's history ran backwards. */
  | 'restored'
  /** The server does not stream initial events; a paged list followed. */
  | 'watch-list-refused'

/** Told of what happens, for the log and the metrics; must not throw. */
export interface WatchHooks {
  log?(level: 'info' | 'warning' | 'error', message: string): void
  /** The first complete state is in the sink. */
  synced?(resource: string): void
  /** A complete state, the first one included, is in the sink. */
  relisted?(resource: string, objects: number, durationMs: number): void
  restarted?(resource: string, cause: RestartCause): void
  /** What was wrong is over. */
  recovered?(resource: string): void
  /** A right is missing: which one, and what to add. Told once for as long as it lasts. */
  forbidden?(text: string): void
}

/** All the times and bounds of a reflector. */
export interface ReflectorTiming {
  /** Between two checks of consistency, ±10 %. */
  readonly checkMs: number
  /** The next one comes within twice that time after a connection was lost. */
  readonly checkSoonMs: number
  /** How long an object may be another in the API server before its event counts as lost. */
  readonly settleMs: number
  /** Without an octet for so long, a stream is dead: a watch that is well ends or has a bookmark before. */
  readonly silenceMs: number
  /** What is known is old once its watch has not been heard for so long, whatever it is that keeps it silent. */
  readonly staleMs: number
  /** Without an octet for so long before the initial events have ended, the server does not know WatchList. */
  readonly initialIdleMs: number
  readonly backoffBaseMs: number
  readonly backoffCeilingMs: number
  /** The ceiling before the first sync, while the server cannot be reached. */
  readonly unsyncedCeilingMs: number
  /** At least so long between attempts after a 403 or 404. */
  readonly slowMs: number
  /** A watch that has lived so long and said something has been a success. */
  readonly steadyMs: number
  /** Ends without an event, in a row, until the version is dropped. */
  readonly fruitlessMax: number
  /** How long a relist waits to catch up with the watch beside it. */
  readonly catchUpMs: number
  readonly pageSize: number
  /** How long a watch is asked to live: between these two. */
  readonly timeoutMinSeconds: number
  readonly timeoutMaxSeconds: number
  /** One that begins with all objects, which take their time. */
  readonly initialTimeoutMinSeconds: number
  readonly initialTimeoutMaxSeconds: number
}

/** As a cluster wants it. */
export const DEFAULT_TIMING: ReflectorTiming = {
  checkMs: 100_000,
  checkSoonMs: 15_000,
  settleMs: 5_000,
  silenceMs: 50_000,
  staleMs: 60_000,
  initialIdleMs: 3_000,
  backoffBaseMs: 100,
  backoffCeilingMs: 30_000,
  unsyncedCeilingMs: 1_500,
  slowMs: 5_000,
  steadyMs: 1_000,
  fruitlessMax: 3,
  catchUpMs: 1_000,
  pageSize: 500,
  timeoutMinSeconds: 35,
  timeoutMaxSeconds: 45,
  initialTimeoutMinSeconds: 300,
  initialTimeoutMaxSeconds: 600,
}

/** What a reflector is made of. */
export interface ReflectorOptions<K extends Kind> {
  readonly resource: Resource<K>
  readonly convert: Convert<K>
  readonly sink: Sink
  readonly client: ApiRequester
  readonly clock: Clock
  /** Numbers in [0, 1). */
  readonly random: () => number
  readonly labelSelector?: string | undefined
  readonly fieldSelector?: string | undefined
  readonly timing?: Partial<ReflectorTiming> | undefined
  readonly hooks?: WatchHooks | undefined
  /** False to list in pages from the start. */
  readonly watchList?: boolean | undefined
}
