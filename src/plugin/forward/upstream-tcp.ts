// Connections to one upstream over TCP or TLS (RFC 7766, RFC 7858). An idle connection is taken first, then a new one is
// opened, and only when there are CONNECTIONS_MAX of them do queries share one (RFC 7766 6.2.1.1); replies are told apart
// by ID and checked against the question.

import { isIP, type Socket, type TcpNetConnectOpts, connect as tcpConnect } from 'node:net'
import type { ConnectionOptions, SecureContext } from 'node:tls'
import type { Clock, Timer } from '../../shared/clock.ts'
import { lazy } from '../../shared/lazy.ts'
import { readU16, writeU16 } from '../../wire/header.ts'
import type { UpstreamAddress } from './config.ts'
import { errorText, type Operation, operationText, timeoutText } from './error-text.ts'

/** Connections to one upstream, on one serving thread. */
export const CONNECTIONS_MAX = 32
/** Queries that share a connection. */
export const PIPELINE_MAX = 128
/** How long connecting may take, the TLS handshake included. */
export const CONNECT_TIMEOUT_MS = 2000
/** Messages that nobody waits for; a connection with more of them is closed. */
const STRAYS_MAX = 64
/** Why queries fail while the server stops. */
export const STOPPED = 'proxy: transport stopped'

export interface TcpOptions {
  readonly remote: UpstreamAddress
  /** Undefined for plain TCP. */
  readonly secureContext: SecureContext | undefined
  readonly sourceAddress: string | undefined
  readonly clock: Clock
  readonly expireMs: number
  readonly maxAgeMs: number
  readonly idleMax: number
  readonly readTimeoutMs: number
  /** Told whether a connection was there already. */
  readonly taken: (reused: boolean) => void
}

/** What came of a query: a message, or why none came. `stale`: the upstream closed a connection that had been idle. */
export type StreamResult =
  | {
      readonly octets: Uint8Array
      readonly sent: Uint8Array
      /** How long a cache on the way has had it (RFC 9111 5.1); none where absent. */
      readonly ageSeconds?: number
    }
  | { readonly failure: string; readonly stale: boolean }

interface Waiting {
  readonly sent: Uint8Array
  readonly reused: boolean
  readonly deadlineMs: number
  readonly settle: (result: StreamResult) => void
  timer: Timer
}

/** The connections to one upstream, whatever is spoken on them. */
export interface StreamPool {
  /** Sends the packet, perhaps with another ID; the result comes within `limitMs`. */
  ask(packet: Uint8Array, limitMs: number): Promise<StreamResult>
  /** Closes all connections; what waits on them fails. */
  stop(): void
}

/** Connections over TCP or TLS. */
export class ConnectionPool implements StreamPool {
  readonly #options: TcpOptions
  readonly #connections = new Set<Connection>()
  #session: Buffer | undefined
  #stopped = false

  constructor(options: TcpOptions) {
    this.#options = options
  }

  /** Connections open or being opened. */
  get size(): number {
    return this.#connections.size
  }

