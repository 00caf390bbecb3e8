// A source of objects as its users see it, whatever it reads: the API server (watch/) or a folder of manifests (manifest/).

import type { Evidence } from './evidence.ts'
import type { Kind, Kinds } from './objects.ts'
import type { StatedKind } from './stated.ts'

/** The objects of one kind, complete. */
export type KindSet = { readonly [K in Kind]: readonly [kind: K, objects: Iterable<Kinds[K]>] }[Kind]

/** How a resource that is followed stands. */
export interface ResourceStatus {
  /** The plural, as in RBAC. */
  readonly resource: string
  readonly kind: Kind
  /** A complete state has been in the sink; never false again after that. */
  readonly synced: boolean
  readonly objects: number
  /** Since the last octet; undefined before the first. */
  readonly lastByteAgeMs: number | undefined
  /** Since the sink's state was last known to be the server's: its watch was heard; undefined before the first list. */
  readonly ageMs: number | undefined
  /** That is longer ago than a watch is ever silent. */
  readonly stale: boolean
  /** Complete states taken, the first one included. */
  readonly relists: number
  readonly restartsByCause: Readonly<Record<string, number>>
  /** Malformed objects seen. */
  readonly skipped: number
  /** Exceptions thrown by the sink. */
  readonly sinkErrors: number
  /** What is wrong at this moment, in one line. */
  readonly lastError: string | undefined
}

/** What a person is told of a source that one can see at a glance. */
export interface Description {
  /** A table of the served names. */
  readonly names: readonly string[]
  /** Commands that ask for some of them. */
  readonly queries: readonly string[]
}

/** A source of objects: started once, stopped once. */
export interface ObjectSource {
  start(): Promise<void>
  stop(): Promise<void>
  /** What has not been complete yet, and why, for `/ready`: a line each; empty when everything has. */
  waitingFor(): readonly string[]
  /** How each resource that is followed over the network stands; empty where there is none. */
  status(): readonly ResourceStatus[]
  /** The state for a snapshot, undefined until all of it is complete; absent where the source itself lasts. */
  sets?(): readonly KindSet[] | undefined
  /** What is wrong with what it reads at this moment, each with its place in a file; absent where there are no files. */
  problems?(): readonly string[]
  /** What objects say beyond what is served; absent where nobody can be asked. */
  readonly evidence?: Evidence
  /** Merges into the status of an object, by its key; rejects with an ApiError. Absent where nobody keeps one. */
  writeStatus?(kind: StatedKind, key: string, status: object): Promise<unknown>
  /** What is served below the zone and how to ask the server for it; absent where that would be too much to tell. */
  describe?(zone: string, server: { readonly host: string; readonly port: number }): Description
}
