import { subscribe, unsubscribe } from 'node:diagnostics_channel'
import { type EventEmitter, once } from 'node:events'
import { Agent, get, request } from 'node:http'
import { get as getTls } from 'node:https'
import { connect, type Socket } from 'node:net'
import { gunzipSync } from 'node:zlib'
import t from 'tap'
import { HttpListenError, HttpListener, type HttpSite, HttpSites, siteText } from '../../src/observe/http.ts'
import type { HttpRoute } from '../../src/observe/http-answers.ts'
import { CONNECTIONS_MAX, CONNECTIONS_PER_CLIENT_MAX } from '../../src/observe/http-places.ts'
import { makeAuthority } from '../support/certificates.ts'
import { until } from '../support/until.ts'
import { recordingMeters } from '../support/words.ts'

const noMeters = recordingMeters(new Map())
const says =
  (body: string, status = 200): HttpRoute =>
  () => ({ status, body })
const site = (routes: Record<string, HttpRoute>, rest: Partial<HttpSite> = {}): HttpSite => ({
  host: '127.0.0.1',
  port: 0,
  routes: new Map(Object.entries(routes)),
  ...rest,
})

interface Got {
  readonly status: number
  readonly body: Buffer
  readonly headers: NodeJS.Dict<string | string[]>
}

async function fetched(port: number, path: string, options: object = {}): Promise<Got> {
  const [response] = await once(get({ host: '127.0.0.1', port, path, agent: false, ...options }), 'response')
  const chunks: Buffer[] = []
  for await (const chunk of response) chunks.push(chunk)
  return { status: response.statusCode, body: Buffer.concat(chunks), headers: response.headers }
}

async function started(wanted: HttpSite): Promise<HttpListener> {
  const listener = await HttpListener.start(wanted, noMeters)
  if (listener instanceof HttpListenError) throw listener
  t.teardown(() => listener.stop(0))
  return listener
}

t.test('a connection that could not be accepted ended the process', async t => {
  const counted = new Map<string, number>()
  let server: EventEmitter | undefined
  const listening = (message: unknown): void => {
    server = (message as { readonly server: EventEmitter }).server
  }
  subscribe('tracing:net.server.listen:asyncStart', listening)
  const listener = await HttpListener.start(site({ '/health': says('OK') }), recordingMeters(counted))
  if (listener instanceof HttpListenError) throw listener
  t.teardown(() => listener.stop(0))
  unsubscribe('tracing:net.server.listen:asyncStart', listening)
  t.ok(server)
  // As Node tells it where no descriptor is left.
  server?.emit('error', Object.assign(new Error('accept EMFILE'), { code: 'EMFILE' }))
  t.equal(counted.get('seamark_http_dropped_connections_total{address=127.0.0.1:0}'), 1)
  t.equal((await fetched(listener.port, '/health')).status, 200)
})

t.test('paths', async t => {
  const long = 'coredns_panics_total 0\n'.repeat(200)
  const { port } = await started(
    site({
      '/health': says('OK'),
      '/ready': query => ({ status: 503, body: [...query.keys()].join() }),
      '/metrics': () => ({ status: 200, contentType: 'text/x', body: long }),
      '/broken': () => Promise.reject(new Error('a bug')),
    }),
  )
  const cases: [path: string, status: number, body: string, contentType: string][] = [
    ['/health', 200, 'OK', 'text/plain; charset=utf-8'],
    ['/health?x=1', 200, 'OK', 'text/plain; charset=utf-8'],
    ['/ready?verbose&a=b', 503, 'verbose,a', 'text/plain; charset=utf-8'],
    ['/metrics', 200, long, 'text/x'],
    ['/broken', 500, 'a bug\n', 'text/plain; charset=utf-8'],
    ['/', 404, '404 page not found\n', 'text/plain; charset=utf-8'],
    ['/health/', 404, '404 page not found\n', 'text/plain; charset=utf-8'],
    ['//health', 404, '404 page not found\n', 'text/plain; charset=utf-8'],
  ]
  for (const [path, status, body, contentType] of cases) {
    const got = await fetched(port, path)
    t.same([got.status, got.body.toString(), got.headers['content-type']], [status, body, contentType], path)
  }
})

t.test('gzip where it is accepted and worth it', async t => {
  const long = 'a'.repeat(5000)
  const { port } = await started(site({ '/long': says(long), '/short': says('OK') }))
  const cases: [accept: string | undefined, path: string, zipped: boolean][] = [
    ['gzip', '/long', true],
    ['deflate, gzip;q=0.5', '/long', true],
    ['*', '/long', true],
    ['GZIP', '/long', true],
    ['gzip;q=0', '/long', false],
    ['gzip; q=0.0', '/long', false],
    ['gzipped', '/long', false],
    ['identity', '/long', false],
    [undefined, '/long', false],
    ['gzip', '/short', false],
  ]
  for (const [accept, path, zipped] of cases) {
    const got = await fetched(port, path, {
      headers: accept === undefined ? {} : { 'accept-encoding': accept },
    })
    t.equal(got.headers['content-encoding'] === 'gzip', zipped, `${path}: ${accept}`)
    t.equal((zipped ? gunzipSync(got.body) : got.body).toString(), path === '/long' ? long : 'OK')
  }
})

