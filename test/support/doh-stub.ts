// A DNS server over HTTPS (HTTP/2 alone) that does what a test tells it: it keeps what it was asked, and answers with any
// status, headers and octets. What the answers are made of is upstream-stub.ts's.

import { once } from 'node:events'
import {
  createSecureServer,
  type Http2SecureServer,
  type IncomingHttpHeaders,
  type ServerHttp2Session,
  type ServerHttp2Stream,
} from 'node:http2'
import type { Certificate } from './certificates.ts'
import { decodeMessage } from './dns-message.ts'
import { type Asked, a, nameOf, replyTo } from './upstream-stub.ts'

/** A query as it came. */
export interface DohAsked extends Asked {
  readonly headers: IncomingHttpHeaders
}

/** The way back to whoever asked. */
export interface DohBack {
  /** 200 and the message, or what the headers say otherwise. */
  send(octets: Uint8Array, headers?: Readonly<Record<string, string | number>>): void
  readonly stream: ServerHttp2Stream
  readonly session: ServerHttp2Session
}

export type DohScript = (asked: DohAsked, back: DohBack) => void

/** Answers any question with one A record. */
export const answerOverHttps: DohScript = (asked, back) =>
  back.send(replyTo(asked, { answer: [a(nameOf(asked), 30)] }))

export class DohStub {
  script: DohScript
  readonly asked: DohAsked[] = []
  /** Connections that were opened to it. */
  connections = 0
  readonly #server: Http2SecureServer
  readonly #sessions = new Set<ServerHttp2Session>()

  private constructor(certificate: Certificate, script: DohScript, streamsMax: number) {
    this.script = script
    this.#server = createSecureServer({ ...certificate, settings: { maxConcurrentStreams: streamsMax } })
    this.#server.on('session', session => {
      this.connections++
      this.#sessions.add(session)
      session.on('error', () => undefined)
      session.on('close', () => this.#sessions.delete(session))
      const connection = this.connections
      session.on('stream', (stream, headers) => void this.#take(session, connection, stream, headers))
    })
    this.#server.on('sessionError', () => undefined)
  }

  /** Listens on a free loopback port. */
  static async start(
    certificate: Certificate,
    script: DohScript = answerOverHttps,
    streamsMax = 100,
  ): Promise<DohStub> {
    const stub = new DohStub(certificate, script, streamsMax)
    stub.#server.listen(0, '127.0.0.1')
    await once(stub.#server, 'listening')
    return stub
  }

  get port(): number {
    const address = this.#server.address()
    return typeof address === 'object' && address ? address.port : 0
  }

  /** `127.0.0.1:PORT`. */
  get to(): string {
    return `127.0.0.1:${this.port}`
  }

  /** Ends all connections, each with a GOAWAY. */
  endSessions(): void {
    for (const session of this.#sessions) session.close()
  }

  async stop(): Promise<void> {
    const closed = new Promise(resolve => this.#server.close(resolve))
    for (const session of this.#sessions) session.destroy()
    await closed
  }

  async #take(
    session: ServerHttp2Session,
    connection: number,
    stream: ServerHttp2Stream,
    headers: IncomingHttpHeaders,
  ): Promise<void> {
    stream.on('error', () => undefined)
    const chunks: Buffer[] = []
    for await (const chunk of stream) chunks.push(chunk)
    const [, query] = (headers[':path'] ?? '').split('?dns=')
    const octets = Uint8Array.from(
      headers[':method'] === 'GET' ? Buffer.from(query ?? '', 'base64url') : Buffer.concat(chunks),
    )
    const decoded = decodeMessage(octets)
    const asked: DohAsked = {
      ...decoded,
      headers,
      octets,
      transport: 'tcp',
      address: session.socket.remoteAddress ?? '',
      port: session.socket.remotePort ?? 0,
      connection,
      what: decoded.question[0] ?? '',
    }
    this.asked.push(asked)
    const send: DohBack['send'] = (reply, fields = {}) => {
      if (stream.destroyed) return
      stream.respond({ ':status': 200, 'content-type': 'application/dns-message', ...fields })
      stream.end(reply)
    }
    this.script(asked, { send, stream, session })
  }
}
