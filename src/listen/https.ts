// DNS over HTTPS (RFC 8484) with HTTP/2 and HTTP/1.1, as the client chooses in the TLS handshake. Without a certificate it
// is HTTP/1.1 in the clear, as in CoreDNS: something before the server ends TLS.

import type { IncomingMessage, Server, ServerResponse } from 'node:http'
import type { IncomingHttpHeaders, ServerHttp2Stream, ServerOptions } from 'node:http2'
import type { Duplex } from 'node:stream'
import { lazy } from '../shared/lazy.ts'
import { HttpConnection } from './http-connection.ts'
import { HEAD_MAX_OCTETS, type HttpRequest, type HttpShared } from './http-exchange.ts'
import type { ListenResult } from './listener.ts'
import type { Connections, Speaker } from './stream-connections.ts'
import type { StreamLimits } from './stream-limits.ts'
import { listenStream, type StreamListener, type StreamOptions } from './stream-listener.ts'
import type { Accepted } from './stream-shared.ts'

/** Header fields of a request. */
const HEADERS_MAX = 64
/** Memory of one HTTP/2 connection, in MB (the least that Node takes); beyond it streams are refused. */
const SESSION_MAX_MB = 1
/** Frames that make no sense, after which a connection is closed. */
const BAD_FRAMES_MAX = 100
/**
 * Requests that a client takes back at once, and those in a second of a longer while; beyond them its connection is closed. Each
 * has been begun by then, and one read of a connection may hold some hundred (CVE-2023-44487).
 */
const RESETS_MAX = 200
const RESETS_PER_SECOND = 33

export interface HttpsListenOptions extends StreamOptions {
  /** Told of the status of every answer. */
  readonly answered: (status: number) => void
}

/** Opens sockets on `address`; an error (also of an unusable certificate or key) is a value. Never throws. */
export const listenHttps = (options: HttpsListenOptions): Promise<ListenResult<StreamListener>> =>
  listenStream(new HttpSpeaker(options.answered), options)

class HttpSpeaker implements Speaker {
  readonly transport = 'https'
  readonly alpn = ['h2', 'http/1.1']
  readonly allowHalfOpen = false
  readonly #answered: (status: number) => void
  readonly #http1: Server
  readonly #connections = new WeakMap<Duplex, HttpConnection>()
  #shared: HttpShared | undefined

  constructor(answered: (status: number) => void) {
    this.#answered = answered
    this.#http1 = lazy.http.createServer({
      maxHeaderSize: HEAD_MAX_OCTETS,
      // All times are kept in one place (http-connection.ts).
      headersTimeout: 0,
      requestTimeout: 0,
      keepAliveTimeout: 0,
    })
    this.#http1.maxHeadersCount = HEADERS_MAX
    this.#http1.on('request', (request, response) => this.#request1(request, response))
    this.#http1.on('clientError', (error: NodeJS.ErrnoException, socket) => this.#garbage(error, socket))
  }

  serve(accepted: Accepted, connections: Connections): HttpConnection {
    this.#shared ??= { streams: connections, heldOctets: 0, answered: this.#answered }
    const { socket } = accepted
    const isHttp2 = 'alpnProtocol' in socket && socket.alpnProtocol === 'h2'
    return isHttp2 ? this.#serve2(accepted, this.#shared) : this.#serve1(accepted, this.#shared)
  }

  #serve2(accepted: Accepted, shared: HttpShared): HttpConnection {
    const session = lazy.http2.performServerHandshake(accepted.socket, sessionOptions(shared.streams.limits))
    const connection = new HttpConnection(accepted, shared, () => session.close())
    session.on('error', (error: NodeJS.ErrnoException) => this.#countGarbage(error))
    const countError = (): void => shared.streams.count('tcp-connection-error')
    session.on('stream', (stream, headers) => {
      stream.on('error', countError)
      const request = request2(stream, headers)
      stream.once('close', () => connection.over(request))
      if (!connection.begin(request)) request.abort()
    })
    return connection
  }

  #serve1(accepted: Accepted, shared: HttpShared): HttpConnection {
    const { socket } = accepted
    const connection: HttpConnection = new HttpConnection(accepted, shared, () => {
      if (connection.load === 0) socket.end()
    })
    this.#connections.set(socket, connection)
    this.#http1.emit('connection', socket)
    return connection
  }

  #request1(message: IncomingMessage, response: ServerResponse): void {
    const connection = this.#connections.get(message.socket)
    const request = request1(message, response, () => connection?.finishing ?? true)
    response.once('close', () => connection?.over(request))
    if (!connection?.begin(request)) request.abort()
  }

  /** A connection that breaks is counted as such by itself. */
  #countGarbage({ code = '' }: NodeJS.ErrnoException): void {
    if (/^(?:HPE_|ERR_HTTP2_)/.test(code)) this.#shared?.streams.count('https-garbage')
  }

  /** What is not HTTP, or too much of it. */
  #garbage(error: NodeJS.ErrnoException, socket: Duplex): void {
    this.#countGarbage(error)
    const line =
      error.code === 'HPE_HEADER_OVERFLOW' ? '431 Request Header Fields Too Large' : '400 Bad Request'
    if (socket.writable) socket.end(`HTTP/1.1 ${line}\r\nConnection: close\r\nContent-Length: 0\r\n\r\n`)
    else socket.destroy()
  }
}

