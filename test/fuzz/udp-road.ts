// The fuzzer's datagrams: each gets the next id, so that what comes back can be held against what was sent.

import { createSocket, type Socket } from 'node:dgram'
import { once } from 'node:events'
import { NoAnswer } from '../support/dns-client.ts'
import { probe } from '../support/probe.ts'
import { checkReply, Violation } from '../support/universal-checks.ts'
import type { FuzzPacket } from './mix.ts'
import type { Tally } from './tally.ts'

/** Packets from one port. */
const PACKETS_PER_PORT = 2000
/** A good query that was not answered by then is asked once more, by itself. */
const OVERDUE_MS = 5000

interface Waiting {
  readonly octets: Uint8Array
  readonly good: boolean
  readonly atMs: number
}

export class UdpRoad {
  readonly #port: number
  readonly #tally: Tally
  readonly #waiting = new Map<number, Waiting>()
  /** Ids that are no longer waited for: an answer may still come, once, on a busy machine. */
  readonly #late = new Set<number>()
  #socket: Socket | undefined
  #sentHere = 0
  #nextId = 0

  constructor(port: number, tally: Tally) {
    this.#port = port
    this.#tally = tally
  }

  async send({ octets, good }: FuzzPacket): Promise<void> {
    const socket = this.#socket && this.#sentHere < PACKETS_PER_PORT ? this.#socket : await this.#open()
    const packet = Buffer.from(octets)
    const id = this.#nextId
    this.#nextId = (id + 1) & 0xffff
    if (packet.length >= 2) {
      packet.writeUInt16BE(id)
      this.#waiting.delete(id)
      this.#late.delete(id)
      this.#waiting.set(id, { octets: packet, good, atMs: performance.now() })
    }
    this.#sentHere++
    this.#tally.sent('udp')
    socket.send(packet)
  }

  async #open(): Promise<Socket> {
    const before = this.#socket
    // What is on its way to the old port still arrives.
    if (before) setTimeout(() => before.close(), OVERDUE_MS).unref()
    const socket = createSocket('udp4')
    socket.on('message', octets => this.#take(Uint8Array.from(octets)))
    // A closed port is told by the liveness check.
    socket.on('error', () => {})
    socket.connect(this.#port, '127.0.0.1')
    await once(socket, 'connect')
    this.#socket = socket
    this.#sentHere = 0
    return socket
  }

  #take(octets: Uint8Array): void {
    const id = octets.length < 2 ? -1 : (octets[0]! << 8) | octets[1]!
    const asked = this.#waiting.get(id)
    this.#waiting.delete(id)
    if (!asked) {
      if (this.#late.delete(id)) return
      this.#tally.found({
        what: `a datagram to nothing: ${Buffer.from(octets).toString('hex')}`,
        over: 'udp',
      })
      return
    }
    try {
      this.#tally.answered('udp', asked.octets, octets.length, checkReply(asked.octets, octets, 'udp'))
    } catch (error) {
      if (!(error instanceof Violation)) throw error
      this.#tally.found({ what: error.message, packet: asked.octets, over: 'udp' })
    }
  }

  /** Asks again what should have been answered long ago, up to the first that is not; forgets what need not be. */
  async settle(overdueMs = OVERDUE_MS): Promise<void> {
    const nowMs = performance.now()
    for (const [id, { octets, good, atMs }] of this.#waiting) {
      if (nowMs - atMs < overdueMs) break
      this.#waiting.delete(id)
      this.#late.add(id)
      if (!good) continue
      this.#tally.lost++
      try {
        await probe(this.#port, octets, 'udp', false)
      } catch (error) {
        if (!(error instanceof NoAnswer) && !(error instanceof Violation)) throw error
        this.#tally.found({ what: `a good query: ${error.message}`, packet: octets, over: 'udp' })
        return
      }
    }
  }

  close(): void {
    this.#socket?.close()
    this.#socket = undefined
  }
}
