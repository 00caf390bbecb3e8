// DNS over TCP (RFC 1035 4.2.2, RFC 7766): each message behind two octets of length. Frames are answered as they come in,
// all those of one read by one write; what the slow path answers follows when it is done, so that a slow name holds
// nothing back. Every resource a peer can hold has a bound: connections in all and of one client, time without a query,
// queries in flight, replies not read. One coarse timer watches all connections.

import { createServer, type Server, type Socket } from 'node:net'
import type { Endpoint } from '../query/query.ts'
import type { Timer } from '../shared/clock.ts'
import { HEADER_OCTETS, MESSAGE_MAX } from '../wire/header.ts'
import {
  type BindPart,
  bindParts,
  codeOf,
  ListenError,
  type Listener,
  type ListenOptions,
  type ListenResult,
  openParts,
} from './listener.ts'
import { refusal } from './refusal.ts'
import { LATER } from './responder.ts'
import { REUSE_PORT } from './reuse-port.ts'

export interface TcpLimits {
  /** Without a query at all, and without the next one. CoreDNS: 3 s and 10 s. */
  readonly firstReadTimeoutMs: number
  readonly idleTimeoutMs: number
  /** How long a peer may leave replies unread. */
  readonly writeTimeoutMs: number
  readonly connectionsMax: number
  readonly connectionsPerClientMax: number
  /** Slow queries of one connection under way; reading pauses there. */
  readonly inFlightMax: number
  /** Queries that one connection may ask, -1 for any number. */
  readonly queriesMax: number
}

export const TCP_LIMITS: TcpLimits = {
  firstReadTimeoutMs: 3000,
  idleTimeoutMs: 10_000,
  writeTimeoutMs: 5000,
  connectionsMax: 2000,
  connectionsPerClientMax: 500,
  inFlightMax: 200,
  queriesMax: -1,
}

export interface TcpOptions extends ListenOptions {
  readonly limits?: Partial<TcpLimits>
  /** Whether other threads may share the port; where the system cannot, they may not. */
  readonly reusePort?: boolean
}

const LENGTH_OCTETS = 2
/** Replies of one read are rendered here before they are written. */
const OUT_OCTETS = 256 * 1024
/** Beyond this a peer that does not read is not read from either. */
const UNSENT_MAX_OCTETS = 256 * 1024
const SWEEP_MS = 500
const BACKLOG = 1024

/** Opens TCP sockets on `address`; an error is a value. Never throws. */
export async function listenTcp(options: TcpOptions): Promise<ListenResult> {
  const connections = new Connections(options, { ...TCP_LIMITS, ...options.limits })
  const open = (part: BindPart, port: number): Promise<TcpServer | ListenError> =>
    openServer(options, connections, part, port)
  const opened = await openParts<TcpServer>(bindParts(options.address), options.port, open)
  if (opened instanceof ListenError) return { ok: false, error: opened }
  connections.watch()
  const listener: Listener = {
    kind: 'tcp',
    address: options.address,
    port: opened[0]!.port,
    async drain() {
      const closed = opened.map(server => server.close())
      await connections.drain()
      await Promise.all(closed)
    },
    async close() {
      const closed = opened.map(server => server.close())
      connections.destroy()
      await Promise.all(closed)
    },
  }
  return { ok: true, listener }
}

interface TcpServer {
  readonly port: number
  close(): Promise<void>
}

function openServer(
  options: TcpOptions,
  connections: Connections,
  part: BindPart,
  port: number,
): Promise<TcpServer | ListenError> {
  const server: Server = createServer({ allowHalfOpen: true, noDelay: true }, socket =>
    connections.accept(socket),
  )
  const reusePort = REUSE_PORT && options.reusePort !== false
  return new Promise(resolve => {
    server.once('error', cause => resolve(new ListenError('tcp', part.address, port, codeOf(cause), cause)))
    server.listen(
      { host: part.address, port, ipv6Only: part.family === 6, reusePort, backlog: BACKLOG, exclusive: true },
      () => {
        server.removeAllListeners('error')
        server.on('error', () => options.count('tcp-accept-error'))
        const bound = server.address()
        const closed = new Promise<void>(done => server.once('close', done))
        resolve({
          port: typeof bound === 'object' && bound !== null ? bound.port : port,
          close: () => {
            server.close()
            return closed
          },
        })
      },
    )
  })
}

/** All connections of one listener. */
class Connections {
  readonly options: TcpOptions
  readonly limits: TcpLimits
  /** Replies are rendered here, one connection at a time. */
  readonly out = new Uint8Array(OUT_OCTETS)
  /** The one that was active longest ago first. */
  readonly #all = new Set<Connection>()
  readonly #perClient = new Map<string, number>()
  #timer: Timer | undefined
  #draining: (() => void) | undefined

