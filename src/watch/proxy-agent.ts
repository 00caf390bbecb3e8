// The way to the API server through a proxy: an agent whose connections begin with the proxy's handshake.
//
//   http://, https://   CONNECT HOST:PORT, and TLS with the API server inside; a server without TLS is asked for by its whole
//                       URL instead, as Go does (client.ts)
//   socks5://, socks5h://   RFC 1928; the proxy looks up the name, as with Go

import type { AgentOptions, ClientRequestArgs, Agent as HttpAgent } from 'node:http'
import { connect as openConnection, type Socket } from 'node:net'
import type { Duplex } from 'node:stream'
import { SocksClient } from 'socks'
import { familyOf } from '../shared/ip.ts'
import { lazy } from '../shared/lazy.ts'
import type { ApiTls } from './access.ts'
import { hostOf, proxyAuthorization } from './proxy-env.ts'

/** How long the proxy's handshake may take. */
const HANDSHAKE_TIMEOUT_MS = 30_000
const SOCKS_PORT = 1080

const isSocks = ({ protocol }: URL): boolean => protocol.startsWith('socks')

type Callback = (error: Error | null, socket: Duplex) => void

/** An agent for servers with TLS (or without it), all of whose connections go through the proxy. */
export function proxyAgent(proxy: URL, secure: boolean, options: AgentOptions & ApiTls): HttpAgent {
  const Base: new (options: AgentOptions & ApiTls) => HttpAgent = secure ? lazy.https.Agent : lazy.http.Agent
  class ProxyAgent extends Base {
    override createConnection(target: ClientRequestArgs, done?: Callback): undefined {
      connect(proxy, secure, target).then(
        socket =>
          done?.(null, secure ? super.createConnection({ ...target, socket } as ClientRequestArgs)! : socket),
        (error: Error) => (done as ((error: Error) => void) | undefined)?.(error),
      )
    }
  }
  return new ProxyAgent(options)
}

function connect(proxy: URL, secure: boolean, target: ClientRequestArgs): Promise<Duplex> {
  const host = target.host ?? ''
  const port = Number(target.port)
  if (isSocks(proxy)) return throughSocks(proxy, host, port)
  return secure ? throughConnect(proxy, host, port) : plainly(proxy)
}

async function throughSocks(proxy: URL, host: string, port: number): Promise<Socket> {
  const { socket } = await SocksClient.createConnection({
    proxy: {
      host: hostOf(proxy),
      port: Number(proxy.port) || SOCKS_PORT,
      type: 5,
      ...(proxy.username && {
        userId: decodeURIComponent(proxy.username),
        password: decodeURIComponent(proxy.password),
      }),
    },
    command: 'connect',
    destination: { host, port },
    timeout: HANDSHAKE_TIMEOUT_MS,
  }).catch((cause: Error) => {
    throw new Error(`proxy ${proxy.host}: ${cause.message}`, { cause })
  })
  return socket
}

function throughConnect(proxy: URL, host: string, port: number): Promise<Duplex> {
  const authority = `${host.includes(':') ? `[${host}]` : host}:${port}`
  return new Promise((resolve, reject) => {
    const request = (proxy.protocol === 'https:' ? lazy.https : lazy.http).request({
      method: 'CONNECT',
      host: hostOf(proxy),
      port: proxy.port || undefined,
      path: authority,
      agent: false,
      setHost: false,
      timeout: HANDSHAKE_TIMEOUT_MS,
      headers: { host: authority, ...proxyAuthorization(proxy) },
    })
    const fail = (why: string, cause?: Error): void => {
      request.destroy()
      reject(new Error(`proxy ${proxy.host}: ${why}`, { cause }))
    }
    request.on('connect', (response, socket, head) => {
      request.removeAllListeners()
      socket.setTimeout(0)
      if (response.statusCode !== 200) {
        socket.destroy()
        fail(`answers CONNECT ${authority} with ${response.statusCode} ${response.statusMessage}`)
        return
      }
      if (head.length > 0) socket.unshift(head)
      resolve(socket)
    })
    request.on('timeout', () => fail(`no answer to CONNECT for ${HANDSHAKE_TIMEOUT_MS / 1000} s`))
    request.on('error', cause => fail(cause.message, cause))
    request.on('response', response => fail(`answers CONNECT ${authority} with ${response.statusCode}`))
    request.end()
  })
}

/** A connection to the proxy itself. */
function plainly(proxy: URL): Promise<Duplex> {
  const host = hostOf(proxy)
  return new Promise((resolve, reject) => {
    const secure = proxy.protocol === 'https:'
    const port = Number(proxy.port) || (secure ? 443 : 80)
    const socket: Socket = secure
      ? lazy.tls.connect({ host, port, ...(familyOf(host) === 0 && { servername: host }) })
      : openConnection({ host, port })
    socket.once(secure ? 'secureConnect' : 'connect', () => {
      socket.removeAllListeners('error')
      resolve(socket)
    })
    socket.once('error', cause => reject(new Error(`proxy ${proxy.host}: ${cause.message}`, { cause })))
  })
}
