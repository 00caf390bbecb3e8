// What TCP and TLS listeners share: accepting within bounds, the timeouts of all connections by one coarse
// timer, drain and close. Opened by tcp.ts and tls.ts.

import type { Server, Socket } from 'node:net'
import type { Endpoint } from '../query/query.ts'
import type { Timer } from '../shared/clock.ts'
import { parseIp } from '../shared/ip.ts'
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
import { STREAM_OUT_OCTETS, StreamConnection, type StreamShared } from './stream-connection.ts'
import { idleLimitMs, STREAM_LIMITS, type StreamLimits } from './stream-limits.ts'
import { StreamOrder } from './stream-order.ts'

/** What listenTcp and listenTls take beyond every listener's options. */
export interface StreamOptions extends ListenOptions {
  readonly limits?: Partial<StreamLimits>
  /** Whether other threads may share the port; where the system cannot, they may not. */
  readonly reusePort?: boolean
}

/** An open TCP or TLS listener. */
export interface StreamListener extends Listener {
  /** Connections now, those in a TLS handshake and those on their way out included. */
  readonly connections: number
}

/** How a transport makes a server; it hands each connection to the two functions of `Connections`. */
export type MakeServer = (connections: Connections) => Server

const SWEEP_MS = 500
const BACKLOG = 1024

/** Opens servers on `address`; an error is a value. Never throws. */
export async function listenStream(
  transport: 'tcp' | 'tls',
  options: StreamOptions,
  makeServer: MakeServer,
): Promise<ListenResult<StreamListener>> {
  const connections = new Connections(transport, options)
  const opened = await openParts(bindParts(options.address), options.port, (part, port) =>
    OpenServer.open(options, makeServer(connections), part, port),
  )
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
    options: StreamOptions,
    server: Server,
    part: BindPart,
    port: number,
  ): Promise<OpenServer | ListenError> {
    const reusePort = REUSE_PORT && options.reusePort !== false
    const ipv6Only = part.family === 6
    return new Promise(resolve => {
      server.once('error', cause => resolve(new ListenError('tcp', part.address, port, codeOf(cause), cause)))
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

/** All connections of one listener. */
export class Connections implements StreamShared {
  readonly transport: 'tcp' | 'tls'
  readonly responder
  readonly admission
  readonly count
  readonly limits: StreamLimits
  readonly out = new Uint8Array(STREAM_OUT_OCTETS)
  readonly #clock
  readonly #order = new StreamOrder()
  /** What the kernel knows as a connection, by the raw socket; of TLS also those in a handshake. */
  readonly #sockets = new Set<Socket>()
  readonly #perClient = new Map<string, number>()
  /** Closed to make room, but not gone yet. */
  readonly #evicted = new Set<StreamConnection>()
  #unflushed: StreamConnection[] = []
  readonly #onEmpty: (() => void)[] = []
  #sweepTimer: Timer | undefined
  #finishing = false

  constructor(transport: 'tcp' | 'tls', options: StreamOptions) {
    this.transport = transport
    this.responder = options.responder
    this.admission = options.admission
    this.count = options.count
    this.limits = { ...STREAM_LIMITS, ...options.limits }
    this.#clock = options.clock
  }

  get size(): number {
    return this.#sockets.size
  }

  nowMs(): number {
    return this.#clock.nowMs()
  }

  /** Takes a connection in, or destroys it where it breaks a bound. To be called before `serve`. */
  admit(socket: Socket): boolean {
    const refusal = this.#refusal(socket)
    if (refusal !== undefined) {
      if (refusal !== '') this.count(refusal)
      socket.on('error', () => this.count('tcp-connection-error'))
      socket.destroy()
      return false
    }
    const client = socket.remoteAddress ?? ''
    this.count('tcp-accepted')
    this.#sockets.add(socket)
    this.#perClient.set(client, (this.#perClient.get(client) ?? 0) + 1)
    socket.once('close', () => this.#release(socket, client))
    if (!this.#sweepTimer) this.#sweepLater()
    return true
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

  /** Closes the connection that has been idle for longest; false where none is. */
  #evict(): boolean {
    for (const connection of this.#order) {
      if (!connection.idle) continue
      this.count('tcp-evicted-idle')
      this.#order.remove(connection)
      this.#evicted.add(connection)
      connection.close()
      return true
    }
    return false
  }

  #release(socket: Socket, client: string): void {
    this.#sockets.delete(socket)
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

  /** Reads queries from the socket: an admitted one, or the TLS socket over it. */
  serve(socket: Socket): void {
    const client = endpoint(socket.remoteAddress, socket.remotePort)
    const local = endpoint(socket.localAddress, socket.localPort)
    const connection = new StreamConnection(socket, this, client, local, this.nowMs())
    this.#order.add(connection)
    socket.once('close', () => {
      if (!this.#evicted.delete(connection)) this.#order.remove(connection)
    })
    if (this.#finishing) connection.finish()
  }

  touched(connection: StreamConnection): void {
    if (!this.#evicted.has(connection)) this.#order.touch(connection)
  }

  flushLater(connection: StreamConnection): void {
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

function endpoint(address = '', port = 0): Endpoint {
  const [host = '', zone] = address.split('%')
  const ip = parseIp(host)
  return { address: ip && zone === undefined ? ip.text : address, port, family: ip?.family ?? 4 }
}
