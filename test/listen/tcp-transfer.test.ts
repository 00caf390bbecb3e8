// Replies of several messages: zone transfers.

import t, { type Test } from 'tap'
import type { TcpClient } from '../support/dns-client.ts'
import { until } from '../support/until.ts'
import { ask, FakeMessages } from './fake-responder.ts'
import { idOf, openTcp as open } from './open-tcp.ts'

const numberOf = (message: Uint8Array): number => (message.at(-2)! << 8) | message.at(-1)!

/** Takes `count` messages: their ids and numbers. */
async function take(client: TcpClient, count: number): Promise<string[]> {
  const taken: string[] = []
  for (let i = 0; i < count; i++) {
    const message = await client.receive()
    taken.push(`${idOf(message)}/${numberOf(message)}`)
  }
  return taken
}

/** A client that is sent `count` messages of so many octets from now on; `paused`: and takes none. */
async function transferring(
  t: Test,
  how: { readonly count: number; readonly octets?: number; readonly paused?: boolean },
) {
  const opened = await open(t)
  const client = await opened.connect()
  client.send(ask('slow', 7))
  await until('held', () => opened.responder.held.length === 1)
  if (how.paused) client.socket.pause()
  const held = opened.responder.held[0]!
  const messages = new FakeMessages(held.octets, how.count, how.octets)
  held.answer(messages)
  return { ...opened, client, messages }
}

t.test('all messages come, in order', async t => {
  const { client, messages } = await transferring(t, { count: 500 })
  t.same(
    await take(client, 500),
    Array.from({ length: 500 }, (_, i) => `7/${i}`),
  )
  await until('ended', () => messages.ended === 1)
  client.send(ask('web', 8))
  t.equal(idOf(await client.receive()), 8, 'the connection serves on')
})

t.test('no more is drawn than the peer takes', async t => {
  const { client, messages } = await transferring(t, { count: 20_000, octets: 60_000, paused: true })
  let before = -1
  await until('nothing more is drawn', () => {
    const still = messages.drawn === before && messages.drawn > 0
    before = messages.drawn
    return still
  })
  const drawn = messages.drawn
  t.ok(drawn < 50, `${drawn} of 20000 messages of 60,000 octets lie in buffers`)
  client.socket.resume()
  await take(client, drawn + 100)
  t.ok(messages.drawn > drawn, 'it goes on where it stopped')
  client.destroy()
  await until('ended', () => messages.ended === 1)
})

t.test('a transfer holds up no other query', async t => {
  const { client, messages, responder } = await transferring(t, { count: 2000 })
  await client.receive()
  client.send(ask('web', 8))
  client.send(ask('slow2', 9))
  await until('held', () => responder.held.length === 2)
  responder.held[1]!.answer()
  const ids: number[] = []
  while (!ids.includes(8) || !ids.includes(9)) ids.push(idOf(await client.receive()))
  t.ok(messages.drawn < 2000, `answered after ${messages.drawn} messages`)
})

t.test('several transfers of one connection come one after another', async t => {
  const { connect, responder } = await open(t)
  const client = await connect()
  for (const id of [1, 2, 3]) client.send(ask('slow', id))
  await until('held', () => responder.held.length === 3)
  for (const held of responder.held) held.answer(new FakeMessages(held.octets, 20))
  const expected = [1, 2, 3].flatMap(id => Array.from({ length: 20 }, (_, i) => `${id}/${i}`))
  t.same(await take(client, 60), expected)
})

t.test('one that must not go on ends the connection', async t => {
  const { connect, responder } = await open(t)
  const client = await connect()
  client.send(ask('slow', 7))
  client.send(ask('slow', 8))
  await until('held', () => responder.held.length === 2)
  const cut = new FakeMessages(responder.held[0]!.octets, 3, 16_000, 'cut')
  const waiting = new FakeMessages(responder.held[1]!.octets, 3)
  responder.held[0]!.answer(cut)
  responder.held[1]!.answer(waiting)
  await client.closed()
  await until('both ended', () => cut.ended === 1 && waiting.ended === 1)
  t.equal(waiting.drawn, 0)
})

t.test('a peer that goes ends its transfers', async t => {
  const { connect, responder, listener } = await open(t)
  await t.test('while one is sent', async t => {
    const client = await connect()
    client.send(ask('slow', 7))
    await until('held', () => responder.held.length === 1)
    client.socket.pause()
    const messages = new FakeMessages(responder.held[0]!.octets, 60_000, 60_000)
    responder.held[0]!.answer(messages)
    await until('drawn', () => messages.drawn > 3)
    client.destroy()
    await until('ended', () => messages.ended === 1)
    t.ok(messages.drawn < 60_000)
  })
  await t.test('before it began', async t => {
    const client = await connect()
    client.send(ask('slow', 7))
    await until('held', () => responder.held.length === 2)
    client.socket.resetAndDestroy()
    await until('gone', () => listener.connections === 0)
    const messages = new FakeMessages(responder.held[1]!.octets, 3)
    responder.held[1]!.answer(messages)
    await until('ended', () => messages.ended === 1)
    t.equal(messages.drawn, 0)
  })
})

t.test('a peer that takes nothing is cut off, one that takes little is not', async t => {
  const { client, messages, passes, counts, listener } = await transferring(t, {
    count: 60_000,
    octets: 60_000,
    paused: true,
  })
  for (let round = 0; round < 4; round++) {
    await passes(4000)
    t.equal(counts.of('tcp-write-timeout'), 0)
    const { drawn } = messages
    client.socket.resume()
    await until('more is drawn', () => messages.drawn > drawn + 5)
    client.socket.pause()
  }
  let before = -1
  await until('nothing more is drawn', () => {
    const still = messages.drawn === before
    before = messages.drawn
    return still
  })
  await passes(500)
  await passes(5500)
  await until('cut off', () => listener.connections === 0)
  t.equal(counts.of('tcp-write-timeout'), 1)
  t.equal(messages.ended, 1)
})

t.test('a listener that drains sends a transfer to its end', async t => {
  const { client, messages, listener } = await transferring(t, { count: 300 })
  await client.receive()
  const drained = listener.drain()
  t.same((await take(client, 299)).at(-1), '7/299')
  await client.closed()
  client.destroy()
  await drained
  t.equal(messages.ended, 1)
})
