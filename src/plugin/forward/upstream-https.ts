// Connections to one upstream over HTTPS (RFC 8484), always HTTP/2: one is kept and shared by all questions; another is
// opened only while that one has as many as it takes, or is silent. Questions have the ID 0, and a stream of their own tells
// replies apart.

import type { ClientHttp2Session, ClientHttp2Stream } from 'node:http2'
import type { TLSSocket } from 'node:tls'
import type { Timer } from '../../shared/clock.ts'
import { lazy } from '../../shared/lazy.ts'
import { MESSAGE_MAX } from '../../wire/header.ts'
import { copyAsked } from './asked.ts'
import { addressText, type DohMethod, type UpstreamAddress } from './config.ts'
import { errorText, type Operation, operationText, timeoutText } from './error-text.ts'
import { Hearing } from './hearing.ts'
import { CONNECT_TIMEOUT_MS, STOPPED, type StreamAsker, type StreamLine, type StreamPool } from './stream.ts'
import { type TcpOptions, tlsOptions, tooMany } from './upstream-tcp.ts'

/** Connections to one upstream, on one serving thread. */
export const HTTPS_CONNECTIONS_MAX = 4
/** Questions on one connection: what every server should take (RFC 9113 6.5.2), and often all that it takes. */
export const STREAMS_MAX = 100
const PATH = '/dns-query'
const TYPE = 'application/dns-message'

export interface HttpsOptions extends TcpOptions {
  readonly method: DohMethod
}

/** The connections to one upstream. */
export class HttpsPool implements StreamPool {
  readonly #options: HttpsOptions
  readonly #connections = new Set<HttpsConnection>()
  #session: Buffer | undefined
  #isStopped = false

  constructor(options: HttpsOptions) {
    this.#options = options
  }

