// DNS over HTTPS as clients of HTTP/2 and HTTP/1.1 see it: what is answered with which status, and what slow, greedy and
// broken clients come to while others are served.

import { once } from 'node:events'
import { request as request1 } from 'node:http'
import { type ClientHttp2Session, connect as connect2, constants, type IncomingHttpHeaders } from 'node:http2'
import { Agent, request as requestTls } from 'node:https'
import { connect as connectTcp, type Socket } from 'node:net'
import { connect as connectTls } from 'node:tls'
import t, { type Test } from 'tap'
import { BODIES_MAX_OCTETS, HEAD_MAX_OCTETS } from '../../src/listen/http-exchange.ts'
import { type HttpsListenOptions, listenHttps } from '../../src/listen/https.ts'
import { STREAM_LIMITS } from '../../src/listen/stream-limits.ts'
import { makeAuthority } from '../support/certificates.ts'
import { until } from '../support/until.ts'
import { ask, bench, echo } from './fake-responder.ts'

const authority = makeAuthority()
const tls = authority.issue('dns')
const DNS = 'application/dns-message'

async function open(t: Test, options: Partial<HttpsListenOptions> = {}, memoryOctets?: number) {
  const parts = bench(memoryOctets)
  const statuses: number[] = []
  const answered = (status: number): void => void statuses.push(status)
  const listening = await listenHttps({ ...parts.options, tls, answered, ...options })
  if (!listening.ok) throw listening.error
  const { listener } = listening
  t.teardown(() => listener.close())
  return { ...parts, listener, statuses, port: listener.port }
}

interface Answer {
  readonly status: number
  readonly headers: IncomingHttpHeaders
  readonly body: Buffer
}

/** What a client sends. */
interface Sent {
  readonly method?: string
  readonly path?: string
  readonly type?: string | undefined
  readonly headers?: Readonly<Record<string, string>>
  readonly body?: Uint8Array
}

const get = (query: Uint8Array): Sent => ({
  path: `/dns-query?dns=${Buffer.from(query).toString('base64url')}`,
})
const post = (body: Uint8Array): Sent => ({ method: 'POST', type: DNS, body })

async function session(t: Test, port: number): Promise<ClientHttp2Session> {
  const client = connect2(`https://127.0.0.1:${port}`, { ca: authority.cert })
  client.on('error', () => undefined)
  t.teardown(() => client.destroy())
  await once(client, 'connect')
  return client
}

async function over2(client: ClientHttp2Session, sent: Sent): Promise<Answer> {
  const { method = 'GET', path = '/dns-query', type, headers = {}, body } = sent
  const stream = client.request({
    ':method': method,
    ':path': path,
    ...(type !== undefined && { 'content-type': type }),
    ...headers,
  })
  const chunks: Buffer[] = []
  stream.on('data', chunk => chunks.push(chunk))
  const [[answer]] = (await Promise.all([
    once(stream, 'response'),
    once(stream, 'close'),
    stream.end(body),
  ])) as unknown as [[IncomingHttpHeaders & { ':status': number }]]
  return { status: answer[':status'], headers: answer, body: Buffer.concat(chunks) }
}

async function over1(port: number, sent: Sent, agent?: Agent): Promise<Answer> {
  const { method = 'GET', path = '/dns-query', type, headers = {}, body } = sent
  const make = agent ? requestTls : request1
  const request = make({
    host: '127.0.0.1',
    port,
    method,
    path,
    headers: { ...headers, ...(type !== undefined && { 'content-type': type }) },
    ...(agent && { agent }),
  })
  const [[response]] = await Promise.all([once(request, 'response'), request.end(body)])
  const chunks: Buffer[] = []
  for await (const chunk of response) chunks.push(chunk)
  return { status: response.statusCode, headers: response.headers, body: Buffer.concat(chunks) }
}

