// Asks the questions of one case: over UDP from one port for each source address, so that a client stays one client; over TCP
// and TLS on a connection for each question.

import { createSocket, type Socket } from 'node:dgram'
import { once } from 'node:events'
import { encodeQuestion, NoAnswer, TcpClient } from '../support/dns-client.ts'
import { dialTls } from '../support/encrypted-client.ts'
import type { Question } from './cases.ts'

/** What came back: the reply's octets, or `timeout`, `closed` or `refused`; and the port that was asked from. */
export interface Got {
  readonly reply: Uint8Array | string
  readonly clientPort: number
}

/** A client, until it is closed. */
export class Client {
  readonly #sockets = new Map<string, Socket>()

  close(): void {
    for (const socket of this.#sockets.values()) socket.close()
  }

  ask(question: Question, port: number, id: number): Promise<Got> {
    const octets = encodeQuestion(
      {
        name: question.name,
        type: question.type,
        class: question.class,
        opcode: question.opcode,
        rd: question.rd,
        ad: question.ad,
        cd: question.cd,
        ...(question.edns && { edns: question.edns }),
      },
      id,
    )
    return question.over === 'udp'
      ? this.#overUdp(octets, question, port)
      : overStream(octets, question, port)
  }

  async #overUdp(octets: Uint8Array, { at, from, timeoutSeconds }: Question, port: number): Promise<Got> {
    const socket = await this.#socket(from, at)
    const { promise, resolve } = Promise.withResolvers<Uint8Array | string>()
    const timer = setTimeout(resolve, timeoutSeconds * 1000, 'timeout')
    const take = (reply: Buffer): void => {
      if (reply.length > 1 && reply[0] === octets[0] && reply[1] === octets[1])
        resolve(Uint8Array.from(reply))
    }
    socket.on('message', take)
    socket.send(octets, port, at)
    const reply = await promise
    clearTimeout(timer)
    socket.off('message', take)
    return { reply, clientPort: socket.address().port }
  }

  async #socket(from: string | undefined, at: string): Promise<Socket> {
    const key = `${from} ${at}`
    const known = this.#sockets.get(key)
    if (known) return known
    const socket = createSocket(at.includes(':') ? 'udp6' : 'udp4')
    this.#sockets.set(key, socket)
    socket.bind(0, from ?? (at.includes(':') ? '::1' : '127.0.0.1'))
    await once(socket, 'listening')
    return socket
  }
}

async function overStream(octets: Uint8Array, question: Question, port: number): Promise<Got> {
  const { at, from, timeoutSeconds, over } = question
  const options = { host: at, timeoutMs: timeoutSeconds * 1000, ...(from && { localAddress: from }) }
  let client: TcpClient | undefined
  try {
    client =
      over === 'tls'
        ? TcpClient.over(await dialTls(port, 'dot', options), question.text, options)
        : await TcpClient.connect(port, options)
    const clientPort = client.socket.localPort ?? 0
    client.send(octets)
    return { reply: await client.receive(), clientPort }
  } catch (error) {
    if (error instanceof NoAnswer) return { reply: error.code, clientPort: 0 }
    throw error
  } finally {
    client?.destroy()
  }
}
