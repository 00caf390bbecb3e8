// What the listener of a stream (stream-listener.ts) hands to its connections, whatever they speak: what all of them share, and
// what one was accepted with.

import type { Socket } from 'node:net'
import type { Packet } from '../query/packet.ts'
import type { Endpoint, Transport } from '../query/sockaddr.ts'
import { MESSAGE_MAX } from '../wire/header.ts'
import type { CountListen } from './events.ts'
import { LENGTH_OCTETS } from './frame.ts'
import type { Responder } from './responder.ts'
import type { StreamLimits } from './stream-limits.ts'
import type { Account } from './stream-memory.ts'
import type { OpenConnection } from './stream-order.ts'

/** What runs over a stream. */
export type StreamTransport = Exclude<Transport, 'udp'>

/** What the connections of one listener share. */
export interface StreamShared {
  readonly transport: StreamTransport
  readonly responder: Responder
  readonly count: CountListen
  /** As they are now. */
  readonly limits: StreamLimits
  /** Where answers are rendered before they are written: room for two of the longest. */
  readonly out: Uint8Array<ArrayBuffer>
  /** The query at hand. */
  readonly packet: Packet
  nowMs(): number
  /** The connection was of use: it is now the last one to be closed for being idle. */
  touched(connection: OpenConnection): void
  /** Calls the connection's `flush` before long. */
  flushLater(connection: Flushed): void
}

/** A connection to be served. */
export interface Accepted {
  /** The TLS socket where the connection is encrypted. */
  readonly socket: Socket
  /** The socket under it, or the same. */
  readonly raw: Socket
  readonly client: Endpoint
  readonly local: Endpoint
  /** When it was accepted. */
  readonly openedAtMs: number
  /** Where it says what it keeps. */
  readonly account: Account
}

/** Whose slow replies are written together, before long. */
export interface Flushed {
  flush(): void
}

/** Room for two of the longest frames, so that one always fits behind half-filled room. */
export const STREAM_OUT_OCTETS = 2 * (LENGTH_OCTETS + MESSAGE_MAX)