/** A client of each version of HTTP, of the latter in the clear too. */
const clients: readonly [
  version: string,
  options: Partial<HttpsListenOptions>,
  make: (t: Test, port: number) => Promise<(sent: Sent) => Promise<Answer>>,
][] = [
  [
    'HTTP/2',
    {},
    async (t, port) => {
      const client = await session(t, port)
      return sent => over2(client, sent)
    },
  ],
  [
    'HTTP/1.1',
    {},
    async (t, port) => {
      const agent = new Agent({ keepAlive: true, ca: authority.cert, maxSockets: 1 })
      t.teardown(() => agent.destroy())
      return sent => over1(port, sent, agent)
    },
  ],
  ['HTTP/1.1 in the clear', { tls: undefined }, async (_t, port) => sent => over1(port, sent)],
]

for (const [version, options, make] of clients) {
  t.test(version, async t => {
    const { port, responder, statuses, listener } = await open(t, options)
    const send = await make(t, port)
    await t.test('queries', async t => {
      const query = ask('web', 0)
      for (const sent of [get(query), post(query), { ...post(query), type: `${DNS}; charset=x` }]) {
        const { status, headers, body } = await send(sent)
        t.equal(status, 200)
        t.equal(headers['content-type'], DNS)
        t.equal(headers['cache-control'], 'max-age=5')
        t.equal(headers['content-length'], `${body.length}`)
        t.same(body, Buffer.from(echo(query)))
      }
      const asking = send(get(ask('slow')))
      await until('held', () => responder.held.length === 1)
      t.match(responder.held[0], { transport: 'https', client: { address: '127.0.0.1', family: 4 } })
      responder.held[0]!.answer()
      t.same((await asking).body, Buffer.from(echo(ask('slow'))))
      t.equal(responder.faults, 0)
    })
    const query = ask('web')
    const text = Buffer.from(query).toString('base64url')
    const cases: [title: string, sent: Sent, status: number][] = [
      ['another path', { path: '/' }, 404],
      ['a longer path', { path: `/dns-query/?dns=${text}` }, 404],
      ['a POST elsewhere', { ...post(query), path: '/other' }, 404],
      ['PUT', { ...post(query), method: 'PUT' }, 405],
      ['HEAD', { method: 'HEAD', path: `/dns-query?dns=${text}` }, 405],
      ['a POST of something else', { ...post(query), type: 'application/x-www-form-urlencoded' }, 415],
      ['a POST of nobody knows what', { ...post(query), type: undefined }, 415],
      ['a POST of nothing', post(new Uint8Array(0)), 400],
      ['a POST of too little', post(query.subarray(0, 11)), 400],
      ['a POST of 65535 octets', post(Uint8Array.from({ ...query, length: 65535 })), 200],
      ['a POST of 65536 octets', post(new Uint8Array(65536)), 413],
      ['no parameter', { path: '/dns-query' }, 400],
      ['an empty parameter', { path: '/dns-query?dns=' }, 400],
      ['another parameter', { path: `/dns-query?name=${text}` }, 400],
      ['two parameters', { path: `/dns-query?dns=${text}&dns=${text}` }, 400],
      ['a further parameter', { path: `/dns-query?ct&dns=${text}` }, 200],
      ['padding', { path: `/dns-query?dns=${text}==` }, 400],
      ['the other alphabet', { path: '/dns-query?dns=AAAB+A/A' }, 400],
      ['a length that base64 cannot have', { path: '/dns-query?dns=AAAAA' }, 400],
      ['what is owed silence', get(ask('silent')), 400],
    ]
    for (const [title, sent, status] of cases) {
      const answer = await send(sent)
      t.equal(answer.status, status, title)
      if (status === 405) t.equal(answer.headers.allow, 'GET, POST')
    }
    t.test('a query that is dropped', async t => {
      const asking = send(get(ask('slow')))
      await until('held', () => responder.held.length === 2)
      responder.held[1]!.drop()
      t.equal((await asking).status, 500)
    })
    t.ok(statuses.includes(404) && statuses.includes(200), 'answers are counted')
    t.ok(listener.connections <= 1, 'one connection for all of it, where the client keeps one')
  })
}

