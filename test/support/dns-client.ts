// The DNS client of the tests: asks one question over UDP, TCP, TLS or HTTPS on loopback and gives the decoded reply, or exchanges
// raw octets; pipelined and half-written TCP streams through TcpClient; zone transfers. A missing answer is an error.
//
//   const reply = await query(port, { name: 'web.demo.svc.cluster.local', type: 'SRV', tcp: true })
//   reply.rcode === 'NOERROR'; reply.answer[0] === 'web.demo.svc.cluster.local. 5 IN SRV 0 100 80 web.…'

import { createSocket } from 'node:dgram'
import { once } from 'node:events'
import { connect, type Socket } from 'node:net'
import { type Decoded, decodeMessage, MalformedMessage } from './dns-message.ts'
import { encodeQuestion, type Question } from './dns-question.ts'
import { exchangeHttps, exchangeTls } from './encrypted-client.ts'

export {
  type Decoded,
  type DnsRecord,
  decodeMessage,
  type EdnsReply,
  type Flags,
  MalformedMessage,
} from './dns-message.ts'
export {
  type EdnsOption,
  type EdnsQuestion,
  encodeQuestion,
  nameOctets,
  type Question,
} from './dns-question.ts'

const LOOPBACK = '127.0.0.1'
const TIMEOUT_MS = 10_000

/** Where and how to ask. */
export interface ExchangeOptions {
  /** Default 127.0.0.1. */
  readonly host?: string
  /** How long to wait for an answer, default 10,000. */
  readonly timeoutMs?: number
  /** The local address to ask from. */
  readonly localAddress?: string
}

/** A question, and where and how to ask it. */
export interface Query extends Question, ExchangeOptions {
  /** Over TCP; default UDP. */
  readonly tcp?: boolean
  /** Over TLS or HTTPS, by POST or GET. */
  readonly over?: 'tls' | 'https' | 'https-get'
}

/** A reply with its octets and the time that it took. */
export interface Reply extends Decoded {
  /** Over HTTPS: the status, and how long the reply may be kept. */
  readonly http?: string
  readonly bytes: Uint8Array
  readonly elapsedMs: number
}

/** No answer: the time is over, the connection ended, or the port refused. */
export class NoAnswer extends Error {
  readonly code: 'timeout' | 'closed' | 'refused'

  constructor(code: 'timeout' | 'closed' | 'refused', asked: string, options?: ErrorOptions) {
    super(`no answer (${code}) from ${asked}`, options)
    this.name = 'NoAnswer'
    this.code = code
  }
}

/** One after the other, so that no two replies that are waited for are alike. */
let lastId = 0
const nextId = (): number => (lastId = (lastId + 1) & 0xffff)

/**
 * Asks one question and decodes the reply, which must carry its id, QR and the question as spelled. Other datagrams on the
 * socket are passed over.
 * @throws NoAnswer, MalformedMessage
 */
export async function query(port: number, question: Query): Promise<Reply> {
  const id = question.id ?? nextId()
  const octets = encodeQuestion(question, id)
  const started = performance.now()
  const { bytes, http } = await exchange(port, octets, id, question)
  const elapsedMs = performance.now() - started
  const reply = decodeMessage(bytes)
  if (reply.id !== id || !reply.flags.qr) throw new MalformedMessage(`not a reply to question ${id}`, bytes)
  return { ...reply, bytes, elapsedMs, ...(http !== undefined && { http }) }
}

/** Whether a server answers the question at all. */
export async function isAnswered(port: number, question: Query): Promise<boolean> {
  try {
    await query(port, question)
    return true
  } catch (error) {
    // Where nobody listens yet, the client may have been given that very port, and gets its own question.
    if (error instanceof NoAnswer || error instanceof MalformedMessage) return false
    throw error
  }
}

