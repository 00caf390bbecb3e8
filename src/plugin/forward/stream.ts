// Questions to an upstream over connections, whatever is spoken on them: what who asks and who carries know of one another.

import type { AskedMessage } from './asked.ts'

/** Connections to one upstream, on one serving thread. */
export const CONNECTIONS_MAX = 32
/** How long connecting may take, the TLS handshake included. */
export const CONNECT_TIMEOUT_MS = 2000
/** Why questions fail while the server stops. */
export const STOPPED = 'proxy: transport stopped'

/** A question that waits for its reply on a connection. */
export interface StreamAsker {
  readonly question: AskedMessage
  readonly edns: boolean
  /** The connection that it is on, its ID there, and whether the connection was used before: the pool's. */
  line: StreamLine | undefined
  streamId: number
  isReused: boolean
  /** The connection stands: from now on the upstream has its time to answer. */
  connected(): void
  /**
   * A message with its ID, in octets[start … end), which are another one's after the call; it is not on the line any more.
   * `ageSeconds` is how long a cache on the way has had it (RFC 9111 5.1).
   */
  streamReply(octets: Uint8Array, start: number, end: number, ageSeconds: number): void
  /** Nothing will come. `isStale`: the upstream closed a connection that had been idle. */
  streamFailed(text: string, isStale: boolean): void
}

/** A connection. */
export interface StreamLine {
  /** Whether nothing was heard for long although something was asked. */
  isSilent(nowMs: number): boolean
  /** The asker hears no more. */
  forget(asker: StreamAsker): void
  /** The upstream has had its time: the asker hears no more, nobody else is sent here. Says so in words. */
  expire(asker: StreamAsker): string
}

/** The connections to one upstream. */
export interface StreamPool {
  /** Sends a question; the asker hears of what comes until it is forgotten. It may fail before this returns. */
  ask(asker: StreamAsker): void
  /** Closes all connections; what waits on them fails. */
  stop(): void
}
