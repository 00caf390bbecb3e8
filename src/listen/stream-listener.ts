// What listeners of TCP, TLS and HTTPS share: sockets that are opened, new settings while serving, drain and close. The
// connections are stream-connections.ts; what is spoken on one is a `Speaker`'s: tcp.ts, tls.ts, https.ts.

import { createServer, type Server } from 'node:net'
import { duplicateFd, loadedLibc } from './libc.ts'
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
import { passedFor } from './passed-sockets.ts'
import { REUSE_PORT } from './reuse-port.ts'
import { boundBuffers } from './socket-buffers.ts'
import {
  Connections,
  type ConnectionsOptions,
  type Speaker,
  type StreamSettings,
} from './stream-connections.ts'
import type { StreamTransport } from './stream-shared.ts'

/** What stream listeners take beyond every listener's options. */
export interface StreamOptions extends ListenOptions, ConnectionsOptions {
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
    const passed = passedFor(options.passed ?? [], 'tcp', part, port)
    const libc = passed && loadedLibc()
    const fd = libc && duplicateFd(libc, passed.fd)
    if (typeof fd === 'string') return Promise.resolve(new ListenError(transport, part.address, port, fd))
    return new Promise(resolve => {
      server.once('error', cause =>
        resolve(new ListenError(transport, part.address, port, codeOf(cause), cause)),
      )
      server.listen(
        fd === undefined
          ? { host: part.address, port, ipv6Only, reusePort, backlog: BACKLOG, exclusive: true }
          : { fd, backlog: BACKLOG, exclusive: true },
        () => {
          server.removeAllListeners('error')
          // Out of descriptors, mostly: the kernel keeps the rest in its queue.
          server.on('error', () => options.count('tcp-accept-error'))
          const bound = server.address()
          const opened = new OpenServer(server, typeof bound === 'object' && bound ? bound.port : port)
          void boundBuffers(server).then(() => resolve(opened))
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
