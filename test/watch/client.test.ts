// Requests over real sockets: what counts as which error, who is asked again, and which connections are kept.

import { createServer, type RequestListener } from 'node:http'
import type { AddressInfo } from 'node:net'
import t, { type Test } from 'tap'
import { type ApiTls, endpointAccess, inClusterAccess, parseServer } from '../../src/watch/access.ts'
import { ApiError } from '../../src/watch/api-error.ts'
import { ApiClient, type ApiRequestRecord, parseRetryAfter } from '../../src/watch/client.ts'
import { openAccess } from '../../src/watch/open-access.ts'
import { makeAuthority } from '../support/certificates.ts'
import { FakeApiServer } from '../support/fake-api-server.ts'
import { until } from '../support/until.ts'
import { VirtualClock } from '../support/virtual-clock.ts'

interface Result {
  readonly text: string
  readonly error: ApiError | undefined
}

const JSON_TYPE = 'application/json'

const get = (client: ApiClient, path = '/'): Promise<Result> =>
  new Promise(resolve => {
    let text = ''
    client.get(path, JSON_TYPE, {
      onOpen() {},
      onData(chunk) {
        text += chunk
      },
      onEnd: error => resolve({ text, error }),
    })
  })

async function serve(t: Test, listener: RequestListener) {
  const server = createServer(listener).listen(0, '127.0.0.1')
  await new Promise(resolve => server.once('listening', resolve))
  const { port } = server.address() as AddressInfo
  const records: ApiRequestRecord[] = []
  const clock = new VirtualClock()
  const access = endpointAccess({ from: 'endpoint', url: `http://127.0.0.1:${port}` })
  const client = new ApiClient({ access, clock, onRequest: record => records.push(record) })
  t.teardown(() => {
    client.close()
    server.closeAllConnections()
    server.close()
  })
  return { client, clock, records, server, host: `127.0.0.1:${port}` }
}

t.test('a good answer', async t => {
  const { client, records, host } = await serve(t, (request, response) => response.end(`${request.url}`))
  t.same(await get(client, '/api/v1/services?limit=1'), {
    text: '/api/v1/services?limit=1',
    error: undefined,
  })
  t.match(records, [{ method: 'GET', host, code: '200', durationSeconds: Number }])
})

t.test('answers that are not good', async t => {
  for (const [status, body, code, message] of [
    [400, '{"kind":"Status","message":"bad\\nrequest"}', 'refused', '400 bad request'],
    [403, '{"kind":"Status","message":"services is forbidden"}', 'forbidden', '403 services is forbidden'],
    [404, '404 page not found\n', 'not-found', '404 404 page not found'],
    [410, '{}', 'gone', '410 {}'],
    [429, '', 'throttled', '429 without a message'],
    [500, '<html><h1>sorry</h1> later</html>', 'unavailable', '500 sorry later'],
    [204, '', 'refused', '204 without a message'],
    [301, '', 'refused', '301 without a message'],
    [502, 'x'.repeat(100_000), 'unavailable', /^502 x{300}…$/],
  ] as const) {
    const { client } = await serve(t, (_, response) => response.writeHead(status).end(body))
    const { error } = await get(client)
    t.match(error, { code, status }, String(status))
    t.match(error?.message, message)
  }
})

t.test('401 is asked again once, with credentials read anew', async t => {
  for (const [valid, requests] of [
    [true, 2],
    [false, 2],
  ] as const) {
    const seen: (string | undefined)[] = []
    const { client, server } = await serve(t, (request, response) => {
      seen.push(request.headers.authorization)
      response.writeHead(valid && seen.length > 1 ? 200 : 401).end('x')
    })
    const { port } = server.address() as AddressInfo
    let token = 'old'
    const access = {
      name: 'test',
      credentials: async () => ({
        server: parseServer(`http://127.0.0.1:${port}`),
        tls: {},
        headers: { authorization: token },
      }),
      refresh: () => {
        token = 'new'
      },
    }
    const { error } = await get(new ApiClient({ access, clock: client.clock }))
    t.equal(error?.code, valid ? undefined : 'unauthorized')
    t.same(seen, ['old', 'new'])
    t.equal(seen.length, requests)
  }
})

