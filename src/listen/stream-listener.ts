// What listeners of TCP, TLS and HTTPS share: accepting within bounds, the handshake where there is one, the timeouts of
// all connections by one coarse timer, new settings while serving, drain and close. What is spoken on a connection is a
// `Speaker`'s: tcp.ts, tls.ts, https.ts.

import { createServer, type Server, type Socket } from 'node:net'
import type { Endpoint } from '../query/query.ts'
import type { Timer } from '../shared/clock.ts'
import { parseIp } from '../shared/ip.ts'
import type { ListenEvent } from './events.ts'
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
import { REUSE_PORT } from './reuse-port.ts'
import {
  type Accepted,
  type Flushed,
  STREAM_OUT_OCTETS,
  type StreamShared,
  type StreamTransport,
} from './stream-connection.ts'
import { idleLimitMs, STREAM_LIMITS, type StreamLimits } from './stream-limits.ts'
import { type OpenConnection, StreamOrder } from './stream-order.ts'
import { TlsGate, type TlsSettings } from './tls-gate.ts'

/** What may change while a stream listener serves. */
export interface StreamSettings {
  readonly limits?: Partial<StreamLimits> | undefined
  /** Absent: what comes is not encrypted. */
  readonly tls?: TlsSettings | undefined
}

/** What stream listeners take beyond every listener's options. */
export interface StreamOptions extends ListenOptions, StreamSettings {
  /** What the tickets of TLS sessions are sealed with: the same on all threads, that any of them can go on with one. */
  readonly ticketSecret?: Uint8Array | undefined
  /** Whether other threads may share the port; where the system cannot, they may not. */
  readonly reusePort?: boolean
}

/** An open stream listener. */
export interface StreamListener extends Listener {
  /** Connections now, those in a TLS handshake and those on their way out included. */
  readonly connections: number
  /** Takes other settings: limits hold for all connections at once, certificates for new ones. Throws for unusable ones. */
  adjust(settings: StreamSettings): void
}

/** Speaks a protocol on the connections of one listener. */
export interface Speaker {
  readonly transport: StreamTransport
  /** What is offered in a TLS handshake (RFC 7301). */
  readonly alpn: readonly string[]
  /** Whether a connection on which the peer has ended its side is still written to. */
  readonly allowHalfOpen: boolean
  serve(accepted: Accepted, connections: Connections): OpenConnection
}

const SWEEP_MS = 500
const BACKLOG = 1024

/** Opens sockets on `address`; an error (also of an unusable certificate or key) is a value. Never throws. */
export async function listenStream(
  speaker: Speaker,
  options: StreamOptions,
): Promise<ListenResult<StreamListener>> {
  const { transport, allowHalfOpen } = speaker
  let connections: Connections
  try {
    connections = new Connections(speaker, options)
  } catch (cause) {
    const error = new ListenError(transport, options.address, options.port, codeOf(cause, 'ETLS'), cause)
    return { ok: false, error }
  }
  const opened = await openParts(bindParts(options.address), options.port, (part, port) => {
    const server = createServer({ allowHalfOpen, noDelay: true }, socket => connections.accept(socket))
    return OpenServer.open(transport, options, server, part, port)
  })
  if (opened instanceof ListenError) return { ok: false, error: opened }
  const closeServers = async (): Promise<void> => {
    await Promise.all(opened.map(server => server.close()))
    await connections.emptied()
  }
  const listener: StreamListener = {
    kind: transport,
    address: options.address,
    port: opened[0]!.port,
    get connections() {
      return connections.size
    },
    adjust: settings => connections.adjust(settings),
    async drain() {
      connections.finish()
      await closeServers()
    },
    async close() {
      connections.abort()
      await closeServers()
    },
  }
  return { ok: true, listener }
}

class OpenServer {
  readonly port: number
  readonly #server: Server
  readonly #closed: Promise<void>

  private constructor(server: Server, port: number) {
    this.#server = server
    this.port = port
    this.#closed = new Promise(resolve => server.once('close', resolve))
  }

