// Requests to the API server over node:http and node:https, with one keep-alive agent that is made anew only when the CA
// or the certificate changes. What is read is handed on chunk by chunk as it comes; nothing is collected but the start of
// an error's body, and the small object that answers a write.
//
//   get(path) → credentials → request ─┬─ 200 → onOpen, onData …, onEnd(undefined | error)
//                                      ├─ 401 → credentials forgotten, the same once more at once
//                                      └─ other → onEnd(error with status, message, Retry-After)
//
// Bodies are asked for without compression: unpacking a list costs both sides more time than the network saves.

import type { Agent, ClientRequest, IncomingMessage } from 'node:http'
import type { Clock, Timer } from '../shared/clock.ts'
import { lazy } from '../shared/lazy.ts'
import type { ApiAccess, ApiCredentials } from './access.ts'
import { ApiError, errorOfResponse, messageOf } from './api-error.ts'
import { proxyAuthorization } from './proxy-env.ts'

/** What becomes of a request. No method is called after `abort`, and none after `onEnd`. */
export interface ApiHandlers {
  /** The response is a 200 and its body of that media type follows. */
  onOpen(contentType: string): void
  /** Some octets of the body; the buffer belongs to the receiver. */
  onData(chunk: Buffer): void
  /** Once, at last: the body ended as it should, or why it did not. */
  onEnd(error: ApiError | undefined): void
}

/** A request under way. */
export interface ApiCall {
  /** Ends the request without another word to its handlers; may be called at any time. */
  abort(): void
}

/** The side of the client that reflectors need. */
export interface ApiRequester {
  /** Begins GET of a path with its query, below the server's own path prefix, for one of the media types. Never throws. */
  get(path: string, accept: string, handlers: ApiHandlers): ApiCall
}

/** An object to create, or what is to change of one. */
export interface ApiWrite {
  readonly method: 'POST' | 'PATCH'
  /** Below the server's own path prefix, with its query. */
  readonly path: string
  /** Sent as JSON, of 256 KiB at most. */
  readonly body: unknown
  /** `application/json` unless told, for PATCH `application/merge-patch+json` (RFC 7396). */
  readonly contentType?: string
}

/** The side of the client that writes. */
export interface ApiWriter {
  /**
   * Writes, and resolves with the object as the server has it then. Rejects with an `ApiError`, whose `status` is 409 where
   * the object is there already or is another by now, and whose code is `busy` where eight writes are under way.
   * Whole in 30 s, whatever the server does. A PATCH is asked again where a kept connection turns out to be dead, a POST
   * is not: it might have been heard.
   */
  write(write: ApiWrite): Promise<unknown>
}

/** One request as client-go's rest_client metrics count it. */
export interface ApiRequestRecord {
  readonly method: ApiMethod
  /** Host and port. */
  readonly host: string
  /** The HTTP status, or `<error>` where no response came, as in client-go. */
  readonly code: string
  /** From the start of the request to the response's headers. */
  readonly durationSeconds: number
}

/** What a client is made of. */
export interface ApiClientOptions {
  readonly access: ApiAccess
  readonly clock: Clock
  /** Told of every response and every failed request. */
  readonly onRequest?: (record: ApiRequestRecord) => void
  /** How long connecting and the response's headers may take. */
  readonly responseTimeoutMs?: number
}

type ApiMethod = 'GET' | ApiWrite['method']

const RESPONSE_TIMEOUT_MS = 30_000
/** An exec plugin may be slow, but not for ever. */
const CREDENTIALS_TIMEOUT_MS = 60_000
const ERROR_BODY_MAX_OCTETS = 64 * 1024
const RETRY_AFTER_MAX_MS = 300_000
/** Three or four watches and now and then a relist beside one of them. */
const FREE_SOCKETS_MAX = 2
const TCP_KEEP_ALIVE_MS = 30_000
const WRITES_MAX = 8
const WRITE_MAX_OCTETS = 256 * 1024
/** A server may add to what was written: who manages which field, for one. */
const WRITTEN_MAX_OCTETS = 1024 * 1024

