import t from 'tap'
import { FRAMES_PER_TURN_MAX } from '../../src/listen/stream-connection.ts'
import { listenTcp } from '../../src/listen/tcp.ts'
import { exchangeTcp, TcpClient } from '../support/dns-client.ts'
import { until } from '../support/until.ts'
import { ask, bench, echo, frame } from './fake-responder.ts'
import { idOf, openTcp as open } from './open-tcp.ts'

t.test('frames, however they come', async t => {
  const queries = (count: number, name = 'web'): Uint8Array[] =>
    Array.from({ length: count }, (_, id) => ask(`${name}${id}`, id))
  const cases: { what: string; queries: Uint8Array[]; pieces: (stream: Buffer) => Buffer[] }[] = [
    { what: 'one in one write', queries: queries(1), pieces: stream => [stream] },
    { what: 'two in one write', queries: queries(2), pieces: stream => [stream] },
    { what: '400 in one write', queries: queries(400), pieces: stream => [stream] },
    {
      what: 'octet by octet',
      queries: queries(3),
      pieces: stream => Array.from(stream, octet => Buffer.of(octet)),
    },
    {
      what: 'cut within the length',
      queries: queries(3),
      pieces: stream => [stream.subarray(0, 1), stream.subarray(1)],
    },
    {
      what: 'cut within the second',
      queries: queries(3),
      pieces: stream => [stream.subarray(0, 50), stream.subarray(50)],
    },
    {
      what: '90 answers of 65535 octets',
      queries: queries(90, 'big65535-'),
      pieces: stream => [stream],
    },
  ]
  for (const { what, queries, pieces } of cases) {
    await t.test(what, async t => {
      const { connect, responder } = await open(t)
      const client = await connect()
      for (const piece of pieces(Buffer.concat(queries.map(frame)))) {
        await new Promise(resolve => client.socket.write(piece, resolve))
      }
      for (const query of queries) {
        const reply = await client.receive()
        t.same(reply.subarray(0, query.length), echo(query))
      }
      t.equal(responder.faults, 0)
      t.equal(responder.entered, 0)
    })
  }
})

t.test('the answers of one read leave with one write', async t => {
  const { connect } = await open(t)
  const client = await connect()
  const reads: number[] = []
  client.socket.on('data', chunk => reads.push(chunk.length))
  const queries = Array.from({ length: FRAMES_PER_TURN_MAX }, (_, id) => frame(ask('web', id)))
  client.sendRaw(Buffer.concat(queries))
  for (let id = 0; id < FRAMES_PER_TURN_MAX; id++) await client.receive()
  t.same(reads, [FRAMES_PER_TURN_MAX * queries[0]!.length])
})

t.test('a connection full of queries leaves the others their turn', async t => {
  const { connect, responder } = await open(t)
  const [full, other] = [await connect(), await connect()]
  for (const client of [full, other]) {
    client.send(ask('web', 0))
    await client.receive()
  }
  responder.names.length = 0
  full.sendRaw(Buffer.concat(Array.from({ length: 200 }, (_, id) => frame(ask('full', id)))))
  other.send(ask('other', 1))
  for (let id = 0; id < 200; id++) t.equal(idOf(await full.receive()), id)
  await other.receive()
  t.equal(responder.names.length, 201)
  t.ok(responder.names.indexOf('other') <= FRAMES_PER_TURN_MAX, 'behind so many at most')
})

t.test('a slow query does not hold up the others; answers go by id', async t => {
  const { connect, responder } = await open(t)
  const client = await connect()
  client.sendRaw(Buffer.concat([ask('slow-a', 1), ask('web', 2), ask('slow-b', 3), ask('web', 4)].map(frame)))
  t.same([idOf(await client.receive()), idOf(await client.receive())], [2, 4])
  t.equal(responder.waiting, 2)
  responder.held[1]!.answer()
  t.equal(idOf(await client.receive()), 3)
  responder.held[0]!.answer()
  t.equal(idOf(await client.receive()), 1)
  t.equal(responder.waiting, 0)
  const { client: from, local, transport } = responder.held[0]!
  t.match(from, { address: '127.0.0.1', port: client.socket.localPort, family: 4 })
  t.match(local, { address: '127.0.0.1', port: client.socket.remotePort, family: 4 })
  t.equal(transport, 'tcp')
  t.equal(responder.faults, 0)
})

t.test('a silent query costs nothing else', async t => {
  const { connect, responder } = await open(t)
  const client = await connect()
  client.sendRaw(Buffer.concat([ask('silent', 1), ask('slow', 2), ask('web', 3)].map(frame)))
  t.equal(idOf(await client.receive()), 3)
  responder.held[0]!.drop()
  client.send(ask('web', 4))
  t.equal(idOf(await client.receive()), 4)
})

t.test('a peer that has shut its side gets its answers, then the end', async t => {
  const { connect, responder } = await open(t)
  const client = await connect()
  client.socket.end(Buffer.concat([ask('slow', 1), ask('web', 2)].map(frame)))
  t.equal(idOf(await client.receive()), 2)
  responder.held[0]!.answer()
  t.equal(idOf(await client.receive()), 1)
  await client.closed()
})

