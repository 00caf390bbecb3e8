// Proxies for tests, which lead everything to loopback, whatever host is asked for: one of HTTP with CONNECT and whole URLs, one of
// SOCKS5 (RFC 1928, 1929).

import { once } from 'node:events'
import { createServer as createHttp, type IncomingMessage, request } from 'node:http'
import { type AddressInfo, connect, createServer, type Server, type Socket } from 'node:net'

const LOOPBACK = '127.0.0.1'

/** A proxy; `seen` has a line for each thing that it was asked for. */
export interface StubProxy {
  readonly port: number
  readonly seen: readonly string[]
  close(): Promise<void>
}

/** `user` is USER:PASSWORD, which it then wants; `status` is answered to everybody. */
export interface StubProxyOptions {
  readonly user?: string
  readonly status?: number
}

async function listening(server: Server, seen: readonly string[]): Promise<StubProxy> {
  const sockets = new Set<Socket>()
  server.on('connection', (socket: Socket) => {
    sockets.add(socket)
    socket.on('close', () => sockets.delete(socket))
    socket.on('error', () => socket.destroy())
  })
  server.listen(0, LOOPBACK)
  await once(server, 'listening')
  return {
    port: (server.address() as AddressInfo).port,
    seen,
    async close() {
      const closed = once(server, 'close')
      server.close()
      for (const socket of sockets) socket.destroy()
      await closed
    },
  }
}

function join(from: Socket, to: Socket): void {
  from.pipe(to).pipe(from)
  for (const [one, other] of [
    [from, to],
    [to, from],
  ] as const) {
    one.on('error', () => other.destroy())
    one.on('close', () => other.destroy())
  }
}

/** A proxy of HTTP. */
export function httpProxy({ user, status }: StubProxyOptions = {}): Promise<StubProxy> {
  const seen: string[] = []
  const wanted = user === undefined ? undefined : `Basic ${Buffer.from(user).toString('base64')}`
  const refusal = ({ method, url, headers }: IncomingMessage): number | undefined => {
    seen.push(`${method} ${url}`)
    return headers['proxy-authorization'] === wanted ? status : 407
  }
  const server = createHttp((incoming, response) => {
    const refused = refusal(incoming)
    if (refused !== undefined) {
      response.writeHead(refused).end()
      return
    }
    const { pathname, search, port } = new URL(incoming.url ?? '')
    const { 'proxy-authorization': _, ...headers } = incoming.headers
    const onward = request(
      { host: LOOPBACK, port, path: `${pathname}${search}`, headers, agent: false },
      answer => {
        response.writeHead(answer.statusCode ?? 0, answer.headers)
        answer.pipe(response)
      },
    )
    onward.on('error', () => response.destroy())
    onward.end()
  })
  server.on('connect', (incoming: IncomingMessage, socket: Socket) => {
    const refused = refusal(incoming)
    if (refused !== undefined) {
      socket.end(`HTTP/1.1 ${refused} No\r\n\r\n`)
      return
    }
    const onward = connect(Number(new URL(`http://${incoming.url}`).port), LOOPBACK, () => {
      socket.write('HTTP/1.1 200 Connection established\r\n\r\n')
      join(socket, onward)
    })
    onward.on('error', () => socket.destroy())
  })
  return listening(server, seen)
}

const METHOD = { NONE: 0, PASSWORD: 2, REFUSED: 0xff } as const
const ADDRESS = { V4: 1, NAME: 3, V6: 4 } as const

/** A proxy of SOCKS5. */
export function socksProxy({ user, status = 0 }: StubProxyOptions = {}): Promise<StubProxy> {
  const seen: string[] = []
  const server = createServer(socket => {
    const next = (): Promise<Buffer> => once(socket, 'data').then(([octets]) => octets as Buffer)
    const talk = async (): Promise<void> => {
      const methods = [...(await next()).subarray(2)]
      const method = user === undefined ? METHOD.NONE : METHOD.PASSWORD
      socket.write(Uint8Array.of(5, methods.includes(method) ? method : METHOD.REFUSED))
      if (method === METHOD.PASSWORD) {
        const octets = await next()
        const name = octets.toString('utf8', 2, 2 + octets[1]!)
        const password = octets.toString('utf8', 3 + octets[1]!)
        socket.write(Uint8Array.of(1, `${name}:${password}` === user ? 0 : 1))
      }
      const asked = await next()
      const [length, text] = addressOf(asked)
      seen.push(`${text}:${asked.readUInt16BE(4 + length)}`)
      socket.write(Uint8Array.of(5, status, 0, ADDRESS.V4, 127, 0, 0, 1, 0, 0))
      if (status !== 0) socket.end()
      else join(socket, connect(asked.readUInt16BE(4 + length), LOOPBACK))
    }
    talk().catch(() => socket.destroy())
  })
  return listening(server, seen)
}

/** Octets of the address at 4 and what it says, names in quotes. */
function addressOf(octets: Buffer): [length: number, text: string] {
  if (octets[3] === ADDRESS.NAME) return [1 + octets[4]!, `"${octets.toString('utf8', 5, 5 + octets[4]!)}"`]
  if (octets[3] === ADDRESS.V4) return [4, [...octets.subarray(4, 8)].join('.')]
  return [16, octets.toString('hex', 4, 20)]
}
