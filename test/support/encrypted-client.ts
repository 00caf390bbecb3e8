// One message over TLS (RFC 7858) or HTTPS (RFC 8484, by HTTP/2) on a connection of its own. Certificates are not looked at
// unless `ca` is given.

import { once } from 'node:events'
import { connect as connectHttp2, constants, type IncomingHttpHeaders } from 'node:http2'
import { isIP } from 'node:net'
import { connect as connectTls, type TLSSocket } from 'node:tls'
import { type ExchangeOptions, NoAnswer, TcpClient } from './dns-client.ts'

const LOOPBACK = '127.0.0.1'
const TIMEOUT_MS = 10_000

/** Where and how to ask, and with which certificates. */
export interface EncryptedOptions extends ExchangeOptions {
  /** The authority that the server's certificate must be of. */
  readonly ca?: string
  /** The client's own. */
  readonly cert?: string
  readonly key?: string
}

/** What an HTTP server answered. */
export interface HttpAnswer {
  readonly status: number
  readonly headers: IncomingHttpHeaders
  readonly body: Uint8Array
}

/** Connects over TLS; NoAnswer where the port refuses or the handshake fails. */
export async function dialTls(
  port: number,
  alpn: string,
  options: EncryptedOptions = {},
): Promise<TLSSocket> {
  const { host = LOOPBACK, timeoutMs = TIMEOUT_MS, localAddress, ca, cert, key } = options
  const socket = connectTls({
    port,
    host,
    ALPNProtocols: [alpn],
    rejectUnauthorized: ca !== undefined,
    ...(isIP(host) === 0 && { servername: host }),
    ...(ca !== undefined && { ca }),
    ...(cert !== undefined && { cert }),
    ...(key !== undefined && { key }),
    ...(localAddress !== undefined && { localAddress }),
  })
  try {
    await once(socket, 'secureConnect', { signal: AbortSignal.timeout(timeoutMs) })
    return socket
  } catch (cause) {
    socket.destroy()
    const code = (cause as Error).name === 'AbortError' ? 'timeout' : 'refused'
    throw new NoAnswer(code, `${host} port ${port} over TLS`, { cause })
  }
}

/** @throws NoAnswer */
export async function exchangeTls(
  port: number,
  octets: Uint8Array,
  options: EncryptedOptions = {},
): Promise<Uint8Array> {
  const client = TcpClient.over(await dialTls(port, 'dot', options), `port ${port} over TLS`, options)
  try {
    client.send(octets)
    return await client.receive()
  } finally {
    client.destroy()
  }
}

/** @throws NoAnswer */
export async function exchangeHttps(
  port: number,
  octets: Uint8Array,
  options: EncryptedOptions & { readonly method?: 'GET' | 'POST' } = {},
): Promise<HttpAnswer> {
  const { method = 'POST', timeoutMs = TIMEOUT_MS } = options
  const asked = `port ${port} over HTTPS`
  const socket = await dialTls(port, 'h2', options)
  const session = connectHttp2(`https://localhost:${port}`, { createConnection: () => socket })
  const path = method === 'GET' ? `/dns-query?dns=${Buffer.from(octets).toString('base64url')}` : '/dns-query'
  const type = 'application/dns-message'
  try {
    const stream = session.request({
      [constants.HTTP2_HEADER_METHOD]: method,
      [constants.HTTP2_HEADER_PATH]: path,
      accept: type,
      ...(method === 'POST' && { 'content-type': type }),
    })
    stream.end(method === 'POST' ? octets : undefined)
    const [headers] = await once(stream, 'response', { signal: AbortSignal.timeout(timeoutMs) })
    const chunks: Buffer[] = []
    for await (const chunk of stream) chunks.push(chunk)
    return { status: Number(headers[':status']), headers, body: Uint8Array.from(Buffer.concat(chunks)) }
  } catch (cause) {
    throw new NoAnswer((cause as Error).name === 'AbortError' ? 'timeout' : 'closed', asked, { cause })
  } finally {
    session.destroy()
  }
}
