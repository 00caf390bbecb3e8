// DNS over TCP (RFC 1035 4.2.2, RFC 7766).

import type { ListenResult } from './listener.ts'
import { StreamConnection } from './stream-connection.ts'
import type { Speaker } from './stream-connections.ts'
import { listenStream, type StreamListener, type StreamOptions } from './stream-listener.ts'

/** Queries behind their length, over TCP and TLS alike. */
export const DNS_SPEAKER: Omit<Speaker, 'transport'> = {
  alpn: ['dot'],
  allowHalfOpen: true,
  serve: (accepted, connections) => new StreamConnection(accepted, connections),
}

/** Opens TCP sockets on `address`; an error is a value. Never throws. */
export const listenTcp = (options: StreamOptions): Promise<ListenResult<StreamListener>> =>
  listenStream({ ...DNS_SPEAKER, transport: 'tcp' }, options)