  static open(
    transport: StreamTransport,
    options: StreamOptions,
    server: Server,
    part: BindPart,
    port: number,
  ): Promise<OpenServer | ListenError> {
    const reusePort = REUSE_PORT && options.reusePort !== false
    const ipv6Only = part.family === 6
    return new Promise(resolve => {
      server.once('error', cause =>
        resolve(new ListenError(transport, part.address, port, codeOf(cause), cause)),
      )
      server.listen(
        { host: part.address, port, ipv6Only, reusePort, backlog: BACKLOG, exclusive: true },
        () => {
          server.removeAllListeners('error')
          // Out of descriptors, mostly: the kernel keeps the rest in its queue.
          server.on('error', () => options.count('tcp-accept-error'))
          const bound = server.address()
          resolve(new OpenServer(server, typeof bound === 'object' && bound ? bound.port : port))
        },
      )
    })
  }

  /** Accepts no more; resolves when the connections are gone too. */
  close(): Promise<void> {
    if (this.#server.listening) this.#server.close()
    return this.#closed
  }
}

/** A connection that is accepted and not served yet: in its TLS handshake. */
interface Handshake {
  readonly socket: Socket
  readonly sinceMs: number
}

/** All connections of one listener. */
export class Connections implements StreamShared {
  readonly transport: StreamTransport
  readonly responder
  readonly admission
  readonly count
  readonly out = new Uint8Array(STREAM_OUT_OCTETS)
  limits: StreamLimits = STREAM_LIMITS
  readonly #speaker: Speaker
  readonly #clock
  readonly #ticketSecret: Uint8Array | undefined
  #gate: TlsGate | undefined
  readonly #order = new StreamOrder()
  /** What the kernel knows as a connection, by the raw socket. */
  readonly #sockets = new Set<Socket>()
  /** By `peerKey`, oldest first. */
  readonly #handshakes = new Map<string, Handshake>()
  readonly #perClient = new Map<string, number>()
  /** Closed to make room, but not gone yet. */
  readonly #evicted = new Set<OpenConnection | Socket>()
  #unflushed: Flushed[] = []
  readonly #onEmpty: (() => void)[] = []
  #sweepTimer: Timer | undefined
  #finishing = false

  /** Throws for an unusable certificate or key. */
  constructor(speaker: Speaker, options: StreamOptions) {
    this.transport = speaker.transport
    this.responder = options.responder
    this.admission = options.admission
    this.count = options.count
    this.#speaker = speaker
    this.#clock = options.clock
    this.#ticketSecret = options.ticketSecret
    this.adjust(options)
  }

  get size(): number {
    return this.#sockets.size
  }

  nowMs(): number {
    return this.#clock.nowMs()
  }

  adjust({ limits, tls }: StreamSettings): void {
    const { alpn, allowHalfOpen } = this.#speaker
    this.#gate =
      tls &&
      new TlsGate({
        settings: tls,
        alpn,
        allowHalfOpen,
        ticketSecret: this.#ticketSecret,
        count: this.count,
        secured: socket => this.#serve(socket),
      })
    this.limits = { ...STREAM_LIMITS, ...limits }
  }