t.test('who speaks first', async t => {
  const { port, counts } = await open(t)
  await t.test('TLS decides on the version', async t => {
    for (const [offered, chosen] of [
      [['h2', 'http/1.1'], 'h2'],
      [['http/1.1'], 'http/1.1'],
      [undefined, false],
    ] as const) {
      const socket = connectTls({
        host: '127.0.0.1',
        port,
        ca: authority.cert,
        ...(offered && { ALPNProtocols: [...offered] }),
      })
      t.teardown(() => socket.destroy())
      await once(socket, 'secureConnect')
      t.equal(socket.alpnProtocol, chosen)
    }
  })
  await t.test('another protocol is not spoken', async t => {
    const socket = connectTls({ host: '127.0.0.1', port, ca: authority.cert, ALPNProtocols: ['dot'] })
    const [error] = await once(socket, 'error')
    t.match(error.message, /no application protocol/)
    await until('counted', () => counts.of('tls-handshake-error') > 0)
  })
})

async function dial(t: Test, port: number, alpn?: string): Promise<Socket> {
  const socket =
    alpn === undefined
      ? connectTcp(port, '127.0.0.1')
      : connectTls({ host: '127.0.0.1', port, ca: authority.cert, ALPNProtocols: [alpn] })
  socket.on('error', () => undefined)
  t.teardown(() => socket.destroy())
  await once(socket, alpn === undefined ? 'connect' : 'secureConnect')
  return socket
}

async function isServed(t: Test, port: number): Promise<void> {
  const { body } = await over2(await session(t, port), get(ask('web')))
  t.same(body, Buffer.from(echo(ask('web'))), 'others are served')
}

t.test('garbage', async t => {
  const { port, counts } = await open(t)
  const cases: [title: string, alpn: string, octets: string, answer: RegExp][] = [
    ['not HTTP/1.1', 'http/1.1', '\0\x1dabcdefghijklmnopqrstuvwxyz\r\n\r\n', /^HTTP\/1.1 400 /],
    [
      'a head without end',
      'http/1.1',
      `GET / HTTP/1.1\r\nA: ${'x'.repeat(HEAD_MAX_OCTETS)}`,
      /^HTTP\/1.1 431 /,
    ],
    ['not HTTP/2', 'h2', 'GET / HTTP/1.1\r\nHost: x\r\n\r\n', /^[^H]*/],
  ]
  for (const [title, alpn, octets, answer] of cases) {
    const before = counts.of('https-garbage')
    const socket = await dial(t, port, alpn)
    let read = ''
    socket.on('data', chunk => {
      read += chunk
    })
    socket.write(octets)
    await until(`${title}: closed`, () => socket.destroyed)
    t.match(read, answer, title)
    await until(`${title}: counted`, () => counts.of('https-garbage') === before + 1)
  }
  await isServed(t, port)
})