t.test('no answer in time', async t => {
  const { client, clock } = await serve(t, () => {})
  const result = get(client)
  await new Promise(resolve => setImmediate(resolve))
  clock.advance(30_000)
  t.match((await result).error, { code: 'timeout', message: /: no answer for 30 s$/ })
})

t.test('nobody listens', async t => {
  const { client, server, records } = await serve(t, () => {})
  await new Promise(resolve => server.close(resolve))
  t.match((await get(client)).error, {
    code: 'network',
    message: /^connecting to 127\.0\.0\.1:\d+: .*ECONNREFUSED/,
  })
  t.equal(records[0]!.code, '<error>')
})

t.test('a body that breaks off', async t => {
  const { client } = await serve(t, (_, response) => {
    response.write('half')
    setImmediate(() => response.destroy())
  })
  t.match(await get(client), { text: 'half', error: { code: 'network' } })
})

t.test('a kept connection that the server has closed meanwhile costs nothing', async t => {
  let requests = 0
  const { client } = await serve(t, (request, response) => {
    requests++
    if (requests === 2) request.socket.resetAndDestroy()
    else response.end('ok')
  })
  t.equal((await get(client)).text, 'ok')
  t.same(await get(client), { text: 'ok', error: undefined })
  t.equal(requests, 3)
})

t.test('connections are kept, and made anew when the CA changes', async t => {
  const authority = makeAuthority()
  const server = new FakeApiServer({ tls: authority.issue('kube-apiserver') })
  await server.listen()
  t.teardown(() => server.close())
  let tls: ApiTls = { ca: authority.cert }
  const access = {
    name: 'test',
    credentials: async () => ({ server: parseServer(server.url), tls, headers: {} }),
    refresh() {},
  }
  const client = new ApiClient({ access, clock: new VirtualClock() })
  t.teardown(() => client.close())
  for (let n = 0; n < 5; n++) t.equal((await get(client, '/api/v1/services?limit=1')).error, undefined)
  t.equal(server.connections, 1)
  tls = { ca: `${authority.cert}${makeAuthority().cert}` }
  t.equal((await get(client, '/api/v1/services?limit=1')).error, undefined)
  await until('the old connection is closed', () => server.connections === 1)
  tls = { ca: makeAuthority('somebody else').cert }
  t.match((await get(client, '/api/v1/services')).error, { code: 'tls' })
  tls = { ca: makeAuthority('somebody else').cert, rejectUnauthorized: false }
  t.equal((await get(client, '/api/v1/services?limit=1')).error, undefined, 'insecure-skip-tls-verify')
  tls = { ca: 'no certificate', cert: 'no certificate', key: 'no key' }
  t.match((await get(client, '/api/v1/services')).error, ApiError)
})

t.test('abort', async t => {
  const { client, server } = await serve(t, (_, response) => void response.write('x'))
  let heard = 0
  const call = client.get('/', JSON_TYPE, {
    onOpen() {},
    onData() {
      heard++
      call.abort()
    },
    onEnd: () => t.fail('onEnd after abort'),
  })
  await until('data', () => heard > 0)
  let open = 1
  await until('closed', () => {
    server.getConnections((_, count) => {
      open = count
    })
    return open === 0
  })
  client.get('/', JSON_TYPE, { onOpen: () => t.fail('opened'), onData() {}, onEnd() {} }).abort()
  await new Promise(resolve => setImmediate(resolve))
  t.equal(heard, 1)
})

t.test('a receiver that throws ends its own request and nothing else', async t => {
  const { client } = await serve(t, (_, response) => void response.write('x'))
  const error = await new Promise<ApiError | undefined>(resolve => {
    client.get('/', JSON_TYPE, {
      onOpen() {},
      onData() {
        throw new Error('a bug')
      },
      onEnd: resolve,
    })
  })
  t.match(error, { code: 'protocol', message: 'handling a response: a bug' })
})

t.test('Retry-After', async t => {
  const now = Date.UTC(2026, 0, 1)
  t.equal(parseRetryAfter('7', now), 7000)
  t.equal(parseRetryAfter('Thu, 01 Jan 2026 00:00:09 GMT', now), 9000)
  t.equal(parseRetryAfter('Wed, 31 Dec 2025 00:00:00 GMT', now), 0)
  t.equal(parseRetryAfter('86400', now), 300_000, 'a day is not believed')
  t.equal(parseRetryAfter('soon', now), undefined)
  t.equal(parseRetryAfter(undefined, now), undefined)
})

