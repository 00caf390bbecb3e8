// A DNS server that does what a test tells it, over UDP, TCP and TLS on one loopback port: answers late, wrongly, from
// elsewhere, in pieces, or not at all. It keeps what it was asked. Messages are encoded apart from src/wire.
//
//   const stub = await UpstreamStub.start()
//   stub.script = (asked, back) => back.send(replyTo(asked, { answer: [a('www.example.org', 30, '192.0.2.1')] }))

import { createSocket, type Socket as UdpSocket } from 'node:dgram'
import { once } from 'node:events'
import { createServer as createTcpServer, type Server, type Socket } from 'node:net'
import { createServer as createTlsServer } from 'node:tls'
import type { Certificate } from './certificates.ts'
import { type Decoded, decodeMessage } from './dns-message.ts'
import { nameOctets, TYPES, typeNumber } from './dns-question.ts'

const LOOPBACK = '127.0.0.1'

/** A query as it came. */
export interface Asked extends Decoded {
  readonly octets: Uint8Array
  readonly transport: 'udp' | 'tcp'
  /** Where the query was sent from. */
  readonly address: string
  readonly port: number
  /** Which connection it came over, from 1; 0 over UDP. */
  readonly connection: number
  /** `www.example.org. IN A`, of the first question. */
  readonly what: string
}

type From = Pick<Asked, 'transport' | 'address' | 'port' | 'connection'>

/** The way back to whoever asked. */
export interface Back {
  /** Sends a message, framed over TCP. */
  send(octets: Uint8Array): void
  /** Sends a datagram to the asker's port from another loopback address and port (127.0.0.2). */
  sendFromElsewhere(octets: Uint8Array): Promise<void>
  /** Sends octets as they are, without a frame. */
  raw(octets: Uint8Array): void
  /** Ends the connection politely, or with a reset. */
  close(): void
  reset(): void
}

/** What to do with a query; the default answers everything with 192.0.2.1. */
export type Script = (asked: Asked, back: Back) => void

/** A record to encode. */
export interface StubRecord {
  readonly owner: string | Uint8Array
  readonly type: string | number
  readonly ttlSeconds: number
  readonly rdata: Uint8Array
  readonly class?: number
}

/** What a reply may differ in from an empty NOERROR with the asker's ID and question. */
export interface ReplyParts {
  readonly id?: number
  readonly rcode?: number
  readonly opcode?: number
  readonly qr?: boolean
  readonly aa?: boolean
  readonly tc?: boolean
  readonly ra?: boolean
  readonly ad?: boolean
  /** The question's octets; an empty array for none. */
  readonly question?: Uint8Array
  readonly answer?: readonly StubRecord[]
  readonly authority?: readonly StubRecord[]
  readonly additional?: readonly StubRecord[]
  /** Options of an OPT record; none where absent. */
  readonly opt?: Uint8Array
}

/** The octets of a reply. */
export function replyTo(asked: Asked, parts: ReplyParts = {}): Uint8Array {
  const { id = asked.id, rcode = 0, opcode = 0, qr = true, aa, tc, ra = true, ad, opt } = parts
  const question = parts.question ?? questionOf(asked)
  const head = Buffer.alloc(12)
  const sections = [parts.answer ?? [], parts.authority ?? [], parts.additional ?? []]
  head.writeUInt16BE(id, 0)
  head[2] = (qr ? 0x80 : 0) | (opcode << 3) | (aa ? 4 : 0) | (tc ? 2 : 0) | 1
  head[3] = (ra ? 0x80 : 0) | (ad ? 0x20 : 0) | (rcode & 15)
  head.writeUInt16BE(question.length > 0 ? 1 : 0, 4)
  sections.forEach((records, i) => {
    head.writeUInt16BE(records.length + (i === 2 && opt ? 1 : 0), 6 + 2 * i)
  })
  const optRecord = opt && encodeRecord(opt, '.', TYPES.OPT!, 1232, (rcode >> 4) * 0x1000000)
  const records = sections.flat().map(record => {
    const { owner, type, ttlSeconds, rdata } = record
    return encodeRecord(rdata, owner, typeNumber(type), record.class ?? 1, ttlSeconds)
  })
  return Uint8Array.from(Buffer.concat([head, question, ...records, ...(optRecord ? [optRecord] : [])]))
}