t.test('slow clients', async t => {
  const { port, counts, clock, listener } = await open(t)
  const step = (what: string, condition: () => boolean): Promise<void> =>
    until(what, () => {
      clock.advance(100)
      return condition()
    })
  await t.test('a handshake that does not end', async t => {
    const socket = await dial(t, port)
    await until('accepted', () => listener.connections === 1)
    await step('closed', () => socket.destroyed)
    t.equal(counts.of('tcp-first-read-timeout'), 1)
  })
  await t.test('a request that does not begin, or does not end', async t => {
    for (const [alpn, octets] of [
      ['http/1.1', ''],
      ['http/1.1', 'GET /dns-query'],
      ['h2', ''],
    ] as const) {
      const before = counts.of('tcp-first-read-timeout')
      const socket = await dial(t, port, alpn)
      socket.resume()
      socket.write(octets)
      await step('closed', () => socket.destroyed)
      t.equal(counts.of('tcp-first-read-timeout'), before + 1)
    }
  })
  await t.test('a body that does not end', async t => {
    const client = await session(t, port)
    const slow = client.request({ ':method': 'POST', ':path': '/dns-query', 'content-type': DNS })
    slow.on('error', () => undefined)
    slow.write('x')
    await step('given up', () => slow.closed)
    t.equal(slow.rstCode, constants.NGHTTP2_CANCEL)
    t.equal(counts.of('https-request-timeout'), 1)
    t.equal(
      (await over2(client, get(ask('web')))).status,
      200,
      'other requests of the connection are answered',
    )
  })
  await t.test('nobody reads the answers', async t => {
    const client = await session(t, port)
    client.settings({ initialWindowSize: 0 })
    await once(client, 'localSettings')
    const stuck = client.request({ ':path': get(ask('web')).path })
    stuck.on('error', () => undefined)
    await once(stuck, 'response')
    await step('given up', () => stuck.closed)
    t.equal(counts.of('tcp-write-timeout'), 1)
  })
  await t.test('an idle connection', async t => {
    const client = await session(t, port)
    t.equal((await over2(client, get(ask('web')))).status, 200)
    const before = clock.nowMs()
    await step('closed', () => client.closed)
    t.ok(clock.nowMs() - before >= STREAM_LIMITS.idleTimeoutMs)
    t.ok(counts.of('tcp-idle-timeout') > 0)
  })
  await isServed(t, port)
})