t.test('HEAD has no body, a body is not read', async t => {
  const { port } = await started(site({ '/health': says('OK') }))
  const head = await fetched(port, '/health', { method: 'HEAD' })
  t.same([head.status, head.body.length, head.headers['content-length']], [200, 0, '2'])
  const post = request({
    host: '127.0.0.1',
    port,
    path: '/health',
    method: 'POST',
    agent: new Agent({ keepAlive: true }),
  })
  post.on('error', () => {})
  post.setHeader('content-length', 1_000_000_000)
  post.write('x'.repeat(1000))
  const [response] = await once(post, 'response')
  t.equal(response.statusCode, 200)
  t.equal(response.headers.connection, 'close')
  post.destroy()
})

/** Connections from that address on which half a request was sent. */
async function halfRequests(port: number, count: number, localAddress: string): Promise<Socket[]> {
  const sockets: Socket[] = []
  for (let i = 0; i < count; i++) {
    const socket = connect({ port, host: '127.0.0.1', localAddress })
    socket.on('error', () => {})
    await once(socket, 'connect')
    socket.write('GET /health HTTP/1.1\r\nHost: x\r\n')
    sockets.push(socket)
  }
  return sockets
}

const DROPPED = 'seamark_http_dropped_connections_total{address=127.0.0.1:0}'

t.test('half a request on every connection keeps nobody out', async t => {
  const counted = new Map<string, number>()
  const listener = await HttpListener.start(site({ '/health': says('OK') }), recordingMeters(counted))
  if (listener instanceof HttpListenError) throw listener
  const agent = new Agent({ keepAlive: true })
  t.equal((await fetched(listener.port, '/health', { agent })).status, 200, 'one that keeps its connection')
  const sockets: Socket[] = []
  for (let i = 0; i < 10; i++) {
    const localAddress = `127.0.0.${2 + (i % 3)}`
    sockets.push(...(await halfRequests(listener.port, 30, localAddress)))
    t.equal((await fetched(listener.port, '/health')).status, 200, `${sockets.length} half requests`)
  }
  await until('closed', () => sockets.filter(({ destroyed }) => destroyed).length >= 300 - CONNECTIONS_MAX)
  t.ok(counted.get(DROPPED)! >= 300 - CONNECTIONS_MAX, `${counted.get(DROPPED)} are counted`)
  t.equal((await fetched(listener.port, '/health', { agent })).status, 200)
  t.equal(Object.values(agent.freeSockets).flat().length, 1, 'whoever has one connection keeps it')
  agent.destroy()
  for (const socket of sockets) socket.destroy()
  await listener.stop(0)
})

t.test('one client has its share of the connections, and no more', async t => {
  const listener = await started(site({ '/health': says('OK') }))
  const sockets = await halfRequests(listener.port, CONNECTIONS_PER_CLIENT_MAX + 1, '127.0.0.2')
  await until('the oldest is closed', () => sockets[0]!.destroyed)
  t.equal(sockets.filter(({ destroyed }) => destroyed).length, 1)
  for (const socket of sockets) socket.destroy()
})

t.test('who asks without end takes a quarter of the thread at most', async t => {
  let asked = 0
  let busyMs = 0
  const listener = await started(
    site({
      '/health': says('OK'),
      '/metrics': () => {
        const fromMs = performance.now()
        while (performance.now() < fromMs + 5);
        busyMs += performance.now() - fromMs
        return { status: 200, body: `${++asked}` }
      },
    }),
  )
  const fromMs = performance.now()
  let done = 0
  const ask = async (): Promise<void> => {
    for (let i = 0; i < 10; i++, done++) await fetched(listener.port, '/metrics')
  }
  await Promise.all(Array.from({ length: 20 }, ask))
  const share = busyMs / (performance.now() - fromMs)
  t.ok(share < 0.35, `${done} requests, ${asked} answers, ${Math.round(share * 100)} % of the time`)
  t.ok(asked < done / 2, 'who waits for the same gets the same')
  const { body } = await fetched(listener.port, '/metrics')
  t.equal(body.toString(), `${asked}`, 'whoever asks later gets an answer made later')
})

t.test('a thousand requests in one packet are not a thousand answers', async t => {
  let asked = 0
  const listener = await started(
    site({
      '/metrics': () => {
        asked++
        return { status: 200, body: 'x'.repeat(100_000) }
      },
    }),
  )
  const socket = connect(listener.port, '127.0.0.1')
  socket.on('error', () => {})
  await once(socket, 'connect')
  socket.write('GET /metrics HTTP/1.1\r\nHost: x\r\n\r\n'.repeat(1000))
  await once(socket.resume(), 'close')
  t.ok(asked < 3, `${asked} are answered`)
})

