// One table of cases for both forms of UDP: batches of system calls, where this machine has them, and
// node:dgram.

import { createSocket, Socket } from 'node:dgram'
import { once } from 'node:events'
import type { NetworkInterfaceInfo } from 'node:os'
import { Worker } from 'node:worker_threads'
import t, { type Test } from 'tap'
import { loadLibc } from '../../src/listen/libc.ts'
import { answersEverything, type ListenResult } from '../../src/listen/listener.ts'
import { listenTcp } from '../../src/listen/tcp.ts'
import { listenUdp, type UdpOptions } from '../../src/listen/udp.ts'
import { listenUdpDgram, SEND_QUEUE_MAX } from '../../src/listen/udp-dgram.ts'
import { exchangeTcp, exchangeUdp, NoAnswer } from '../support/dns-client.ts'
import { until } from '../support/until.ts'
import { ask, bench, echo } from './fake-responder.ts'

const v4 = (address: string): NetworkInterfaceInfo => ({
  address,
  netmask: '255.0.0.0',
  family: 'IPv4',
  mac: '00:00:00:00:00:00',
  internal: true,
  cidr: `${address}/8`,
})
const v6: NetworkInterfaceInfo = { ...v4('::1'), family: 'IPv6', scopeid: 0 }
/** node:dgram knows the addresses of interfaces; batches need none. */
const interfaces = () => ({ lo: [v4('127.0.0.1'), v4('127.0.0.2'), v6] })

type Kind = 'batch' | 'dgram'
const kinds: Kind[] = (await loadLibc()) ? ['batch', 'dgram'] : ['dgram']
const listen = (kind: Kind, options: UdpOptions): Promise<ListenResult> =>
  kind === 'batch' ? listenUdp(options) : listenUdpDgram({ ...options, interfaces })

async function open(t: Test, kind: Kind, more: Partial<UdpOptions> = {}) {
  const parts = bench()
  const options = { ...parts.options, ...more }
  const listening = await listen(kind, options)
  if (!listening.ok) throw listening.error
  const { listener } = listening
  t.teardown(() => listener.close())
  t.equal(listener.kind, `udp-${kind}`)
  return { ...parts, options, listener, port: listener.port }
}

/** A client that collects datagrams. */
async function connect(
  t: Test,
  port: number,
  host = '127.0.0.1',
): Promise<{ socket: Socket; got: Buffer[] }> {
  const socket = createSocket({ type: host.includes(':') ? 'udp6' : 'udp4', recvBufferSize: 4 << 20 })
  const got: Buffer[] = []
  socket.on('message', octets => got.push(octets))
  socket.on('error', () => undefined)
  t.teardown(() => void socket.close())
  socket.connect(port, host)
  await once(socket, 'connect')
  return { socket, got }
}

const ids = (got: readonly Buffer[]): number[] => got.map(reply => reply.readUInt16BE(0))