  ask(packet: Uint8Array, limitMs: number): Promise<StreamResult> {
    if (this.#stopped) return Promise.resolve({ failure: STOPPED, stale: false })
    const connection = this.#take()
    return connection?.ask(packet, limitMs) ?? Promise.resolve(tooMany(this.#options.remote))
  }

  stop(): void {
    this.#stopped = true
    for (const connection of this.#connections) connection.close(STOPPED)
  }

  #take(): Connection | undefined {
    let idle: Connection | undefined
    let shared: Connection | undefined
    for (const connection of this.#connections) {
      if (connection.worn) connection.retire()
      else if (connection.load === 0) idle = connection
      else if (connection.load < (shared?.load ?? PIPELINE_MAX)) shared = connection
    }
    const known = idle ?? (this.#connections.size >= CONNECTIONS_MAX ? shared : undefined)
    if (known === undefined && this.#connections.size >= CONNECTIONS_MAX) return undefined
    this.#options.taken(known !== undefined)
    return known ?? this.#open()
  }

  #open(): Connection {
    const { remote, secureContext, sourceAddress } = this.#options
    const where: TcpNetConnectOpts = {
      host: remote.address,
      port: remote.port,
      ...(sourceAddress !== undefined && { localAddress: sourceAddress }),
    }
    const socket =
      secureContext === undefined
        ? tcpConnect(where)
        : lazy.tls.connect({ ...where, ...tlsOptions(remote, secureContext, this.#session) })
    socket.on('session', (session: Buffer) => {
      this.#session = session
    })
    const connection = new Connection(socket, this.#options, {
      idle: () => this.#trim(),
      closed: () => this.#connections.delete(connection),
    })
    this.#connections.add(connection)
    return connection
  }

  /** The one that became idle just now goes when there are too many. */
  #trim(): void {
    const { idleMax } = this.#options
    const idle = [...this.#connections].filter(({ load }) => load === 0)
    if (idleMax > 0 && idle.length > idleMax) idle[0]!.retire()
  }
}

/** Why a query fails for which there is no place on any connection. */
export const tooMany = (remote: UpstreamAddress): StreamResult => ({
  failure: operationText({ verb: 'dial', protocol: 'tcp', remote }, 'too many queries under way'),
  stale: false,
})

/** How the TLS handshake with an upstream is made; `session` is one to go on with. */
export function tlsOptions(
  { address, serverName = address }: UpstreamAddress,
  secureContext: SecureContext | undefined,
  session: Buffer | undefined,
): ConnectionOptions {
  return {
    ...(secureContext && { secureContext }),
    checkServerIdentity: (_, certificate) => lazy.tls.checkServerIdentity(serverName, certificate),
    ...(session && { session }),
    ...(isIP(serverName) === 0 && { servername: serverName }),
  }
}

interface Owner {
  readonly idle: () => void
  readonly closed: () => void
}

class Connection {
  readonly #socket: Socket
  readonly #options: TcpOptions
  readonly #owner: Owner
  readonly #openedAtMs: number
  readonly #waiting = new Map<number, Waiting>()
  #rest: Uint8Array = new Uint8Array(0)
  #ready = false
  #open = true
  #strays = 0
  #doubtful = false
  #timer: Timer

  constructor(socket: Socket, options: TcpOptions, owner: Owner) {
    this.#socket = socket
    this.#options = options
    this.#owner = owner
    this.#openedAtMs = options.clock.nowMs()
    const dial: Operation = { verb: 'dial', protocol: 'tcp', remote: options.remote }
    this.#timer = options.clock.after(CONNECT_TIMEOUT_MS, () => this.close(timeoutText(dial)))
    socket.unref()
    socket.setNoDelay(true)
    socket.once(options.secureContext === undefined ? 'connect' : 'secureConnect', () => this.#connected())
    socket.on('data', octets => this.#read(octets))
    socket.on('error', error => this.close(errorText(this.#ready ? this.#operation('read') : dial, error)))
    socket.on('end', () => this.close('EOF'))
    socket.on('close', () => this.close('EOF'))
  }

  /** Queries that wait for their replies. */
  get load(): number {
    return this.#waiting.size
  }

  /** Takes no more queries: older than a connection may become, or one of its queries was not answered. */
  get worn(): boolean {
    const { maxAgeMs, clock } = this.#options
    return this.#doubtful || (maxAgeMs > 0 && clock.nowMs() - this.#openedAtMs > maxAgeMs)
  }

  ask(packet: Uint8Array, limitMs: number): Promise<StreamResult> {
    return new Promise(resolve => {
      let id = lazy.crypto.randomInt(65536)
      while (this.#waiting.has(id)) id = lazy.crypto.randomInt(65536)
      const sent = packet.slice()
      writeU16(sent, 0, id)
      const { clock, readTimeoutMs } = this.#options
      const deadlineMs = clock.nowMs() + limitMs
      if (this.#ready) this.#timer.cancel()
      this.#waiting.set(id, {
        sent,
        reused: this.#ready,
        deadlineMs,
        settle: resolve,
        timer: clock.after(this.#ready ? Math.min(readTimeoutMs, limitMs) : limitMs, () => this.#expire(id)),
      })
      const framed = new Uint8Array(sent.length + 2)
      writeU16(framed, 0, sent.length)
      framed.set(sent, 2)
      this.#socket.write(framed)
    })
  }

  /** Ends the connection; what waits on it fails with that text. */
  close(text: string): void {
    if (!this.#open) return
    this.#open = false
    this.#timer.cancel()
    this.#socket.destroy()
    this.#owner.closed()
    for (const { settle, timer, reused } of this.#waiting.values()) {
      timer.cancel()
      settle({ failure: text, stale: reused && text !== STOPPED })
    }
    this.#waiting.clear()
  }

  /** Closes an idle connection; one in use is closed once it is not. */
  retire(): void {
    if (this.load === 0) this.close('EOF')
  }

  #connected(): void {
    this.#ready = true
    this.#timer.cancel()
    const { clock, readTimeoutMs } = this.#options
    for (const [id, waiting] of this.#waiting) {
      waiting.timer.cancel()
      const leftMs = Math.max(0, waiting.deadlineMs - clock.nowMs())
      waiting.timer = clock.after(Math.min(readTimeoutMs, leftMs), () => this.#expire(id))
    }
    if (this.load === 0) this.#rested()
  }

  #read(octets: Uint8Array): void {
    let rest = this.#rest.length === 0 ? octets : Buffer.concat([this.#rest, octets])
    while (this.#open && rest.length >= 2) {
      const end = 2 + readU16(rest, 0)
      if (rest.length < end) break
      this.#deliver(new Uint8Array(rest.subarray(2, end)))
      rest = rest.subarray(end)
    }
    this.#rest = this.#open ? Uint8Array.from(rest) : new Uint8Array(0)
  }

  #deliver(octets: Uint8Array): void {
    const id = octets.length >= 2 ? readU16(octets, 0) : -1
    const waiting = this.#waiting.get(id)
    if (waiting === undefined) {
      if (++this.#strays > STRAYS_MAX) this.close(operationText(this.#operation('read'), 'unasked messages'))
      return
    }
    waiting.timer.cancel()
    this.#waiting.delete(id)
    waiting.settle({ octets, sent: waiting.sent })
    if (this.load === 0) this.#rested()
  }

  /** The connection may still answer the queries it has. */
  #expire(id: number): void {
    const waiting = this.#waiting.get(id)
    if (waiting === undefined) return
    this.#waiting.delete(id)
    this.#doubtful = true
    waiting.settle({
      failure: timeoutText(this.#ready ? this.#operation('read') : this.#dial()),
      stale: false,
    })
    this.retire()
  }

  #rested(): void {
    if (this.worn) {
      this.retire()
      return
    }
    const { clock, expireMs } = this.#options
    this.#timer.cancel()
    this.#timer = clock.after(expireMs, () => this.retire())
    this.#owner.idle()
  }

  #dial(): Operation {
    return { verb: 'dial', protocol: 'tcp', remote: this.#options.remote }
  }

  #operation(verb: Operation['verb']): Operation {
    const { localAddress, localPort } = this.#socket
    const local =
      localAddress === undefined || localPort === undefined
        ? undefined
        : { address: localAddress, port: localPort }
    return { verb, protocol: 'tcp', local, remote: this.#options.remote }
  }
}