  ask(asker: StreamAsker): void {
    if (this.#isStopped) {
      asker.streamFailed(STOPPED, false)
      return
    }
    const known = this.#take()
    if (known === undefined && this.#connections.size >= HTTPS_CONNECTIONS_MAX) {
      asker.streamFailed(failureText(this.#options, tooMany(this.#options.remote)), false)
      return
    }
    this.#options.taken(known !== undefined)
    const connection = known ?? this.#open()
    connection.ask(asker)
  }

  stop(): void {
    this.#isStopped = true
    for (const connection of this.#connections) connection.close(STOPPED)
  }

  #take(): HttpsConnection | undefined {
    const nowMs = this.#options.clock.nowMs()
    let best: HttpsConnection | undefined
    for (const connection of this.#connections) {
      if (connection.isWorn) connection.retire()
      else if (connection.isSilent(nowMs)) connection.closeIdle()
      else if (!connection.isFull) best ??= connection
    }
    return best
  }

  #open(): HttpsConnection {
    const { remote, secureContext, sourceAddress } = this.#options
    const socket = lazy.tls.connect({
      host: remote.address,
      port: remote.port,
      ...(sourceAddress !== undefined && { localAddress: sourceAddress }),
      ...tlsOptions(remote, secureContext, this.#session),
      ALPNProtocols: ['h2'],
    })
    socket.on('session', (session: Buffer) => {
      this.#session = session
    })
    const connection = new HttpsConnection(socket, this.#options, () => this.#connections.delete(connection))
    this.#connections.add(connection)
    return connection
  }
}

/**
 * What failed, in the words of Go's HTTP client, which operators of CoreDNS filter by; that the server stops is said as it is.
 */
function failureText({ method, remote }: HttpsOptions, text: string): string {
  if (text === STOPPED) return text
  return `${method === 'GET' ? 'Get' : 'Post'} "https://${addressText(remote)}${PATH}": ${text}`
}

class HttpsConnection implements StreamLine {
  readonly #socket: TLSSocket
  readonly #session: ClientHttp2Session
  readonly #options: HttpsOptions
  readonly #closed: () => void
  readonly #openedAtMs: number
  readonly #hearing: Hearing
  readonly #asking = new Map<StreamAsker, ClientHttp2Stream>()
  #isReady = false
  #isOpen = true
  #isDoubtful = false
  #timer: Timer

  constructor(socket: TLSSocket, options: HttpsOptions, closed: () => void) {
    const { clock, remote } = options
    this.#socket = socket
    this.#options = options
    this.#closed = closed
    this.#openedAtMs = clock.nowMs()
    this.#hearing = new Hearing(this.#openedAtMs)
    this.#timer = clock.after(CONNECT_TIMEOUT_MS, () => this.close(timeoutText(this.#operation())))
    const failed = (error: Error): void => this.close(errorText(this.#operation(), error))
    // Before HTTP/2 has it, which hides it behind errors of its own.
    socket.on('error', failed)
    socket.once('secureConnect', () => this.#connected())
    this.#session = lazy.http2.connect(`https://${authorityOf(remote)}`, {
      createConnection: () => socket,
      settings: { enablePush: false },
    })
    this.#session.unref()
    this.#session.on('error', failed)
    this.#session.on('goaway', () => {
      this.#isDoubtful = true
    })
    this.#session.on('close', () => this.close('EOF'))
  }

  /** Takes no more questions: too old, told so by the upstream, or one of its questions was not answered. */
  get isWorn(): boolean {
    const { maxAgeMs, clock } = this.#options
    const isOld = maxAgeMs > 0 && clock.nowMs() - this.#openedAtMs > maxAgeMs
    return this.#isDoubtful || isOld || this.#session.closed || this.#session.destroyed
  }

  /** Has as many questions as the upstream takes at one moment. */
  get isFull(): boolean {
    const { maxConcurrentStreams = STREAMS_MAX } = this.#isReady ? this.#session.remoteSettings : {}
    return this.#asking.size >= Math.min(STREAMS_MAX, maxConcurrentStreams)
  }

  isSilent(nowMs: number): boolean {
    return this.#isReady && this.#hearing.silentSinceMs(nowMs) < Number.POSITIVE_INFINITY
  }

  ask(asker: StreamAsker): void {
    if (this.#isReady) this.#timer.cancel()
    const { questionOctets } = asker.question
    const octets = new Uint8Array(questionOctets)
    const stream = this.#request(octets.subarray(0, copyAsked(asker.question, asker.edns, 0, octets, 0)))
    asker.line = this
    asker.streamId = 0
    asker.isReused = this.#isReady
    this.#asking.set(asker, stream)
    this.#read(asker, stream)
    if (!this.#isReady) return
    this.#hearing.asked(this.#options.clock.nowMs())
    asker.connected()
  }

  forget(asker: StreamAsker): void {
    const stream = this.#asking.get(asker)
    if (stream && this.#settle(asker, stream) && !stream.closed)
      stream.close(lazy.http2.constants.NGHTTP2_CANCEL)
  }

  expire(asker: StreamAsker): string {
    this.#isDoubtful = true
    const text = failureText(this.#options, timeoutText(this.#operation()))
    this.forget(asker)
    return text
  }

  /** Ends the connection; what waits on it fails with that text. */
  close(text: string): void {
    if (!this.#isOpen) return
    this.#isOpen = false
    this.#timer.cancel()
    this.#closed()
    for (const [asker, stream] of this.#asking)
      this.#fail(asker, stream, text, asker.isReused && text !== STOPPED)
    this.#session.destroy()
    this.#socket.destroy()
  }

  /** Closes an idle connection; one in use is closed once it is not. */
  retire(): void {
    this.#isDoubtful = true
    this.closeIdle()
  }

  closeIdle(): void {
    if (this.#asking.size === 0) this.close('EOF')
  }

  #connected(): void {
    if (this.#socket.alpnProtocol !== 'h2') {
      this.#isReady = true
      this.close(operationText(this.#operation(), 'the server does not speak HTTP/2'))
      return
    }
    this.#isReady = true
    this.#timer.cancel()
    const nowMs = this.#options.clock.nowMs()
    this.#hearing.heard(nowMs)
    if (this.#asking.size > 0) this.#hearing.asked(nowMs)
    for (const asker of this.#asking.keys()) asker.connected()
    if (this.#asking.size === 0) this.#rest()
  }

  #request(packet: Uint8Array): ClientHttp2Stream {
    const { method, remote } = this.#options
    const common = { ':authority': authorityOf(remote), accept: TYPE }
    if (method === 'GET') {
      const query = Buffer.from(packet).toString('base64url')
      return this.#session.request({ ...common, ':path': `${PATH}?dns=${query}` })
    }
    const stream = this.#session.request({
      ...common,
      ':method': 'POST',
      ':path': PATH,
      'content-type': TYPE,
      'content-length': packet.length,
    })
    stream.end(packet)
    return stream
  }

  #read(asker: StreamAsker, stream: ClientHttp2Stream): void {
    const chunks: Uint8Array[] = []
    let length = 0
    let ageSeconds = 0
    const fail = (reason: string): void =>
      this.#fail(asker, stream, operationText(this.#operation(), reason), false)
    stream.once('response', headers => {
      this.#hearing.heard(this.#options.clock.nowMs())
      ageSeconds = Number(headers.age ?? 0) || 0
      if (headers[':status'] !== 200) fail(`HTTP status ${headers[':status']}`)
      else if (!/^application\/dns-message\b/i.test(headers['content-type'] ?? ''))
        fail('the reply is not a DNS message')
    })
    stream.on('data', (chunk: Uint8Array) => {
      length += chunk.length
      if (length > MESSAGE_MAX) fail('the reply is longer than a DNS message')
      else chunks.push(chunk)
    })
    stream.once('end', () => {
      if (chunks.length === 0) fail('the reply is empty')
      else if (this.#settle(asker, stream))
        asker.streamReply(chunks.length === 1 ? chunks[0]! : Buffer.concat(chunks), 0, length, ageSeconds)
    })
    // What the upstream refused, it has not looked at (RFC 9113 8.7).
    stream.once('error', error => {
      const isRefused = stream.rstCode === lazy.http2.constants.NGHTTP2_REFUSED_STREAM
      this.#fail(asker, stream, errorText(this.#operation(), error), isRefused)
    })
    stream.once('close', () => fail('EOF'))
  }

  #fail(asker: StreamAsker, stream: ClientHttp2Stream, text: string, isStale: boolean): void {
    if (!this.#settle(asker, stream)) return
    if (!stream.closed) stream.close(lazy.http2.constants.NGHTTP2_CANCEL)
    asker.streamFailed(failureText(this.#options, text), isStale)
  }

  /** False where it is settled already, and the asker may be on another stream. */
  #settle(asker: StreamAsker, stream: ClientHttp2Stream): boolean {
    if (this.#asking.get(asker) !== stream) return false
    this.#asking.delete(asker)
    asker.line = undefined
    if (this.#asking.size === 0 && this.#isOpen && this.#isReady) this.#rest()
    return true
  }

  #rest(): void {
    if (this.isWorn) {
      this.retire()
      return
    }
    const { clock, expireMs } = this.#options
    this.#timer.cancel()
    this.#timer = clock.after(expireMs, () => this.retire())
  }

  /** What is being done: connecting at first. */
  #operation(): Operation {
    const { remote } = this.#options
    if (!this.#isReady) return { verb: 'dial', protocol: 'tcp', remote }
    const { localAddress: address, localPort: port } = this.#socket
    const local = address === undefined || port === undefined ? undefined : { address, port }
    return { verb: 'read', protocol: 'tcp', local, remote }
  }
}

/** What the upstream is called in its URL: the name that its certificate must have, or its address. */
function authorityOf({ serverName, address, port }: UpstreamAddress): string {
  const host = serverName ?? (address.includes(':') ? `[${address}]` : address)
  return port === 443 ? host : `${host}:${port}`
}
