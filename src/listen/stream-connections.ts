// The connections of one listener: taken in within bounds, handed through the handshake where there is one, the timeouts of
// all by one coarse timer. A new client always gets a place: who holds most loses one.

import type { Socket } from 'node:net'
import { Packet } from '../query/packet.ts'
import type { Endpoint } from '../query/sockaddr.ts'
import type { Clock, Timer } from '../shared/clock.ts'
import { parseIp } from '../shared/ip.ts'
import type { CountListen, ListenEvent } from './events.ts'
import type { Responder } from './responder.ts'
import { idleLimitMs, STREAM_LIMITS, type StreamLimits } from './stream-limits.ts'
import { type Account, CONNECTION_OCTETS, type StreamMemory } from './stream-memory.ts'
import { type OpenConnection, StreamOrder } from './stream-order.ts'
import type { Accepted, Flushed, StreamShared, StreamTransport } from './stream-shared.ts'
import { STREAM_OUT_OCTETS } from './stream-shared.ts'
import { TlsGate, type TlsSettings } from './tls-gate.ts'

/** What may change while a stream listener serves. */
export interface StreamSettings {
  readonly limits?: Partial<StreamLimits> | undefined
  /** Absent: what comes is not encrypted. */
  readonly tls?: TlsSettings | undefined
}

export interface ConnectionsOptions extends StreamSettings {
  readonly responder: Responder
  readonly clock: Clock
  readonly count: CountListen
  /** What the connections of all listeners of the thread keep. */
  readonly memory: StreamMemory
  /** What the tickets of TLS sessions are sealed with: the same on all threads, that any of them can go on with one. */
  readonly ticketSecret?: Uint8Array | undefined
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

/** A connection that is accepted: in its TLS handshake, until it is served. */
interface Place {
  readonly socket: Socket
  readonly sinceMs: number
  readonly account: Account
}

/** All connections of one listener. */
export class Connections implements StreamShared {
  readonly transport: StreamTransport
  readonly responder
  readonly count
  readonly out = new Uint8Array(STREAM_OUT_OCTETS)
  readonly packet = new Packet()
  limits: StreamLimits = STREAM_LIMITS
  readonly #speaker: Speaker
  readonly #clock: Clock
  readonly #memory: StreamMemory
  readonly #ticketSecret: Uint8Array | undefined
  #gate: TlsGate | undefined
  readonly #order = new StreamOrder()
  /** What the kernel knows as a connection, by the raw socket. */
  readonly #sockets = new Set<Socket>()
  /** By `peerKey`, oldest first. */
  readonly #handshakes = new Map<string, Place>()
  readonly #perClient = new Map<string, number>()
  /** Closed to make room, but not gone yet. */
  readonly #evicted = new Set<OpenConnection | Socket>()
  #unflushed: Flushed[] = []
  readonly #onEmpty: (() => void)[] = []
  #sweepTimer: Timer | undefined
  /** When a sweep that is still to come was due; -1 where none is. */
  #sweepAtMs = -1
  #finishing = false

