import { once } from 'node:events'
import { connect as connectTcp } from 'node:net'
import { type ConnectionOptions, connect, type TLSSocket } from 'node:tls'
import t, { type Test } from 'tap'
import type { StreamOptions } from '../../src/listen/stream-listener.ts'
import { listenTls } from '../../src/listen/tls.ts'
import { makeAuthority } from '../support/certificates.ts'
import { until } from '../support/virtual-clock.ts'
import { ask, bench, echo, frame } from './fixture.ts'

const authority = makeAuthority()
const server = authority.issue('dns')

async function open(t: Test, options: Partial<StreamOptions> = {}) {
  const parts = bench()
  const listening = await listenTls({ ...parts.options, tls: server, ...options })
  if (!listening.ok) throw listening.error
  const { listener } = listening
  t.teardown(() => listener.close())
  const dial = async (options: ConnectionOptions = {}): Promise<TLSSocket> => {
    const socket = connect({ host: '127.0.0.1', port: listener.port, ca: authority.cert, ...options })
    t.teardown(() => {
      socket.destroy()
    })
    socket.on('error', () => undefined)
    await once(socket, 'secureConnect')
    return socket
  }
  return { ...parts, listener, dial }
}

async function read(socket: TLSSocket, octets: number): Promise<Buffer> {
  let read = Buffer.alloc(0)
  socket.on('data', chunk => {
    read = Buffer.concat([read, chunk])
  })
  await until('octets', () => read.length >= octets || socket.destroyed)
  return read
}

t.test('answers, fast and slow', async t => {
  const { dial, responder, listener } = await open(t)
  const socket = await dial({ ALPNProtocols: ['dot'] })
  t.equal(socket.alpnProtocol, 'dot')
  socket.write(Buffer.concat([frame(ask('slow', 1)), frame(ask('web', 2))]))
  const first = frame(echo(ask('web', 2)))
  const second = frame(echo(ask('slow', 1)))
  const octets = read(socket, first.length + second.length)
  await until('held', () => responder.held.length === 1)
  t.match(responder.held[0], { transport: 'tls', client: { address: '127.0.0.1', family: 4 } })
  responder.held[0]!.answer()
  t.same(await octets, Buffer.concat([first, second]))
  t.equal(responder.faults, 0)
  t.equal(listener.connections, 1)
  socket.destroy()
  await until('released', () => listener.connections === 0)
})

t.test('the bounds of TCP hold', async t => {
  await t.test('an idle connection ends', async t => {
    const { dial, clock, counts, listener } = await open(t)
    const socket = await dial()
    await until('served', () => listener.connections === 1)
    await until('timed out', () => {
      clock.advance(500)
      return counts.of('tcp-first-read-timeout') === 1
    })
    await until('closed', () => socket.destroyed)
    t.equal(counts.of('tcp-first-read-timeout'), 1)
  })
  await t.test('connections of one client count from the first packet', async t => {
    const { listener, counts } = await open(t, { limits: { connectionsPerClientMax: 1 } })
    const first = connectTcp(listener.port, '127.0.0.1')
    t.teardown(() => first.destroy())
    await until('accepted', () => listener.connections === 1)
    const second = connectTcp(listener.port, '127.0.0.1').on('error', () => undefined)
    t.teardown(() => second.destroy())
    await until('refused', () => counts.of('tcp-refused-client') === 1)
    await until('closed', () => second.destroyed)
    t.equal(listener.connections, 1)
  })
  await t.test('what is not TLS is counted and closed', async t => {
    const { listener, counts } = await open(t)
    const socket = connectTcp(listener.port, '127.0.0.1')
    t.teardown(() => socket.destroy())
    socket.on('error', () => undefined)
    socket.write(frame(ask('web')))
    socket.resume()
    await until('closed', () => socket.destroyed)
    await until('released', () => listener.connections === 0)
    t.equal(counts.of('tls-handshake-error'), 1)
  })
})

t.test('clients with certificates', async t => {
  const { dial, counts } = await open(t, {
    tls: { ...server, ca: authority.cert, clientAuth: 'require_and_verify' },
  })
  const socket = await dial({ ...authority.issue('client') })
  const reply = frame(echo(ask('web')))
  socket.write(frame(ask('web')))
  t.same(await read(socket, reply.length), Buffer.from(reply))
  const stranger = await dial()
  stranger.write(frame(ask('web')))
  stranger.resume()
  await until('refused', () => stranger.destroyed)
  t.equal(counts.of('tls-handshake-error'), 1)
})

t.test('drain and close', async t => {
  const { dial, responder, listener } = await open(t)
  const socket = await dial()
  socket.write(frame(ask('slow')))
  await until('held', () => responder.held.length === 1)
  const drained = listener.drain()
  const reply = frame(echo(ask('slow')))
  const octets = read(socket, reply.length)
  responder.held[0]!.answer()
  t.same(await octets, Buffer.from(reply))
  await drained
  t.equal(listener.connections, 0)
})

t.test('an unusable key is an error in words', async t => {
  const { options } = bench()
  const result = await listenTls({ ...options, tls: { cert: server.cert, key: 'no key' } })
  t.match(result, { ok: false, error: { message: /^listening on 127.0.0.1:0 over TLS: / } })
})