t.test('where the API server is', async t => {
  const files: Record<string, string> = { '/sa/token': ' abc\n', '/sa/ca.crt': 'CA' }
  const read = async (file: string): Promise<string> => files[file] ?? ''
  for (const [host, port, url] of [
    ['10.96.0.1', '443', 'https://10.96.0.1'],
    ['fd00:10:96::1', '6443', 'https://[fd00:10:96::1]:6443'],
  ] as const) {
    const access = inClusterAccess(
      { KUBERNETES_SERVICE_HOST: host, KUBERNETES_SERVICE_PORT: port },
      '/sa',
      read,
    )
    const { server, tls, headers } = await access.credentials()
    t.same([server.origin, tls, headers], [url, { ca: 'CA' }, { authorization: 'Bearer abc' }])
  }
  t.throws(() => inClusterAccess({}, '/sa', read), {
    code: 'credentials',
    message: /KUBERNETES_SERVICE_HOST/,
  })
  const env = { KUBERNETES_SERVICE_HOST: '10.96.0.1', KUBERNETES_SERVICE_PORT: '443' }
  await t.rejects(inClusterAccess(env, '/empty', read).credentials(), {
    code: 'credentials',
    message: /token .* is empty/,
  })
  await t.rejects(inClusterAccess(env, '/nowhere/at/all').credentials(), {
    code: 'credentials',
    message: /ENOENT/,
  })
  for (const [given, url] of [
    ['http://localhost:8080', 'http://localhost:8080/'],
    ['localhost:8080', 'http://localhost:8080/'],
    ['https://h:6443/k8s/clusters/c-1/', 'https://h:6443/k8s/clusters/c-1'],
  ] as const) {
    t.equal((await endpointAccess({ from: 'endpoint', url: given }).credentials()).server.href, url)
  }
  const tls = { certFile: '', keyFile: '', caFile: '/sa/ca.crt' }
  const access = endpointAccess({ from: 'endpoint', url: 'h:6443', tls }, read)
  t.match(await access.credentials(), { server: new URL('https://h:6443'), tls: { ca: 'CA' } })
  await t.rejects(openAccess({ from: 'endpoint', url: 'ftp://h' }, new VirtualClock()), {
    code: 'credentials',
    message: /"ftp:\/\/h" is not/,
  })
})

t.test('a path prefix of the server is kept', async t => {
  const { client, server } = await serve(t, (request, response) => response.end(request.url))
  const { port } = server.address() as AddressInfo
  const access = endpointAccess({ from: 'endpoint', url: `http://127.0.0.1:${port}/k8s/c-1/` })
  const { text } = await get(new ApiClient({ access, clock: client.clock }), '/api/v1/pods')
  t.equal(text, '/k8s/c-1/api/v1/pods')
})

const EVENTS = '/api/v1/namespaces/shop/events'

async function writing(t: Test) {
  const server = await new FakeApiServer().listen()
  const clock = new VirtualClock()
  const records: ApiRequestRecord[] = []
  const access = endpointAccess({ from: 'endpoint', url: server.url })
  const client = new ApiClient({ access, clock, onRequest: record => records.push(record) })
  t.teardown(async () => {
    client.close()
    await server.close()
  })
  return { server, clock, records, client }
}

t.test('an object is created and changed, as a whole or in its status', async t => {
  const { client, server, records } = await writing(t)
  const created = await client.write({
    method: 'POST',
    path: EVENTS,
    body: { metadata: { name: 'one' }, count: 1, reason: 'Ünlike' },
  })
  t.match(created, { kind: 'Event', metadata: { name: 'one', namespace: 'shop' }, count: 1 })
  const changed = await client.write({ method: 'PATCH', path: `${EVENTS}/one`, body: { count: 2 } })
  t.match(changed, { metadata: { name: 'one' }, count: 2, reason: 'Ünlike' })
  const status = { body: { count: 9, status: { seen: true } }, path: `${EVENTS}/one/status` }
  t.match(await client.write({ method: 'PATCH', ...status }), { count: 2, status: { seen: true } })
  t.same(
    records.map(({ method, code }) => [method, code]),
    [
      ['POST', '201'],
      ['PATCH', '200'],
      ['PATCH', '200'],
    ],
  )
  t.same(
    server.requests.map(({ headers }) => headers['content-type']),
    ['application/json', 'application/merge-patch+json', 'application/merge-patch+json'],
  )
})

