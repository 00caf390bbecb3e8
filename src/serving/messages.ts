// What the control thread and a serving thread say to one another. Everything is plain data; tables and counters are
// shared memory, so that neither queries nor updates pass through here.

import type { PassedSocket } from '../listen/listener.ts'
import type { Registration } from '../observe/counters.ts'
import type { LogForm } from '../observe/json-line.ts'
import type { TapBatch, TapFilter } from '../observe/tap.ts'
import type { OperatorEvent } from '../plugin/plugin.ts'
import type { Setup } from '../setup/setup.ts'
import type { TracedQuestion, Transcript } from './traced.ts'

/** What a serving thread is started with. */
export interface ThreadStart {
  /** From 0, below the table's bound on readers; no two live threads share one. */
  readonly thread: number
  /** How many there are. */
  readonly threads: number
  readonly counters: SharedArrayBuffer
  readonly logLines: SharedArrayBuffer
  /** What tickets of TLS sessions are sealed with: a client that comes to another thread goes on with its session. */
  readonly ticketSecret: Uint8Array
  /** What server cookies are made of: a client that comes to another thread shows it the first one's. */
  readonly cookieSecret: Uint8Array
  /** What all connections of the thread may keep, in octets. */
  readonly streamOctets: number
  /** Sockets that were opened before the server was. */
  readonly passed: readonly PassedSocket[]
  readonly quiet: boolean
  readonly logForm: LogForm
}

/** A configuration to be made ready, beside the one that serves. */
export interface Prepare {
  readonly type: 'prepare'
  readonly generation: number
  readonly setup: Setup
  /** The answer tables by the key of their source. */
  readonly tables: readonly (readonly [key: string, buffer: SharedArrayBuffer])[]
  readonly ownAddresses: readonly Uint8Array[]
}

export type ToThread =
  | Prepare
  /** Serve the prepared configuration from the next packet on. */
  | { readonly type: 'commit'; readonly generation: number }
  /** A zone, or a hosts file, was read anew since the configuration that serves was: its image by its key. */
  | { readonly type: 'image'; readonly key: string; readonly image: SharedArrayBuffer }
  /** Forget the prepared configuration. */
  | { readonly type: 'abandon'; readonly generation: number }
  /** What followers want to see from now on; none: nobody follows. */
  | { readonly type: 'tap'; readonly filters: readonly TapFilter[] }
  /** The samples of one message were taken. */
  | { readonly type: 'sampled' }
  /** A person wants to know what becomes of a question on that listener; one at a time. */
  | { readonly type: 'ask'; readonly server: string; readonly question: TracedQuestion }
  /** Answer what is in flight and close. */
  | { readonly type: 'drain' }
  /** Close at once, whatever is in flight. */
  | { readonly type: 'quit' }

export type FromThread =
  /** What became of the question; undefined where nothing listens so. */
  | { readonly type: 'asked'; readonly transcript: Transcript | undefined }
  | { readonly type: 'prepared'; readonly generation: number; readonly errors: readonly string[] }
  | { readonly type: 'committed'; readonly generation: number; readonly listeners: readonly string[] }
  | { readonly type: 'drained' }
  | { readonly type: 'register'; readonly registration: Registration }
  /** What followers wanted to see. */
  | { readonly type: 'tapped'; readonly batches: readonly TapBatch[] }
  /** What a person has to mend. */
  | { readonly type: 'event'; readonly event: OperatorEvent }
  /** Queries of so many ms, sampled (observe/samples.ts). */
  | { readonly type: 'samples'; readonly octets: Uint8Array; readonly periodMs: number }
  /** So many lines of the log, each with its line feed. */
  | { readonly type: 'log'; readonly octets: Uint8Array; readonly lines: number }
