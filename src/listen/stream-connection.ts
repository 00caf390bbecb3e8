// HOT: one TCP or TLS connection. All frames of a read are answered out of the table into one buffer and
// leave with one write; slow queries are answered as they complete, in any order, and never hold up the
// others (RFC 7766 6.2.1.1, 7). Budget: 7 µs CPU a query over 50 connections (`node test/bench/listen.ts`).
// From the first write on that the kernel does not take whole, nothing more is read until it has.
// The messages of a zone transfer are drawn one by one while the socket takes them; several transfers of a connection
// one after another, other replies in between.
//
// A connection is `open`, then `finishing` (nothing is read any more, what is in flight is answered), then
// `ended` (our FIN is out, the peer has a while to send its own), then closed.

import type { Socket } from 'node:net'
import type { Messages, Origin, Packet } from '../query/packet.ts'
import { type Endpoint, SOCKADDR_MAX_OCTETS, sockaddr } from '../query/sockaddr.ts'
import { RECORD_OCTETS } from '../query/waiting.ts'
import { HEADER_OCTETS, MESSAGE_MAX, readU16 } from '../wire/header.ts'
import { Carry, isGarbage, LENGTH_OCTETS } from './frame.ts'
import { reset } from './reset.ts'
import { type Account, CONNECTION_OCTETS, KERNEL_OCTETS } from './stream-memory.ts'
import type { OpenConnection } from './stream-order.ts'
import { StreamOutput } from './stream-output.ts'
import type { Accepted, Flushed, StreamShared, StreamTransport } from './stream-shared.ts'

/** Queries of one connection that are answered before the others have their turn. */
export const FRAMES_PER_TURN_MAX = 64
/** Of a peer that is gone already: nobody's address. */
const NOWHERE = new Uint8Array(SOCKADDR_MAX_OCTETS)

/** So much may wait in an encrypted connection, where the kernel is given nothing before the next turn. */
const ENCRYPTED_UNSENT_OCTETS = 16 * 1024

