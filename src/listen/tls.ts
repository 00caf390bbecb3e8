// DNS over TLS (RFC 7858): the connections of TCP behind a handshake, which counts against the same bounds.

import { createServer, type TlsOptions } from 'node:tls'
import { codeOf, ListenError, type ListenResult } from './listener.ts'
import { STREAM_LIMITS } from './stream-limits.ts'
import { listenStream, type StreamListener, type StreamOptions } from './stream-listener.ts'

export interface TlsListenOptions extends StreamOptions {
  /**
   * PEM texts: our certificate chain and its key; of `ca` the authorities that clients' certificates are
   * checked against.
   */
  readonly cert: string
  readonly key: string
  readonly ca?: string
  /** CoreDNS's `client_auth`: not asked for (the default), asked for, or asked for and checked. */
  readonly clientAuth?: 'none' | 'request' | 'require-and-verify'
}

/**
 * Opens TLS sockets on `address`; an error (also of an unusable certificate or key) is a value. Never throws.
 */
export async function listenTls(options: TlsListenOptions): Promise<ListenResult<StreamListener>> {
  const { cert, key, ca, clientAuth = 'none', limits, count } = options
  const secure: TlsOptions & { allowHalfOpen: boolean; noDelay: boolean } = {
    cert,
    key,
    ...(ca === undefined ? {} : { ca }),
    requestCert: clientAuth !== 'none',
    rejectUnauthorized: clientAuth === 'require-and-verify',
    minVersion: 'TLSv1.2',
    ALPNProtocols: ['dot'],
    handshakeTimeout: limits?.firstReadTimeoutMs ?? STREAM_LIMITS.firstReadTimeoutMs,
    allowHalfOpen: true,
    noDelay: true,
  }
  try {
    return await listenStream('tls', options, connections => {
      const server = createServer(secure, socket => connections.serve(socket))
      server.on('connection', socket => connections.admit(socket))
      server.on('tlsClientError', (_error, socket) => {
        count('tls-handshake-error')
        socket.destroy()
      })
      return server
    })
  } catch (cause) {
    const error = new ListenError('tls', options.address, options.port, codeOf(cause, 'ETLS'), cause)
    return { ok: false, error }
  }
}
