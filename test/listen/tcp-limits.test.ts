import t from 'tap'
import { exchangeTcp, NoAnswer, type TcpClient } from '../support/dns-client.ts'
import { until } from '../support/until.ts'
import { ask, echo, frame } from './fake-responder.ts'
import { idOf, openTcp as open } from './open-tcp.ts'

t.test('timeouts', async t => {
  await t.test('no query: 3 s', async t => {
    const { connect, passes, counts, listener } = await open(t)
    const client = await connect()
    client.sendRaw(Uint8Array.of(0))
    await until('accepted', () => listener.connections === 1)
    await passes(2900)
    t.equal(counts.of('tcp-first-read-timeout'), 0)
    await passes(600)
    await client.closed()
    t.equal(counts.of('tcp-first-read-timeout'), 1)
  })
  await t.test('no further query: 10 s, and octets that make none do not count', async t => {
    const { connect, passes, counts } = await open(t)
    const client = await connect()
    client.send(ask('web'))
    await client.receive()
    await passes(8000)
    client.send(ask('web'))
    await client.receive()
    await passes(9900)
    client.sendRaw(Uint8Array.of(0))
    t.equal(counts.of('tcp-idle-timeout'), 0)
    await passes(1000)
    await client.closed()
    t.equal(counts.of('tcp-idle-timeout'), 1)
  })
  await t.test('a slow query is waited for, and the idle time begins with its answer', async t => {
    const { connect, passes, responder, counts } = await open(t)
    const client = await connect()
    client.send(ask('slow'))
    await until('held', () => responder.held.length === 1)
    await passes(60_000)
    responder.held[0]!.answer()
    await client.receive()
    await passes(9000)
    client.send(ask('web'))
    await client.receive()
    t.equal(counts.of('tcp-idle-timeout'), 0)
  })
  await t.test('half of the idle time is gone where connections are three quarters taken', async t => {
    const { connect, passes, counts } = await open(t, { connectionsMax: 4 })
    for (let i = 0; i < 3; i++) {
      const client = await connect()
      client.send(ask('web'))
      await client.receive()
    }
    await passes(5000)
    t.equal(counts.of('tcp-idle-timeout'), 0)
    await passes(1000)
    t.equal(counts.of('tcp-idle-timeout'), 3)
  })
})

t.test('a peer that does not read is not read, and cut off after 5 s', async t => {
  const { connect, passes, counted, counts, responder, listener } = await open(t)
  const client = await connect()
  client.socket.pause()
  const queries = Buffer.concat(Array.from({ length: 400 }, (_, id) => frame(ask('big65000', id))))
  for (let i = 0; i < 20; i++) client.sendRaw(queries)
  await counted('tcp-write-paused')
  await passes(4500)
  t.equal(counts.of('tcp-write-timeout'), 0)
  await passes(1500)
  await until('cut off', () => listener.connections === 0)
  t.equal(counts.of('tcp-write-timeout'), 1)
  t.ok(responder.answered < 400, `${responder.answered} answered: what the kernel had room for`)
})

t.test('a peer that has ended its side and takes nothing is cut off, too', async t => {
  const { connect, clock, listener, counts, responder } = await open(t)
  const client = await connect()
  client.socket.pause()
  // As many as fit into one read: all of it has come when the answers to some of it wait.
  client.socket.end(Buffer.concat(Array.from({ length: 40 }, (_, id) => frame(ask('big65000', id)))))
  await until('answered', () => responder.answered > 0)
  let before = -1
  await until('nothing more is taken', () => {
    const still = before === responder.answered
    before = responder.answered
    return still
  })
  await until('cut off', () => {
    clock.advance(600)
    return listener.connections === 0
  })
  t.equal(counts.of('tcp-write-timeout'), 1)
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
  await t.test('connections in all: whoever has most makes room for a new client', async t => {
    const { connect, counts, responder } = await open(t, { connectionsMax: 5 })
    const from = async (address: string): Promise<TcpClient> => {
      const client = await connect({ localAddress: address })
      client.send(ask('slow'))
      await until('held', () =>
        responder.held.some(({ client: { port } }) => port === client.socket.localPort),
      )
      return client
    }
    const one = [await from('127.0.0.2'), await from('127.0.0.2')]
    const two = [await from('127.0.0.3'), await from('127.0.0.3'), await from('127.0.0.3')]
    await from('127.0.0.4')
    await two[0]!.closed()
    t.equal(counts.of('tcp-evicted-busy'), 1)
    await from('127.0.0.5')
    await one[0]!.closed()
    t.equal(counts.of('tcp-evicted-busy'), 2)
    await from('127.0.0.2')
    await two[1]!.closed()
    t.equal(counts.of('tcp-evicted-busy'), 3)
    // 127.0.0.2 has two now, and nobody has more.
    await (await connect({ localAddress: '127.0.0.2' })).closed()
    t.equal(counts.of('tcp-refused-total'), 1)
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

t.test('what connections keep has a bound, and a client that takes nothing loses first', async t => {
  const maxOctets = 4 * 2 ** 20
  const { connect, counts, memory, listener } = await open(t, {}, '127.0.0.1', maxOctets)
  const patient = await connect({ localAddress: '127.0.0.2' })
  patient.send(ask('slow'))
  const queries = Buffer.concat(Array.from({ length: 1500 }, (_, id) => frame(ask('big60000', id))))
  let most = 0
  for (let i = 0; i < 100; i++) {
    const client = await connect({ localAddress: '127.0.0.3' })
    client.socket.pause()
    client.sendRaw(queries)
    most = Math.max(most, memory.octets)
  }
  await until('closed', () => counts.of('stream-memory-closed') > 10)
  t.ok(most <= maxOctets, `${most} octets`)
  t.same(
    await exchangeTcp(listener.port, ask('web'), { localAddress: '127.0.0.4' }),
    echo(ask('web')),
    'a new client is served',
  )
  patient.send(ask('web', 2))
  t.equal(idOf(await patient.receive()), 2, 'and so is one that has waited')
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
