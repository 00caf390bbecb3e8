// The small HTTP servers of health, ready and prometheus: fixed paths, no request bodies, short timeouts, few
// connections (http-places.ts). The set of them outlives a reload: a new configuration's addresses are bound first, then the paths
// change in one step, then what nobody needs any more is closed; an address that stays is never closed at all.

import type { Server as HttpServer, IncomingMessage, ServerResponse } from 'node:http'
import { type AddressInfo, createServer, type Server, type Socket } from 'node:net'
import type { Duplex } from 'node:stream'
import type { Server as TlsServer } from 'node:tls'
import { familyOf } from '../shared/ip.ts'
import { lazy } from '../shared/lazy.ts'
import { SlicedSocket } from '../shared/sliced-socket.ts'
import { HttpAnswers, type HttpRoute, type HttpStream } from './http-answers.ts'
import { HttpPlaces } from './http-places.ts'
import type { Counter, Meters } from './meters.ts'

/** As CoreDNS's read, write and idle timeouts. */
const TIMEOUT_MS = 5000
/** How often the timeouts are looked after. */
const TIMEOUT_CHECK_MS = 1000
/** Octets of requests that are read in one turn: a probe's, or a dozen of the smallest. */
const SLICE_OCTETS = 512
/** Octets of a request's head. */
const HEAD_MAX_OCTETS = 8192
/** Answers without end of one server; further ones are refused. */
export const STREAMS_MAX = 8
/** Octets that a client of one may leave unread, before it is let go. */
const STREAM_UNREAD_MAX = 1024 * 1024
/** Bodies below this gain nothing from gzip. */
const GZIP_MIN_OCTETS = 1024

/** Certificates of an HTTPS endpoint, in PEM. */
export interface HttpTls {
  readonly cert: string
  readonly key: string
  /** Where given, clients must have a certificate of this authority. */
  readonly clientCa?: string
}

/** One address with what is served there. */
export interface HttpSite {
  /** An address or a host name; '' is every address. */
  readonly host: string
  readonly port: number
  readonly tls?: HttpTls | undefined
  /** By path: `/health`. */
  readonly routes: ReadonlyMap<string, HttpRoute>
  /** Likewise, what has no end. */
  readonly streams?: ReadonlyMap<string, HttpStream>
}

/** An address could not be had. */
export class HttpListenError extends Error {
  override readonly name = 'HttpListenError'
  /** EADDRINUSE, EACCES, EADDRNOTAVAIL, ENOTFOUND, or ERR_… for a bad certificate. */
  readonly code: string

  constructor(site: HttpSite, cause: NodeJS.ErrnoException) {
    super(`listening on ${siteText(site)} for HTTP: ${cause.message}`, { cause })
    this.code = cause.code ?? 'ERR_UNKNOWN'
  }
}

/** An address as its directive writes it: `:8080`, `localhost:9153`, `[::1]:8181`. */
export const siteText = ({ host, port }: Pick<HttpSite, 'host' | 'port'>): string =>
  host.includes(':') ? `[${host}]:${port}` : `${host}:${port}`

/** One listening server. */
export class HttpListener {
  readonly #server: Server
  /** Parses what the connections of the other carry; it listens nowhere. */
  readonly #http: HttpServer
  readonly #secure: TlsServer | undefined
  readonly #places: HttpPlaces
  /** The socket under what the parser sees. */
  readonly #sockets = new WeakMap<Duplex, Socket>()
  readonly #site: HttpSite
  readonly #dropped: Counter
  readonly #answers: HttpAnswers
  #streams: ReadonlyMap<string, HttpStream>
  #streamsOpen = 0