async function exchange(
  port: number,
  octets: Uint8Array,
  id: number,
  question: Query,
): Promise<{ readonly bytes: Uint8Array; readonly http?: string }> {
  const { over } = question
  if (over === 'tls') return { bytes: await exchangeTls(port, octets, question) }
  if (over !== undefined) {
    const method = over === 'https-get' ? 'GET' : 'POST'
    const { status, headers, body } = await exchangeHttps(port, octets, { ...question, method })
    return { bytes: body, http: `${status} ${headers['content-type']} ${headers['cache-control']}` }
  }
  if (question.tcp) return { bytes: await exchangeTcp(port, octets, question) }
  const isReply = (reply: Uint8Array): boolean =>
    reply.length > 1 && reply[0] === id >> 8 && reply[1] === (id & 255)
  return { bytes: await exchangeUdp(port, octets, question, isReply) }
}

/**
 * Sends octets as one datagram and gives the first datagram that comes back and is accepted.
 * @throws NoAnswer
 */
export function exchangeUdp(
  port: number,
  octets: Uint8Array,
  options: ExchangeOptions = {},
  accept: (reply: Uint8Array) => boolean = () => true,
): Promise<Uint8Array> {
  const host = options.host ?? LOOPBACK
  const asked = `${host} port ${port} over UDP`
  const socket = createSocket(host.includes(':') ? 'udp6' : 'udp4')
  return new Promise<Uint8Array>((resolve, reject) => {
    const timer = setTimeout(() => reject(new NoAnswer('timeout', asked)), options.timeoutMs ?? TIMEOUT_MS)
    const end = (settle: () => void): void => {
      clearTimeout(timer)
      settle()
    }
    socket.on('error', cause => {
      const code = (cause as NodeJS.ErrnoException).code
      end(() => reject(code === 'ECONNREFUSED' ? new NoAnswer('refused', asked, { cause }) : cause))
    })
    socket.on('message', reply => {
      if (accept(reply)) end(() => resolve(Uint8Array.from(reply)))
    })
    // A connected socket hears of a closed port (ICMP) instead of waiting, and takes datagrams from the server only.
    const send = (): void => socket.connect(port, host, () => socket.send(octets))
    if (options.localAddress) socket.bind(0, options.localAddress, send)
    else send()
  }).finally(() => socket.close())
}

/**
 * Sends octets as one message on a new TCP connection (RFC 1035 4.2.2) and gives the first message that comes back.
 * @throws NoAnswer
 */
export async function exchangeTcp(
  port: number,
  octets: Uint8Array,
  options: ExchangeOptions = {},
): Promise<Uint8Array> {
  const client = await TcpClient.connect(port, options)
  try {
    client.send(octets)
    return await client.receive()
  } finally {
    client.destroy()
  }
}

/** A zone transfer: its first message, with the records of all. */
export interface Transfer extends Reply {
  readonly messages: number
}

/**
 * A zone transfer (RFC 5936; with a serial and type IXFR, RFC 1995): all records in order, up to the closing SOA, or the
 * lone SOA of a zone that the client has. An error reply gives its rcode and no record.
 * @throws NoAnswer, MalformedMessage
 */
export async function transfer(port: number, question: Omit<Query, 'tcp'>): Promise<Transfer> {
  const started = performance.now()
  const client = await TcpClient.connect(port, question)
  try {
    client.send(encodeQuestion({ type: 'AXFR', ...question }, 1))
    const replies: Decoded[] = []
    const answer: string[] = []
    let bytes = new Uint8Array(0)
    for (;;) {
      const octets = await client.receive()
      if (replies.length === 0) bytes = Uint8Array.from(octets)
      const reply = decodeMessage(octets)
      replies.push(reply)
      answer.push(...reply.records.answer.map(({ text }) => text))
      const soas = answer.filter(text => / IN SOA /.test(text)).length
      const isLone = question.serial !== undefined && answer.length === 1
      if (reply.rcode !== 'NOERROR' || soas > 1 || isLone || reply.answer.length === 0) break
    }
    const [first] = replies as [Decoded, ...Decoded[]]
    const records = { ...first.records, answer: replies.flatMap(each => each.records.answer) }
    const elapsedMs = performance.now() - started
    return {
      ...first,
      rcode: replies.at(-1)!.rcode,
      answer,
      records,
      messages: replies.length,
      bytes,
      elapsedMs,
    }
  } finally {
    client.destroy()
  }
}

