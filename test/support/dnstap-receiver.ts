// A receiver of dnstap: the other side of Frame Streams, and the messages as it reads them. It shares no code with the sender.

import { mkdtempSync, rmSync } from 'node:fs'
import { createServer, type Server, type Socket } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createServer as createTlsServer } from 'node:tls'
import type { Certificate } from './certificates.ts'
import { until } from './until.ts'

const CONTENT_TYPE = 'protobuf:dnstap.Dnstap'
const [ACCEPT, START, STOP, READY, FINISH] = [1, 2, 3, 4, 5]

/** Fields of a message by their number: numbers as such, octets as they are. */
export type Fields = ReadonlyMap<number, number | Buffer>

/** One message: what is beside it, and its own fields. */
export interface Received {
  readonly identity: string
  readonly version: string
  readonly extra: string | undefined
  readonly message: Fields
}

function control(type: number, contentType?: string): Buffer {
  const value = Buffer.from(contentType ?? '')
  const body = contentType === undefined ? Buffer.alloc(4) : Buffer.alloc(12 + value.length)
  body.writeUInt32BE(type, 0)
  if (contentType !== undefined) {
    body.writeUInt32BE(1, 4)
    body.writeUInt32BE(value.length, 8)
    value.copy(body, 12)
  }
  const head = Buffer.alloc(8)
  head.writeUInt32BE(body.length, 4)
  return Buffer.concat([head, body])
}

/** Reads protocol buffers without knowing their meaning; throws where they are none. */
export function readFields(octets: Buffer): Fields {
  const fields = new Map<number, number | Buffer>()
  let at = 0
  const varint = (): number => {
    let value = 0
    for (let factor = 1; ; factor *= 128) {
      const octet = octets.readUInt8(at++)
      value += (octet & 127) * factor
      if (octet < 128) return value
    }
  }
  while (at < octets.length) {
    const key = varint()
    const type = key & 7
    if (type === 0) fields.set(key >> 3, varint())
    else if (type === 5) {
      fields.set(key >> 3, octets.readUInt32LE(at))
      at += 4
    } else if (type === 2) {
      const length = varint()
      if (at + length > octets.length) throw new RangeError('a field is cut')
      fields.set(key >> 3, octets.subarray(at, at + length))
      at += length
    } else throw new RangeError(`type ${type}`)
  }
  return fields
}

/** A path for a socket, which must be short (unix(7)), in a folder that the test's end removes. */
export function socketPath(t: { teardown(handler: () => void): void }): string {
  const folder = mkdtempSync(join(tmpdir(), 'tap-'))
  t.teardown(() => rmSync(folder, { recursive: true, force: true }))
  return join(folder, 'tap.sock')
}

export class DnstapReceiver {
  readonly received: Received[] = []
  /** What is said on each connection: `ready start … stop`. */
  readonly said: string[] = []
  /** Whether connections are let read; not: the sender's queue fills. */
  isReading = true
  readonly #server: Server
  readonly #sockets = new Set<Socket>()

  private constructor(certificate?: Certificate) {
    const serve = (socket: Socket): void => this.#serve(socket)
    this.#server = certificate
      ? createTlsServer({ cert: certificate.cert, key: certificate.key }, serve)
      : createServer(serve)
  }

  static async listen(at: string | number, certificate?: Certificate): Promise<DnstapReceiver> {
    const receiver = new DnstapReceiver(certificate)
    await new Promise<void>(resolve =>
      typeof at === 'string'
        ? receiver.#server.listen(at, resolve)
        : receiver.#server.listen(at, '127.0.0.1', resolve),
    )
    return receiver
  }

  get port(): number {
    const address = this.#server.address()
    return typeof address === 'object' && address !== null ? address.port : 0
  }

  get connections(): number {
    return this.#sockets.size
  }

  /** Resolves when there are so many messages. */
  async has(messages: number): Promise<void> {
    await until(`${messages} messages`, async () => this.received.length >= messages)
  }

  /** Ends connections, and listens no more. */
  async stop(): Promise<void> {
    const closed = new Promise<void>(resolve => this.#server.close(() => resolve()))
    for (const socket of this.#sockets) socket.destroy()
    await closed
  }

  #serve(socket: Socket): void {
    this.#sockets.add(socket)
    socket.on('close', () => this.#sockets.delete(socket))
    socket.on('error', () => undefined)
    if (!this.isReading) return
    const index = this.said.push('') - 1
    const say = (text: string): void => {
      this.said[index] = `${this.said[index]} ${text}`.trim()
    }
    let octets = Buffer.alloc(0)
    socket.on('data', more => {
      octets = Buffer.concat([octets, more])
      while (octets.length >= 4) {
        const length = octets.readUInt32BE(0)
        if (length > 0) {
          if (octets.length < 4 + length) return
          this.#take(octets.subarray(4, 4 + length))
          octets = octets.subarray(4 + length)
          continue
        }
        if (octets.length < 8 || octets.length < 8 + octets.readUInt32BE(4)) return
        const frame = octets.subarray(8, 8 + octets.readUInt32BE(4))
        octets = octets.subarray(8 + frame.length)
        const type = frame.readUInt32BE(0)
        const isOurs = frame.subarray(12).toString() === CONTENT_TYPE
        if (type === READY && isOurs) {
          say('ready')
          socket.write(control(ACCEPT!, CONTENT_TYPE))
        } else if (type === START && isOurs) say('start')
        else if (type === STOP) {
          say('stop')
          socket.end(control(FINISH!))
        } else say(`type ${type}?`)
      }
    })
  }

  #take(frame: Buffer): void {
    const fields = readFields(frame)
    const text = (number: number): string | undefined => fields.get(number)?.toString()
    if (fields.get(15) !== 1) throw new RangeError('no message')
    this.received.push({
      identity: text(1) ?? '',
      version: text(2) ?? '',
      extra: text(3),
      message: readFields(fields.get(14) as Buffer),
    })
  }
}
