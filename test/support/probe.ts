// Sends any packet and tells what comes back for it, silence included: silence is certain when a good query that was sent
// right behind the packet is answered and nothing else was, a moment longer.

import { createSocket } from 'node:dgram'
import { once } from 'node:events'
import { setTimeout as after } from 'node:timers/promises'
import { NoAnswer, TcpClient } from './dns-client.ts'
import type { Decoded } from './dns-message.ts'
import { encodeQuestion } from './dns-question.ts'
import { NAME } from './target-cluster.ts'
import { checkReply, Violation } from './universal-checks.ts'

/** How a packet is sent. */
export type Over = 'udp' | 'tcp'

/** A reply that passed the universal checks. */
export interface ProbeReply {
  readonly octets: Uint8Array
  readonly decoded: Decoded
}

/** How long a reply may lag behind the answer to the good query. */
const LAG_MS = 30
const PATIENCE_MS = 10_000

/**
 * The reply to the packet, or undefined for silence; where there has to be one it is waited for.
 * @throws Violation where a reply breaks a universal check, or two come
 * @throws NoAnswer where the good query is not answered
 */
export async function probe(
  port: number,
  packet: Uint8Array,
  over: Over,
  maySilence: boolean,
): Promise<ProbeReply | undefined> {
  const [octets, ...more] = await (over === 'udp' ? repliesOverUdp : repliesOverTcp)(port, packet, maySilence)
  if (octets === undefined) return undefined
  if (more.length > 0) throw new Violation([`${more.length} replies more than one`], octets)
  return { octets, decoded: checkReply(packet, octets, over) }
}

/** A good query with another id than the packet's. */
function goodQuery(packet: Uint8Array): {
  readonly octets: Uint8Array
  isAnswer(reply: Uint8Array): boolean
} {
  const id = (((packet[0] ?? 0) << 8) | (packet[1] ?? 0)) ^ 0x5555
  return {
    octets: encodeQuestion({ name: NAME }, id),
    isAnswer: reply => reply[0] === id >> 8 && reply[1] === (id & 255),
  }
}

async function repliesOverUdp(port: number, packet: Uint8Array, maySilence: boolean): Promise<Uint8Array[]> {
  const good = goodQuery(packet)
  const socket = createSocket('udp4')
  const replies: Uint8Array[] = []
  const { promise: wellAnswered, resolve: tellGood } = Promise.withResolvers<void>()
  const { promise: answered, resolve: tell } = Promise.withResolvers<void>()
  socket.on('message', reply => {
    if (good.isAnswer(reply)) return tellGood()
    replies.push(Uint8Array.from(reply))
    tell()
  })
  try {
    socket.connect(port, '127.0.0.1')
    await once(socket, 'connect')
    socket.send(packet)
    socket.send(good.octets)
    await within(wellAnswered, 'a good query behind the packet, over UDP')
    if (maySilence) await Promise.race([answered, after(LAG_MS)])
    else await within(answered, 'the packet, over UDP')
    return replies
  } finally {
    socket.close()
  }
}

async function repliesOverTcp(port: number, packet: Uint8Array, maySilence: boolean): Promise<Uint8Array[]> {
  const good = goodQuery(packet)
  const client = await TcpClient.connect(port, { timeoutMs: PATIENCE_MS })
  const replies: Uint8Array[] = []
  try {
    client.send(packet)
    client.send(good.octets)
    let wellAnswered = false
    while (!wellAnswered || (replies.length === 0 && !maySilence)) {
      const reply = await client.receive()
      if (good.isAnswer(reply)) wellAnswered = true
      else replies.push(reply)
    }
    if (replies.length === 0) replies.push(...(await late(client)))
  } catch (error) {
    // Silence over TCP may be the end of the connection.
    if (!(error instanceof NoAnswer) || error.code !== 'closed' || (replies.length === 0 && !maySilence))
      throw error
  } finally {
    client.destroy()
  }
  return replies
}

async function late(client: TcpClient): Promise<Uint8Array[]> {
  try {
    return [await client.receive(LAG_MS)]
  } catch (error) {
    if (error instanceof NoAnswer) return []
    throw error
  }
}

async function within(done: Promise<void>, what: string): Promise<void> {
  const ended = new AbortController()
  const tooLate = after(PATIENCE_MS, 'late' as const, { signal: ended.signal })
  const first = await Promise.race([done, tooLate])
  ended.abort()
  if (first === 'late') throw new NoAnswer('timeout', what)
}
