// A Kubernetes API server for tests, over real sockets: list with limit and continue, watch with bookmarks and initial
// events, 410 in both forms, tokens, RBAC, and every fault that a network or a control plane has shown so far, on
// demand. Texts and status codes are those of kube-apiserver 1.36.

import * as http from 'node:http'
import * as https from 'node:https'
import type { AddressInfo, Socket } from 'node:net'
import type { TLSSocket } from 'node:tls'
import { type Clock, systemClock } from '../../src/shared/clock.ts'
import { PROTOBUF_WATCH } from '../../src/watch/protobuf-objects.ts'
import {
  decodeToken,
  encodeToken,
  initialEventsRefusal,
  matcher,
  metadataList,
  pathOf,
  resourceOf,
  statusOf,
  typedList,
  type WatchListSupport,
} from './fake-api-wire.ts'
import { type Backup, FAKE_RESOURCES, FakeCluster, type ResourceName } from './fake-cluster.ts'
import { type Chunking, encodeAs, FakeWatch, mediaType } from './fake-watch.ts'
import { readWrite, type WriteTarget, write, writeTarget } from './fake-writes.ts'
import { encodeList } from './protobuf.ts'

/** A request that came in, as tests look at it. */
export interface SeenRequest {
  readonly method: string
  readonly resource: ResourceName | undefined
  /** '' for all of them together. */
  readonly namespace: string
  readonly query: URLSearchParams
  readonly watch: boolean
  readonly headers: http.IncomingHttpHeaders
  /** The same with each line of a header on its own. */
  readonly distinct: NodeJS.Dict<string[]>
  readonly status: number
  readonly atMs: number
}

/** An answer to give instead of the right one. */
export interface ScriptedAnswer {
  readonly status: number
  readonly headers?: Readonly<Record<string, string>>
  readonly body?: string
  /** How often; for ever unless told. */
  times?: number
  /** Which requests; all unless told. */
  readonly when?: (request: Omit<SeenRequest, 'status'>) => boolean
}

/** What a server is made of. */
export interface FakeApiServerOptions {
  readonly cluster?: FakeCluster
  readonly clock?: Clock
  /** Serves HTTPS. */
  readonly tls?: {
    readonly key: string
    readonly cert: string
    readonly ca?: string
    readonly requestCert?: boolean
  }
  readonly bookmarkMs?: number
  readonly port?: number
}

/** A fake API server; `listen` before use, `close` at the end. */
export class FakeApiServer {
  readonly cluster: FakeCluster
  readonly requests: SeenRequest[] = []
  watchList: WatchListSupport = 'on'
  chunking: Chunking = 'event'
  /** Watches are served as protocol buffers to clients that take them. */
  protobuf = true
  /** Lists of metadata alone are served as such, in protocol buffers to clients that take them. */
  metadata = true
  /** How a watch from a compacted version is told so: kube-apiserver sends an ERROR event; proxies and old ones 410. */
  goneAs: 'status' | 'event' = 'event'
  /** Resumed watches are accepted and ended at once, without 410 (kubernetes 137089). */
  endsResumedWatches = false
  /** Accepted Bearer tokens; undefined accepts everybody. */
  tokens: Set<string> | undefined
  /** The common names of client certificates seen. */
  readonly clients = new Set<string>()
  /** Resources that are not installed. */
  readonly absent = new Set<ResourceName>()
  /** What RBAC does not allow, as `list services`. */
  readonly forbidden = new Set<string>()
  readonly #clock: Clock
  readonly #server: http.Server
  readonly #scheme: string
  readonly #bookmarkMs: number
  readonly #sockets = new Set<Socket>()
  readonly #watches = new Set<FakeWatch>()
  readonly #answers: ScriptedAnswer[] = []
  readonly #held: (() => void)[] = []
  readonly #forget: () => void
  #frozenAt: number | undefined
  #paused = false
  #port: number

