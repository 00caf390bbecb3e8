// DNS over TLS (RFC 7858): the connections of TCP behind a handshake, which counts against the same bounds. Without a
// certificate they are not encrypted, as in CoreDNS: something before the server ends TLS.

import type { ListenResult } from './listener.ts'
import { listenStream, type StreamListener, type StreamOptions } from './stream-listener.ts'
import { DNS_SPEAKER } from './tcp.ts'

/** Opens sockets on `address`; an error (also of an unusable certificate or key) is a value. Never throws. */
export const listenTls = (options: StreamOptions): Promise<ListenResult<StreamListener>> =>
  listenStream({ ...DNS_SPEAKER, transport: 'tls' }, options)
