// DNS over TCP (RFC 1035 4.2.2, RFC 7766).

import { createServer } from 'node:net'
import type { ListenResult } from './listener.ts'
import { listenStream, type StreamListener, type StreamOptions } from './stream-listener.ts'

/** Opens TCP sockets on `address`; an error is a value. Never throws. */
export const listenTcp = (options: StreamOptions): Promise<ListenResult<StreamListener>> =>
  listenStream('tcp', options, connections =>
    createServer({ allowHalfOpen: true, noDelay: true }, socket => {
      if (connections.admit(socket)) connections.serve(socket)
    }),
  )