/** The question's octets as they were sent. */
export function questionOf({ octets }: Asked): Uint8Array {
  let end = 12
  while (octets[end]! !== 0) end += octets[end]! + 1
  return octets.slice(12, end + 5)
}

/** A question's octets for a name and type. */
export const question = (name: string, type = 'A'): Uint8Array =>
  Uint8Array.of(...nameOctets(name), 0, typeNumber(type), 0, 1)

function encodeRecord(
  rdata: Uint8Array,
  owner: string | Uint8Array,
  type: number,
  rrclass: number,
  ttl: number,
): Buffer {
  const fixed = Buffer.alloc(10)
  fixed.writeUInt16BE(type, 0)
  fixed.writeUInt16BE(rrclass, 2)
  fixed.writeUInt32BE(ttl, 4)
  fixed.writeUInt16BE(rdata.length, 8)
  return Buffer.concat([nameOctets(owner), fixed, rdata])
}

/** An A record. */
export const a = (owner: string, ttlSeconds: number, address = '192.0.2.1'): StubRecord => ({
  owner,
  type: 'A',
  ttlSeconds,
  rdata: Uint8Array.from(address.split('.').map(Number)),
})

/** A record whose data is a name: CNAME, DNAME, NS, PTR. */
export const named = (owner: string, type: string, ttlSeconds: number, target: string): StubRecord => ({
  owner,
  type,
  ttlSeconds,
  rdata: nameOctets(target),
})

/** An SOA record with zeros. */
export const soa = (owner: string, ttlSeconds: number): StubRecord => ({
  owner,
  type: 'SOA',
  ttlSeconds,
  rdata: Uint8Array.of(
    ...nameOctets(`ns.${owner}`),
    ...nameOctets(`hostmaster.${owner}`),
    ...new Uint8Array(20),
  ),
})

/** The stub. Every query is kept in `asked` before the script sees it. */
export class UpstreamStub {
  script: Script
  asked: Asked[] = []
  port = 0
  /** Connections that were opened to it. */
  connections = 0
  readonly #certificate: Certificate | undefined
  #udp: UdpSocket | undefined
  #tcp: Server | undefined
  readonly #sockets = new Set<Socket>()

  private constructor(script: Script, certificate: Certificate | undefined) {
    this.script = script
    this.#certificate = certificate
  }

  /** Listens on a free port; over TLS instead of TCP, and not over UDP, where a certificate is given. */
  static async start(script: Script = answerAll, certificate?: Certificate): Promise<UpstreamStub> {
    const stub = new UpstreamStub(script, certificate)
    await stub.resume()
    return stub
  }

  /** `127.0.0.1:PORT`. */
  get to(): string {
    return `${LOOPBACK}:${this.port}`
  }

  /** The questions asked, in order: `udp www.example.org. IN A`. */
  get log(): string[] {
    return this.asked.map(({ transport, what }) => `${transport} ${what}`)
  }

