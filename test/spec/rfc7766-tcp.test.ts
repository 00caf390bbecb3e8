// DNS over TCP (RFC 7766, RFC 1035 4.2.2): however the octets arrive, every query is answered, in any order.

import { setImmediate as turn } from 'node:timers/promises'
import t from 'tap'
import { decodeMessage, NoAnswer, TcpClient } from '../support/dns-client.ts'
import { encodeQuestion } from '../support/dns-question.ts'
import { BIG, MISSING, NAME } from '../support/target-cluster.ts'
import { checkReply } from '../support/universal-checks.ts'
import { ask, startSpec } from './probes.ts'

const spec = await startSpec(t, 'rfc7766-tcp')
/** A query with that id; every third is about a missing name, every fifth about a large answer. */
const numbered = (id: number): Uint8Array =>
  encodeQuestion({ name: id % 3 === 0 ? MISSING : id % 5 === 0 ? BIG : NAME }, id)
const framed = (message: Uint8Array): Uint8Array =>
  Uint8Array.of(message.length >> 8, message.length & 255, ...message)

/** Reads as many replies as there are queries, each checked against its own. */
async function receiveAll(client: TcpClient, queries: number): Promise<number> {
  const left = new Set(Array.from({ length: queries }, (_, id) => id))
  while (left.size > 0) {
    const octets = await client.receive()
    const { id } = decodeMessage(octets)
    checkReply(numbered(id), octets, 'tcp')
    left.delete(id)
  }
  return queries
}

for (const count of [2, 50, 400]) {
  spec.test(`tcp.pipe${count}`, `${count} queries in one write`, async t => {
    const client = await TcpClient.connect(spec.port)
    client.sendRaw(Buffer.concat(Array.from({ length: count }, (_, id) => framed(numbered(id)))))
    t.equal(await receiveAll(client, count), count)
    client.destroy()
  })
}

spec.test('tcp.reuse', 'one query after another on one connection', async t => {
  const client = await TcpClient.connect(spec.port)
  for (let id = 0; id < 20; id++) {
    client.send(numbered(id))
    checkReply(numbered(id), await client.receive(), 'tcp')
  }
  client.destroy()
  t.pass('all answered')
})

spec.test('tcp.bytes', 'octet by octet', async t => {
  const client = await TcpClient.connect(spec.port)
  for (const octet of framed(numbered(1))) {
    client.sendRaw(Uint8Array.of(octet))
    await turn()
  }
  t.equal(checkReply(numbered(1), await client.receive(), 'tcp').answer.length, 1)
  client.destroy()
})

spec.test('tcp.splitlen', 'the length in two pieces', async t => {
  const client = await TcpClient.connect(spec.port)
  const octets = framed(numbered(1))
  client.sendRaw(octets.subarray(0, 1))
  await turn()
  client.sendRaw(octets.subarray(1))
  t.equal(checkReply(numbered(1), await client.receive(), 'tcp').answer.length, 1)
  client.destroy()
})

spec.test('tcp.half', 'a query and half of another: the first is answered meanwhile', async t => {
  const client = await TcpClient.connect(spec.port)
  const second = framed(numbered(2))
  client.sendRaw(Uint8Array.of(...framed(numbered(1)), ...second.subarray(0, 20)))
  checkReply(numbered(1), await client.receive(), 'tcp')
  client.sendRaw(second.subarray(20))
  t.equal(checkReply(numbered(2), await client.receive(), 'tcp').answer.length, 1)
  client.destroy()
})

spec.test('tcp.halfclose', 'a client that says it will send no more still reads', async t => {
  const client = await TcpClient.connect(spec.port)
  client.send(numbered(1))
  client.send(numbered(5))
  client.socket.end()
  const ids = [await client.receive(), await client.receive()].map(octets => decodeMessage(octets).id)
  t.strictSame(ids.sort(), [1, 5])
  await client.closed()
})

spec.test('tcp.goodbad', 'a good query, a malformed one, a good one', async t => {
  const client = await TcpClient.connect(spec.port)
  const bad = ask({ name: NAME }).subarray(0, 20)
  client.send(numbered(1))
  client.send(bad)
  client.send(numbered(2))
  const ids: number[] = []
  try {
    for (;;) ids.push(decodeMessage(await client.receive(500)).id)
  } catch (error) {
    if (!(error instanceof NoAnswer)) throw error
  }
  t.ok(ids.includes(1), 'the first one is answered')
  t.ok(ids.includes(2), 'and the last one')
  client.destroy()
})

spec.end()
