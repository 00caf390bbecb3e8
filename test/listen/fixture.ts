// What the tests of listeners own: a responder whose answers and their moment the test decides, and counts.

import { Admission } from '../../src/listen/admission.ts'
import type { ListenEvent } from '../../src/listen/events.ts'
import { LATER, type LateReply, type Messages, type Responder, SILENCE } from '../../src/listen/responder.ts'
import { StreamMemory } from '../../src/listen/stream-memory.ts'
import type { Endpoint, Transport } from '../../src/query/query.ts'
import { encodeQuestion } from '../support/dns-question.ts'
import { VirtualClock } from '../support/virtual-clock.ts'

/** A slow query that the test answers. */
export interface Held {
  readonly octets: Uint8Array
  readonly transport: Transport
  readonly client: Endpoint
  readonly local: Endpoint
  readonly name: string
  /** Gives the echo of the query, or what is passed; `undefined` is silence. */
  answer(reply?: LateReply): void
  drop(): void
}

/**
 * Answers by the first label of the question: `slow…` when the test says so, `silent…` never, `bigN…` with N
 * octets, anything else at once. A reply is its query with QR set.
 */
export class FakeResponder implements Responder {
  readonly held: Held[] = []
  answered = 0
  entered = 0
  /** The lengths of the queries that came. */
  readonly lengths: number[] = []
  /** Calls of `answerNow` outside of `enter` and `leave`, and of `answerLater` within. */
  faults = 0
  /** Answers to names that begin with `who` are followed by asking who asked. */
  curious = false
  readonly clients: string[] = []

  tellClient(octets: Uint8Array, start: number, end: number, client: string): void {
    this.curious = false
    this.clients.push(`${firstLabel(octets.subarray(start, end))} ${client}`)
  }

  enter(): void {
    this.entered++
  }

  leave(): void {
    this.entered--
  }

  answerNow(
    octets: Uint8Array,
    start: number,
    end: number,
    out: Uint8Array,
    outAt: number,
    _transport: Transport,
    _family: 4 | 6,
    replyMaxOctets: number,
  ): number {
    if (this.entered !== 1 || outAt + replyMaxOctets > out.length) this.faults++
    this.lengths.push(end - start)
    if (end - start < 12) return SILENCE
    const label = firstLabel(octets.subarray(start, end))
    if (label.startsWith('silent')) return SILENCE
    if (label.startsWith('slow')) return LATER
    out.set(octets.subarray(start, end), outAt)
    out[outAt + 2]! |= 0x80
    this.answered++
    this.curious = label.startsWith('who')
    const big = /^big(\d+)/.exec(label)
    if (!big) return end - start
    out.fill(0, outAt + end - start, outAt + Number(big[1]))
    return Number(big[1])
  }

  answerLater(
    octets: Uint8Array,
    transport: Transport,
    client: Endpoint,
    local: Endpoint,
  ): Promise<LateReply> {
    if (this.entered !== 0) this.faults++
    const { promise, resolve } = Promise.withResolvers<LateReply>()
    const name = firstLabel(octets)
    const answer = (reply: LateReply = echo(octets)): void => resolve(reply)
    this.held.push({ octets, transport, client, local, name, answer, drop: () => resolve(undefined) })
    return promise
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
  const admission = new Admission(counts.count)
  const memory = new StreamMemory(memoryOctets, counts.count)
  const options = { address: '127.0.0.1', port: 0, responder, clock, admission, memory, count: counts.count }
  return { responder, counts, clock, admission, memory, options }
}
