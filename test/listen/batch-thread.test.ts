import { once } from 'node:events'
import { Worker } from 'node:worker_threads'
import t from 'tap'
import { BatchSocket } from '../../src/listen/batch-socket.ts'
import { BatchThread } from '../../src/listen/batch-thread.ts'
import { loadLibc } from '../../src/listen/libc.ts'
import { exchangeUdp } from '../support/dns-client.ts'
import { until } from '../support/until.ts'
import { ask, bench, echo } from './fake-responder.ts'

const libc = await loadLibc()
const skip = libc ? false : 'this machine has no batches'
const part = { address: '127.0.0.1', family: 4, optional: false } as const

t.test('a thread under load ends when it is told to', { skip }, async t => {
  const worker = new Worker(new URL('udp-thread.ts', import.meta.url), {
    workerData: { number: 1, port: 0, prefer: 'batch' },
  })
  const [port] = await once(worker, 'message')
  const load = new Worker(new URL('udp-load.ts', import.meta.url), { workerData: { port } })
  t.teardown(() => load.terminate())
  for (let i = 0; i < 200; i++) await exchangeUdp(port, ask('web'))
  t.equal(await worker.terminate(), 1, 'ends')
  await t.rejects(exchangeUdp(port, ask('web')), { code: 'refused' })
})

t.test('what a responder throws is seen, and ends no socket', { skip }, async t => {
  if (!libc) return
  const { options, responder } = bench()
  const answer = responder.answer.bind(responder)
  let throws = true
  responder.answer = packet => {
    if (!throws) return answer(packet)
    throws = false
    responder.entered = 0
    throw new RangeError('a mistake of ours')
  }
  const thread = new BatchThread(libc)
  const socket = BatchSocket.open(options, libc, thread, part, 0)
  if (!(socket instanceof BatchSocket)) throw socket
  thread.add(socket)
  t.teardown(() => socket.close())
  const caught: unknown[] = []
  const listeners = process.listeners('uncaughtException')
  process.removeAllListeners('uncaughtException')
  process.once('uncaughtException', error => caught.push(error))
  t.teardown(() => {
    for (const listener of listeners) process.on('uncaughtException', listener)
  })
  await t.rejects(exchangeUdp(socket.port, ask('web'), { timeoutMs: 200 }))
  await until('seen', () => caught.length === 1)
  t.match(caught, [{ message: 'a mistake of ours' }])
  t.same(await exchangeUdp(socket.port, ask('web')), echo(ask('web')))
})

t.test('what the kernel does not send is counted, and the rest goes', { skip }, async t => {
  if (!libc) return
  // Like the kernel, but the message of that place in a batch fails, with that error.
  const cases = [
    { what: 'EPERM of a firewall', errno: 1, sent: 9, event: 'udp-send-error', counted: 1 },
    { what: 'a signal', errno: 4, sent: 10, event: 'udp-send-error', counted: 0 },
    { what: 'a full queue', errno: 11, sent: 3, event: 'udp-send-dropped', counted: 7 },
    { what: 'no memory', errno: 105, sent: 3, event: 'udp-send-dropped', counted: 7 },
  ] as const
  for (const { what, errno, sent, event, counted } of cases) {
    const { options, responder, counts } = bench()
    let left = 3
    let failed = false
    const failing = {
      ...libc,
      errno: () => (failed ? errno : libc.errno()),
      sendmmsg: (fd: number, headers: number, count: number, flags: number) => {
        failed = left === 0
        if (failed) {
          left = -1
          return -1
        }
        const taken = libc.sendmmsg(fd, headers, left > 0 ? Math.min(count, left) : count, flags)
        left -= left > 0 ? taken : 0
        return taken
      },
    }
    const thread = new BatchThread(libc)
    const socket = BatchSocket.open(options, failing, thread, part, 0)
    if (!(socket instanceof BatchSocket)) throw socket
    thread.add(socket)
    t.teardown(() => socket.close())
    // Held until all are there, so that they leave as one batch.
    const replies = Array.from({ length: 10 }, (_, id) =>
      exchangeUdp(socket.port, ask('slow', id), { timeoutMs: 500 }).then(
        () => 1,
        () => 0,
      ),
    )
    await until('held', () => responder.held.length === 10)
    for (const held of responder.held) held.answer()
    const got = (await Promise.all(replies)).reduce((sum: number, one) => sum + one, 0)
    t.same([got, counts.of(event)], [sent, counted], what)
  }
})

t.test(
  'sockets of one port, one after another, lose nothing: what came after the last reading was lost',
  { skip },
  async t => {
    if (!libc) return
    const { options } = bench()
    const thread = new BatchThread(libc)
    const open = (port: number): BatchSocket => {
      const socket = BatchSocket.open(options, libc, thread, part, port)
      if (!(socket instanceof BatchSocket)) throw socket
      thread.add(socket)
      return socket
    }
    let socket = open(0)
    t.teardown(() => socket.close())
    const { port } = socket
    const load = new Worker(new URL('udp-load.ts', import.meta.url), { workerData: { port } })
    t.teardown(() => load.terminate())
    for (let turn = 0; turn < 300; turn++) {
      const next = open(port)
      for (let i = 0; i < 20; i++) await new Promise(resolve => setImmediate(resolve))
      await socket.drain()
      socket = next
    }
    load.postMessage('stop')
    const [{ sent, lost }] = await once(load, 'message')
    t.equal(lost, 0, `${sent} sent`)
  },
)