t.test('an address that cannot be had is a value', async t => {
  const { port } = await started(site({}))
  const cases: [what: string, wanted: HttpSite, code: string, message: RegExp][] = [
    ['in use', site({}, { port }), 'EADDRINUSE', /^listening on 127\.0\.0\.1:\d+ for HTTP: .*EADDRINUSE/],
    ['not ours', site({}, { host: '192.0.2.1' }), 'EADDRNOTAVAIL', /^listening on 192\.0\.2\.1:0/],
    ['a bad certificate', site({}, { tls: { cert: 'x', key: 'y' } }), 'ERR_', /^listening on/],
  ]
  for (const [what, wanted, code, message] of cases) {
    const error = await HttpListener.start(wanted, noMeters)
    t.ok(error instanceof HttpListenError, what)
    if (!(error instanceof HttpListenError)) return
    t.ok(error.code.startsWith(code), `${what}: ${error.code}`)
    t.match(error.message, message, what)
    t.ok(error.cause, what)
  }
})

t.test('addresses in words', async t => {
  t.equal(siteText({ host: '', port: 8080 }), ':8080')
  t.equal(siteText({ host: 'localhost', port: 9153 }), 'localhost:9153')
  t.equal(siteText({ host: '::1', port: 8181 }), '[::1]:8181')
})

t.test('localhost and every address', async t => {
  for (const host of ['localhost', '']) {
    const { port } = await started(site({ '/health': says('OK') }, { host }))
    t.equal((await fetched(port, '/health')).status, 200, host)
  }
})

t.test('TLS, with and without clients certificates', async t => {
  const authority = makeAuthority()
  const server = authority.issue('server')
  const client = authority.issue('client')
  const { port } = await started(
    site({ '/metrics': says('1') }, { tls: { ...server, clientCa: authority.cert } }),
  )
  const ask = async (options: object): Promise<number | string> => {
    const outgoing = getTls({
      host: '127.0.0.1',
      port,
      path: '/metrics',
      ca: authority.cert,
      agent: false,
      ...options,
    })
    try {
      const [response] = await once(outgoing, 'response')
      response.resume()
      return response.statusCode
    } catch {
      return 'refused'
    }
  }
  t.equal(await ask({ cert: client.cert, key: client.key }), 200)
  t.equal(await ask({}), 'refused')
  const open = await started(site({ '/metrics': says('1') }, { tls: server }))
  const [response] = await once(
    getTls({ host: '127.0.0.1', port: open.port, path: '/metrics', ca: authority.cert, agent: false }),
    'response',
  )
  t.equal(response.resume().statusCode, 200)
})

t.test('a reload keeps what stays, swaps paths in one step, and closes the rest', async t => {
  const sites = new HttpSites(noMeters)
  t.teardown(() => sites.stop(0))
  const first = await sites.prepare([site({ '/health': says('1') }), site({ '/ready': says('1') })])
  if (first instanceof HttpListenError) throw first
  const spare = await started(site({}))
  const free = spare.port
  await spare.stop(0)
  t.equal(sites.portOf({ host: '127.0.0.1', port: 0 }), undefined, 'nothing is served before commit')
  await first.commit()
  const port = sites.portOf({ host: '127.0.0.1', port: 0 })!
  t.equal((await fetched(port, '/health')).body.toString(), '1')
  t.equal((await fetched(port, '/ready')).body.toString(), '1', 'two sites of one address are one server')

  const kept = connect(port, '127.0.0.1')
  await once(kept, 'connect')
  const second = await sites.prepare([
    site({ '/health': says('2') }),
    site({ '/metrics': says('2') }, { port: free }),
  ])
  if (second instanceof HttpListenError) throw second
  t.equal((await fetched(port, '/health')).body.toString(), '1', 'prepared is not committed')
  await second.commit()
  kept.write('GET /health HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n')
  const chunks: Buffer[] = []
  for await (const chunk of kept) chunks.push(chunk)
  t.match(Buffer.concat(chunks).toString(), /\r\n\r\n2$/, 'an open connection outlives the reload')
  t.equal((await fetched(port, '/ready')).status, 404)
  t.equal((await fetched(free, '/metrics')).body.toString(), '2')

  const taken = await started(site({}))
  const third = await sites.prepare([
    site({}, { port: 1, host: '192.0.2.1' }),
    site({}, { port: taken.port }),
  ])
  t.ok(third instanceof HttpListenError)
  t.equal((await fetched(free, '/metrics')).body.toString(), '2', 'after a refusal all is as before')

  const fourth = await sites.prepare([site({ '/health': says('4') })])
  if (fourth instanceof HttpListenError) throw fourth
  await fourth.abandon()
  t.equal((await fetched(port, '/health')).body.toString(), '2')
  const fifth = await sites.prepare([site({ '/health': says('5') })])
  if (fifth instanceof HttpListenError) throw fifth
  await fifth.commit()
  await t.rejects(fetched(free, '/metrics'), /ECONNREFUSED/)
})

t.test('stop lets a request under way end', async t => {
  let answer: (() => void) | undefined
  const listener = await started(
    site({ '/slow': () => new Promise(resolve => { answer = () => resolve({ status: 200, body: 'late' }) }) }), // biome-ignore format: one line
  )
  const slow = fetched(listener.port, '/slow')
  await until('the request is under way', () => answer !== undefined)
  const stopped = listener.stop()
  answer!()
  t.equal((await slow).body.toString(), 'late')
  await stopped
})
