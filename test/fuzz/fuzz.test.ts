// The fuzzer itself: the same seed sends the same packets, Seamark passes a short run, and servers that misbehave are told.

import { createSocket } from 'node:dgram'
import { once } from 'node:events'
import { createServer } from 'node:net'
import t, { type Test } from 'tap'
import { encodeQuestion } from '../support/dns-question.ts'
import { freePort } from '../support/free-port.ts'
import { shortOrLong } from '../support/long.ts'
import { startTarget } from '../support/target.ts'
import { NAME } from '../support/target-cluster.ts'
import { type FuzzTarget, runFuzzer } from './fuzzer.ts'
import { Mix } from './mix.ts'
import { fuzzObjects } from './objects.ts'
import { shrunk } from './shrink.ts'

const SHORT = { seed: 4711, seconds: 2, rate: 1000 }

t.test('the same seed, the same packets', async t => {
  const packets = (seed: number): string[] => {
    const mix = new Mix(seed)
    const fork = mix.fork()
    return Array.from({ length: 500 }, (_, i) =>
      Buffer.from((i % 2 ? mix : fork).next().octets).toString('hex'),
    )
  }
  t.strictSame(packets(1), packets(1))
  t.notSame(packets(1), packets(2))
})

t.test('Seamark', async t => {
  const target = await startTarget({ folder: t.testdir({}) })
  t.teardown(() => target.stop())
  const { tally } = await runFuzzer(target, SHORT)
  t.strictSame(tally.findings, [])
  t.ok(tally.packets.udp > 500, `${tally.packets.udp} datagrams`)
  t.ok(tally.packets.tcp > 100, `${tally.packets.tcp} messages over TCP`)
  t.ok(tally.answers.udp > 400, `${tally.answers.udp} answers`)
  t.ok(tally.rcodes.size >= 5, [...tally.rcodes.keys()].join(' '))
})

/** Seeds: the first ones, and whatever once broke something. */
for (const seed of [1, 2]) {
  t.test(`objects of a hostile namespace, seed ${seed}`, async t => {
    const { objects, findings } = await fuzzObjects(t.testdir({}), seed, shortOrLong(2, 20))
    t.strictSame(findings, [])
    t.ok(objects > 0, `${objects} objects`)
  })
}

/** A server over UDP that answers with what `answer` makes of a query; TCP connections are closed at once. */
async function fakeServer(t: Test, answer: (query: Buffer) => Uint8Array | undefined): Promise<FuzzTarget> {
  const udp = createSocket('udp4')
  udp.on('message', (query, { port, address }) => {
    const reply = answer(query)
    if (reply) udp.send(reply, port, address)
  })
  const port = await freePort()
  udp.bind(port, '127.0.0.1')
  await once(udp, 'listening')
  const tcp = createServer(socket => socket.destroy())
  tcp.listen(port, '127.0.0.1')
  await once(tcp, 'listening')
  t.teardown(() => {
    udp.close()
    tcp.close()
  })
  return { port, pid: process.pid, output: () => '', alive: () => true }
}

const told = async (target: FuzzTarget): Promise<string> =>
  (await runFuzzer(target, { ...SHORT, seconds: 1 })).tally.findings.map(({ what }) => what).join('\n')

// Servers of their own, which wait for the most part.
t.jobs = 5
const together = { buffered: true }

t.test('a server that mirrors packets', together, async t => {
  const target = await fakeServer(t, query => {
    query[2]! |= 0x80
    return query
  })
  t.match(await told(target), /a reply to what is no query|behind the message|malformed/)
})

t.test('a server that mistakes ids', together, async t => {
  const target = await fakeServer(t, query => Uint8Array.of(0xff, 0xfe, ...query.subarray(2)))
  t.match(await told(target), /a datagram to nothing/)
})

t.test('a server that says nothing', together, async t => {
  t.match(await told(await fakeServer(t, () => undefined)), /a good query: no answer/)
})

t.test('a server that ends', together, async t => {
  const target = await fakeServer(t, () => undefined)
  t.match(await told({ ...target, alive: () => false }), /the server ended/)
})

t.test('a server that prints a bug', together, async t => {
  const line = '[ERROR] recovered from a bug while answering x.: Error'
  const target = await fakeServer(t, () => undefined)
  t.match(await told({ ...target, output: () => `${line}\n` }), line)
})

t.test('a packet is shrunk to what matters', async t => {
  const packet = Uint8Array.of(...encodeQuestion({ name: NAME }), 0xde, 0xad)
  const small = await shrunk(packet, async octets => octets.includes(0xad))
  t.strictSame([...small], [0xad])
})