export class StreamConnection implements OpenConnection, Flushed, Origin {
  older: OpenConnection | undefined
  newer: OpenConnection | undefined
  readonly client: Endpoint
  readonly account: Account
  readonly transport: StreamTransport
  readonly #local: Endpoint
  /** The client's socket address. */
  readonly #from: Uint8Array
  readonly #socket: Socket
  readonly #raw: Socket
  readonly #shared: StreamShared
  /** What it costs by itself. */
  readonly #ownOctets: number
  readonly #unsentMax: number
  readonly #carry = new Carry()
  /** Octets of a read that were left when reading paused. */
  #rest: Uint8Array | undefined
  #state: 'open' | 'finishing' | 'ended' | 'closed' = 'open'
  #reading = true
  /** Whether reading waits for the peer, or for packets. */
  #paused = false
  /** Whether the rest of what was read waits for the other connections to have their turn. */
  #yielding = false
  #peerEnded = false
  readonly #out: StreamOutput
  #replies: Uint8Array[] = []
  /** Octets of the records of packets that wait and of the replies above. */
  #waitingOctets = 0
  /** Transfers under way, each of them in flight; the first one's messages are being written. */
  #transfers: Messages[] = []
  #queries = 0
  /** Packets that wait, and transfers. */
  #inFlight = 0
  readonly #openedAtMs: number
  #lastQueryAtMs = -1
  #endedAtMs = 0
  constructor(accepted: Accepted, shared: StreamShared) {
    const { socket, raw, client, local, openedAtMs, account } = accepted
    const encrypted = socket !== raw
    this.#socket = socket
    this.#raw = raw
    this.#shared = shared
    this.account = account
    this.#ownOctets = encrypted ? CONNECTION_OCTETS.encrypted : CONNECTION_OCTETS.plain
    this.#unsentMax = encrypted ? ENCRYPTED_UNSENT_OCTETS : 0
    this.client = client
    this.transport = shared.transport
    this.#local = local
    this.#from = sockaddr(client.address, client.port) ?? NOWHERE
    this.#openedAtMs = openedAtMs
    this.#out = new StreamOutput(socket, shared, () => this.#taken())
    socket.on('data', chunk => this.#read(chunk))
    socket.on('end', () => {
      this.#peerEnded = true
      // What it sent before is answered yet.
      if (!this.#rest) this.finish()
    })
    socket.on('error', () => shared.count('tcp-connection-error'))
    socket.on('close', () => {
      this.#state = 'closed'
      this.#rest = undefined
      this.#replies = []
      while (this.#transfers.length > 0) this.#endTransfer()
    })
  }

  get idle(): boolean {
    return this.#inFlight === 0 && this.#replies.length === 0 && this.#socket.writableLength === 0
  }

  get stalledSinceMs(): number {
    return this.#out.unsentSinceMs
  }

  finish(): void {
    if (this.#state !== 'open') return
    this.#state = 'finishing'
    this.#rest = undefined
    this.#carry.clear()
    // What still comes is read and thrown away: octets left in the kernel would turn our close into a reset.
    this.#resume()
    this.#endWhenIdle()
  }

  close(): void {
    this.#socket.destroy()
  }

  /** Closes at once, with a reset, so that the kernel keeps nothing for a peer that does not read. */
  abort(): void {
    if (this.#state === 'closed') return
    this.#state = 'closed'
    reset(this.#socket, this.#raw)
  }

  check(nowMs: number, idleMs: number): void {
    if (this.#state === 'closed') return
    const { limits, count } = this.#shared
    if (this.#state === 'ended' && nowMs - this.#endedAtMs >= limits.writeTimeoutMs) {
      this.abort()
    } else if (this.#out.stalledMs(nowMs) >= limits.writeTimeoutMs) {
      count('tcp-write-timeout')
      this.abort()
    } else if (this.#state === 'open' && this.idle) {
      if (this.#lastQueryAtMs < 0) {
        if (nowMs - this.#openedAtMs < limits.firstReadTimeoutMs) return
        count('tcp-first-read-timeout')
        this.finish()
      } else if (nowMs - this.#lastQueryAtMs >= idleMs) {
        count('tcp-idle-timeout')
        this.finish()
      }
    }
  }

  #read(chunk: Uint8Array): void {
    if (this.#state !== 'open') return
    // A pause takes effect behind what the stream had read ahead.
    if (this.#rest) this.#rest = Buffer.concat([this.#rest, chunk])
    else this.#frames(chunk)
    this.#tally()
  }

  /** Says what the connection keeps. The last thing that is done: it may be closed by this. */
  #tally(): void {
    if (this.#state === 'closed') return
    const { readableLength, writableLength } = this.#socket
    this.account.set(
      this.#ownOctets +
        this.#carry.octets +
        (this.#rest?.buffer.byteLength ?? 0) +
        readableLength +
        writableLength +
        this.#waitingOctets +
        (writableLength > this.#unsentMax ? KERNEL_OCTETS.sent : 0) +
        (this.#reading ? 0 : KERNEL_OCTETS.received),
    )
  }

  #frames(chunk: Uint8Array): void {
    const { responder } = this.#shared
    let at = 0
    let answered = 0
    this.#setOut()
    responder.enter()
    if (this.#carry.length > 0) {
      at = this.#carry.take(chunk, 0)
      const frame = this.#carry.whole()
      if (frame) {
        answered++
        this.#query(frame, LENGTH_OCTETS, frame.length)
        this.#carry.clear()
      }
    }
    const end = chunk.length
    let garbage = false
    while (this.#state === 'open' && !this.#blocked() && answered < FRAMES_PER_TURN_MAX) {
      if (at + LENGTH_OCTETS > end) break
      const next = at + LENGTH_OCTETS + readU16(chunk, at)
      if (next < at + LENGTH_OCTETS + HEADER_OCTETS) {
        garbage = true
        break
      }
      if (next > end) break
      answered++
      this.#query(chunk, at + LENGTH_OCTETS, next)
      at = next
    }
    responder.leave()
    this.#out.write()
    if (answered > 0) {
      this.#lastQueryAtMs = this.#shared.nowMs()
      this.#shared.touched(this)
    }
    if (this.#state === 'finishing') this.#endWhenIdle()
    if (this.#state !== 'open') return
    if (!garbage && answered === FRAMES_PER_TURN_MAX && at < end) this.#yield(chunk, at)
    else if (garbage || (!this.#blocked() && this.#keep(chunk, at))) {
      this.#shared.count('tcp-garbage')
      this.finish()
    } else if (this.#blocked()) {
      this.#pause(chunk, at)
    }
  }

  /** The other connections have their turn before the rest of what was read. */
  #yield(chunk: Uint8Array, at: number): void {
    this.#rest = chunk.subarray(at)
    this.#yielding = true
    this.#stopReading()
    setImmediate(() => {
      this.#yielding = false
      if (this.#state === 'open' && this.#blocked()) this.#tellPaused()
      else this.#proceed()
      this.#tally()
    })
  }

  /** Keeps the beginning of a frame; true where it cannot become a query. */
  #keep(chunk: Uint8Array, at: number): boolean {
    if (at === chunk.length) return this.#carry.length > 0 && this.#carry.isGarbage()
    if (isGarbage(chunk, at, chunk.length)) return true
    this.#carry.take(chunk, at)
    return false
  }

  /** The packet of all connections is one of this connection's from here on. */
  #setOut(): void {
    const { packet, out } = this.#shared
    packet.origin = this
    packet.from = this.#from
    packet.fromAt = 0
    packet.fromOctets = this.#from.length
    packet.family = this.#local.family
    packet.slot = out
    packet.slotOctets = MESSAGE_MAX
  }

  /** Answers the query in octets[start … end) into the shared buffer, unless it must wait. */
  #query(octets: Uint8Array, start: number, end: number): void {
    const { responder, packet, limits } = this.#shared
    packet.octets = octets
    packet.start = start
    packet.end = end
    packet.slotAt = this.#out.place()
    const written = responder.answer(packet)
    if (written > 0) this.#out.rendered(written)
    else if (packet.messages !== undefined) {
      this.#inFlight++
      this.#transfer(packet.messages)
    }
    if (++this.#queries === limits.queriesPerConnectionMax) {
      this.#shared.count('tcp-queries-max')
      this.finish()
    }
  }

  localOf(): Endpoint {
    return this.#local
  }

  parked(): void {
    this.#inFlight++
    this.#waitingOctets += RECORD_OCTETS
  }

  reply({ slot, slotAt, messages }: Packet, octets: number): void {
    this.#waitingOctets -= RECORD_OCTETS
    if (messages !== undefined) {
      this.#transfer(messages)
      return
    }
    this.#inFlight--
    if (this.#state === 'closed') return
    if (octets > 0) {
      this.#replies.push(slot.slice(slotAt, slotAt + octets))
      this.#waitingOctets += octets
    }
    this.#shared.flushLater(this)
  }

  #transfer(messages: Messages): void {
    this.#transfers.push(messages)
    if (this.#state === 'closed') this.#endTransfer()
    else this.#shared.flushLater(this)
  }

  /** Writes one message of the transfer at hand, unless the peer has something to take yet: then the next is drawn when it has. */
  #draw(): void {
    const transfer = this.#transfers[0]
    if (!transfer || this.#state === 'closed' || this.#socket.writableLength > 0) return
    const message = transfer.next()
    if (message === 'cut') this.abort()
    else if (message === 'complete') this.#endTransfer()
    else {
      this.#out.append(message)
      this.#out.write()
    }
    this.#shared.flushLater(this)
  }

  #endTransfer(): void {
    this.#transfers.shift()?.end()
    this.#inFlight--
  }

  /** Writes the slow replies that have come in the meantime, then reads on or ends. */
  flush(): void {
    if (this.#state === 'closed' || this.#state === 'ended') return
    for (const reply of this.#replies) {
      this.#out.append(reply)
      this.#waitingOctets -= reply.length
    }
    this.#replies = []
    this.#out.write()
    this.#draw()
    if (this.#inFlight === 0) this.#lastQueryAtMs = this.#shared.nowMs()
    this.#proceed()
    this.#tally()
  }

  /** The kernel has taken all that was written: the connection goes on. */
  #taken(): void {
    if (this.#state === 'closed') return
    this.#draw()
    this.#proceed()
    this.#tally()
  }

  #blocked(): boolean {
    const { limits } = this.#shared
    return (
      this.#yielding ||
      this.#inFlight >= limits.inFlightPerConnectionMax ||
      this.#socket.writableLength > this.#unsentMax
    )
  }

  #pause(chunk: Uint8Array, at: number): void {
    if (at < chunk.length) this.#rest = chunk.subarray(at)
    this.#stopReading()
    this.#tellPaused()
  }

  #tellPaused(): void {
    if (this.#paused) return
    this.#paused = true
    const { limits, count } = this.#shared
    const full = this.#inFlight >= limits.inFlightPerConnectionMax
    count(full ? 'tcp-in-flight-paused' : 'tcp-write-paused')
  }

  #stopReading(): void {
    if (this.#reading) this.#socket.pause()
    this.#reading = false
  }

  #resume(): void {
    this.#paused = false
    if (!this.#reading) this.#socket.resume()
    this.#reading = true
  }

  /** Goes on where reading paused, or ends a connection that has nothing more to do. */
  #proceed(): void {
    if (this.#state === 'finishing') this.#endWhenIdle()
    if (this.#state !== 'open' || this.#blocked()) return
    const rest = this.#rest
    this.#rest = undefined
    if (rest) this.#frames(rest)
    if (this.#peerEnded && !this.#rest) this.finish()
    if (this.#state === 'open' && !this.#rest && !this.#blocked()) this.#resume()
  }

  #endWhenIdle(): void {
    const waiting = this.#inFlight + this.#replies.length + this.#out.length
    if (this.#state !== 'finishing' || waiting > 0) return
    this.#state = 'ended'
    this.#endedAtMs = this.#shared.nowMs()
    this.#socket.end()
  }
}
