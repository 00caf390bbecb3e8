// One connection of HTTP/1.1 or HTTP/2 as its listener knows it: the requests under way on it, and its timeouts.

import type { Socket } from 'node:net'
import { type Endpoint, SOCKADDR_MAX_OCTETS, sockaddr } from '../query/sockaddr.ts'
import { HEAD_MAX_OCTETS, HttpExchange, type HttpRequest, type HttpShared } from './http-exchange.ts'
import { reset } from './reset.ts'
import { type Account, CONNECTION_OCTETS, KERNEL_OCTETS } from './stream-memory.ts'
import type { OpenConnection } from './stream-order.ts'
import type { Accepted } from './stream-shared.ts'

/** While a connection keeps more than that, in queries and in answers that are not taken, no further request is looked at. */
const UNTAKEN_MAX_OCTETS = 256 * 1024
/** Of a peer that is gone already: nobody's address. */
const NOWHERE = new Uint8Array(SOCKADDR_MAX_OCTETS)

export class HttpConnection implements OpenConnection {
  older: OpenConnection | undefined
  newer: OpenConnection | undefined
  /** Ends a connection in the way of its protocol: what is under way is answered, nothing more is taken. */
  readonly #end: () => void
  readonly account: Account
  readonly #socket: Socket
  readonly #raw: Socket
  readonly #shared: HttpShared
  /** The client's socket address. */
  readonly #from: Uint8Array
  readonly #local: Endpoint
  readonly #exchanges = new Map<HttpRequest, HttpExchange>()
  readonly #openedAtMs: number
  /** When the last request was over; -1 before the first. */
  #lastAtMs = -1
  #finishedAtMs = -1
  /** Requests that are looked at when more of what was answered is taken. */
  readonly #unstarted = new Set<HttpExchange>()
  /** Octets of what was read when the last request came: what came since belongs to none. */
  #requestedOctets = 0

  constructor(accepted: Accepted, shared: HttpShared, end: () => void) {
    const { socket, raw, client, local, openedAtMs, account } = accepted
    this.account = account
    this.#socket = socket
    this.#raw = raw
    this.#shared = shared
    this.#from = sockaddr(client.address, client.port) ?? NOWHERE
    this.#local = local
    this.#openedAtMs = openedAtMs
    this.#end = end
    socket.on('error', () => shared.streams.count('tcp-connection-error'))
  }

  /** Requests under way. */
  get load(): number {
    return this.#exchanges.size
  }

  get idle(): boolean {
    return this.load === 0 && this.#socket.writableLength === 0
  }

  get stalledSinceMs(): number {
    let sinceMs = -1
    for (const { untakenSinceMs } of this.#exchanges.values())
      if (untakenSinceMs >= 0 && (sinceMs < 0 || untakenSinceMs < sinceMs)) sinceMs = untakenSinceMs
    return sinceMs
  }

  /** Whether this is the last request that is answered on the connection. */
  get finishing(): boolean {
    return this.#finishedAtMs >= 0
  }

  /** A request has come; `over` is to be called when its answer is taken, or it is gone. False: it is not to be answered. */
  begin(request: HttpRequest): boolean {
    const { limits, count } = this.#shared.streams
    // Of a read that held many requests, those behind the one that it was closed for.
    if (this.#socket.destroyed || this.load >= limits.inFlightPerConnectionMax) return false
    const exchange = new HttpExchange(request, this.#shared, this.#from, this.#local, this.#changed)
    this.#exchanges.set(request, exchange)
    this.#requestedOctets = this.#socket.bytesRead
    if (this.load === limits.inFlightPerConnectionMax) count('https-streams-max')
    this.#shared.streams.touched(this)
    this.#unstarted.add(exchange)
    this.#startNext()
    return true
  }

  over(request: HttpRequest): void {
    const exchange = this.#exchanges.get(request)
    if (exchange === undefined) return
    exchange.end()
    this.#exchanges.delete(request)
    this.#unstarted.delete(exchange)
    this.#lastAtMs = this.#shared.streams.nowMs()
    this.#startNext()
    this.#tally()
  }

  #startNext(): void {
    for (const exchange of this.#unstarted) {
      if (this.#heldOctets() > UNTAKEN_MAX_OCTETS) return
      this.#unstarted.delete(exchange)
      exchange.start()
    }
  }

  #heldOctets(): number {
    let octets = 0
    for (const exchange of this.#exchanges.values()) octets += exchange.octets
    return octets
  }

  readonly #changed = (): void => this.#tally()

  /** Says what the connection keeps. The last thing that is done: it may be closed by this. */
  #tally(): void {
    if (this.#socket.destroyed) return
    const encrypted = this.#socket !== this.#raw
    let octets: number = encrypted ? CONNECTION_OCTETS.encrypted : CONNECTION_OCTETS.plain
    if (this.load === 0) octets += Math.min(HEAD_MAX_OCTETS, this.#socket.bytesRead - this.#requestedOctets)
    if (this.stalledSinceMs >= 0) octets += KERNEL_OCTETS.sent
    this.account.set(octets + this.#heldOctets())
  }

  finish(): void {
    if (this.finishing) return
    this.#finishedAtMs = this.#shared.streams.nowMs()
    this.#end()
  }

  close(): void {
    this.#socket.destroy()
  }

  /** Closes at once, with a reset, so that the kernel keeps nothing for a peer that does not read. */
  abort(): void {
    reset(this.#socket, this.#raw)
  }

  check(nowMs: number, idleMs: number): void {
    const { limits, count } = this.#shared.streams
    for (const [request, exchange] of this.#exchanges) {
      const event = exchange.overdue(nowMs)
      if (event === undefined) continue
      count(event)
      request.abort()
    }
    this.#tally()
    if (this.load > 0 || this.#socket.destroyed) return
    const sinceMs = Math.max(this.#lastAtMs, this.#finishedAtMs)
    if (this.finishing) {
      if (nowMs - sinceMs >= limits.writeTimeoutMs) this.close()
    } else if (this.#lastAtMs < 0) {
      if (nowMs - this.#openedAtMs < limits.firstReadTimeoutMs) return
      count('tcp-first-read-timeout')
      this.finish()
    } else if (nowMs - this.#lastAtMs >= idleMs) {
      count('tcp-idle-timeout')
      this.finish()
    }
  }
}