for (const kind of kinds) {
  t.test(`udp-${kind}`, async t => {
    await t.test('answers', async t => {
      const cases: [string, Uint8Array, number][] = [
        ['a query', ask('web'), 0],
        ['an answer of 4096 octets', ask('big4096'), 4096],
        ['a query of 4096 octets', Buffer.concat([ask('web'), Buffer.alloc(4096 - ask('web').length, 7)]), 0],
      ]
      const { port, responder } = await open(t, kind)
      for (const [what, query, octets] of cases) {
        const reply = await exchangeUdp(port, query)
        t.equal(reply.length, octets || query.length, what)
        t.same(reply.subarray(0, query.length), echo(query), what)
      }
      t.equal(responder.faults, 0)
      t.equal(responder.entered, 0)
    })

    await t.test('datagrams of any length harm nobody', async t => {
      const { port, responder } = await open(t, kind)
      const { socket } = await connect(t, port)
      const lengths = [0, 1, 2, 3, 4, 8, 11, 12, 4095, 4096, 4097, 9000, 60_000]
      for (const length of lengths) socket.send(Buffer.alloc(length))
      await until('all', () => responder.lengths.length === lengths.length)
      t.same(
        responder.lengths,
        lengths.map(length => Math.min(length, 4096)),
      )
      t.same(await exchangeUdp(port, ask('web')), echo(ask('web')))
    })

    await t.test('datagrams from services that answer everything get no answer', async t => {
      const { port, counts } = await open(t, kind)
      const asked: number[] = []
      for (const from of [7, 13, 17, 19, 37]) {
        const socket = createSocket('udp4')
        t.teardown(() => void socket.close())
        socket.on('message', () => t.fail(`an answer to port ${from}`))
        try {
          socket.bind(from, '127.0.0.9')
          await once(socket, 'listening')
        } catch (error) {
          t.comment(`SKIPPED: port ${from} cannot be had (${(error as NodeJS.ErrnoException).code})`)
          continue
        }
        socket.send(ask('web'), port, '127.0.0.1')
        asked.push(from)
      }
      await until('counted', () => counts.of('udp-source-port-refused') === asked.length)
      t.same(await exchangeUdp(port, ask('web')), echo(ask('web')), 'others get one')
    })

    await t.test('slow queries hold up nobody and come back to who asked', async t => {
      const { port, responder } = await open(t, kind)
      const clients = await Promise.all([0, 1, 2].map(() => connect(t, port)))
      clients.forEach(({ socket }, i) => {
        for (const [id, name] of ['slow', 'web', 'silent', 'slower'].entries())
          socket.send(ask(name, 10 * i + id))
      })
      await until('fast', () => clients.every(({ got }) => got.length === 1))
      await until('slow', () => responder.held.length === 6)
      t.equal(responder.waiting, 6)
      for (const { client, local, transport } of responder.held) {
        t.match(client, { address: '127.0.0.1', family: 4 })
        t.same(local, { address: '127.0.0.1', port, family: 4 })
        t.equal(transport, 'udp')
      }
      for (const held of responder.held.toReversed()) {
        if (held.name === 'slower') held.drop()
        else held.answer()
      }
      await until('answered', () => clients.every(({ got }) => got.length === 2))
      t.same(
        clients.map(({ got }) => ids(got)),
        [
          [1, 0],
          [11, 10],
          [21, 20],
        ],
      )
      t.equal(responder.waiting, 0)
      t.equal(responder.faults, 0)
    })

    await t.test('500 slow queries answered at once', async t => {
      const { port, responder } = await open(t, kind)
      const { socket, got } = await connect(t, port)
      for (let id = 0; id < 500; id++) socket.send(ask('slow', id))
      await until('held', () => responder.held.length === 500)
      for (const held of responder.held) held.answer()
      await until('answered', () => got.length === 500)
      t.same(
        ids(got).toSorted((a, b) => a - b),
        Array.from({ length: 500 }, (_, id) => id),
      )
    })

    await t.test('200 clients at once and five times the same', async t => {
      const { port } = await open(t, kind)
      const replies = await Promise.all(
        Array.from({ length: 200 }, (_, id) => exchangeUdp(port, ask('web', id))),
      )
      t.same(
        replies.map(reply => reply[1]),
        Array.from({ length: 200 }, (_, id) => id),
      )
      const { socket, got } = await connect(t, port)
      for (let i = 0; i < 5; i++) socket.send(ask('web', 9))
      await until('five', () => got.length === 5)
      t.same(ids(got), [9, 9, 9, 9, 9])
    })

    await t.test('on all addresses the one that was asked answers', async t => {
      const { port, responder } = await open(t, kind, { address: '' })
      for (const host of ['127.0.0.1', '127.0.0.2', '::1']) {
        // The clients' sockets are connected: a reply from another address does not reach them.
        t.same(await exchangeUdp(port, ask('web'), { host }), echo(ask('web')), host)
        const slow = exchangeUdp(port, ask('slow'), { host })
        await until('held', () => responder.held.length === 1)
        const { local, client, answer } = responder.held.pop()!
        t.same(local, { address: host, port, family: host.includes(':') ? 6 : 4 })
        t.equal(client.address, host.includes(':') ? '::1' : client.address)
        answer()
        t.same(await slow, echo(ask('slow')), `${host}, slow`)
      }
      const clients = await Promise.all(['127.0.0.1', '127.0.0.2', '::1'].map(host => connect(t, port, host)))
      for (let id = 0; id < 60; id++)
        for (const { socket } of clients) socket.send(ask(id % 3 ? 'web' : 'silent', id))
      await until('all', () => clients.every(({ got }) => got.length === 40))
      t.equal(responder.faults, 0)
    })

    await t.test('one family, one address', async t => {
      await t.test('::1', async t => {
        const { port } = await open(t, kind, { address: '::1' })
        t.same(await exchangeUdp(port, ask('web'), { host: '::1' }), echo(ask('web')))
        await t.rejects(exchangeUdp(port, ask('web')), NoAnswer)
      })
      await t.test(':: alone is IPv6 alone', async t => {
        const { port } = await open(t, kind, { address: '::' })
        t.same(await exchangeUdp(port, ask('web'), { host: '::1' }), echo(ask('web')))
        await t.rejects(exchangeUdp(port, ask('web')), NoAnswer)
      })
    })

    await t.test('clients that are gone harm nobody', async t => {
      const { port, responder } = await open(t, kind)
      for (let i = 0; i < 100; i++) {
        const { socket } = await connect(t, port)
        socket.send(ask('slow', i))
        socket.send(ask('web', i))
        await until('held', () => responder.held.length === i + 1)
        socket.disconnect()
      }
      for (const held of responder.held) held.answer()
      t.same(await exchangeUdp(port, ask('web')), echo(ask('web')))
    })

    await t.test('drain answers what has come and what is in flight', async t => {
      const { port, responder, listener } = await open(t, kind)
      const { socket, got } = await connect(t, port)
      socket.send(ask('slow', 1))
      await until('held', () => responder.held.length === 1)
      const drained = listener.drain()
      // Batches turn new ones away, so that another socket of the port has them; node:dgram cannot.
      if (kind === 'batch') await t.rejects(exchangeUdp(port, ask('web')), { code: 'refused' })
      else t.same(await exchangeUdp(port, ask('web')), echo(ask('web')))
      responder.held[0]!.answer()
      await drained
      await until('answer', () => got.length === 1)
      t.same(ids(got), [1])
      await t.rejects(exchangeUdp(port, ask('web')), { code: 'refused' })
      await Promise.all([listener.close(), listener.drain()])
    })

    await t.test('close does not wait, and late answers are nothing', async t => {
      const { port, responder, listener } = await open(t, kind)
      const { socket } = await connect(t, port)
      socket.send(ask('slow'))
      await until('held', () => responder.held.length === 1)
      const drained = listener.drain()
      await listener.close()
      await drained
      responder.held[0]!.answer()
      await t.rejects(exchangeUdp(port, ask('web')), { code: 'refused' })
    })

    await t.test('where it cannot listen it says why', async t => {
      const { port, options } = await open(t, kind, { reusePort: false })
      const error = { code: 'EADDRINUSE', address: '127.0.0.1', port }
      t.match(await listen(kind, { ...options, port }), { ok: false, error })
      for (const address of ['192.0.2.1', '2001:db8::1']) {
        t.match(await listen(kind, { ...options, address }), { ok: false, error: { code: 'EADDRNOTAVAIL' } })
      }
      t.match(await listen(kind, { ...options, address: '', port }), {
        ok: false,
        error: { code: 'EADDRINUSE' },
      })
    })

    await t.test('threads share a port; a terminated one leaves nothing behind', async t => {
      const start = async (number: number, port: number): Promise<{ worker: Worker; port: number }> => {
        const worker = new Worker(new URL('udp-thread.ts', import.meta.url), {
          workerData: { number, port, prefer: kind },
        })
        t.teardown(() => worker.terminate())
        const [bound] = await once(worker, 'message')
        return { worker, port: bound }
      }
      const first = await start(1, 0)
      const second = await start(2, first.port)
      t.equal(second.port, first.port)
      const answering = async (): Promise<Set<number | undefined>> => {
        const replies = await Promise.all(
          Array.from({ length: 100 }, () => exchangeUdp(first.port, ask('web'))),
        )
        return new Set(replies.map(reply => reply[1]))
      }
      t.same(await answering(), new Set([1, 2]))
      t.equal(await first.worker.terminate(), 1, 'ends')
      t.same(await answering(), new Set([2]))
    })

    await t.test('under load timers, TCP and the slow path go on', async t => {
      const { port, options, responder } = await open(t, kind)
      const tcp = await listenTcp(options)
      if (!tcp.ok) throw tcp.error
      t.teardown(() => tcp.listener.close())
      const worker = new Worker(new URL('udp-load.ts', import.meta.url), { workerData: { port } })
      t.teardown(() => worker.terminate())
      await until('load', () => responder.answered > 2000)
      let fired = 0
      const timer = setInterval(() => fired++, 5)
      t.teardown(() => clearInterval(timer))
      const before = responder.answered
      for (let i = 0; i < 20; i++) {
        t.same(await exchangeTcp(tcp.listener.port, ask('web')), echo(ask('web')))
        const slow = exchangeUdp(port, ask('slow'))
        await until('held', () => responder.held.length === i + 1)
        responder.held[i]!.answer()
        t.same(await slow, echo(ask('slow')))
      }
      await until('timers', () => fired > 5)
      t.ok(responder.answered > before, 'the load was answered meanwhile')
      t.equal(responder.faults, 0)
    })
  })
}

