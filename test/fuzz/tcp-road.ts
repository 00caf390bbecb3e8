// The fuzzer's connections: some packets each, in one write or in pieces, with true lengths or not, ended politely, by a reset,
// or not at all before the server does. One in so many is greedy: a long pipeline, or frames as large as there are, of which it
// reads nothing, or after a while.

import { once } from 'node:events'
import { connect, type Socket } from 'node:net'
import { setTimeout as after, setImmediate as turn } from 'node:timers/promises'
import { decodeMessage, MalformedMessage } from '../support/dns-message.ts'
import type { Random } from '../support/random.ts'
import { checkReply, Violation } from '../support/universal-checks.ts'
import type { FuzzPacket, Mix } from './mix.ts'
import { goodQuery, heavyQuery } from './queries.ts'
import type { Tally } from './tally.ts'

const PACKETS_MAX = 20
/** How long answers may take where all packets are good; how long any are waited for otherwise. */
const GOOD_MS = 6000
const ANY_MS = 100

/** In percent of all connections. */
const GREEDY = 6
const PIPELINE_MAX = 1500
const BIG_FRAMES_MAX = 12
const FRAME_OCTETS = 0xffff
/** How long a greedy one does not read. */
const UNREAD_MS = 150

/** One connection from its beginning to its end. */
export async function runConnection(port: number, mix: Mix, tally: Tally): Promise<void> {
  const { random } = mix
  if (random.chance(GREEDY)) return runGreedy(port, mix, tally)
  const onlyGood = random.chance(20)
  const packets = Array.from({ length: 1 + random.below(PACKETS_MAX) }, () => nextPacket(mix, onlyGood))
  packets.forEach(({ octets }, id) => {
    if (octets.length >= 2) octets.set([id >> 8, id & 255])
  })
  const lies = !onlyGood && random.chance(25)
  const ends = !onlyGood && random.chance(10)
  const socket = connect({ port, host: '127.0.0.1', noDelay: true })
  const replies = new Replies(socket, packets, !lies, tally)
  try {
    await once(socket, 'connect')
    await write(socket, random, Buffer.concat(packets.map(({ octets }) => frame(random, octets, lies))))
    for (let left = packets.length; left > 0; left--) tally.sent('tcp')
    if (ends) socket.end()
    await replies.until(packets.length, onlyGood ? GOOD_MS : ANY_MS)
    if (onlyGood && replies.count < packets.length)
      tally.found({
        what: `${replies.count} answers to ${packets.length} good queries of one connection`,
        over: 'tcp',
      })
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === undefined) throw error
    if (onlyGood) tally.found({ what: `a connection of good queries broke: ${String(error)}`, over: 'tcp' })
  }
  // Node never closes a socket whose reset meets its end under way.
  if (random.chance(30) && socket.readyState === 'open') socket.resetAndDestroy()
  else socket.destroy()
}

/** What comes back is held against the packets where it is read at all. */
async function runGreedy(port: number, { random }: Mix, tally: Tally): Promise<void> {
  const isLong = random.chance(50)
  const packets: FuzzPacket[] = Array.from(
    { length: 1 + random.below(isLong ? PIPELINE_MAX : BIG_FRAMES_MAX) },
    (_, id) => {
      const octets = isLong ? goodQuery(random) : heavyQuery(random, FRAME_OCTETS)
      octets.set([id >> 8, id & 255])
      return { octets, good: false }
    },
  )
  const socket = connect({ port, host: '127.0.0.1' })
  const replies = new Replies(socket, packets, true, tally)
  try {
    await once(socket, 'connect')
    socket.pause()
    await write(socket, random, Buffer.concat(packets.map(({ octets }) => frame(random, octets, false))))
    tally.greedy.connections++
    tally.greedy.packets += packets.length
    await after(random.below(UNREAD_MS))
    if (random.chance(50)) {
      socket.resume()
      await replies.until(packets.length, ANY_MS)
    }
  } catch (error) {
    // It is ended where it keeps too much.
    if ((error as NodeJS.ErrnoException).code === undefined) throw error
  }
  socket.destroy()
}

function nextPacket(mix: Mix, onlyGood: boolean): FuzzPacket {
  for (;;) {
    const packet = mix.next()
    if (packet.good || !onlyGood) return packet
  }
}

function frame(random: Random, octets: Uint8Array, lies: boolean): Buffer {
  const length = Buffer.alloc(2)
  const lie = lies && random.chance(30)
  length.writeUInt16BE(
    lie
      ? random.pick([0, 1, 11, 12, octets.length + 1, Math.max(0, octets.length - 1), 0xffff])
      : octets.length,
  )
  return Buffer.concat([length, octets])
}

async function write(socket: Socket, random: Random, stream: Buffer): Promise<void> {
  const pieces = random.chance(60) ? 1 : 1 + random.below(6)
  let at = 0
  for (let left = pieces; left > 0; left--) {
    const end = left === 1 ? stream.length : at + random.below(stream.length - at + 1)
    socket.write(stream.subarray(at, end))
    at = end
    await turn()
  }
}

/** What comes back on one connection, each message held against the packet with its id. */
class Replies {
  readonly #socket: Socket
  readonly #packets: readonly FuzzPacket[]
  readonly #framed: boolean
  readonly #tally: Tally
  readonly #answered = new Set<number>()
  #rest = Buffer.alloc(0)
  #ended = false
  #tell = (): void => {}

  /** `framed` is whether the lengths were true, so that ids mean packets. */
  constructor(socket: Socket, packets: readonly FuzzPacket[], framed: boolean, tally: Tally) {
    this.#socket = socket
    this.#packets = packets
    this.#framed = framed
    this.#tally = tally
    socket.on('data', chunk => {
      this.#rest = Buffer.concat([this.#rest, chunk])
      this.#read()
      this.#tell()
    })
    for (const event of ['end', 'error', 'close'] as const) {
      socket.on(event, () => {
        this.#ended = true
        this.#tell()
      })
    }
  }

  get count(): number {
    return this.#answered.size
  }

  /** Until there are so many, the connection ends, or the time is over. */
  async until(count: number, patienceMs: number): Promise<void> {
    const { promise, resolve } = Promise.withResolvers<void>()
    this.#tell = () => {
      if (this.#ended || this.count >= count) resolve()
    }
    this.#tell()
    await Promise.race([promise, after(patienceMs)])
  }

  #read(): void {
    while (this.#rest.length >= 2 && this.#rest.length >= 2 + this.#rest.readUInt16BE(0)) {
      const end = 2 + this.#rest.readUInt16BE(0)
      this.#take(Uint8Array.from(this.#rest.subarray(2, end)))
      this.#rest = this.#rest.subarray(end)
    }
  }

  #take(octets: Uint8Array): void {
    const packet = octets.length < 2 ? undefined : this.#packets[(octets[0]! << 8) | octets[1]!]?.octets
    try {
      if (!this.#framed) decodeMessage(octets)
      else if (packet) {
        this.#answered.add((octets[0]! << 8) | octets[1]!)
        this.#tally.answered('tcp', packet, octets.length, checkReply(packet, octets, 'tcp'))
      } else
        this.#tally.found({
          what: `a message to nothing: ${Buffer.from(octets).toString('hex')}`,
          over: 'tcp',
        })
    } catch (error) {
      if (!(error instanceof Violation) && !(error instanceof MalformedMessage)) throw error
      this.#tally.found({ what: error.message, over: 'tcp', ...(packet && { packet }) })
      this.#socket.destroy()
    }
  }
}
