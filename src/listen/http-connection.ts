// One connection of HTTP/1.1 or HTTP/2 as its listener knows it: the requests under way on it, and its timeouts.

import type { Socket } from 'node:net'
import type { Endpoint } from '../query/query.ts'
import { HttpExchange, type HttpRequest, type HttpShared } from './http-exchange.ts'
import type { Accepted } from './stream-connection.ts'
import type { OpenConnection } from './stream-order.ts'

export class HttpConnection implements OpenConnection {
  older: OpenConnection | undefined
  newer: OpenConnection | undefined
  /** Ends a connection in the way of its protocol: what is under way is answered, nothing more is taken. */
  readonly #end: () => void
  readonly #socket: Socket
  readonly #shared: HttpShared
  readonly #client: Endpoint
  readonly #local: Endpoint
  readonly #exchanges = new Map<HttpRequest, HttpExchange>()
  readonly #openedAtMs: number
  /** When the last request was over; -1 before the first. */
  #lastAtMs = -1
  #finishedAtMs = -1

  constructor({ socket, client, local, openedAtMs }: Accepted, shared: HttpShared, end: () => void) {
    this.#socket = socket
    this.#shared = shared
    this.#client = client
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

  /** Whether this is the last request that is answered on the connection. */
  get finishing(): boolean {
    return this.#finishedAtMs >= 0
  }

  /** A request has come; `over` is to be called when its answer is taken, or it is gone. False: there are too many. */
  begin(request: HttpRequest): boolean {
    const { limits, count } = this.#shared.streams
    if (this.load >= limits.inFlightPerConnectionMax) return false
    const exchange = new HttpExchange(request, this.#shared, this.#client, this.#local)
    this.#exchanges.set(request, exchange)
    if (this.load === limits.inFlightPerConnectionMax) count('https-streams-max')
    this.#shared.streams.touched(this)
    exchange.start()
    return true
  }

  over(request: HttpRequest): void {
    this.#exchanges.get(request)?.end()
    this.#exchanges.delete(request)
    this.#lastAtMs = this.#shared.streams.nowMs()
  }

  finish(): void {
    if (this.finishing) return
    this.#finishedAtMs = this.#shared.streams.nowMs()
    this.#end()
  }

  close(): void {
    this.#socket.destroy()
  }

  check(nowMs: number, idleMs: number): void {
    const { limits, count } = this.#shared.streams
    for (const [request, exchange] of this.#exchanges) {
      const event = exchange.overdue(nowMs)
      if (event === undefined) continue
      count(event)
      request.abort()
    }
    if (this.load > 0) return
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