  private constructor(site: HttpSite, meters: Meters) {
    const options = {
      headersTimeout: TIMEOUT_MS,
      requestTimeout: TIMEOUT_MS,
      connectionsCheckingInterval: TIMEOUT_CHECK_MS,
      maxHeaderSize: HEAD_MAX_OCTETS,
    }
    this.#site = site
    this.#answers = new HttpAnswers(site.routes)
    this.#streams = site.streams ?? new Map()
    this.#dropped = meters.counter('seamark_http_dropped_connections_total', { address: siteText(site) })
    this.#places = new HttpPlaces(() => this.#dropped.add())
    this.#http = lazy.http.createServer(options, (request, response) => this.#take(request, response))
    const { tls } = site
    this.#secure =
      tls &&
      lazy.tls.createServer({
        ...secureContext(tls),
        requestCert: tls.clientCa !== undefined,
        ALPNProtocols: ['http/1.1'],
      })
    this.#secure?.on('secureConnection', socket => this.#serve(socket))
    this.#secure?.on('tlsClientError', (_error, socket) => socket.destroy())
    this.#server = createServer(socket => {
      this.#places.take(socket)
      socket.on('error', () => socket.destroy())
      socket.setTimeout(TIMEOUT_MS, () => socket.destroy())
      if (this.#secure) this.#secure.emit('connection', socket)
      else this.#serve(socket)
    })
  }

  /** Listens; resolves to the error where the address cannot be had. */
  static async start(
    site: HttpSite,
    meters: Meters,
    reusePort = false,
  ): Promise<HttpListener | HttpListenError> {
    try {
      const listener = new HttpListener(site, meters)
      await listener.#listen(reusePort)
      return listener
    } catch (error) {
      return new HttpListenError(site, error as NodeJS.ErrnoException)
    }
  }

  /** The port that it listens on; another than asked for where 0 was. */
  get port(): number {
    return (this.#server.address() as AddressInfo | null)?.port ?? 0
  }

  /** Serves other paths, with another certificate, from now on; requests under way end as they began. */
  serve({ routes, streams, tls }: Pick<HttpSite, 'routes' | 'streams' | 'tls'>): void {
    this.#answers.routes = routes
    this.#streams = streams ?? new Map()
    if (tls !== undefined) this.#secure?.setSecureContext(secureContext(tls))
  }

  /** Stops listening, lets requests under way end, at most for the grace; resolves when all is closed. */
  async stop(graceMs = TIMEOUT_MS): Promise<void> {
    const closed = new Promise<void>(resolve => {
      this.#server.close(() => resolve())
    })
    this.#places.closeIdle()
    const timer = setTimeout(() => this.#places.closeAll(), graceMs)
    await closed
    this.#http.closeAllConnections()
    clearTimeout(timer)
  }

  async #listen(reusePort: boolean): Promise<void> {
    const { host, port } = this.#site
    // As Go does, the name localhost means the IPv4 loopback address where there is one.
    const address = host === 'localhost' ? '127.0.0.1' : host
    await new Promise<void>((resolve, reject) => {
      this.#server.once('error', reject)
      const listening = (): void => {
        this.#server.off('error', reject)
        // Out of descriptors, mostly: the kernel keeps the rest in its queue.
        this.#server.on('error', () => this.#dropped.add())
        resolve()
      }
      this.#server.listen({ port, reusePort, ...(address === '' ? {} : { host: address }) }, listening)
    })
  }

  #serve(socket: Socket): void {
    const sliced = new SlicedSocket(socket, SLICE_OCTETS)
    this.#sockets.set(sliced, socket)
    this.#http.emit('connection', sliced)
  }

  #take(request: IncomingMessage, response: ServerResponse): void {
    const socket = this.#sockets.get(request.socket)
    if (!socket || !this.#places.begin(socket)) {
      request.socket.destroy()
      return
    }
    response.once('close', () => this.#places.end(socket))
    this.#handle(request, response).catch((error: Error) => response.destroy(error))
  }

  async #handle(request: IncomingMessage, response: ServerResponse): Promise<void> {
    // Nobody has a reason to send a body: the answer is given without it, and the connection ends.
    if (request.headers['transfer-encoding'] ?? Number(request.headers['content-length'] ?? 0)) {
      response.setHeader('Connection', 'close')
    }
    const { url = '' } = request
    const stream = this.#streams.get(url)
    if ((stream || url.startsWith(STATUS_PATH)) && !this.#isOwn(request.headers.host)) {
      response.writeHead(421)
      response.end('this address answers by its own names only\n')
      return
    }
    if (stream) {
      this.#stream(stream, response)
      return
    }
    const {
      status,
      contentType = 'text/plain; charset=utf-8',
      plain,
      gzip,
      headers = {},
    } = await this.#answers.answer(url, request.headers.accept)
    for (const [name, value] of Object.entries(headers)) response.setHeader(name, value)
    response.setHeader('Content-Type', contentType)
    let octets = plain
    if (octets.length >= GZIP_MIN_OCTETS && acceptsGzip(request)) {
      octets = await gzip()
      response.setHeader('Content-Encoding', 'gzip')
    }
    response.setHeader('Content-Length', octets.length)
    response.writeHead(status)
    response.end(octets)
  }

  /** Whether a page of somebody else, under a name that leads to this machine, is not what asks (DNS rebinding). */
  #isOwn(host = ''): boolean {
    if (!isLoopback(this.#site.host)) return true
    const name = host.replace(/:\d+$/, '').replace(/^\[|\]$/g, '')
    return isLoopback(name) || familyOf(name) !== 0
  }

  /** Somebody who reads too slowly is let go: the next one who asks has all of it. */
  #stream(stream: HttpStream, response: ServerResponse): void {
    if (this.#streamsOpen >= STREAMS_MAX) {
      this.#dropped.add()
      response.writeHead(503)
      response.end(`more than ${STREAMS_MAX} follow already\n`)
      return
    }
    this.#streamsOpen++
    response.writeHead(200, { ...stream.headers, 'Content-Type': stream.contentType })
    const end = stream.start(text => {
      if (response.writableLength > STREAM_UNREAD_MAX) response.destroy()
      else response.write(text)
    })
    response.once('close', () => {
      this.#streamsOpen--
      end()
    })
  }
}

