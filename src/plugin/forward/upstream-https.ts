// Connections to one upstream over HTTPS (RFC 8484), always HTTP/2: one is kept and shared by all questions; another is
// opened only while that one has as many as it takes. Questions have the ID 0, and a stream of their own tells replies apart.

import type { ClientHttp2Session, ClientHttp2Stream } from 'node:http2'
import type { TLSSocket } from 'node:tls'
import type { Timer } from '../../shared/clock.ts'
import { lazy } from '../../shared/lazy.ts'
import { MESSAGE_MAX } from '../../wire/header.ts'
import { addressText, type DohMethod, type UpstreamAddress } from './config.ts'
import { errorText, type Operation, operationText, timeoutText } from './error-text.ts'
import {
  CONNECT_TIMEOUT_MS,
  STOPPED,
  type StreamPool,
  type StreamResult,
  type TcpOptions,
  tlsOptions,
  tooMany,
} from './upstream-tcp.ts'

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
  /** What fails where a question does, in the words of Go's HTTP client, which operators of CoreDNS filter by. */
  readonly #what: string
  #session: Buffer | undefined
  #stopped = false

  constructor(options: HttpsOptions) {
    this.#options = options
    this.#what = `${options.method === 'GET' ? 'Get' : 'Post'} "https://${addressText(options.remote)}${PATH}"`
  }

  async ask(packet: Uint8Array, limitMs: number): Promise<StreamResult> {
    if (this.#stopped) return { failure: STOPPED, stale: false }
    const connection = this.#take()
    const result = connection ? await connection.ask(packet, limitMs) : tooMany(this.#options.remote)
    if (!('failure' in result) || result.failure === STOPPED) return result
    return { ...result, failure: `${this.#what}: ${result.failure}` }
  }

  stop(): void {
    this.#stopped = true
    for (const connection of this.#connections) connection.close(STOPPED)
  }

  #take(): HttpsConnection | undefined {
    for (const connection of this.#connections) if (connection.worn) connection.retire()
    const known = [...this.#connections].find(({ worn, isFull }) => !worn && !isFull)
    if (known === undefined && this.#connections.size >= HTTPS_CONNECTIONS_MAX) return undefined
    this.#options.taken(known !== undefined)
    return known ?? this.#open()
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

/** A question whose reply is waited for. */
interface Asking {
  readonly stream: ClientHttp2Stream
  readonly deadlineMs: number
  readonly settle: (result: StreamResult) => void
  readonly reused: boolean
  /** Until the connection stands it is the whole time that the question has. */
  timer: Timer
}

class HttpsConnection {
  readonly #socket: TLSSocket
  readonly #session: ClientHttp2Session
  readonly #options: HttpsOptions
  readonly #closed: () => void
  readonly #openedAtMs: number
  readonly #asking = new Set<Asking>()
  #ready = false
  #open = true
  #doubtful = false
  #timer: Timer

  constructor(socket: TLSSocket, options: HttpsOptions, closed: () => void) {
    const { clock, remote } = options
    this.#socket = socket
    this.#options = options
    this.#closed = closed
    this.#openedAtMs = clock.nowMs()
    const dial: Operation = { verb: 'dial', protocol: 'tcp', remote }
    this.#timer = clock.after(CONNECT_TIMEOUT_MS, () => this.close(timeoutText(dial)))
    const failed = (error: Error): void =>
      this.close(errorText(this.#ready ? this.#operation() : dial, error))
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
      this.#doubtful = true
    })
    this.#session.on('close', () => this.close('EOF'))
  }

  /** Takes no more questions: too old, told so by the upstream, or one of its questions was not answered. */
  get worn(): boolean {
    const { maxAgeMs, clock } = this.#options
    const old = maxAgeMs > 0 && clock.nowMs() - this.#openedAtMs > maxAgeMs
    return this.#doubtful || old || this.#session.closed || this.#session.destroyed
  }

  /** Has as many questions as the upstream takes at one moment. */
  get isFull(): boolean {
    const { maxConcurrentStreams = STREAMS_MAX } = this.#ready ? this.#session.remoteSettings : {}
    return this.#asking.size >= Math.min(STREAMS_MAX, maxConcurrentStreams)
  }

  ask(packet: Uint8Array, limitMs: number): Promise<StreamResult> {
    const { clock } = this.#options
    if (this.#ready) this.#timer.cancel()
    return new Promise(settle => {
      const stream = this.#request(packet)
      const deadlineMs = clock.nowMs() + limitMs
      const timer = clock.after(limitMs, () => this.#expire(asking))
      const asking: Asking = { stream, timer, settle, deadlineMs, reused: this.#ready }
      this.#asking.add(asking)
      if (this.#ready) this.#await(asking)
      this.#read(asking, packet)
    })
  }

  /** Ends the connection; what waits on it fails with that text. */
  close(text: string): void {
    if (!this.#open) return
    this.#open = false
    this.#timer.cancel()
    this.#closed()
    for (const asking of this.#asking) this.#fail(asking, text, asking.reused && text !== STOPPED)
    this.#session.destroy()
    this.#socket.destroy()
  }

  /** Closes an idle connection; one in use is closed once it is not. */
  retire(): void {
    if (this.#asking.size === 0) this.close('EOF')
  }

  #connected(): void {
    if (this.#socket.alpnProtocol !== 'h2') {
      this.close(operationText(this.#operation(), 'the server does not speak HTTP/2'))
      return
    }
    this.#ready = true
    this.#timer.cancel()
    for (const asking of this.#asking) this.#await(asking)
    if (this.#asking.size === 0) this.#rest()
  }

  /** From now on the upstream has its time to answer. */
  #await(asking: Asking): void {
    const { clock, readTimeoutMs } = this.#options
    asking.timer.cancel()
    const leftMs = Math.max(0, Math.min(readTimeoutMs, asking.deadlineMs - clock.nowMs()))
    asking.timer = clock.after(leftMs, () => this.#expire(asking))
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

  #read(asking: Asking, sent: Uint8Array): void {
    const { stream } = asking
    const chunks: Uint8Array[] = []
    let length = 0
    let ageSeconds = 0
    const fail = (reason: string): void => this.#fail(asking, operationText(this.#operation(), reason))
    stream.once('response', headers => {
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
      if (chunks.length > 0)
        this.#settle(asking, { octets: Uint8Array.from(Buffer.concat(chunks)), sent, ageSeconds })
      else fail('the reply is empty')
    })
    // What the upstream refused, it has not looked at (RFC 9113 8.7).
    stream.once('error', error => {
      const refused = stream.rstCode === lazy.http2.constants.NGHTTP2_REFUSED_STREAM
      this.#fail(asking, errorText(this.#operation(), error), refused)
    })
    stream.once('close', () => fail('EOF'))
  }

  /** The connection may still answer the questions it has. */
  #expire(asking: Asking): void {
    this.#doubtful = true
    const dial: Operation = { verb: 'dial', protocol: 'tcp', remote: this.#options.remote }
    this.#fail(asking, timeoutText(this.#ready ? this.#operation() : dial))
    this.retire()
  }

  #fail(asking: Asking, failure: string, stale = false): void {
    if (this.#settle(asking, { failure, stale }) && !asking.stream.closed)
      asking.stream.close(lazy.http2.constants.NGHTTP2_CANCEL)
  }

  /** False where it is settled already. */
  #settle(asking: Asking, result: StreamResult): boolean {
    if (!this.#asking.delete(asking)) return false
    asking.timer.cancel()
    asking.settle(result)
    if (this.#asking.size === 0 && this.#open && this.#ready) this.#rest()
    return true
  }

  #rest(): void {
    if (this.worn) {
      this.retire()
      return
    }
    const { clock, expireMs } = this.#options
    this.#timer.cancel()
    this.#timer = clock.after(expireMs, () => this.retire())
  }

  #operation(): Operation {
    const { localAddress: address, localPort: port } = this.#socket
    const local = address === undefined || port === undefined ? undefined : { address, port }
    return { verb: 'read', protocol: 'tcp', local, remote: this.#options.remote }
  }
}

/** What the upstream is called in its URL: the name that its certificate must have, or its address. */
function authorityOf({ serverName, address, port }: UpstreamAddress): string {
  const host = serverName ?? (address.includes(':') ? `[${address}]` : address)
  return port === 443 ? host : `${host}:${port}`
}