t.test('greedy clients', async t => {
  await t.test('streams beyond the bound are refused, the others are answered', async t => {
    const { port, responder, counts } = await open(t, { limits: { inFlightPerConnectionMax: 3 } })
    const client = await session(t, port)
    await until('the bound is known', () => client.remoteSettings.maxConcurrentStreams === 3)
    const asking = [1, 2, 3, 4, 5].map(i => over2(client, get(ask(`slow${i}`))))
    await until('held', () => responder.held.length === 3)
    t.equal(counts.of('https-streams-max'), 1)
    for (let i = 0; i < 5; i++) {
      await until('held', () => responder.held.length > i)
      responder.held[i]!.answer()
    }
    t.same(
      (await Promise.all(asking)).map(({ status }) => status),
      [200, 200, 200, 200, 200],
    )
  })
  await t.test('a URL beyond its bound is not decoded', async t => {
    const { port, responder } = await open(t)
    const client = await session(t, port)
    const path = `/dns-query?dns=${'A'.repeat(HEAD_MAX_OCTETS)}`
    t.equal((await over2(client, { path })).status, 414)
    t.same(responder.lengths, [])
    t.equal((await over2(client, get(ask('web')))).status, 200)
  })
  await t.test('pipelined requests beyond the bound end their connection', async t => {
    const { port, responder, counts } = await open(t, { limits: { inFlightPerConnectionMax: 3 } })
    const socket = await dial(t, port, 'http/1.1')
    socket.resume()
    socket.write(`GET ${get(ask('slow')).path} HTTP/1.1\r\nHost: x\r\n\r\n`.repeat(4))
    await until('closed', () => socket.destroyed)
    t.equal(counts.of('https-streams-max'), 1)
    for (const { answer } of responder.held) answer()
    await isServed(t, port)
  })
  await t.test('bodies have a bound together, and give their room back', async t => {
    const { port, counts, statuses } = await open(t, {
      limits: { inFlightPerConnectionMax: 1000 },
    })
    const client = await session(t, port)
    const part = new Uint8Array(60_000)
    const streams = Array.from({ length: Math.ceil(BODIES_MAX_OCTETS / part.length) + 1 }, () => {
      const stream = client.request({ ':method': 'POST', ':path': '/dns-query', 'content-type': DNS })
      stream.on('error', () => undefined)
      stream.resume()
      stream.write(part)
      return stream
    })
    await until('refused', () => statuses.includes(503))
    t.ok(counts.of('https-bodies-max') > 0)
    for (const stream of streams) stream.close(constants.NGHTTP2_CANCEL)
    await isServed(t, port)
    const asking = Array.from({ length: 20 }, () => over2(client, post(ask('web'))))
    for (const { status } of await Promise.all(asking)) t.equal(status, 200)
  })
  for (const [version, alpn] of [
    ['HTTP/2', 'h2'],
    ['HTTP/1.1', 'http/1.1'],
  ] as const) {
    await t.test(`${version}: answers that nobody reads have a bound`, async t => {
      const maxOctets = 2 ** 21
      const { port, counts, memory } = await open(t, {}, maxOctets)
      let most = 0
      for (let i = 0; i < 20; i++) {
        const client = alpn === 'h2' ? await session(t, port) : undefined
        const socket = client ? undefined : await dial(t, port, alpn)
        socket?.pause()
        const { path = '' } = get(ask('big60000'))
        for (let n = 0; n < 30; n++) {
          if (client) {
            const stream = client.request({ ':path': path })
            stream.on('error', () => undefined)
            stream.pause()
          } else socket?.write(`GET ${path} HTTP/1.1\r\nHost: x\r\n\r\n`)
        }
        await new Promise(resolve => setImmediate(resolve))
        most = Math.max(most, memory.octets)
      }
      await until('closed', () => counts.of('stream-memory-closed') > 0)
      t.ok(most <= maxOctets, `${most} octets`)
      await isServed(t, port)
    })
  }
  await t.test('a new connection takes the place of an idle one, then of a handshake', async t => {
    const { port, counts, listener } = await open(t, { limits: { connectionsMax: 2 } })
    const idle = await session(t, port)
    t.equal((await over2(idle, get(ask('web')))).status, 200)
    const first = await dial(t, port)
    await until('both', () => listener.connections === 2)
    const second = await dial(t, port)
    await until('the idle one is gone', () => idle.destroyed)
    t.equal(counts.of('tcp-evicted-idle'), 1)
    t.notOk(first.destroyed)
    await isServed(t, port)
    await until('the older handshake is gone', () => first.destroyed)
    t.equal(counts.of('tls-evicted-handshake'), 1)
    t.notOk(second.destroyed)
  })
  await t.test('reset streams leave nothing behind', async t => {
    const { port, responder } = await open(t)
    const client = await session(t, port)
    for (let i = 0; i < 50; i++) {
      const stream = client.request({ ':path': get(ask(`slow${i}`)).path })
      stream.on('error', () => undefined)
      await until('held', () => responder.held.length === i + 1)
      stream.close(constants.NGHTTP2_CANCEL)
    }
    t.equal(responder.waiting, 50)
    for (const { answer } of responder.held) answer()
    await until('left', () => responder.waiting === 0)
    t.equal((await over2(client, get(ask('web')))).status, 200)
  })
})

t.test('the end', async t => {
  for (const [version, , make] of clients.slice(0, 2)) {
    await t.test(`${version}: what is in flight is answered`, async t => {
      const { port, responder, listener } = await open(t)
      const send = await make(t, port)
      const asking = send(get(ask('slow')))
      await until('held', () => responder.held.length === 1)
      const drained = listener.drain()
      responder.held[0]!.answer()
      t.equal((await asking).status, 200)
      await drained
      t.equal(listener.connections, 0)
    })
  }
  await t.test('close cuts everything off', async t => {
    const { port, listener, responder } = await open(t)
    const client = await session(t, port)
    const stream = client.request({ ':path': get(ask('slow')).path })
    stream.on('error', () => undefined)
    await until('held', () => responder.held.length === 1)
    await listener.close()
    await until('cut off', () => stream.destroyed && client.destroyed)
    t.equal(listener.connections, 0)
    responder.held[0]!.answer()
  })
})
