// What resolvers do all the time: A and AAAA at once from one port, the same query again, many clients at a time. Nothing is
// lost on a machine that has nothing else to do.

import { createSocket } from 'node:dgram'
import { once } from 'node:events'
import t from 'tap'
import { query } from '../support/dns-client.ts'
import { encodeQuestion } from '../support/dns-question.ts'
import { NAME } from '../support/target-cluster.ts'
import { checkReply } from '../support/universal-checks.ts'
import { startSpec } from './probes.ts'

const spec = await startSpec(t, 'load')
const PATIENCE_MS = 10_000

/** Sends packets at once from one port and gives what comes back, as soon as there are as many replies. */
async function burst(packets: readonly Uint8Array[]): Promise<Uint8Array[]> {
  const socket = createSocket('udp4')
  const replies: Uint8Array[] = []
  const { promise, resolve } = Promise.withResolvers<void>()
  socket.on('message', reply => {
    if (replies.push(Uint8Array.from(reply)) === packets.length) resolve()
  })
  socket.connect(spec.port, '127.0.0.1')
  await once(socket, 'connect')
  const timer = setTimeout(resolve, PATIENCE_MS)
  for (const packet of packets) socket.send(packet)
  await promise
  clearTimeout(timer)
  socket.close()
  return replies
}

spec.test('load.glibc', 'A and AAAA at once from one port, a hundred times', async t => {
  for (let i = 0; i < 100; i++) {
    const packets = [
      encodeQuestion({ name: NAME }, i),
      encodeQuestion({ name: NAME, type: 'AAAA' }, 1000 + i),
    ]
    const replies = await burst(packets)
    t.equal(replies.length, 2, `round ${i}`)
    for (const reply of replies)
      checkReply(packets[reply[0] === packets[0]![0] && reply[1] === packets[0]![1] ? 0 : 1]!, reply, 'udp')
  }
})

spec.test('load.dup', 'the same packet five times', async t => {
  const packet = encodeQuestion({ name: NAME }, 4711)
  const replies = await burst([packet, packet, packet, packet, packet])
  t.equal(replies.length, 5)
  for (const reply of replies) t.equal(checkReply(packet, reply, 'udp').answer.length, 1)
})

for (const [id, clients, tcp] of [
  ['load.burst', 200, false],
  ['load.tcp', 60, true],
] as const) {
  spec.test(id, `${clients} clients at once over ${tcp ? 'TCP' : 'UDP'}`, async t => {
    const asked = Array.from({ length: clients }, () => query(spec.port, { name: NAME, tcp }))
    t.ok((await Promise.all(asked)).every(({ answer }) => answer.length === 1))
  })
}

spec.test('load.gone', 'ten thousand queries of clients that are gone before the answer', async t => {
  const packet = encodeQuestion({ name: NAME }, 4711)
  for (let i = 0; i < 1000; i++) {
    const socket = createSocket('udp4')
    socket.connect(spec.port, '127.0.0.1')
    await once(socket, 'connect')
    for (let left = 10; left > 0; left--) socket.send(packet)
    socket.close()
  }
  t.equal((await query(spec.port, { name: NAME })).answer.length, 1)
})

spec.end()