/** A client of one API server. */
export class ApiClient implements ApiRequester, ApiWriter {
  readonly access: ApiAccess
  readonly clock: Clock
  readonly responseTimeoutMs: number
  readonly #onRequest: ((record: ApiRequestRecord) => void) | undefined
  #agent: Agent | undefined
  #agentKey = ''
  #writes = 0

  constructor(options: ApiClientOptions) {
    this.access = options.access
    this.clock = options.clock
    this.responseTimeoutMs = options.responseTimeoutMs ?? RESPONSE_TIMEOUT_MS
    this.#onRequest = options.onRequest
  }

  get(path: string, accept: string, handlers: ApiHandlers): ApiCall {
    const exchange = new Exchange(this, { method: 'GET', path, accept }, handlers)
    exchange.begin()
    return exchange
  }

  async write({ method, path, body, contentType = CONTENT_TYPES[method] }: ApiWrite): Promise<unknown> {
    const octets = Buffer.from(JSON.stringify(body))
    if (octets.length > WRITE_MAX_OCTETS) {
      throw new ApiError('protocol', `${method} ${path}: ${octets.length} octets are too many to write`)
    }
    if (this.#writes >= WRITES_MAX)
      throw new ApiError('busy', `${method} ${path}: ${WRITES_MAX} are under way`)
    this.#writes++
    try {
      const request = { method, path, accept: 'application/json', payload: { octets, contentType } }
      return JSON.parse(await whole(this, request))
    } catch (cause) {
      if (cause instanceof ApiError) throw cause
      throw new ApiError('protocol', `${method} ${path}: ${messageOf(cause)}`, { cause })
    } finally {
      this.#writes--
    }
  }

  /** Closes idle connections; requests under way are not touched. */
  close(): void {
    if (this.#agent) retire(this.#agent)
    this.#agent = undefined
  }

  /** The agent for these credentials: the same one until CA, certificate, key or proxy change. */
  async agentFor({ server, tls, proxy }: ApiCredentials): Promise<Agent> {
    const secure = server.protocol === 'https:'
    const key = JSON.stringify([secure, tls, proxy])
    const proxyAgent = proxy && (await import('./proxy-agent.ts')).proxyAgent
    if (this.#agent && key === this.#agentKey) return this.#agent
    if (this.#agent) retire(this.#agent)
    const options = { keepAlive: true, keepAliveMsecs: TCP_KEEP_ALIVE_MS, maxFreeSockets: FREE_SOCKETS_MAX }
    if (proxy && proxyAgent) this.#agent = proxyAgent(proxy, secure, { ...options, ...tls })
    else this.#agent = secure ? new lazy.https.Agent({ ...options, ...tls }) : new lazy.http.Agent(options)
    this.#agentKey = key
    return this.#agent
  }

  /** Reports one request to whoever counts them. */
  record(method: ApiMethod, server: URL, code: string, durationMs: number): void {
    this.#onRequest?.({ method, host: server.host, code, durationSeconds: durationMs / 1000 })
  }
}

/** What is asked of the server. */
interface ApiRequest {
  readonly method: ApiMethod
  readonly path: string
  readonly accept: string
  /** Of a write. */
  readonly payload?: { readonly octets: Buffer; readonly contentType: string }
}

/** One request with its second tries: after a 401, and after a kept-alive connection turned out to be dead. */
class Exchange implements ApiCall {
  readonly #client: ApiClient
  readonly #asked: ApiRequest
  readonly #handlers: ApiHandlers
  #request: ClientRequest | undefined
  #timer: Timer | undefined
  #done = false
  #unauthorizedBefore = false
  #resetBefore = false

  constructor(client: ApiClient, asked: ApiRequest, handlers: ApiHandlers) {
    this.#client = client
    this.#asked = asked
    this.#handlers = handlers
  }

  begin(): void {
    this.#watchTheClock(CREDENTIALS_TIMEOUT_MS, 'waiting for credentials')
    this.#prepare().then(
      ([credentials, agent]) => this.#send(credentials, agent),
      (cause: unknown) => {
        const error =
          cause instanceof ApiError ? cause : new ApiError('credentials', messageOf(cause), { cause })
        this.#finish(error)
      },
    )
  }

  async #prepare(): Promise<[ApiCredentials, Agent]> {
    const credentials = await this.#client.access.credentials()
    return [credentials, await this.#client.agentFor(credentials)]
  }

  abort(): void {
    this.#done = true
    this.#timer?.cancel()
    this.#request?.destroy()
  }

  #send(credentials: ApiCredentials, agent: Agent): void {
    if (this.#done) return
    const { server, proxy } = credentials
    const startedMs = this.#client.clock.nowMs()
    const elapsedMs = (): number => this.#client.clock.nowMs() - startedMs
    const { method, path, accept, payload } = this.#asked
    const url = `${server.origin}${prefixOf(server)}${path}`
    let request: ClientRequest
    try {
      request = (server.protocol === 'https:' ? lazy.https : lazy.http).request(url, {
        agent,
        method,
        headers: {
          accept,
          'user-agent': 'seamark',
          ...(payload && { 'content-type': payload.contentType, 'content-length': payload.octets.length }),
          ...headersOf(credentials),
        },
        ...(credentials.tls.servername && { servername: credentials.tls.servername }),
        // A proxy of HTTP is asked for the whole URL where there is no TLS to carry through (RFC 9112 3.2.2).
        ...(proxy && isPlain(server, proxy) && { path: url }),
      })
    } catch (cause) {
      // A certificate or key that cannot be used, a token with characters that no header may hold.
      this.#finish(new ApiError('credentials', `preparing a request: ${messageOf(cause)}`, { cause }))
      return
    }
    this.#request = request
    this.#watchTheClock(this.#client.responseTimeoutMs, `waiting for ${server.host}`)
    request.on('error', (cause: NodeJS.ErrnoException) => {
      if (this.#done || this.#request !== request) return
      if (request.reusedSocket && method !== 'POST' && !this.#resetBefore && isReset(cause)) {
        this.#resetBefore = true
        this.#send(credentials, agent)
        return
      }
      this.#client.record(method, server, '<error>', elapsedMs())
      this.#finish(connectionError(`connecting to ${server.host}`, cause))
    })
    request.on('response', response => {
      if (this.#done || this.#request !== request) {
        response.destroy()
        return
      }
      const status = response.statusCode ?? 0
      this.#client.record(method, server, String(status), elapsedMs())
      if (status === 200 || (status === 201 && payload)) this.#relay(response, server)
      else this.#refuse(response, status, credentials)
    })
    request.end(payload?.octets)
  }

  #relay(response: IncomingMessage, server: URL): void {
    if (!this.#asked.payload) this.#timer?.cancel()
    this.#guarded(() => this.#handlers.onOpen(response.headers['content-type'] ?? ''))
    response.on('data', (chunk: Buffer) => this.#guarded(() => this.#handlers.onData(chunk)))
    response.on('end', () => {
      if (response.complete) this.#finish(undefined)
    })
    response.on('error', (cause: NodeJS.ErrnoException) => {
      this.#finish(connectionError(`reading from ${server.host}`, cause))
    })
    response.on('close', () =>
      this.#finish(new ApiError('network', `reading from ${server.host}: closed too early`)),
    )
  }

  #refuse(response: IncomingMessage, status: number, credentials: ApiCredentials): void {
    const retryAfterMs = parseRetryAfter(response.headers['retry-after'], this.#client.clock.wallMs())
    const chunks: Buffer[] = []
    let octets = 0
    const settle = (): void => {
      if (this.#done || this.#request === undefined) return
      if (status === 401 && !this.#unauthorizedBefore) {
        this.#unauthorizedBefore = true
        this.#request = undefined
        this.#client.access.refresh(credentials)
        this.begin()
        return
      }
      this.#finish(errorOfResponse(status, Buffer.concat(chunks).toString(), retryAfterMs))
    }
    response.on('data', (chunk: Buffer) => {
      octets += chunk.length
      if (octets <= ERROR_BODY_MAX_OCTETS) chunks.push(chunk)
      else response.destroy()
    })
    response.on('end', settle)
    response.on('error', settle)
    response.on('close', settle)
  }

  #watchTheClock(delayMs: number, doing: string): void {
    this.#timer?.cancel()
    this.#timer = this.#client.clock.after(delayMs, () => {
      this.#finish(new ApiError('timeout', `${doing}: no answer for ${delayMs / 1000} s`))
    })
  }

  #guarded(action: () => void): void {
    if (this.#done) return
    try {
      action()
    } catch (cause) {
      this.#finish(new ApiError('protocol', `handling a response: ${messageOf(cause)}`, { cause }))
    }
  }

  #finish(error: ApiError | undefined): void {
    if (this.#done) return
    this.abort()
    this.#handlers.onEnd(error)
  }
}

const CONTENT_TYPES = { POST: 'application/json', PATCH: 'application/merge-patch+json' } as const

/** The body of what answers a request, within its bound. */
function whole(client: ApiClient, request: ApiRequest): Promise<string> {
  const chunks: Buffer[] = []
  let octets = 0
  const { promise, resolve, reject } = Promise.withResolvers<string>()
  const exchange = new Exchange(client, request, {
    onOpen() {},
    onData(chunk) {
      octets += chunk.length
      if (octets > WRITTEN_MAX_OCTETS)
        throw new RangeError(`an answer of more than ${WRITTEN_MAX_OCTETS} octets`)
      chunks.push(chunk)
    },
    onEnd: error => (error ? reject(error) : resolve(Buffer.concat(chunks).toString())),
  })
  exchange.begin()
  return promise
}

/** Lets requests under way end and keeps no connection after them. */
function retire(agent: Agent): void {
  agent.maxFreeSockets = 0
  for (const sockets of Object.values(agent.freeSockets)) for (const socket of sockets ?? []) socket.destroy()
}

/** Without TLS, through a proxy that speaks HTTP. */
const isPlain = (server: URL, proxy: URL): boolean =>
  server.protocol === 'http:' && proxy.protocol.startsWith('http')

/** Those of the credentials, and for the proxy's own eyes where it reads the request. */
function headersOf({ server, headers, proxy }: ApiCredentials): Record<string, string | readonly string[]> {
  return { ...headers, ...(proxy && isPlain(server, proxy) && proxyAuthorization(proxy)) }
}

/** A URL has at least the path `/`. */
const prefixOf = ({ pathname }: URL): string => (pathname === '/' ? '' : pathname)

const isReset = (cause: NodeJS.ErrnoException): boolean =>
  cause.code === 'ECONNRESET' || cause.code === 'EPIPE'

/** Codes of OpenSSL's verification and of Node's TLS have these words in front (Node's list in tls.md). */
const TLS_CODE =
  /^(?:CERT_|UNABLE_TO_|SELF_SIGNED|DEPTH_ZERO|INVALID_CA|HOSTNAME_MISMATCH|ERR_TLS|ERR_SSL|EPROTO)/

function connectionError(doing: string, cause: NodeJS.ErrnoException): ApiError {
  const code = TLS_CODE.test(cause.code ?? '') ? 'tls' : 'network'
  return new ApiError(code, `${doing}: ${messageOf(cause) || (cause.code ?? 'unknown error')}`, { cause })
}

/** Retry-After (RFC 9110 10.2.3) in ms, from seconds or a date; at most five minutes, undefined if absent or odd. */
export function parseRetryAfter(value: string | undefined, wallMs: number): number | undefined {
  if (value === undefined) return undefined
  const delayMs = /^\d+$/.test(value.trim()) ? Number(value) * 1000 : Date.parse(value) - wallMs
  return Number.isNaN(delayMs) ? undefined : Math.min(Math.max(delayMs, 0), RETRY_AFTER_MAX_MS)
}