/** One TCP connection whose messages are sent and received one by one, or octet by octet. */
export class TcpClient {
  readonly socket: Socket
  readonly #asked: string
  readonly #timeoutMs: number
  #received = Buffer.alloc(0)
  #ended = false
  #wake: () => void = () => undefined

  private constructor(socket: Socket, asked: string, timeoutMs: number) {
    this.socket = socket
    this.#asked = asked
    this.#timeoutMs = timeoutMs
    socket.on('data', chunk => {
      this.#received = Buffer.concat([this.#received, chunk])
      this.#wake()
    })
    const end = (): void => {
      this.#ended = true
      this.#wake()
    }
    socket.on('error', end)
    socket.on('end', end)
    socket.on('close', end)
  }

  /** Connects; NoAnswer where the port refuses or nothing happens. */
  static async connect(port: number, options: ExchangeOptions = {}): Promise<TcpClient> {
    const host = options.host ?? LOOPBACK
    const asked = `${host} port ${port} over TCP`
    const timeoutMs = options.timeoutMs ?? TIMEOUT_MS
    const { localAddress } = options
    const socket = connect({ port, host, noDelay: true, ...(localAddress ? { localAddress } : {}) })
    try {
      await once(socket, 'connect', { signal: AbortSignal.timeout(timeoutMs) })
    } catch (cause) {
      socket.destroy()
      throw new NoAnswer((cause as Error).name === 'AbortError' ? 'timeout' : 'refused', asked, { cause })
    }
    return new TcpClient(socket, asked, timeoutMs)
  }

  /** The same on a connection that stands. */
  static over(socket: Socket, asked: string, { timeoutMs = TIMEOUT_MS }: ExchangeOptions = {}): TcpClient {
    return new TcpClient(socket, asked, timeoutMs)
  }

  /** Sends one message behind its length. */
  send(octets: Uint8Array): void {
    const length = Buffer.alloc(2)
    length.writeUInt16BE(octets.length)
    this.sendRaw(Buffer.concat([length, octets]))
  }

  /** Sends octets as they are. */
  sendRaw(octets: Uint8Array): void {
    this.socket.write(octets)
  }

  /** The next whole message. Throws NoAnswer where it does not come in time or the connection ends before. */
  async receive(timeoutMs = this.#timeoutMs): Promise<Uint8Array> {
    const complete = (): boolean =>
      this.#received.length >= 2 && this.#received.length >= 2 + this.#received.readUInt16BE(0)
    await this.#until(() => complete() || this.#ended, timeoutMs)
    if (!complete()) throw new NoAnswer('closed', this.#asked)
    const length = this.#received.readUInt16BE(0)
    const message = Uint8Array.from(this.#received.subarray(2, 2 + length))
    this.#received = this.#received.subarray(2 + length)
    return message
  }

  /** Resolves when the server has ended or reset the connection; NoAnswer `timeout` otherwise. */
  async closed(timeoutMs = this.#timeoutMs): Promise<void> {
    await this.#until(() => this.#ended, timeoutMs)
  }

  /** Closes the connection at once. */
  destroy(): void {
    this.socket.destroy()
  }

  #until(condition: () => boolean, timeoutMs: number): Promise<void> {
    return new Promise((resolve, reject) => {
      const timer = setTimeout(() => reject(new NoAnswer('timeout', this.#asked)), timeoutMs)
      this.#wake = () => {
        if (!condition()) return
        clearTimeout(timer)
        resolve()
      }
      this.#wake()
    })
  }
}
