// Asks one question over and over from one socket, the next one as soon as the last is answered: sees a change of the answer
// within some 50 µs of the server's making it; with a pause in between it leaves the core to others. No decoding, no allocation beyond the packets.

import { createSocket, type Socket } from 'node:dgram'
import { once } from 'node:events'
import { encodeQuestion, type Question } from '../../support/dns-client.ts'

/** A question without an answer after this long is asked again. */
const PATIENCE_MS = 200
const ID_MAX = 0xffff

/** One answer: its octets, and when its question left and it came, by performance.now(). */
export interface Answered {
  readonly octets: Buffer
  readonly askedMs: number
  readonly answeredMs: number
}

/** How many records the answer section has; 0 for any code but NOERROR. */
export const answerCount = (octets: Buffer): number => ((octets[3]! & 15) === 0 ? octets.readUInt16BE(6) : 0)

/** An asker, from `start` to `stop`. */
export class Asker {
  readonly #socket: Socket
  readonly #packet: Buffer
  readonly #onAnswer: (answered: Answered) => void
  readonly #pauseMs: number
  #timer: NodeJS.Timeout | undefined
  #askedMs = 0
  #id = 0
  #lost = 0
  #running = true

  private constructor(
    socket: Socket,
    question: Question,
    onAnswer: (answered: Answered) => void,
    pauseMs: number,
  ) {
    this.#pauseMs = pauseMs
    this.#socket = socket
    this.#packet = Buffer.from(encodeQuestion(question, 0))
    this.#onAnswer = onAnswer
    // Nobody listening yet is as good as no answer.
    socket.on('error', () => undefined)
    socket.on('message', octets => {
      if (octets.length < 12 || octets.readUInt16BE(0) !== this.#id || !this.#running) return
      const answeredMs = performance.now()
      this.#onAnswer({ octets, askedMs: this.#askedMs, answeredMs })
      if (!this.#running) return
      if (this.#pauseMs === 0) this.#ask()
      else this.#askLater()
    })
  }

  /** Begins to ask the server at the port of 127.0.0.1, pausing after each answer for so long. */
  static async start(
    port: number,
    question: Question,
    onAnswer: (answered: Answered) => void,
    pauseMs = 0,
  ): Promise<Asker> {
    const socket = createSocket('udp4')
    socket.connect(port, '127.0.0.1')
    await once(socket, 'connect')
    const asker = new Asker(socket, question, onAnswer, pauseMs)
    asker.#ask()
    return asker
  }

  /** Questions that were not answered in time. */
  get lost(): number {
    return this.#lost
  }

  #ask(): void {
    clearTimeout(this.#timer)
    this.#id = (this.#id + 1) & ID_MAX
    this.#packet.writeUInt16BE(this.#id, 0)
    this.#askedMs = performance.now()
    this.#socket.send(this.#packet)
    this.#timer = setTimeout(() => {
      this.#lost++
      this.#ask()
    }, PATIENCE_MS)
  }

  #askLater(): void {
    clearTimeout(this.#timer)
    this.#timer = setTimeout(() => this.#ask(), this.#pauseMs)
  }

  stop(): void {
    this.#running = false
    clearTimeout(this.#timer)
    this.#socket.close()
  }
}