t.test('which ports answer everything', async t => {
  const ports = Array.from({ length: 65_536 }, (_, port) => port).filter(answersEverything)
  t.same(ports, [0, 7, 13, 17, 19, 37])
})

t.test('udp-dgram follows the addresses of the machine', async t => {
  const { options, clock } = bench()
  let addresses = ['127.0.0.1']
  const listening = await listenUdpDgram({
    ...options,
    address: '0.0.0.0',
    interfaces: () => ({ lo: addresses.map(v4) }),
  })
  if (!listening.ok) throw listening.error
  const { port, close } = listening.listener
  t.teardown(close)
  const answers = async (host: string): Promise<boolean> =>
    exchangeUdp(port, ask('web'), { host }).then(
      () => true,
      () => false,
    )
  t.same([await answers('127.0.0.1'), await answers('127.0.0.2')], [true, false])
  addresses = ['127.0.0.2', '192.0.2.1']
  clock.advance(5000)
  while (!(await answers('127.0.0.2')));
  t.equal(await answers('127.0.0.1'), false)
  addresses = ['127.0.0.1']
  clock.advance(5000)
  while (!(await answers('127.0.0.1')));
  t.equal(await answers('127.0.0.2'), false)
})

t.test('udp-dgram drops what a full send queue does not take, and counts it', async t => {
  const { port, counts } = await open(t, 'dgram')
  t.same(await exchangeUdp(port, ask('web')), echo(ask('web')))
  const queued = t.capture(Socket.prototype, 'getSendQueueCount', () => SEND_QUEUE_MAX)
  await t.rejects(exchangeUdp(port, ask('web'), { timeoutMs: 100 }), NoAnswer)
  t.equal(counts.of('udp-send-dropped'), 1)
  queued.restore()
  t.same(await exchangeUdp(port, ask('web')), echo(ask('web')))
})

t.test('udp-dgram without addresses of the family', async t => {
  const { options } = bench()
  const result = await listenUdpDgram({ ...options, address: '0.0.0.0', interfaces: () => ({}) })
  t.match(result, { ok: false, error: { code: 'EADDRNOTAVAIL' } })
})