const sessionOptions = (limits: StreamLimits): ServerOptions => ({
  maxSessionMemory: SESSION_MAX_MB,
  maxSessionInvalidFrames: BAD_FRAMES_MAX,
  maxHeaderListPairs: HEADERS_MAX,
  streamResetBurst: RESETS_MAX,
  streamResetRate: RESETS_PER_SECOND,
  settings: {
    maxConcurrentStreams: limits.inFlightPerConnectionMax,
    maxHeaderListSize: HEAD_MAX_OCTETS,
    enablePush: false,
  },
})

/** Fields that Node joins or lists are there more than once. */
const oneValue = (value: string | string[] | undefined): string | undefined =>
  typeof value === 'string' ? value : undefined

function request2(stream: ServerHttp2Stream, headers: IncomingHttpHeaders): HttpRequest {
  return {
    method: headers[':method'] ?? '',
    target: headers[':path'] ?? '',
    contentType: headers['content-type'],
    contentLength: headers['content-length'],
    header: name => oneValue(headers[name]),
    body: stream,
    respond(status, fields, body) {
      if (stream.destroyed || stream.headersSent) return
      fields[':status'] = status
      stream.respond(fields)
      stream.end(body)
      // Nobody reads what is left of a body; without this the stream would stay (RFC 9113 8.1).
      if (!stream.endAfterHeaders && !stream.readableEnded)
        stream.once('finish', () => stream.close(lazy.http2.constants.NGHTTP2_NO_ERROR))
    },
    abort: () => stream.close(lazy.http2.constants.NGHTTP2_CANCEL),
  }
}

function request1(message: IncomingMessage, response: ServerResponse, isLast: () => boolean): HttpRequest {
  const { headers } = message
  const hasBody = headers['transfer-encoding'] !== undefined || Number(headers['content-length'] ?? 0) > 0
  return {
    method: message.method ?? '',
    target: message.url ?? '',
    contentType: headers['content-type'],
    contentLength: headers['content-length'],
    header: name => oneValue(headers[name]),
    body: message,
    respond(status, fields, body) {
      if (response.destroyed || response.headersSent) return
      // What is left of a body would have to be read before the next request.
      if (isLast() || (hasBody && !message.complete)) response.shouldKeepAlive = false
      response.writeHead(status, fields)
      response.end(body)
    },
    abort: () => void message.socket.destroy(),
  }
}