/** Where the pages for people are (status/routes.ts). */
const STATUS_PATH = '/status'

const isLoopback = (host: string): boolean => /^(?:localhost|127\.[\d.]+|::1)$/.test(host)

const secureContext = ({ cert, key, clientCa }: HttpTls): { cert: string; key: string; ca?: string } => ({
  cert,
  key,
  ...(clientCa !== undefined && { ca: clientCa }),
})

/** RFC 9110 12.5.3: gzip is named, and not with a weight of 0. */
function acceptsGzip(request: IncomingMessage): boolean {
  const header = String(request.headers['accept-encoding'] ?? '')
  return header.split(',').some(coding => /^\s*(?:gzip|\*)\s*(?:;\s*q=(?!0(?:\.0*)?\s*$).*)?$/i.test(coding))
}

/** New addresses that listen already and wait to be taken into service. */
export interface PreparedSites {
  /** Serves the new paths everywhere and closes what is no longer wanted; resolves when that is closed. */
  commit(): Promise<void>
  /** Closes what was opened; everything stays as it was. */
  abandon(): Promise<void>
}

/** All HTTP servers of the process. */
export class HttpSites {
  readonly #meters: Meters
  readonly #reusePort: boolean
  #listeners = new Map<string, HttpListener>()

  /** With `reusePort`, another server of this user may have the same addresses. */
  constructor(meters: Meters, reusePort = false) {
    this.#meters = meters
    this.#reusePort = reusePort
  }

  /** The port of the site at that address; undefined where nothing listens. */
  portOf(site: Pick<HttpSite, 'host' | 'port'>): number | undefined {
    return [...this.#listeners].find(([key]) => key.startsWith(`${siteText(site)} `))?.[1].port
  }

  /**
   * Opens what the wanted sites need beside what is open. Sites of one address are one server with the paths of all.
   * Resolves to the first error, and nothing has changed then. Not to be called again before commit or abandon.
   */
  async prepare(wanted: readonly HttpSite[]): Promise<PreparedSites | HttpListenError> {
    const sites = mergeSites(wanted)
    const opened = new Map<string, HttpListener>()
    const abandon = async (): Promise<void> => {
      await Promise.all([...opened.values()].map(listener => listener.stop(0)))
    }
    for (const [key, site] of sites) {
      if (this.#listeners.has(key)) continue
      const listener = await HttpListener.start({ ...site, routes: new Map() }, this.#meters, this.#reusePort)
      if (listener instanceof HttpListenError) {
        await abandon()
        return listener
      }
      opened.set(key, listener)
    }
    return { abandon, commit: () => this.#commit(sites, opened) }
  }

  /** Closes everything. */
  async stop(graceMs = TIMEOUT_MS): Promise<void> {
    const listeners = [...this.#listeners.values()]
    this.#listeners = new Map()
    await Promise.all(listeners.map(listener => listener.stop(graceMs)))
  }

  async #commit(
    sites: ReadonlyMap<string, HttpSite>,
    opened: ReadonlyMap<string, HttpListener>,
  ): Promise<void> {
    const before = this.#listeners
    const after = new Map<string, HttpListener>()
    for (const [key, site] of sites) {
      const listener = (before.get(key) ?? opened.get(key))!
      listener.serve(site)
      after.set(key, listener)
    }
    this.#listeners = after
    const unwanted = [...before].filter(([key]) => !after.has(key))
    await Promise.all(unwanted.map(([, listener]) => listener.stop()))
  }
}

/** By address, and whether it speaks TLS. */
function mergeSites(wanted: readonly HttpSite[]): ReadonlyMap<string, HttpSite> {
  const sites = new Map<string, HttpSite>()
  for (const site of wanted) {
    const key = `${siteText(site)} ${site.tls === undefined ? 'http' : 'https'}`
    const before = sites.get(key)
    const routes = new Map([...(before?.routes ?? []), ...site.routes])
    const streams = new Map([...(before?.streams ?? []), ...(site.streams ?? [])])
    sites.set(key, { ...site, routes, streams })
  }
  return sites
}
