// Connections to one upstream over TCP or TLS (RFC 7766, RFC 7858). Questions share few of them, and their replies come in any
// order: told apart by ID, and checked against the question.
//
//   few questions under way     shared (SHARED_MAX): a server that answers one after another keeps nobody waiting for long, and
//                               what is asked in one turn leaves together
//   all have that many          another one is opened, up to CONNECTIONS_MAX; then all are shared up to PIPELINE_MAX
//   silent                      where one has said nothing for long although it was asked, it is passed over, and with it all
//                               that were not heard since: behind a firewall that forgot them, all are dead at once

import { type Socket, type TcpNetConnectOpts, connect as tcpConnect } from 'node:net'
import type { ConnectionOptions, SecureContext } from 'node:tls'
import { Carry, LENGTH_OCTETS } from '../../listen/frame.ts'
import type { Clock, Timer } from '../../shared/clock.ts'
import { familyOf } from '../../shared/ip.ts'
import { lazy } from '../../shared/lazy.ts'
import { readU16, writeU16 } from '../../wire/header.ts'
import { copyAsked } from './asked.ts'
import type { UpstreamAddress } from './config.ts'
import { draw } from './draw.ts'
import { errorText, type Operation, operationText, timeoutText } from './error-text.ts'
import { Hearing, SILENT_MS } from './hearing.ts'
import {
  CONNECT_TIMEOUT_MS,
  CONNECTIONS_MAX,
  STOPPED,
  type StreamAsker,
  type StreamLine,
  type StreamPool,
} from './stream.ts'

/** Questions on a connection before another one is opened. */
export const SHARED_MAX = 8
/** Questions on a connection at all. */
export const PIPELINE_MAX = 128
/** Messages that nobody asked for; a connection with more of them is closed. */
const STRAYS_MAX = 64

export interface TcpOptions {
  readonly remote: UpstreamAddress
  /** Undefined for plain TCP. */
  readonly secureContext: SecureContext | undefined
  readonly sourceAddress: string | undefined
  readonly clock: Clock
  readonly expireMs: number
  readonly maxAgeMs: number
  readonly idleMax: number
  /** Told whether a connection was there already. */
  readonly taken: (reused: boolean) => void
}

/** Connections over TCP or TLS. */
export class ConnectionPool implements StreamPool {
  readonly #options: TcpOptions
  readonly #connections = new Set<Connection>()
  #session: Buffer | undefined
  #isStopped = false
  /** The one that was taken last. */
  #last: Connection | undefined

  constructor(options: TcpOptions) {
    this.#options = options
  }

  /** Connections open or being opened. */
  get size(): number {
    return this.#connections.size
  }

  ask(asker: StreamAsker): void {
    if (this.#isStopped) {
      asker.streamFailed(STOPPED, false)
      return
    }
    const known = this.#last?.takesMore ? this.#last : this.#take()
    if (known === undefined && this.#connections.size >= CONNECTIONS_MAX) {
      asker.streamFailed(tooMany(this.#options.remote), false)
      return
    }
    this.#options.taken(known !== undefined)
    this.#last = known ?? this.#open()
    this.#last.ask(asker)
  }

  stop(): void {
    this.#isStopped = true
    for (const connection of this.#connections) connection.close(STOPPED)
  }

  #take(): Connection | undefined {
    const silentSinceMs = this.#silentSinceMs()
    let fullest: Connection | undefined
    let emptiest: Connection | undefined
    for (const connection of this.#connections) {
      const { load } = connection
      if (connection.isWorn) connection.retire()
      else if (connection.heardMs < silentSinceMs) connection.closeIdle()
      else if (load < SHARED_MAX) fullest = fullest && fullest.load >= load ? fullest : connection
      else if (load < (emptiest?.load ?? PIPELINE_MAX)) emptiest = connection
    }
    return fullest ?? (this.#connections.size < CONNECTIONS_MAX ? undefined : emptiest)
  }

  /** Connections that were not heard since then are not trusted; -Infinity: all are. */
  #silentSinceMs(): number {
    const nowMs = this.#options.clock.nowMs()
    let sinceMs = Number.NEGATIVE_INFINITY
    for (const connection of this.#connections) {
      const silentMs = connection.silentSinceMs(nowMs)
      if (silentMs < Number.POSITIVE_INFINITY) sinceMs = Math.max(sinceMs, silentMs)
    }
    return sinceMs
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
      closed: () => {
        this.#connections.delete(connection)
        if (this.#last === connection) this.#last = undefined
      },
    })
    this.#connections.add(connection)
    return connection
  }

  /** The one that became idle just now goes when there are too many. */
  #trim(): void {
    const { idleMax } = this.#options
    const idle = [...this.#connections].filter(({ isIdle }) => isIdle)
    if (idleMax > 0 && idle.length > idleMax) idle[0]!.retire()
  }
}

/** Why a question fails for which there is no place on any connection. */
export const tooMany = (remote: UpstreamAddress): string =>
  operationText({ verb: 'dial', protocol: 'tcp', remote }, 'too many queries under way')

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
    ...(familyOf(serverName) === 0 && { servername: serverName }),
  }
}

