// The TLS handshake of accepted connections: TLS 1.2 and later, with or without certificates of clients. New settings
// are a new gate; handshakes and sessions of the former one go on as they began.

import { appendFile } from 'node:fs'
import type { Socket } from 'node:net'
import type { Server, TLSSocket, TlsOptions } from 'node:tls'
import { lazy } from '../shared/lazy.ts'
import { usePem } from '../shared/pem.ts'
import type { CountListen } from './events.ts'

/** What clients are asked for, as CoreDNS's `client_auth` names it (and Go's tls.ClientAuthType). */
export const CLIENT_AUTHS = ['nocert', 'request', 'require', 'verify_if_given', 'require_and_verify'] as const

export type ClientAuth = (typeof CLIENT_AUTHS)[number]

export interface TlsSettings {
  /** PEM texts: our certificate chain and its key. */
  readonly cert: string
  readonly key: string
  /** PEM text of the authorities that clients' certificates are checked against; the default ones where absent. */
  readonly ca?: string | undefined
  /** `nocert` where absent. */
  readonly clientAuth?: ClientAuth | undefined
  /** A file to write the secrets of connections to, for whoever debugs them (NSS key log format). */
  readonly keylog?: string | undefined
}

export interface TlsGateOptions {
  readonly settings: TlsSettings
  readonly alpn: readonly string[]
  readonly allowHalfOpen: boolean
  readonly ticketSecret: Uint8Array | undefined
  readonly count: CountListen
  /** Given every connection whose handshake is over and whose client is welcome. */
  readonly secured: (socket: TLSSocket) => void
}

/** What RFC 5077 wants: a name, a key for the cipher and one for the seal, of sixteen octets each. */
const TICKET_KEYS_OCTETS = 48

export class TlsGate {
  readonly #server: Server

  /** Throws for an unusable certificate, key or authority. */
  constructor(options: TlsGateOptions) {
    const { settings, count, secured } = options
    const { clientAuth = 'nocert', keylog } = settings
    usePem(settings)
    this.#server = lazy.tls.createServer(serverOptions(options), socket => {
      if (isWelcome(socket, clientAuth)) {
        secured(socket)
        return
      }
      count('tls-client-refused')
      socket.on('error', () => count('tcp-connection-error'))
      socket.destroy()
    })
    this.#server.on('tlsClientError', (_error, socket) => {
      count('tls-handshake-error')
      socket.destroy()
    })
    if (keylog !== undefined) {
      this.#server.on('keylog', line => {
        appendFile(keylog, line, { mode: 0o600 }, error => {
          if (error) count('tls-keylog-error')
        })
      })
    }
  }

  /** Begins the handshake on an accepted connection. */
  take(socket: Socket): void {
    this.#server.emit('connection', socket)
  }
}

function serverOptions({ settings, alpn, allowHalfOpen, ticketSecret }: TlsGateOptions): TlsOptions {
  const { cert, key, ca, clientAuth = 'nocert' } = settings
  return {
    cert,
    key,
    ...(ca !== undefined && { ca }),
    requestCert: clientAuth !== 'nocert',
    rejectUnauthorized: clientAuth === 'require_and_verify',
    minVersion: 'TLSv1.2',
    ALPNProtocols: [...alpn],
    // Who takes too long is cut off with the others (stream-listener.ts).
    handshakeTimeout: 2 ** 31 - 1,
    allowHalfOpen,
    ...(ticketSecret && { ticketKeys: ticketKeys(ticketSecret, settings) }),
  }
}

/** Keys of these settings alone: a client that was welcome under others must show its certificate again. */
function ticketKeys(secret: Uint8Array, settings: TlsSettings): Buffer {
  const salt = lazy.crypto.hash('sha256', JSON.stringify(settings), 'buffer')
  return Buffer.from(lazy.crypto.hkdfSync('sha256', secret, salt, 'session tickets', TICKET_KEYS_OCTETS))
}

/** What OpenSSL does not judge by itself: a certificate of anybody, or a good one or none. */
function isWelcome(socket: TLSSocket, clientAuth: ClientAuth): boolean {
  if (clientAuth === 'require') return hasCertificate(socket)
  if (clientAuth === 'verify_if_given') return socket.authorized || !hasCertificate(socket)
  return true
}

const hasCertificate = (socket: TLSSocket): boolean => socket.getPeerX509Certificate() !== undefined