  /** Listens again where it listened before; UDP, TCP or both. */
  async resume(what: 'udp' | 'tcp' | 'both' = 'both'): Promise<void> {
    const anyPort = this.port === 0
    for (let tries = 1; ; tries++) {
      try {
        if (what !== 'udp') await this.#listenTcp()
        if (what !== 'tcp' && !this.#certificate) await this.#bindUdp()
        return
      } catch (error) {
        // The port that TCP got may be another's over UDP.
        if ((error as NodeJS.ErrnoException).code !== 'EADDRINUSE' || tries >= 20) throw error
        await this.pause()
        if (anyPort) this.port = 0
      }
    }
  }

  /** Listens no more: queries are refused, connections are reset. */
  async pause(what: 'udp' | 'tcp' | 'both' = 'both'): Promise<void> {
    const { promise: udpClosed, resolve: closeUdp } = Promise.withResolvers<void>()
    const { promise: tcpClosed, resolve: closeTcp } = Promise.withResolvers<void>()
    if (what !== 'tcp' && this.#udp) {
      this.#udp.close(closeUdp)
      this.#udp = undefined
    } else closeUdp()
    if (what !== 'udp' && this.#tcp) {
      this.#tcp.close(() => closeTcp())
      this.#tcp = undefined
      for (const socket of this.#sockets) socket.destroy()
    } else closeTcp()
    await Promise.all([udpClosed, tcpClosed])
  }

  async #bindUdp(): Promise<void> {
    const socket = createSocket('udp4')
    socket.bind(this.port, LOOPBACK)
    await once(socket, 'listening')
    socket.on('message', (octets, { port, address }) => {
      const back: Back = {
        send: reply => socket.send(reply, port, address),
        raw: reply => socket.send(reply, port, address),
        sendFromElsewhere: reply => sendFrom('127.0.0.2', reply, port),
        close: () => undefined,
        reset: () => undefined,
      }
      this.#take(octets, { transport: 'udp', address, port, connection: 0 }, back)
    })
    socket.on('error', error => {
      // The asker is gone already.
      if ((error as NodeJS.ErrnoException).code !== 'ECONNREFUSED') throw error
    })
    this.#udp = socket
  }

  async #listenTcp(): Promise<void> {
    const accept = (socket: Socket): void => this.#accept(socket)
    const server = this.#certificate ? createTlsServer(this.#certificate, accept) : createTcpServer(accept)
    server.listen(this.port, LOOPBACK)
    await once(server, 'listening')
    const address = server.address()
    if (typeof address === 'object' && address) this.port = address.port
    this.#tcp = server
  }

  #accept(socket: Socket): void {
    const connection = ++this.connections
    this.#sockets.add(socket)
    const { remoteAddress: address = '', remotePort: port = 0 } = socket
    const from: From = { transport: 'tcp', address, port, connection }
    let rest: Buffer = Buffer.alloc(0)
    const back: Back = {
      send: reply => socket.write(Buffer.concat([Uint8Array.of(reply.length >> 8, reply.length), reply])),
      raw: octets => socket.write(octets),
      sendFromElsewhere: () => Promise.reject(new Error('a connection has no elsewhere')),
      close: () => socket.end(),
      reset: () => socket.resetAndDestroy(),
    }
    socket.on('data', octets => {
      rest = Buffer.concat([rest, octets])
      while (rest.length >= 2 && rest.length >= 2 + rest.readUInt16BE(0)) {
        const end = 2 + rest.readUInt16BE(0)
        this.#take(rest.subarray(2, end), from, back)
        rest = rest.subarray(end)
      }
    })
    socket.on('error', () => socket.destroy())
    socket.on('close', () => this.#sockets.delete(socket))
  }

  #take(buffer: Uint8Array, from: From, back: Back): void {
    const octets = Uint8Array.from(buffer)
    const decoded = decodeMessage(octets)
    const asked: Asked = { ...decoded, ...from, octets, what: decoded.question[0] ?? '' }
    this.asked.push(asked)
    this.script(asked, back)
  }
}

/** Answers any question with one A record. */
export const answerAll: Script = (asked, back) =>
  back.send(replyTo(asked, { answer: [a(nameOf(asked), 30)] }))

/** The name asked for, in presentation form. */
export const nameOf = (asked: Asked): string => asked.what.split(' ')[0]!

async function sendFrom(address: string, octets: Uint8Array, port: number): Promise<void> {
  const socket = createSocket('udp4')
  socket.bind(0, address)
  await once(socket, 'listening')
  await new Promise<void>(resolve => socket.send(octets, port, LOOPBACK, () => socket.close(() => resolve())))
}