t.test('what cannot be a query ends the connection, after the answers that are owed', async t => {
  const head = (counts: string): Buffer => Buffer.from(`0014000101 00${counts}`.replaceAll(' ', ''), 'hex')
  const cases: Record<string, Buffer> = {
    'a length of 0': Buffer.from([0, 0]),
    'a length of 11': Buffer.concat([Buffer.from([0, 11]), Buffer.alloc(11)]),
    HTTP: Buffer.from('GET / HTTP/1.1\r\nHost: dns\r\n\r\n'),
    'a TLS hello': Buffer.from('1603010200010001fc0303a1b2c3d4e5f6', 'hex'),
    'an SSH banner': Buffer.from('SSH-2.0-OpenSSH_9.2\r\n'),
    'counts that no query has': head('0001 0000 0000 0003'),
  }
  for (const [what, octets] of Object.entries(cases)) {
    await t.test(what, async t => {
      const { connect, counted } = await open(t)
      const client = await connect()
      client.sendRaw(Buffer.concat([frame(ask('web', 7)), octets]))
      t.equal(idOf(await client.receive()), 7)
      await client.closed()
      await counted('tcp-garbage')
      await counted('tcp-accepted')
    })
  }
  await t.test('the same octet by octet', async t => {
    const { connect, counted } = await open(t)
    const client = await connect()
    for (const octet of cases.HTTP!) client.sendRaw(Buffer.of(octet))
    await client.closed()
    await counted('tcp-garbage')
    t.pass()
  })
})

t.test('a peer that reads late gets all', async t => {
  const { connect, counted } = await open(t)
  const client = await connect()
  client.socket.pause()
  const queries = Array.from({ length: 400 }, (_, id) => ask('big65000', id))
  client.sendRaw(Buffer.concat(queries.map(frame)))
  await counted('tcp-write-paused')
  client.socket.resume()
  for (let id = 0; id < 400; id++) {
    if (idOf(await client.receive()) !== id) t.fail(`answer ${id} is missing`)
  }
  t.pass()
})

t.test('a peer that has ended its side before it reads gets all', async t => {
  const { connect, counted } = await open(t)
  const client = await connect()
  client.socket.pause()
  client.socket.end(Buffer.concat(Array.from({ length: 40 }, (_, id) => frame(ask('big65000', id)))))
  await counted('tcp-write-paused')
  client.socket.resume()
  for (let id = 0; id < 40; id++) {
    if (idOf(await client.receive()) !== id) t.fail(`answer ${id} is missing`)
  }
  await client.closed()
})

t.test('resets, also with a query in flight, harm nobody', async t => {
  const { connect, listener, responder } = await open(t)
  for (let i = 0; i < 20; i++) {
    const client = await connect()
    client.send(ask('slow'))
    await until('held', () => responder.held.length === i + 1)
    client.socket.resetAndDestroy()
  }
  await until('gone', () => listener.connections === 0)
  for (const held of responder.held) held.answer()
  t.same(await exchangeTcp(listener.port, ask('web')), echo(ask('web')))
})

t.test('drain answers what is in flight, then ends; close does not wait', async t => {
  await t.test('drain', async t => {
    const { connect, listener, responder } = await open(t)
    const idle = await connect()
    const busy = await connect()
    busy.send(ask('slow', 5))
    await until('held', () => responder.held.length === 1)
    const drained = listener.drain()
    await idle.closed()
    await t.rejects(TcpClient.connect(listener.port), { code: 'refused' })
    responder.held[0]!.answer()
    t.equal(idOf(await busy.receive()), 5)
    await busy.closed()
    await drained
    t.equal(listener.connections, 0)
  })
  await t.test('a peer that does not close is cut off 5 s later', async t => {
    const { connect, listener, clock } = await open(t)
    const client = await connect()
    client.socket.allowHalfOpen = true
    client.send(ask('web'))
    await client.receive()
    const drained = listener.drain()
    await client.closed()
    clock.advance(5500)
    await drained
    t.equal(listener.connections, 0)
  })
  await t.test('close', async t => {
    const { connect, listener, responder } = await open(t)
    const client = await connect()
    client.send(ask('slow'))
    await until('held', () => responder.held.length === 1)
    const drained = listener.drain()
    await listener.close()
    await Promise.all([drained, client.closed(), listener.close()])
    responder.held[0]!.answer()
    t.equal(listener.connections, 0)
  })
})

t.test('where it cannot listen it says why', async t => {
  const { options } = bench()
  const first = await listenTcp({ ...options, reusePort: false })
  if (!first.ok) throw first.error
  t.teardown(() => first.listener.close())
  const { port } = first.listener
  const second = await listenTcp({ ...options, port })
  t.match(second, { ok: false, error: { code: 'EADDRINUSE', address: '127.0.0.1', port } })
  t.match(second, { error: { message: `listening on 127.0.0.1:${port} over TCP: the port is in use` } })
  t.match(await listenTcp({ ...options, address: '192.0.2.1' }), { error: { code: 'EADDRNOTAVAIL' } })
})

t.test('IPv6 alone, all addresses, and threads that share a port', async t => {
  await t.test('::1', async t => {
    const { listener, responder } = await open(t, {}, '::1')
    const reply = exchangeTcp(listener.port, ask('slow'), { host: '::1' })
    await until('held', () => responder.held.length === 1)
    t.match(responder.held[0], { client: { address: '::1', family: 6 }, local: { address: '::1' } })
    responder.held[0]!.answer()
    t.same(await reply, echo(ask('slow')))
  })
  await t.test('everything', async t => {
    const { listener } = await open(t, {}, '')
    for (const host of ['127.0.0.1', '127.0.0.3', '::1']) {
      t.same(await exchangeTcp(listener.port, ask('web'), { host }), echo(ask('web')))
    }
  })
  await t.test('two listeners', async t => {
    const one = await open(t)
    const two = await listenTcp({ ...one.options, port: one.listener.port })
    t.ok(two.ok)
    if (two.ok) await two.listener.close()
  })
})
