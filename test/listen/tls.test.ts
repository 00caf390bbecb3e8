import { once } from 'node:events'
import { existsSync, readFileSync, statSync } from 'node:fs'
import { connect as connectTcp } from 'node:net'
import { join } from 'node:path'
import { type ConnectionOptions, connect, type TLSSocket } from 'node:tls'
import t, { type Test } from 'tap'
import type { StreamOptions } from '../../src/listen/stream-listener.ts'
import { listenTls } from '../../src/listen/tls.ts'
import type { ClientAuth } from '../../src/listen/tls-gate.ts'
import { makeAuthority } from '../support/certificates.ts'
import { until } from '../support/until.ts'
import { ask, bench, echo, frame } from './fake-responder.ts'

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

const client = authority.issue('client')
const stranger = makeAuthority('stranger').issue('client')

/** Which clients are answered: none with a certificate, one of the authority, one of another. */
const clientAuths: readonly [ClientAuth, none: boolean, good: boolean, bad: boolean][] = [
  ['nocert', true, true, true],
  ['request', true, true, true],
  ['require', false, true, true],
  ['verify_if_given', true, true, false],
  ['require_and_verify', false, true, false],
]

for (const [clientAuth, ...welcome] of clientAuths) {
  t.test(`client_auth ${clientAuth}`, async t => {
    const { dial, counts } = await open(t, { tls: { ...server, ca: authority.cert, clientAuth } })
    const reply = frame(echo(ask('web')))
    for (const [i, certificate] of [{}, client, stranger].entries()) {
      const refused = (): number => counts.of('tls-handshake-error') + counts.of('tls-client-refused')
      const before = refused()
      const title = ['without', 'with one of the authority', 'with another'][i]
      const socket = await dial({ ...certificate })
      socket.write(frame(ask('web')))
      const octets = await read(socket, reply.length)
      if (welcome[i]) t.same(octets, Buffer.from(reply), `${title}: answered`)
      else {
        await until('refused', () => socket.destroyed && refused() > before)
        t.equal(octets.length, 0, `${title}: refused`)
      }
    }
  })
}

/** Connects and closes; gives the session and whether it goes on with the given one. */
async function visit(
  port: number,
  options: ConnectionOptions,
): Promise<{ readonly session: Buffer | undefined; readonly reused: boolean; readonly answered: boolean }> {
  const socket = connect({ host: '127.0.0.1', port, ca: authority.cert, ...options })
  let session: Buffer | undefined
  socket.on('session', ticket => {
    session = ticket
  })
  socket.on('error', () => undefined)
  await once(socket, 'secureConnect')
  socket.write(frame(ask('web')))
  const octets = await read(socket, frame(ask('web')).length)
  const reused = socket.isSessionReused()
  await until('a ticket', () => session !== undefined || reused || socket.destroyed)
  socket.destroy()
  return { session, reused, answered: octets.length > 0 }
}

t.test('sessions go on', async t => {
  const ticketSecret = Buffer.alloc(32, 7)
  const tls = { ...server, ca: authority.cert, clientAuth: 'require' } as const
  const one = await open(t, { tls, ticketSecret })
  const { session } = await visit(one.listener.port, client)
  if (session === undefined) throw new Error('there was no ticket')
  await t.test('on another thread', async t => {
    const other = await open(t, { tls, ticketSecret })
    t.match(await visit(other.listener.port, { ...client, session }), { reused: true, answered: true })
  })
  await t.test('not with another secret', async t => {
    const other = await open(t, { tls, ticketSecret: Buffer.alloc(32, 8) })
    t.match(await visit(other.listener.port, { ...client, session }), { reused: false, answered: true })
  })
  await t.test('not where clients are judged otherwise', async t => {
    const other = await open(t, { tls: { ...tls, ca: server.cert }, ticketSecret })
    t.match(await visit(other.listener.port, { ...client, session }), { reused: false, answered: true })
  })
})

t.test('other settings while serving', async t => {
  const { dial, listener, clock, counts } = await open(t, { limits: { idleTimeoutMs: 60_000 } })
  const nameOf = (socket: TLSSocket): string => `${socket.getPeerCertificate().subject.CN}`
  const before = await dial()
  t.equal(nameOf(before), 'dns')
  listener.adjust({ tls: authority.issue('another'), limits: { idleTimeoutMs: 2000 } })
  t.equal(nameOf(await dial()), 'another')
  const reply = frame(echo(ask('web')))
  before.write(frame(ask('web')))
  t.same(await read(before, reply.length), Buffer.from(reply), 'the old connection goes on')
  await until('idle', () => {
    clock.advance(500)
    return counts.of('tcp-idle-timeout') > 0
  })
  t.throws(() => listener.adjust({ tls: { cert: server.cert, key: stranger.key } }), /another certificate's/)
  t.equal(nameOf(await dial()), 'another', 'what cannot be used changes nothing')
  listener.adjust({})
  const plain = connectTcp(listener.port, '127.0.0.1')
  t.teardown(() => plain.destroy())
  plain.write(frame(ask('web')))
  const [octets] = await once(plain, 'data')
  t.same(octets, Buffer.from(reply), 'without a certificate nothing is encrypted')
})

t.test('keylog', async t => {
  const keylog = join(t.testdir(), 'keys')
  const { dial, counts } = await open(t, { tls: { ...server, keylog } })
  await dial()
  await until(
    'written',
    () => existsSync(keylog) && /^SERVER_HANDSHAKE_TRAFFIC_SECRET /m.test(readFileSync(keylog, 'utf8')),
  )
  t.equal(statSync(keylog).mode & 0o777, 0o600)
  const elsewhere = await open(t, { tls: { ...server, keylog: join(keylog, 'no') } })
  await elsewhere.dial()
  await until('counted', () => elsewhere.counts.of('tls-keylog-error') > 0)
  t.equal(counts.of('tls-keylog-error'), 0)
})

t.test('a full listener makes room', async t => {
  const { listener, counts, dial } = await open(t, { limits: { connectionsMax: 2 } })
  const halfOpen = [1, 2].map(() => connectTcp(listener.port, '127.0.0.1').on('error', () => undefined))
  t.teardown(() => {
    for (const socket of halfOpen) socket.destroy()
  })
  await until('both', () => listener.connections === 2)
  const socket = await dial()
  const reply = frame(echo(ask('web')))
  socket.write(frame(ask('web')))
  t.same(await read(socket, reply.length), Buffer.from(reply))
  t.equal(counts.of('tls-evicted-handshake'), 1)
  t.equal(counts.of('tcp-refused-total'), 0)
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
