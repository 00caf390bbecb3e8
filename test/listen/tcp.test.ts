import t, { type Test } from 'tap'
import type { ListenEvent } from '../../src/listen/listener.ts'
import type { StreamLimits } from '../../src/listen/stream-limits.ts'
import type { StreamListener } from '../../src/listen/stream-listener.ts'
import { listenTcp } from '../../src/listen/tcp.ts'
import { type ExchangeOptions, exchangeTcp, NoAnswer, TcpClient } from '../support/dns-client.ts'
import { until } from '../support/virtual-clock.ts'
import { ask, bench, echo, frame } from './fixture.ts'

async function open(t: Test, limits: Partial<StreamLimits> = {}, address = '127.0.0.1') {
  const parts = bench()
  const listening = await listenTcp({ ...parts.options, address, limits })
  if (!listening.ok) throw listening.error
  const listener: StreamListener = listening.listener
  t.teardown(() => listener.close())
  const connect = async (options: ExchangeOptions = {}): Promise<TcpClient> => {
    const client = await TcpClient.connect(listener.port, options)
    t.teardown(() => client.destroy())
    return client
  }
  const counted = (event: ListenEvent): Promise<void> => until(event, () => parts.counts.of(event) > 0)
  return { ...parts, listener, connect, counted }
}

const idOf = (message: Uint8Array): number => (message[0]! << 8) | message[1]!

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
  const queries = Array.from({ length: 100 }, (_, id) => frame(ask('web', id)))
  client.sendRaw(Buffer.concat(queries))
  for (let id = 0; id < 100; id++) await client.receive()
  t.same(reads, [100 * queries[0]!.length])
})

