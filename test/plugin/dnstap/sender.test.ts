// The way of frames to a receiver: what waits, what is dropped, and how a lost receiver is found again. Time is virtual,
// sockets are real.

import { createServer } from 'node:net'
import t, { type Test } from 'tap'
import type { Endpoint } from '../../../src/plugin/dnstap/config.ts'
import { TapWriter } from '../../../src/plugin/dnstap/message.ts'
import { FrameSender } from '../../../src/plugin/dnstap/sender.ts'
import { DnstapReceiver, socketPath } from '../../support/dnstap-receiver.ts'
import { freePort } from '../../support/free-port.ts'
import { until } from '../../support/until.ts'
import { VirtualClock } from '../../support/virtual-clock.ts'
import { recordingLog, recordingMeters } from '../../support/words.ts'

const writer = new TapWriter('me', 'v')
const frame = (port: number, octets?: Uint8Array): Uint8Array =>
  writer.frame(
    {
      type: 5,
      protocol: 'udp',
      asker: { octets: Uint8Array.of(10, 0, 0, 7), port },
      queriedAtMs: 1_700_000_000_123.5,
      octets,
    },
    undefined,
  )

function sending(t: Test, endpoint: Endpoint, framesMax = 1000, octetsMax = 2 ** 20) {
  const clock = new VirtualClock()
  const lines: string[] = []
  const counted = new Map<string, number>()
  const sender = new FrameSender({
    endpoint,
    text: 'tcp://x',
    skipVerify: false,
    framesMax,
    octetsMax,
    clock,
    log: recordingLog(lines),
    meters: recordingMeters(counted),
    tells: true,
  })
  t.teardown(() => sender.stop())
  const dropped = (): number => counted.get('seamark_dnstap_dropped_total{endpoint=tcp://x}') ?? 0
  return { sender, clock, lines, dropped }
}

const tcp = (port: number): Endpoint => ({ protocol: 'tcp', host: '127.0.0.1', port })

t.test('a frame, field by field', async t => {
  const receiver = await DnstapReceiver.listen(0)
  t.teardown(() => receiver.stop())
  const { sender } = sending(t, tcp(receiver.port))
  sender.send(frame(4711, Buffer.from('query')))
  await receiver.has(1)
  const { identity, version, extra, message } = receiver.received[0]!
  t.same([identity, version, extra], ['me', 'v', undefined])
  t.same(
    [...message],
    [
      [1, 5],
      [2, 1],
      [3, 1],
      [4, Buffer.from([10, 0, 0, 7])],
      [6, 4711],
      [8, 1_700_000_000],
      [9, 123_500_000],
      [10, Buffer.from('query')],
    ],
  )
  await sender.stop()
  await until('the end', async () => receiver.said[0] === 'ready start stop')
})

t.test('over a path; frames larger than a chunk; all of them in order', async t => {
  const path = socketPath(t)
  const receiver = await DnstapReceiver.listen(path)
  t.teardown(() => receiver.stop())
  const { sender, dropped } = sending(t, { protocol: 'unix', path })
  for (let i = 0; i < 500; i++) sender.send(frame(i, new Uint8Array(i === 250 ? 65_000 : 200)))
  await receiver.has(500)
  t.same(
    receiver.received.map(({ message }) => message.get(6)),
    Array.from({ length: 500 }, (_, i) => i),
  )
  t.equal(dropped(), 0)
})

t.test(
  'while the receiver is away frames wait, as many as there is room for; then they are sent',
  async t => {
    const port = await freePort()
    const { sender, clock, lines, dropped } = sending(t, tcp(port), 10)
    await until('the failure', async () => lines.length > 0)
    t.match(lines[0], /^\[ERROR\] plugin\/dnstap: No connection to dnstap endpoint tcp:\/\/x: .*ECONNREFUSED/)
    for (let i = 0; i < 25; i++) sender.send(frame(i))
    t.equal(dropped(), 15)
    clock.advance(10_000)
    t.match(lines[1], '[WARNING] plugin/dnstap: Dropped dnstap messages: 15')
    const receiver = await DnstapReceiver.listen(port)
    t.teardown(() => receiver.stop())
    await until('ten', async () => {
      clock.advance(1000)
      return receiver.received.length >= 10
    })
    t.same(
      receiver.received.map(({ message }) => message.get(6)),
      [0, 1, 2, 3, 4, 5, 6, 7, 8, 9],
    )
    t.equal(lines.length, 2, 'a failure is told once')
  },
)

t.test('a receiver that ends is told of, and found again', async t => {
  const port = await freePort()
  const first = await DnstapReceiver.listen(port)
  const { sender, clock, lines } = sending(t, tcp(port))
  sender.send(frame(1))
  await first.has(1)
  await first.stop()
  await until('the loss', async () => lines.length > 0)
  t.match(lines[0], /Lost the connection to dnstap endpoint tcp:\/\/x/)
  const second = await DnstapReceiver.listen(port)
  t.teardown(() => second.stop())
  sender.send(frame(2))
  await until('it', async () => {
    clock.advance(1000)
    return second.received.length > 0
  })
  t.equal(second.received[0]?.message.get(6), 2)
})

t.test('a receiver that does not read costs its octets, and no more', async t => {
  const receiver = await DnstapReceiver.listen(0)
  t.teardown(() => receiver.stop())
  const { sender, dropped } = sending(t, tcp(receiver.port), 100_000, 64 * 1024)
  receiver.isReading = false
  for (let i = 0; i < 1000; i++) sender.send(frame(i, new Uint8Array(1000)))
  t.ok(dropped() > 900, `${dropped()} dropped`)
})

t.test('what else listens there', async t => {
  const cases: [title: string, says: Buffer | undefined, complaint: RegExp][] = [
    ['a web server', Buffer.from('HTTP/1.1 400 Bad Request\r\n\r\n'), /does not speak Frame Streams/],
    [
      'frames of something else',
      Buffer.from('00000000000000100000000100000001000000043a3a3a3a', 'hex'),
      /does not speak Frame Streams/,
    ],
    ['silence', undefined, /no handshake in time/],
  ]
  for (const [title, says, complaint] of cases) {
    let connected = 0
    const server = createServer(socket => {
      connected++
      socket.on('error', () => undefined)
      if (says) socket.write(says)
    })
    await new Promise<void>(resolve => server.listen(0, '127.0.0.1', resolve))
    t.teardown(() => server.close())
    const { lines, clock, sender } = sending(t, tcp((server.address() as { port: number }).port))
    await until('a connection', async () => connected > 0)
    if (says === undefined) clock.advance(4000)
    await until('the line', async () => lines.length > 0)
    t.match(lines[0], complaint, title)
    await sender.stop()
  }
})