  constructor(options: FakeApiServerOptions = {}) {
    this.cluster = options.cluster ?? new FakeCluster()
    this.#clock = options.clock ?? systemClock
    this.#bookmarkMs = options.bookmarkMs ?? 60_000
    this.#port = options.port ?? 0
    this.#scheme = options.tls ? 'https' : 'http'
    const handle: http.RequestListener = (request, response) => this.#handle(request, response)
    this.#server = options.tls
      ? https.createServer({ ...options.tls, rejectUnauthorized: false }, handle)
      : http.createServer(handle)
    this.#server.keepAliveTimeout = 0
    this.#server.on('connection', socket => {
      this.#sockets.add(socket)
      socket.on('close', () => this.#sockets.delete(socket))
      socket.on('error', () => this.#sockets.delete(socket))
    })
    this.#server.on('secureConnection', (socket: TLSSocket) => {
      const name = socket.getPeerCertificate().subject?.CN
      if (socket.authorized && typeof name === 'string') this.clients.add(name)
    })
    this.#forget = this.cluster.onChange(() => this.#pump())
  }

  /** Where it listens. */
  get url(): string {
    return `${this.#scheme}://127.0.0.1:${this.#port}`
  }

  /** Connections that are open. */
  get connections(): number {
    return this.#sockets.size
  }

  /** Watches that are open, of one resource or all. */
  watches(resource?: ResourceName): FakeWatch[] {
    return [...this.#watches].filter(watch => resource === undefined || watch.resource === resource)
  }

  /** Begins to listen, on the same port as before if there was one. */
  async listen(): Promise<this> {
    await new Promise<void>((resolve, reject) => {
      this.#server.once('error', reject)
      this.#server.listen(this.#port, '127.0.0.1', () => {
        this.#server.off('error', reject)
        resolve()
      })
    })
    const address: AddressInfo | string | null = this.#server.address()
    if (address !== null && typeof address === 'object') this.#port = address.port
    return this
  }

  /** As `kill -9`: every connection is reset and nobody listens. */
  async kill(): Promise<void> {
    const closed = new Promise<void>(resolve => this.#server.close(() => resolve()))
    for (const socket of this.#sockets) reset(socket)
    await closed
  }

  /** The end of a test. */
  async close(): Promise<void> {
    this.#forget()
    if (this.#server.listening) await this.kill()
  }

  /** As SIGSTOP: connections are accepted by the kernel, nothing is read or written. */
  pause(): void {
    this.#paused = true
    for (const watch of this.#watches) watch.paused = true
  }

  /** As SIGCONT. */
  resume(): void {
    this.#paused = false
    for (const watch of this.#watches) watch.paused = false
    for (const answer of this.#held.splice(0)) answer()
    this.#pump()
  }

  /** Loses every octet of the watches that are open now, without a word to either side. */
  mute(): void {
    for (const watch of this.#watches) watch.muted = true
  }

  /** Lags behind: whatever happens from now on is not in its cache until `thaw`. */
  freeze(): void {
    this.#frozenAt = this.cluster.version
  }

  /** Catches up. */
  thaw(): void {
    this.#frozenAt = undefined
    this.#pump()
  }

  /** Gives a scripted answer to requests to come. */
  answer(answer: ScriptedAnswer): void {
    this.#answers.push(answer)
  }

  /** Ends all scripted answers. */
  heal(): void {
    this.#answers.length = 0
  }

  /** Takes verbs away from the ServiceAccount. */
  forbid(
    resource: ResourceName,
    verbs: readonly ('list' | 'watch' | 'create' | 'patch')[] = ['list', 'watch'],
  ): void {
    for (const verb of verbs) this.forbidden.add(`${verb} ${resource}`)
  }

  /** A bookmark to every watch, now. */
  bookmark(): void {
    for (const watch of this.#watches) watch.bookmark()
  }

  /** New keys for TLS connections to come; those that are open are reset. */
  rotate(tls: { readonly key: string; readonly cert: string }): void {
    if (this.#server instanceof https.Server) this.#server.setSecureContext(tls)
    for (const socket of this.#sockets) reset(socket)
  }

  /**
   * Comes back with a backup in etcd, as a control plane does that was stopped for it: every watch is closed, and one from a
   * version that is not there yet is opened and stays silent, without bookmarks.
   */
  restore(backup: Backup, version?: number): void {
    this.cluster.restore(backup, version)
    for (const watch of this.#watches) watch.kill()
  }

  /** The number of requests seen for which the condition holds. */
  count(condition: (request: SeenRequest) => boolean): number {
    return this.requests.filter(condition).length
  }

  get #horizon(): number {
    return this.#frozenAt ?? this.cluster.version
  }

  #pump(): void {
    for (const watch of this.#watches) watch.pump()
  }

  #handle(request: http.IncomingMessage, response: http.ServerResponse): void {
    if (this.#paused) {
      this.#held.push(() => this.#handle(request, response))
      return
    }
    const url = new URL(request.url ?? '/', this.url)
    const method = request.method ?? 'GET'
    const target = writeTarget(url.pathname, method)
    const { path, namespace } = pathOf(url.pathname)
    const resource = method === 'GET' ? resourceOf(path) : target?.resource
    const watch = url.searchParams.get('watch') === 'true' || url.searchParams.get('watch') === '1'
    const { headers, headersDistinct: distinct } = request
    const seen = {
      method,
      resource,
      namespace: target?.namespace ?? namespace,
      query: url.searchParams,
      watch,
      headers,
      distinct,
      atMs: this.#clock.nowMs(),
    }
    const protobuf = this.protobuf && (request.headers.accept ?? '').includes(PROTOBUF_WATCH)
    const refuse = (status: number, reason: string, message: string, details?: object): void =>
      this.#refuse(response, seen, status, reason, message, details)
    const verb = VERBS[method] ?? (watch ? 'watch' : 'list')
    const scripted = this.#scripted(seen)
    if (scripted) {
      this.requests.push({ ...seen, status: scripted.status })
      response.writeHead(scripted.status, scripted.headers)
      response.end(scripted.body)
    } else if (
      this.tokens &&
      !this.tokens.has((request.headers.authorization ?? '').replace(/^Bearer /, ''))
    ) {
      refuse(401, 'Unauthorized', 'Unauthorized')
    } else if (resource === undefined || this.absent.has(resource)) {
      this.requests.push({ ...seen, status: 404 })
      response.writeHead(404, { 'content-type': 'text/plain' }).end('404 page not found\n')
    } else if (this.forbidden.has(`${verb} ${resource}`)) {
      const { group } = FAKE_RESOURCES[resource]
      const user = 'system:serviceaccount:kube-system:seamark'
      const message = `${resource} is forbidden: User "${user}" cannot ${verb} resource "${resource}" in API group "${group}" at the cluster scope`
      refuse(403, 'Forbidden', message, { kind: resource, group })
    } else if (target) void this.#write(target, seen, request, response)
    else if (watch) this.#watch(resource, seen, protobuf, response, refuse)
    else this.#list(resource, seen, request.headers.accept ?? '', response, refuse)
  }

  async #write(
    target: WriteTarget,
    seen: Omit<SeenRequest, 'status'>,
    request: http.IncomingMessage,
    response: http.ServerResponse,
  ): Promise<void> {
    const [status, object] = write(this.cluster, target, await readWrite(request))
    this.requests.push({ ...seen, status })
    response.writeHead(status, { 'content-type': 'application/json' })
    response.end(JSON.stringify(object))
  }

  #scripted(seen: Omit<SeenRequest, 'status'>): ScriptedAnswer | undefined {
    const answer = this.#answers.find(({ when, times }) => (times ?? 1) > 0 && (when?.(seen) ?? true))
    if (answer?.times !== undefined) answer.times--
    return answer
  }

  #list(
    resource: ResourceName,
    seen: Omit<SeenRequest, 'status'>,
    accept: string,
    response: http.ServerResponse,
    refuse: Refuse,
  ): void {
    const { query } = seen
    const token = decodeToken(query.get('continue'))
    const wanted = query.get('resourceVersion') ?? ''
    if (token && token.version < this.cluster.compacted) {
      refuse(
        410,
        'Expired',
        'The provided continue parameter is too old to display a consistent list result.',
      )
      return
    }
    if (wanted !== '' && wanted !== '0' && (this.#parse(wanted) ?? 0) > this.#horizon) {
      refuse(504, 'Timeout', tooLarge(wanted, this.#horizon), TOO_LARGE)
      return
    }
    // Without a version the newest state is read from etcd, however far behind this server is; with 0 its cache will do.
    const version = token?.version ?? (wanted === '' ? this.cluster.version : this.#horizon)
    const objects = this.cluster.list(resource, version).filter(matcher(query, seen.namespace))
    const from = token?.from ?? 0
    const limit = wanted === '0' ? 0 : Number(query.get('limit') ?? 0)
    const page = limit > 0 ? objects.slice(from, from + limit) : objects
    const left = objects.length - from - page.length
    const metadata = {
      resourceVersion: this.cluster.spell(version),
      ...(left > 0 && { continue: encodeToken(version, from + page.length), remainingItemCount: left }),
    }
    const list = this.metadata && accept.includes('as=PartialObjectMetadataList') ? metadataList : typedList
    this.requests.push({ ...seen, status: 200 })
    const protobuf = this.protobuf && list === metadataList && accept.startsWith(PROTOBUF_WATCH)
    response.writeHead(200, { 'content-type': protobuf ? PROTOBUF_WATCH : 'application/json' })
    const body = list(resource, metadata, page)
    response.end(protobuf ? encodeList(body) : JSON.stringify(body))
  }

  #watch(
    resource: ResourceName,
    seen: Omit<SeenRequest, 'status'>,
    protobuf: boolean,
    response: http.ServerResponse,
    refuse: Refuse,
  ): void {
    const { query } = seen
    const wanted = query.get('resourceVersion') ?? ''
    const asked = query.get('sendInitialEvents') === 'true'
    const streaming = asked && this.watchList !== 'ignore'
    const refusal = streaming ? initialEventsRefusal(query, this.watchList) : undefined
    if (refusal) {
      refuse(...refusal)
      return
    }
    if (streaming && this.#frozenAt !== undefined && wanted === '') {
      // Initial events are as new as etcd, which the cache of a server that lags behind does not become.
      const message = tooLarge(String(this.cluster.version), this.#horizon)
      this.requests.push({ ...seen, status: 200 })
      response.writeHead(200, { 'content-type': mediaType(protobuf) })
      response.end(encodeAs(protobuf, 'ERROR', statusOf(504, 'Timeout', message, TOO_LARGE)))
      return
    }
    const any = wanted === '' || wanted === '0'
    const parsed = any ? this.#horizon : this.#parse(wanted)
    if (parsed === undefined) {
      refuse(
        400,
        'BadRequest',
        `resourceVersion: Invalid value: "${wanted}": strconv.ParseUint: invalid syntax`,
      )
      return
    }
    const message = `too old resource version: ${wanted} (${this.cluster.compacted})`
    const gone = !any && !asked && parsed < this.cluster.compacted
    if (gone && this.goneAs === 'status') {
      refuse(410, 'Expired', message)
      return
    }
    this.requests.push({ ...seen, status: 200 })
    if (gone || (this.endsResumedWatches && !any)) {
      response.writeHead(200, { 'content-type': mediaType(protobuf) })
      response.end(gone ? encodeAs(protobuf, 'ERROR', statusOf(410, 'Expired', message)) : '')
      return
    }
    const matches = matcher(query)
    const watch = new FakeWatch({
      cluster: this.cluster,
      clock: this.#clock,
      resource,
      response,
      matches,
      bookmarks: query.get('allowWatchBookmarks') === 'true',
      bookmarkMs: this.#bookmarkMs,
      timeoutSeconds: Number(query.get('timeoutSeconds') ?? 1800),
      horizon: () => this.#horizon,
      chunking: () => this.chunking,
      protobuf,
      onEnd: () => this.#watches.delete(watch),
    })
    this.#watches.add(watch)
    // Old servers begin "at any version" with the objects they have, and so does one that ignores the parameter.
    const initial = any || streaming ? this.cluster.list(resource, this.#horizon).filter(matches) : []
    void watch.begin(initial.length > 0 || any || streaming ? this.#horizon : parsed, initial, streaming)
  }

  /** The earliest version that is spelled so. */
  #parse(spelled: string): number | undefined {
    const { cluster } = this
    if (/^\d+$/.test(spelled) && cluster.spell(Number(spelled)) === spelled) return Number(spelled)
    for (let version = 1000; version <= cluster.version; version++)
      if (cluster.spell(version) === spelled) return version
    return undefined
  }

  #refuse(
    response: http.ServerResponse,
    seen: Omit<SeenRequest, 'status'>,
    status: number,
    reason: string,
    message: string,
    details?: object,
  ): void {
    this.requests.push({ ...seen, status })
    response.writeHead(status, { 'content-type': 'application/json' })
    response.end(JSON.stringify(statusOf(status, reason, message, details)))
  }
}

/** What RBAC calls the methods that write. */
const VERBS: Readonly<Record<string, string>> = { POST: 'create', PATCH: 'patch' }

const tooLarge = (wanted: string, current: number): string =>
  `Timeout: Too large resource version: ${wanted}, current: ${current}`

const TOO_LARGE = {
  causes: [{ reason: 'ResourceVersionTooLarge', message: 'Too large resource version' }],
  retryAfterSeconds: 1,
}

/** Resets a connection. One that is being ended is closed instead: reset then, it keeps Node from ever exiting. */
function reset(socket: Socket): void {
  if (socket.writableEnded && !socket.writableFinished) socket.destroy()
  else socket.resetAndDestroy()
}

type Refuse = (status: number, reason: string, message: string, details?: object) => void