t.test('a slow query does not hold up the others; answers go by id', async t => {
  const { connect, responder, admission } = await open(t)
  const client = await connect()
  client.sendRaw(Buffer.concat([ask('slow-a', 1), ask('web', 2), ask('slow-b', 3), ask('web', 4)].map(frame)))
  t.same([idOf(await client.receive()), idOf(await client.receive())], [2, 4])
  t.equal(admission.inFlight, 2)
  responder.held[1]!.answer()
  t.equal(idOf(await client.receive()), 3)
  responder.held[0]!.answer()
  t.equal(idOf(await client.receive()), 1)
  t.equal(admission.inFlight, 0)
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

t.test('timeouts', async t => {
  await t.test('no query: 3 s', async t => {
    const { connect, clock, counts, listener } = await open(t)
    const client = await connect()
    client.sendRaw(Uint8Array.of(0))
    await until('accepted', () => listener.connections === 1)
    clock.advance(2900)
    t.equal(counts.of('tcp-first-read-timeout'), 0)
    clock.advance(600)
    await client.closed()
    t.equal(counts.of('tcp-first-read-timeout'), 1)
  })
  await t.test('no further query: 10 s, and octets that make none do not count', async t => {
    const { connect, clock, counts } = await open(t)
    const client = await connect()
    client.send(ask('web'))
    await client.receive()
    clock.advance(8000)
    client.send(ask('web'))
    await client.receive()
    clock.advance(9900)
    client.sendRaw(Uint8Array.of(0))
    t.equal(counts.of('tcp-idle-timeout'), 0)
    clock.advance(1000)
    await client.closed()
    t.equal(counts.of('tcp-idle-timeout'), 1)
  })
  await t.test('a slow query is waited for, and the idle time begins with its answer', async t => {
    const { connect, clock, responder, counts } = await open(t)
    const client = await connect()
    client.send(ask('slow'))
    await until('held', () => responder.held.length === 1)
    clock.advance(60_000)
    responder.held[0]!.answer()
    await client.receive()
    clock.advance(9000)
    client.send(ask('web'))
    await client.receive()
    t.equal(counts.of('tcp-idle-timeout'), 0)
  })
  await t.test('half of the idle time is gone where connections are three quarters taken', async t => {
    const { connect, clock, counts } = await open(t, { connectionsMax: 4 })
    for (let i = 0; i < 3; i++) {
      const client = await connect()
      client.send(ask('web'))
      await client.receive()
    }
    clock.advance(5000)
    t.equal(counts.of('tcp-idle-timeout'), 0)
    clock.advance(1000)
    t.equal(counts.of('tcp-idle-timeout'), 3)
  })
})

t.test('a peer that does not read is not read, and cut off after 5 s', async t => {
  const { connect, clock, counted, counts, responder, listener } = await open(t)
  const client = await connect()
  client.socket.pause()
  const queries = Buffer.concat(Array.from({ length: 400 }, (_, id) => frame(ask('big65000', id))))
  for (let i = 0; i < 20; i++) client.sendRaw(queries)
  await counted('tcp-write-paused')
  const answered = responder.answered
  t.ok(answered < 8000, `${answered} answered`)
  clock.advance(4500)
  t.equal(counts.of('tcp-write-timeout'), 0)
  clock.advance(1500)
  await until('cut off', () => listener.connections === 0)
  t.equal(counts.of('tcp-write-timeout'), 1)
  t.equal(responder.answered, answered)
})

t.test('a peer that reads late gets all', async t => {
  const { connect, counted } = await open(t, { writeQueueMaxOctets: 1 })
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

t.test('limits', async t => {
  await t.test('slow queries of one connection', async t => {
    const { connect, responder, counted, counts } = await open(t, { inFlightPerConnectionMax: 3 })
    const client = await connect()
    client.sendRaw(Buffer.concat(Array.from({ length: 8 }, (_, id) => frame(ask('slow', id)))))
    client.send(ask('web', 100))
    await counted('tcp-in-flight-paused')
    await until('held', () => responder.held.length === 3)
    const ids = []
    for (let id = 0; id < 8; id++) {
      await until('next', () => responder.held.length > id)
      t.ok(responder.held.length <= id + 3)
      responder.held[id]!.answer()
      ids.push(idOf(await client.receive()))
    }
    ids.push(idOf(await client.receive()))
    t.same(
      ids.sort((a, b) => a - b),
      [0, 1, 2, 3, 4, 5, 6, 7, 100],
    )
    t.ok(counts.of('tcp-in-flight-paused') > 0)
  })
  await t.test('queries of one connection', async t => {
    const { connect, counts } = await open(t, { queriesPerConnectionMax: 2 })
    const client = await connect()
    client.sendRaw(Buffer.concat([1, 2, 3].map(id => frame(ask('web', id)))))
    t.same([idOf(await client.receive()), idOf(await client.receive())], [1, 2])
    await t.rejects(client.receive(), NoAnswer)
    t.equal(counts.of('tcp-queries-max'), 1)
  })
  await t.test('slow queries of the thread: REFUSED', async t => {
    const { connect, options, responder } = await open(t)
    for (let i = 0; i < 5000; i++) options.admission.enter('127.0.0.1')
    const client = await connect()
    client.send(ask('slow', 9))
    const reply = await client.receive()
    t.equal(idOf(reply), 9)
    t.equal(reply[3]! & 15, 5)
    t.equal(responder.held.length, 0)
  })
  await t.test('connections of one client', async t => {
    const { connect, counts, listener } = await open(t, { connectionsPerClientMax: 2 })
    const clients = [await connect(), await connect()]
    const third = await connect()
    await third.closed()
    t.equal(counts.of('tcp-refused-client'), 1)
    t.same(await exchangeTcp(listener.port, ask('web'), { localAddress: '127.0.0.2' }), echo(ask('web')))
    clients[0]!.destroy()
    await until('released', () => listener.connections === 1)
    t.same(await exchangeTcp(listener.port, ask('web')), echo(ask('web')))
  })
  await t.test('connections in all: the one that was idle longest makes room', async t => {
    const { connect, counts } = await open(t, { connectionsMax: 3 })
    const clients = []
    for (const name of ['slow', 'web', 'web']) {
      const client = await connect()
      client.sendRaw(Buffer.concat([frame(ask(name)), frame(ask('web', 2))]))
      await client.receive()
      clients.push(client)
    }
    // The second becomes the newest; the first is older than the third but has a query in flight.
    clients[1]!.send(ask('web', 3))
    await clients[1]!.receive()
    const next = await connect()
    await clients[2]!.closed()
    next.send(ask('web', 4))
    t.equal(idOf(await next.receive()), 4)
    t.equal(counts.of('tcp-evicted-idle'), 1)
  })
  await t.test('connections in all: none is idle', async t => {
    const { connect, responder, counted } = await open(t, { connectionsMax: 2 })
    for (let i = 0; i < 2; i++) (await connect()).send(ask('slow'))
    await until('held', () => responder.held.length === 2)
    await (await connect()).closed()
    await counted('tcp-refused-total')
    t.equal(responder.held.length, 2)
  })
})

t.test('1000 stalled connections leave room for a fresh one', async t => {
  const { connect, listener, counts } = await open(t, { connectionsMax: 500, connectionsPerClientMax: 500 })
  for (let i = 0; i < 1000; i++) {
    const client = await connect({ localAddress: `127.0.0.${2 + (i % 4)}` })
    client.sendRaw(Uint8Array.of(0, 50, 1))
  }
  t.same(await exchangeTcp(listener.port, ask('web')), echo(ask('web')))
  t.ok(counts.of('tcp-evicted-idle') >= 500)
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