  /** Takes a connection in, or destroys it where it breaks a bound. */
  accept(socket: Socket): void {
    const refusal = this.#refusal(socket)
    if (refusal !== undefined) {
      if (refusal !== '') this.count(refusal)
      socket.on('error', () => this.count('tcp-connection-error'))
      socket.destroy()
      return
    }
    const client = socket.remoteAddress ?? ''
    const key = peerKey(socket)
    this.count('tcp-accepted')
    this.#sockets.add(socket)
    this.#handshakes.set(key, { socket, sinceMs: this.nowMs() })
    this.#perClient.set(client, (this.#perClient.get(client) ?? 0) + 1)
    socket.once('close', () => {
      this.#handshakes.delete(key)
      this.#release(socket, client)
    })
    if (!this.#sweepTimer) this.#sweepLater()
    if (this.#gate) this.#gate.take(socket)
    else this.#serve(socket)
  }

  #refusal(socket: Socket): 'tcp-refused-client' | 'tcp-refused-total' | '' | undefined {
    const client = socket.remoteAddress
    // The peer may be gone before it is looked at.
    if (client === undefined || this.#finishing) return ''
    if ((this.#perClient.get(client) ?? 0) >= this.limits.connectionsPerClientMax) return 'tcp-refused-client'
    if (this.#sockets.size - this.#evicted.size >= this.limits.connectionsMax && !this.#evict())
      return 'tcp-refused-total'
    return undefined
  }

  /** Closes the connection that has been idle for longest, or else the oldest handshake; false where there is neither. */
  #evict(): boolean {
    for (const connection of this.#order) {
      if (!connection.idle) continue
      this.#order.remove(connection)
      this.#evicted.add(connection)
      this.count('tcp-evicted-idle')
      connection.close()
      return true
    }
    for (const [key, { socket }] of this.#handshakes) {
      this.#endHandshake(key, socket, 'tls-evicted-handshake')
      return true
    }
    return false
  }

  #endHandshake(key: string, socket: Socket, event: ListenEvent): void {
    this.#handshakes.delete(key)
    this.#evicted.add(socket)
    this.count(event)
    socket.destroy()
  }

  #release(socket: Socket, client: string): void {
    this.#sockets.delete(socket)
    this.#evicted.delete(socket)
    const held = this.#perClient.get(client) ?? 1
    if (held > 1) this.#perClient.set(client, held - 1)
    else this.#perClient.delete(client)
    if (this.#sockets.size > 0) return
    for (const done of this.#onEmpty.splice(0)) done()
  }

  /** Resolves once there is no connection. */
  emptied(): Promise<void> {
    return new Promise(resolve => {
      if (this.#sockets.size === 0) resolve()
      else this.#onEmpty.push(resolve)
    })
  }

  /** Lets the speaker serve the socket: an accepted one, or the TLS socket over it. */
  #serve(socket: Socket): void {
    const key = peerKey(socket)
    const openedAtMs = this.#handshakes.get(key)?.sinceMs ?? this.nowMs()
    this.#handshakes.delete(key)
    const client = endpoint(socket.remoteAddress, socket.remotePort)
    const local = endpoint(socket.localAddress, socket.localPort)
    const connection = this.#speaker.serve({ socket, client, local, openedAtMs }, this)
    this.#order.add(connection)
    socket.once('close', () => {
      if (!this.#evicted.delete(connection)) this.#order.remove(connection)
    })
    if (this.#finishing) connection.finish()
  }

  touched(connection: OpenConnection): void {
    if (!this.#evicted.has(connection)) this.#order.touch(connection)
  }

  flushLater(connection: Flushed): void {
    if (this.#unflushed.length === 0) setImmediate(() => this.#flush())
    if (this.#unflushed.at(-1) !== connection) this.#unflushed.push(connection)
  }

  #flush(): void {
    const unflushed = this.#unflushed
    this.#unflushed = []
    for (const connection of unflushed) connection.flush()
  }

  #sweepLater(): void {
    this.#sweepTimer = this.#clock.after(SWEEP_MS, () => {
      this.#sweepTimer = undefined
      const nowMs = this.nowMs()
      const idleMs = idleLimitMs(this.limits, this.#sockets.size)
      for (const [key, { socket, sinceMs }] of this.#handshakes) {
        if (nowMs - sinceMs < this.limits.firstReadTimeoutMs) break
        this.#endHandshake(key, socket, 'tcp-first-read-timeout')
      }
      for (const connection of this.#order) connection.check(nowMs, idleMs)
      if (this.#sockets.size > 0) this.#sweepLater()
    })
  }

  /** Every connection answers what it has read, then ends. */
  finish(): void {
    this.#finishing = true
    for (const connection of this.#order) connection.finish()
  }

  /** Closes everything at once. */
  abort(): void {
    this.#finishing = true
    this.#sweepTimer?.cancel()
    for (const socket of this.#sockets) socket.destroy()
    for (const connection of this.#order) connection.close()
  }
}

/** The same of a raw socket and the TLS socket over it, and of no other connection of a listener. */
const peerKey = ({ remoteAddress, remotePort, localAddress }: Socket): string =>
  `${remoteAddress} ${remotePort} ${localAddress}`

function endpoint(address = '', port = 0): Endpoint {
  const [host = '', zone] = address.split('%')
  const ip = parseIp(host)
  return { address: ip && zone === undefined ? ip.text : address, port, family: ip?.family ?? 4 }
}