t.test('a write that the server refuses', async t => {
  const { client, server } = await writing(t)
  const one = { method: 'POST', path: EVENTS, body: { metadata: { name: 'one' } } } as const
  await client.write(one)
  await t.rejects(client.write(one), {
    code: 'refused',
    status: 409,
    message: '409 events "one" already exists',
  })
  const absent = { method: 'PATCH', path: `${EVENTS}/two`, body: {} } as const
  await t.rejects(client.write(absent), { code: 'not-found', status: 404 })
  const stale = { ...absent, path: `${EVENTS}/one`, body: { metadata: { resourceVersion: '1' } } }
  await t.rejects(client.write(stale), { code: 'refused', status: 409, message: /has been modified/ })
  server.forbid('events', ['create'])
  await t.rejects(client.write({ ...one, body: { metadata: { name: 'two' } } }), {
    code: 'forbidden',
    message: /cannot create resource "events" in API group ""/,
  })
  await t.rejects(client.write({ ...one, path: '/apis/nobody/v1/namespaces/shop/nothing' }), {
    code: 'not-found',
  })
})

t.test('a write has a token, and it is read anew after a 401', async t => {
  const { server, clock } = await writing(t)
  server.tokens = new Set(['new'])
  let token = 'old'
  const access = {
    name: 'test',
    credentials: async () => ({
      server: parseServer(server.url),
      tls: {},
      headers: { authorization: `Bearer ${token}` },
    }),
    refresh: () => {
      token = 'new'
    },
  }
  const writer = new ApiClient({ access, clock })
  t.teardown(() => writer.close())
  t.match(await writer.write({ method: 'POST', path: EVENTS, body: { metadata: { name: 'one' } } }), {
    metadata: { name: 'one' },
  })
  t.same(
    server.requests.map(({ status }) => status),
    [401, 201],
  )
})

t.test('a write is bounded in octets both ways, in time and in number', async t => {
  const large = { method: 'POST', path: '/', body: { text: 'x'.repeat(300_000) } } as const
  const small = { method: 'POST', path: '/', body: {} } as const
  const { client } = await serve(t, (_, response) => {
    response.writeHead(201)
    for (let octets = 0; octets < 2 << 20; octets += 65536) response.write(Buffer.alloc(65536, '1'))
    response.end()
  })
  await t.rejects(client.write(large), {
    code: 'protocol',
    message: 'POST /: 300011 octets are too many to write',
  })
  await t.rejects(client.write(small), { code: 'protocol', message: /more than 1048576 octets/ })

  let heard = 0
  const slow = await serve(t, (_, response) => {
    heard++
    response.writeHead(201).write('{')
  })
  const waiting = Array.from({ length: 8 }, () => slow.client.write(small))
  for (const one of waiting) one.catch(() => {})
  await t.rejects(slow.client.write(small), { code: 'busy', message: 'POST /: 8 are under way' })
  await until('all are heard and begun', () => heard === 8 && slow.records.length === 8)
  slow.clock.advance(30_000)
  for (const one of waiting) await t.rejects(one, { code: 'timeout' })

  const odd = await serve(t, (_, response) => response.end('<html>'))
  await t.rejects(odd.client.write(small), { code: 'protocol', message: /^POST \/: .*JSON/ })
})

t.test('over a kept connection that is dead, a PATCH is asked again and a POST is not', async t => {
  for (const [method, requests] of [
    ['PATCH', 3],
    ['POST', 2],
  ] as const) {
    let seen = 0
    const { client } = await serve(t, (request, response) => {
      seen++
      if (seen === 2) request.socket.resetAndDestroy()
      else response.end('{}')
    })
    const write = { method, path: '/', body: {} }
    await client.write(write)
    if (method === 'PATCH') t.same(await client.write(write), {})
    else await t.rejects(client.write(write), { code: 'network', cause: { code: 'ECONNRESET' } })
    t.equal(seen, requests, method)
  }
})