  /** Throws for an unusable certificate or key. */
  constructor(speaker: Speaker, options: ConnectionsOptions) {
    this.transport = speaker.transport
    this.responder = options.responder
    this.count = options.count
    this.#speaker = speaker
    this.#clock = options.clock
    this.#memory = options.memory
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
    this.#perClient.set(client, (this.#perClient.get(client) ?? 0) + 1)
    const account = this.#memory.open(client, {
      stalledSinceMs: -1,
      idle: true,
      abort: () => this.#endHandshake(key, socket, 'tls-evicted-handshake'),
    })
    this.#handshakes.set(key, { socket, sinceMs: this.nowMs(), account })
    socket.once('close', () => {
      account.close()
      this.#handshakes.delete(key)
      this.#release(socket, client)
    })
    if (!this.#sweepTimer) this.#sweepLater()
    // It may cost others their place, or itself.
    account.set(this.#gate ? CONNECTION_OCTETS.encrypted : CONNECTION_OCTETS.plain)
    if (socket.destroyed) return
    if (this.#gate) this.#gate.take(socket)
    else this.#serve(socket)
  }

  #refusal(socket: Socket): 'tcp-refused-client' | 'tcp-refused-total' | '' | undefined {
    const client = socket.remoteAddress
    // The peer may be gone before it is looked at.
    if (client === undefined || this.#finishing) return ''
    if ((this.#perClient.get(client) ?? 0) >= this.limits.connectionsPerClientMax) return 'tcp-refused-client'
    if (this.#sockets.size - this.#evicted.size >= this.limits.connectionsMax && !this.#evict(client))
      return 'tcp-refused-total'
    return undefined
  }

  /**
   * Closes a connection for a new one of that client, of somebody who has more than it has, or its own: of the client with
   * the most the one that has been idle for longest, or its oldest handshake; else whoever's; else, whatever it is about,
   * the oldest of the client with the most. False where nobody has more.
   */
  #evict(client: string): boolean {
    const own = this.#perClient.get(client) ?? 0
    let most = client
    for (const [other, held] of this.#perClient) if (held > (this.#perClient.get(most) ?? 0)) most = other
    const mayLose = (other: string): boolean => other === client || (this.#perClient.get(other) ?? 0) > own
    return (
      this.#evictIdle(other => other === most) ||
      this.#evictIdle(mayLose) ||
      (most !== client && this.#evictBusy(most))
    )
  }

  #evictIdle(mayLose: (client: string) => boolean): boolean {
    for (const connection of this.#order) {
      if (!connection.idle || !mayLose(connection.account.client)) continue
      this.#endConnection(connection, 'tcp-evicted-idle')
      return true
    }
    for (const [key, { socket, account }] of this.#handshakes) {
      if (!mayLose(account.client)) continue
      this.#endHandshake(key, socket, 'tls-evicted-handshake')
      return true
    }
    return false
  }

  #evictBusy(client: string): boolean {
    let victim: OpenConnection | undefined
    for (const connection of this.#order) {
      if (connection.account.client !== client) continue
      victim ??= connection
      if (connection.stalledSinceMs < 0) continue
      victim = connection
      break
    }
    if (victim) this.#endConnection(victim, 'tcp-evicted-busy')
    return victim !== undefined
  }

  #endConnection(connection: OpenConnection, event: ListenEvent): void {
    this.#order.remove(connection)
    this.#evicted.add(connection)
    this.count(event)
    if (event === 'tcp-evicted-idle') connection.close()
    else connection.abort()
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
    const place = this.#handshakes.get(key)
    // It was closed while its handshake ended.
    if (!place) {
      socket.destroy()
      return
    }
    this.#handshakes.delete(key)
    const client = endpoint(socket.remoteAddress, socket.remotePort)
    const local = endpoint(socket.localAddress, socket.localPort)
    const { socket: raw, sinceMs: openedAtMs, account } = place
    const connection = this.#speaker.serve({ socket, raw, client, local, openedAtMs, account }, this)
    account.keeper = connection
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
      if (this.#sweepAtMs < 0) setImmediate(() => this.#sweep())
      this.#sweepAtMs = this.nowMs()
      if (this.#sockets.size > 0) this.#sweepLater()
    })
  }

  /** Behind a look at the sockets: what came while the thread had no processor has come in time. */
  #sweep(): void {
    const nowMs = this.#sweepAtMs
    this.#sweepAtMs = -1
    const idleMs = idleLimitMs(this.limits, this.#sockets.size)
    for (const [key, { socket, sinceMs }] of this.#handshakes) {
      if (nowMs - sinceMs < this.limits.firstReadTimeoutMs) break
      this.#endHandshake(key, socket, 'tcp-first-read-timeout')
    }
    for (const connection of this.#order) connection.check(nowMs, idleMs)
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
