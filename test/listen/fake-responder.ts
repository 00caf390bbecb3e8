// What the tests of listeners own: a responder whose answers and their moment the test decides, and counts.

import type { ListenEvent } from '../../src/listen/events.ts'
import { PARKED, type Responder, SILENCE } from '../../src/listen/responder.ts'
import { StreamMemory } from '../../src/listen/stream-memory.ts'
import { type Messages, Packet } from '../../src/query/packet.ts'
import type { Endpoint, Transport } from '../../src/query/sockaddr.ts'
import { encodeQuestion } from '../support/dns-question.ts'
import { VirtualClock } from '../support/virtual-clock.ts'

/** A query that waits until the test answers it. */
export interface Held {
  readonly octets: Uint8Array
  readonly transport: Transport
  readonly client: Endpoint
  readonly local: Endpoint
  readonly name: string
  /** Gives the echo of the query, or what is passed. */
  answer(reply?: Uint8Array | Messages): void
  /** Gives nothing. */
  drop(): void
}

/**
 * Answers by the first label of the question: `slow…` when the test says so, `silent…` never, `bigN…` with N
 * octets, anything else at once. A reply is its query with QR set.
 */
export class FakeResponder implements Responder {
  readonly held: Held[] = []
  /** Queries that wait now. */
  waiting = 0
  answered = 0
  entered = 0
  /** The first labels of the queries that came. */
  readonly names: string[] = []
  /** The lengths of the queries that came. */
  readonly lengths: number[] = []
  /** Calls of `answer` outside of `enter` and `leave`, or without room for the reply. */
  faults = 0

  enter(): void {
    this.entered++
  }

  leave(): void {
    this.entered--
  }

  answer(packet: Packet): number {
    packet.begin(0)
    const { start, end, slot, slotAt } = packet
    if (this.entered !== 1 || slotAt + packet.slotOctets > slot.length) this.faults++
    this.lengths.push(end - start)
    if (end - start < 12) return SILENCE
    const octets = Uint8Array.from(packet.octets.subarray(start, end))
    const label = firstLabel(octets)
    this.names.push(label)
    if (label.startsWith('silent')) return SILENCE
    if (label.startsWith('slow')) return this.#hold(packet, octets)
    slot.set(echo(octets), slotAt)
    this.answered++
    const big = /^big(\d+)/.exec(label)
    if (!big) return octets.length
    slot.fill(0, slotAt + octets.length, slotAt + Number(big[1]))
    return Number(big[1])
  }

  #hold(packet: Packet, octets: Uint8Array): number {
    const { origin, fromAt, fromOctets, client, local, transport, family } = packet
    const from = packet.from.slice(fromAt, fromAt + fromOctets)
    const reply = (slot: Uint8Array, messages?: Messages): void => {
      const late = new Packet()
      Object.assign(late, { slot, from, fromOctets, origin, family })
      late.begin(0)
      late.messages = messages
      this.waiting--
      origin.reply(late, slot.length)
    }
    this.waiting++
    origin.parked()
    this.held.push({
      octets,
      transport,
      client,
      local,
      name: firstLabel(octets),
      answer: (given = echo(octets)) =>
        given instanceof Uint8Array ? reply(given) : reply(new Uint8Array(0), given),
      drop: () => reply(new Uint8Array(0)),
    })
    return PARKED
  }
}

const firstLabel = (octets: Uint8Array): string =>
  Buffer.from(octets.subarray(13, 13 + (octets[12] ?? 0))).toString('latin1')

/** The query with QR set: what the responder answers. */
export function echo(query: Uint8Array): Uint8Array {
  const reply = Uint8Array.from(query)
  reply[2]! |= 0x80
  return reply
}

/** `count` messages of `octets` each that begin with `query`'s echo, and what became of them; `then` is how they end. */
export class FakeMessages implements Messages {
  drawn = 0
  ended = 0
  readonly #query: Uint8Array
  readonly #count: number
  readonly #octets: number
  readonly #end: 'complete' | 'cut'

  constructor(query: Uint8Array, count: number, octets = 16_000, end: 'complete' | 'cut' = 'complete') {
    this.#query = query
    this.#count = count
    this.#octets = octets
    this.#end = end
  }

  next(): Uint8Array | 'complete' | 'cut' {
    if (this.drawn === this.#count) return this.#end
    const message = new Uint8Array(this.#octets)
    message.set(echo(this.#query))
    // The last two octets number the messages.
    message.set([this.drawn >> 8, this.drawn], this.#octets - 2)
    this.drawn++
    return message
  }

  end(): void {
    this.ended++
  }
}

/** A query for NAME.test. */
export const ask = (name: string, id = 1): Uint8Array => encodeQuestion({ name: `${name}.test` }, id)

/** The query behind its two octets of length. */
export function frame(query: Uint8Array): Uint8Array {
  const framed = new Uint8Array(query.length + 2)
  framed[0] = query.length >> 8
  framed[1] = query.length
  framed.set(query, 2)
  return framed
}

/** Counts by event. */
export class Counts {
  readonly #counts = new Map<ListenEvent, number>()

  readonly count = (event: ListenEvent, n = 1): void => {
    this.#counts.set(event, this.of(event) + n)
  }

  of(event: ListenEvent): number {
    return this.#counts.get(event) ?? 0
  }
}

/** A set of options for a listener on a free port of 127.0.0.1, whose connections may keep so much. */
export function bench(memoryOctets = 2 ** 26) {
  const responder = new FakeResponder()
  const counts = new Counts()
  const clock = new VirtualClock()
  const memory = new StreamMemory(memoryOctets, counts.count)
  const options = { address: '127.0.0.1', port: 0, responder, clock, memory, count: counts.count }
  return { responder, counts, clock, memory, options }
}