  constructor(options: TcpOptions, limits: TcpLimits) {
    this.options = options
    this.limits = limits
  }

  accept(socket: Socket): void {
    const { count } = this.options
    const { connectionsMax, connectionsPerClientMax } = this.limits
    const client = socket.remoteAddress ?? ''
    const held = this.#perClient.get(client) ?? 0
    socket.on('error', () => count('tcp-connection-error'))
    if (this.#draining || client === '' || held >= connectionsPerClientMax) {
      if (held >= connectionsPerClientMax) count('tcp-refused-client')
      socket.destroy()
      return
    }
    if (this.#all.size >= connectionsMax && !this.#evict()) {
      count('tcp-refused-total')
      socket.destroy()
      return
    }
    count('tcp-accepted')
    this.#perClient.set(client, held + 1)
    const connection = new Connection(this, socket, client)
    this.#all.add(connection)
  }

  /** Closes the connection that has waited longest without anything under way. */
  #evict(): boolean {
    for (const connection of this.#all) {
      if (!connection.isIdle) continue
      this.options.count('tcp-evicted-idle')
      connection.destroy()
      return true
    }
    return false
  }

  /** Something came: the connection is the last to be closed for room. */
  touch(connection: Connection): void {
    this.#all.delete(connection)
    this.#all.add(connection)
  }

  remove(connection: Connection): void {
    if (!this.#all.delete(connection)) return
    const held = this.#perClient.get(connection.client) ?? 1
    if (held > 1) this.#perClient.set(connection.client, held - 1)
    else this.#perClient.delete(connection.client)
    if (this.#all.size === 0) this.#draining?.()
  }

  /** Looks after the timeouts from now on; half full, connections may idle for half the time, and so on. */
  watch(): void {
    this.#timer = this.options.clock.after(SWEEP_MS, () => {
      const nowMs = this.options.clock.nowMs()
      const share = this.#all.size / this.limits.connectionsMax
      const idleTimeoutMs = this.limits.idleTimeoutMs * (share > 0.5 ? Math.max(0.1, 2 * (1 - share)) : 1)
      for (const connection of this.#all) connection.check(nowMs, idleTimeoutMs)
      this.watch()
    })
  }

  /** Resolves when every connection has its answers and is closed. */
  async drain(): Promise<void> {
    if (this.#all.size > 0) {
      const empty = Promise.withResolvers<void>()
      this.#draining = empty.resolve
      for (const connection of this.#all) connection.finish()
      await empty.promise
    }
    this.#timer?.cancel()
  }

  destroy(): void {
    this.#timer?.cancel()
    for (const connection of this.#all) connection.destroy()
  }
}

/** One peer. */
class Connection {
  readonly client: string
  readonly #owner: Connections
  readonly #socket: Socket
  readonly #remote: Endpoint
  readonly #local: Endpoint
  /** The beginning of a frame that has not come whole. */
  #rest: Uint8Array = new Uint8Array(0)
  #inFlight = 0
  #queries = 0
  #activeMs: number
  /** Since when replies wait for the peer; 0 while none do. */
  #stalledMs = 0
  #ended = false
  #finishing = false

  constructor(owner: Connections, socket: Socket, client: string) {
    this.#owner = owner
    this.#socket = socket
    this.client = client
    this.#activeMs = owner.options.clock.nowMs()
    const family = client.includes(':') ? 6 : 4
    this.#remote = { address: client, port: socket.remotePort ?? 0, family }
    this.#local = { address: socket.localAddress ?? '', port: socket.localPort ?? 0, family }
    socket.on('data', octets => this.#receive(octets))
    socket.on('drain', () => this.#drained())
    socket.on('end', () => {
      this.#ended = true
      this.#endIfDone()
    })
    socket.on('close', () => owner.remove(this))
  }

  get isIdle(): boolean {
    return this.#inFlight === 0 && this.#stalledMs === 0
  }

  /** Ends a connection that has waited too long, on either side. */
  check(nowMs: number, idleTimeoutMs: number): void {
    const { count } = this.#owner.options
    const { firstReadTimeoutMs, writeTimeoutMs } = this.#owner.limits
    if (this.#stalledMs > 0 && nowMs - this.#stalledMs > writeTimeoutMs) {
      count('tcp-write-timeout')
      this.destroy()
    } else if (this.isIdle) {
      const first = this.#queries === 0
      if (nowMs - this.#activeMs <= (first ? Math.min(firstReadTimeoutMs, idleTimeoutMs) : idleTimeoutMs))
        return
      count(first ? 'tcp-first-read-timeout' : 'tcp-idle-timeout')
      this.destroy()
    }
  }

  /** Takes no more queries, answers those under way, closes. */
  finish(): void {
    this.#finishing = true
    this.#socket.pause()
    this.#endIfDone()
  }

  destroy(): void {
    this.#socket.destroy()
    this.#owner.remove(this)
  }

  #receive(chunk: Uint8Array): void {
    this.#activeMs = this.#owner.options.clock.nowMs()
    this.#owner.touch(this)
    const octets = this.#rest.length === 0 ? chunk : concat(this.#rest, chunk)
    const at = this.#answerFrames(octets)
    if (at < 0) return
    // A copy: what is left must not keep the whole read alive.
    this.#rest = at === octets.length ? EMPTY : octets.slice(at)
    if (this.#inFlight >= this.#owner.limits.inFlightMax) {
      this.#owner.options.count('tcp-in-flight-paused')
      this.#socket.pause()
    }
  }

  /** Answers every whole frame; returns where the first incomplete one begins, or -1 when the connection is over. */
  #answerFrames(octets: Uint8Array): number {
    const { options, limits, out } = this.#owner
    const { responder } = options
    let written = 0
    let at = 0
    responder.enter()
    while (at + LENGTH_OCTETS <= octets.length) {
      const length = (octets[at]! << 8) | octets[at + 1]!
      const overdue = limits.queriesMax >= 0 && this.#queries >= limits.queriesMax
      if (length < HEADER_OCTETS || overdue) {
        options.count(overdue ? 'tcp-queries-max' : 'tcp-garbage')
        responder.leave()
        this.#write(out, written)
        this.#close()
        return -1
      }
      const start = at + LENGTH_OCTETS
      const end = start + length
      if (end > octets.length) break
      this.#queries++
      if (written + LENGTH_OCTETS + MESSAGE_MAX > out.length) {
        this.#write(out, written)
        written = 0
      }
      const family = this.#remote.family
      const reply = responder.answerNow(
        octets,
        start,
        end,
        out,
        written + LENGTH_OCTETS,
        'tcp',
        family,
        MESSAGE_MAX,
      )
      if (reply > 0) {
        out[written] = reply >> 8
        out[written + 1] = reply
        written += LENGTH_OCTETS + reply
      } else if (reply === LATER) this.#answerLater(octets.slice(start, end))
      at = end
    }
    responder.leave()
    this.#write(out, written)
    return at
  }

  #answerLater(query: Uint8Array): void {
    const { admission, responder } = this.#owner.options
    if (!admission.enter(this.client)) {
      const refused = refusal(query)
      if (refused) this.#writeFrame(refused)
      return
    }
    this.#inFlight++
    void responder.answerLater(query, 'tcp', this.#remote, this.#local).then(reply => {
      admission.leave(this.client)
      this.#inFlight--
      if (this.#socket.destroyed) return
      if (reply) this.#writeFrame(reply)
      if (this.#stalledMs === 0 && !this.#finishing) this.#socket.resume()
      this.#endIfDone()
    })
  }

  #writeFrame(reply: Uint8Array): void {
    const frame = new Uint8Array(LENGTH_OCTETS + reply.length)
    frame[0] = reply.length >> 8
    frame[1] = reply.length
    frame.set(reply, LENGTH_OCTETS)
    this.#send(frame)
  }

  #write(out: Uint8Array, octets: number): void {
    if (octets > 0) this.#send(out.slice(0, octets))
  }

  #send(octets: Uint8Array): void {
    this.#activeMs = this.#owner.options.clock.nowMs()
    if (this.#socket.write(octets) || this.#stalledMs > 0) return
    this.#stalledMs = this.#owner.options.clock.nowMs()
    if (this.#socket.writableLength > UNSENT_MAX_OCTETS) {
      this.#owner.options.count('tcp-write-paused')
      this.#socket.pause()
    }
  }

  #drained(): void {
    this.#stalledMs = 0
    if (!this.#finishing && this.#inFlight < this.#owner.limits.inFlightMax) this.#socket.resume()
  }

  /** The peer has asked all it wanted, or we take no more: close once all is answered. */
  #endIfDone(): void {
    if ((this.#ended || this.#finishing) && this.#inFlight === 0) this.#close()
  }

  /** Sends what is left, then FIN, and waits for no more than the other side's. */
  #close(): void {
    if (!this.#socket.writableEnded) this.#socket.end(() => this.#socket.destroy())
  }
}

const EMPTY = new Uint8Array(0)

function concat(a: Uint8Array, b: Uint8Array): Uint8Array {
  const joined = new Uint8Array(a.length + b.length)
  joined.set(a)
  joined.set(b, a.length)
  return joined
}