interface Owner {
  readonly idle: () => void
  readonly closed: () => void
}

class Connection implements StreamLine {
  readonly #socket: Socket
  readonly #options: TcpOptions
  readonly #owner: Owner
  readonly #openedAtMs: number
  readonly #hearing: Hearing
  /** Whoever waits, by ID; undefined is somebody who does not any more, while the answer may still come. */
  readonly #askers = new Map<number, StreamAsker | undefined>()
  #waiting = 0
  readonly #carry = new Carry()
  /** Frames that are sent once whoever asks has asked all. */
  #frames: Uint8Array[] = []
  #isReady = false
  #isOpen = true
  #strays = 0
  #isDoubtful = false
  #idleSinceMs = 0
  /** Until the connection stands, and then until it has been idle for too long; it goes on while there are questions. */
  #timer: Timer | undefined

  constructor(socket: Socket, options: TcpOptions, owner: Owner) {
    this.#socket = socket
    this.#options = options
    this.#owner = owner
    this.#openedAtMs = options.clock.nowMs()
    this.#hearing = new Hearing(this.#openedAtMs)
    this.#timer = options.clock.after(CONNECT_TIMEOUT_MS, () => this.close(timeoutText(this.#dial())))
    socket.unref()
    socket.setNoDelay(true)
    socket.once(options.secureContext === undefined ? 'connect' : 'secureConnect', () => this.#connected())
    socket.on('data', octets => this.#read(octets))
    socket.on('error', error =>
      this.close(errorText(this.#isReady ? this.#operation('read') : this.#dial(), error)),
    )
    socket.on('end', () => this.close('EOF'))
    socket.on('close', () => this.close('EOF'))
  }

  /** Whether it may be taken without looking at the others: it has room, and was heard lately. */
  get takesMore(): boolean {
    const nowMs = this.#options.clock.nowMs()
    return this.load < SHARED_MAX && this.#isReady && nowMs - this.heardMs < SILENT_MS && !this.isWorn
  }

  /** Questions to which no reply has come. */
  get load(): number {
    return this.#askers.size
  }

  get isIdle(): boolean {
    return this.#waiting === 0
  }

  /** Takes no more questions: older than a connection may become, or one of its questions was not answered. */
  get isWorn(): boolean {
    const { maxAgeMs, clock } = this.#options
    return this.#isDoubtful || (maxAgeMs > 0 && clock.nowMs() - this.#openedAtMs > maxAgeMs)
  }

  get heardMs(): number {
    return this.#hearing.heardMs
  }

  silentSinceMs(nowMs: number): number {
    return this.#isReady ? this.#hearing.silentSinceMs(nowMs) : Number.POSITIVE_INFINITY
  }

  isSilent(nowMs: number): boolean {
    return this.silentSinceMs(nowMs) < Number.POSITIVE_INFINITY
  }

  ask(asker: StreamAsker): void {
    let id = draw()
    while (this.#askers.has(id)) id = draw()
    asker.line = this
    asker.streamId = id
    asker.isReused = this.#isReady
    this.#askers.set(id, asker)
    this.#waiting++
    const frame = new Uint8Array(LENGTH_OCTETS + asker.question.questionOctets)
    const length = copyAsked(asker.question, asker.edns, id, frame, LENGTH_OCTETS)
    writeU16(frame, 0, length)
    if (this.#frames.push(frame.subarray(0, LENGTH_OCTETS + length)) === 1)
      queueMicrotask(() => this.#flush())
    if (!this.#isReady) return
    this.#hearing.asked(this.#options.clock.nowMs())
    asker.connected()
  }

  #flush(): void {
    const frames = this.#frames
    this.#frames = []
    if (!this.#isOpen) return
    this.#socket.write(frames.length === 1 ? frames[0]! : Buffer.concat(frames))
  }

  forget(asker: StreamAsker): void {
    if (asker.line !== this) return
    asker.line = undefined
    this.#askers.set(asker.streamId, undefined)
    this.#left()
  }

  expire(asker: StreamAsker): string {
    this.#isDoubtful = true
    const text = timeoutText(this.#isReady ? this.#operation('read') : this.#dial())
    this.forget(asker)
    return text
  }

  /** Ends the connection; what waits on it fails with that text. */
  close(text: string): void {
    if (!this.#isOpen) return
    this.#isOpen = false
    this.#timer?.cancel()
    this.#socket.destroy()
    this.#owner.closed()
    const askers = [...this.#askers.values()]
    this.#askers.clear()
    this.#waiting = 0
    for (const asker of askers) {
      if (asker?.line !== this) continue
      asker.line = undefined
      asker.streamFailed(text, asker.isReused && text !== STOPPED)
    }
  }

  /** Closes an idle connection; one in use is closed once it is not. */
  retire(): void {
    this.#isDoubtful = true
    this.closeIdle()
  }

  closeIdle(): void {
    if (this.isIdle) this.close('EOF')
  }

  #connected(): void {
    this.#isReady = true
    this.#timer?.cancel()
    this.#timer = undefined
    const nowMs = this.#options.clock.nowMs()
    this.#hearing.heard(nowMs)
    if (this.#askers.size > 0) this.#hearing.asked(nowMs)
    for (const asker of this.#askers.values()) asker?.connected()
    if (this.isIdle) this.#rest()
  }

  #read(octets: Uint8Array): void {
    this.#hearing.heard(this.#options.clock.nowMs())
    let at = 0
    while (this.#isOpen && at < octets.length) {
      const end = octets.length - at < LENGTH_OCTETS ? Infinity : at + LENGTH_OCTETS + readU16(octets, at)
      if (this.#carry.length === 0 && end <= octets.length) {
        this.#deliver(octets, at + LENGTH_OCTETS, end)
        at = end
        continue
      }
      at += this.#carry.take(octets, at)
      const whole = this.#carry.whole()
      if (!whole) return
      this.#carry.clear()
      this.#deliver(whole, LENGTH_OCTETS, whole.length)
    }
  }

  #deliver(octets: Uint8Array, start: number, end: number): void {
    const id = end - start >= 2 ? readU16(octets, start) : -1
    if (!this.#askers.has(id)) {
      if (++this.#strays > STRAYS_MAX) this.close(operationText(this.#operation('read'), 'unasked messages'))
      return
    }
    const asker = this.#askers.get(id)
    this.#askers.delete(id)
    if (asker === undefined) return
    asker.line = undefined
    asker.streamReply(octets, start, end, 0)
    if (this.#isOpen) this.#left()
  }

  #left(): void {
    if (--this.#waiting === 0) this.#rest()
  }

  #rest(): void {
    if (this.isWorn) {
      this.retire()
      return
    }
    if (!this.#isReady) return
    const { clock, expireMs } = this.#options
    this.#idleSinceMs = clock.nowMs()
    this.#timer ??= clock.after(expireMs, () => this.#expired())
    this.#owner.idle()
  }

  /** Closes the connection if it has been idle for so long; else it is looked at again when it will have been. */
  #expired(): void {
    const { clock, expireMs } = this.#options
    const leftMs = this.isIdle ? this.#idleSinceMs + expireMs - clock.nowMs() : expireMs
    this.#timer = leftMs > 0 ? clock.after(leftMs, () => this.#expired()) : undefined
    if (leftMs <= 0) this.retire()
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
