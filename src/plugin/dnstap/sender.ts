// The way of frames to one receiver: over a connection that is made again whenever it is lost, behind a queue with a bound. No
// query waits for it: what finds no room is dropped, and counted.

import { connect, type Socket } from 'node:net'
import type { Counter, Meters } from '../../observe/meters.ts'
import type { ThreadLog } from '../../observe/thread-log.ts'
import type { Clock, Timer } from '../../shared/clock.ts'
import { lazy } from '../../shared/lazy.ts'
import type { Endpoint } from './config.ts'
import { CONTROL, ControlReader, controlFrame } from './frames.ts'

const LOG_FROM = 'plugin/dnstap'
/** How long a connection and its handshake may take, as in CoreDNS; and the end of one. */
const HANDSHAKE_MS = 4000
const FINISH_MS = 1000
/** Between two attempts: twice as long after each that failed, up to CoreDNS's ten seconds. */
const RETRY_FIRST_MS = 1000
const RETRY_MAX_MS = 10_000
/** How often it is told what was dropped. */
const TOLD_EVERY_MS = 10_000
/** Octets of frames that go to the socket at once. */
const CHUNK_OCTETS = 64 * 1024

export interface SenderOptions {
  readonly endpoint: Endpoint
  /** For logs and metrics. */
  readonly text: string
  readonly skipVerify: boolean
  /** Frames, and octets of them, that may wait. */
  readonly framesMax: number
  readonly octetsMax: number
  readonly clock: Clock
  readonly log: ThreadLog
  readonly meters: Meters
  /** Whether this thread tells what all of them see alike. */
  readonly tells: boolean
}

/** Frames that were written in one turn. */
interface Chunk {
  readonly octets: Uint8Array
  readonly frames: number
}

export class FrameSender {
  readonly #options: SenderOptions
  readonly #sent: Counter
  readonly #dropped: Counter
  readonly #chunk = new Uint8Array(CHUNK_OCTETS)
  #chunkOctets = 0
  #chunkFrames = 0
  #waiting: Chunk[] = []
  /** Of all that waits, the chunk that is being written included. */
  #octets = 0
  #frames = 0
  #socket: Socket | undefined
  /** The receiver has accepted: frames may be sent. */
  #isOpen = false
  #isFull = false
  #isStopped = false
  #failures = 0
  #timer: Timer | undefined
  #untold = 0
  #telling: Timer | undefined
  readonly #endTurn = (): void => {
    this.#endChunk()
    this.#pump()
  }

  constructor(options: SenderOptions) {
    this.#options = options
    const labels = { endpoint: options.text }
    this.#sent = options.meters.counter('seamark_dnstap_frames_total', labels)
    this.#dropped = options.meters.counter('seamark_dnstap_dropped_total', labels)
    this.#connect()
  }

  /** HOT: takes a frame, which is copied; or drops it. */
  send(frame: Uint8Array): void {
    const { framesMax, octetsMax } = this.#options
    if (this.#frames >= framesMax || this.#octets + frame.length > octetsMax || this.#isStopped) {
      this.#drop()
      return
    }
    this.#frames++
    this.#octets += frame.length
    if (this.#chunkOctets + frame.length > CHUNK_OCTETS) this.#endChunk()
    if (frame.length > CHUNK_OCTETS) {
      this.#waiting.push({ octets: frame.slice(), frames: 1 })
      setImmediate(this.#endTurn)
      return
    }
    if (this.#chunkFrames++ === 0) setImmediate(this.#endTurn)
    this.#chunk.set(frame, this.#chunkOctets)
    this.#chunkOctets += frame.length
  }

  /** Sends what waits, says that this is all, and closes; what is not taken within a second is lost. */
  async stop(): Promise<void> {
    if (this.#isStopped) return
    this.#endTurn()
    this.#isStopped = true
    this.#timer?.cancel()
    this.#tell()
    const socket = this.#socket
    if (socket === undefined) return
    const { promise, resolve } = Promise.withResolvers<void>()
    socket.once('close', resolve)
    const limit = this.#options.clock.after(FINISH_MS, () => socket.destroy())
    if (this.#isOpen) socket.end(controlFrame(CONTROL.STOP))
    else socket.destroy()
    await promise
    limit.cancel()
  }

  #endChunk(): void {
    if (this.#chunkFrames === 0) return
    this.#waiting.push({ octets: this.#chunk.slice(0, this.#chunkOctets), frames: this.#chunkFrames })
    this.#chunkOctets = this.#chunkFrames = 0
  }

  #pump(): void {
    while (this.#isOpen && !this.#isFull) {
      const chunk = this.#waiting.shift()
      if (chunk === undefined) return
      this.#frames -= chunk.frames
      this.#octets -= chunk.octets.length
      this.#sent.add(chunk.frames)
      this.#isFull = !this.#socket!.write(chunk.octets)
    }
  }

  #connect(): void {
    const { endpoint, skipVerify, clock } = this.#options
    const socket =
      endpoint.protocol === 'unix'
        ? connect({ path: endpoint.path })
        : endpoint.protocol === 'tcp'
          ? connect({ host: endpoint.host, port: endpoint.port })
          : lazy.tls.connect({
              host: endpoint.host,
              port: endpoint.port,
              servername: /^[\d.:a-f]+$/i.test(endpoint.host) ? '' : endpoint.host,
              rejectUnauthorized: !skipVerify,
            })
    this.#socket = socket
    let reason = 'the receiver closed the connection'
    const control = new ControlReader()
    const fail = (text: string): void => {
      reason = text
      socket.destroy()
    }
    this.#timer = clock.after(HANDSHAKE_MS, () => fail('no handshake in time'))
    socket.once(endpoint.protocol === 'tls' ? 'secureConnect' : 'connect', () =>
      socket.write(controlFrame(CONTROL.READY)),
    )
    socket.on('data', octets => {
      const types = control.push(octets)
      if (types === undefined) fail('the receiver does not speak Frame Streams with dnstap in them')
      else if (types.includes(CONTROL.FINISH)) socket.destroy()
      else if (types.includes(CONTROL.ACCEPT) && !this.#isOpen) this.#open(socket)
    })
    socket.on('drain', () => {
      this.#isFull = false
      this.#pump()
    })
    socket.on('error', error => {
      reason = error.message
    })
    socket.once('close', () => this.#closed(reason))
  }

  #open(socket: Socket): void {
    this.#timer?.cancel()
    this.#isOpen = true
    this.#isFull = false
    this.#failures = 0
    socket.write(controlFrame(CONTROL.START))
    this.#pump()
  }

  #closed(reason: string): void {
    this.#timer?.cancel()
    const wasOpen = this.#isOpen
    this.#socket = undefined
    this.#isOpen = false
    if (this.#isStopped) return
    const { clock, log, text, tells } = this.#options
    if (tells && this.#failures === 0) {
      const what = wasOpen ? 'Lost the connection to' : 'No connection to'
      log.write('ERROR', LOG_FROM, `${what} dnstap endpoint ${text}: ${reason}`)
    }
    const delayMs = Math.min(RETRY_MAX_MS, RETRY_FIRST_MS * 2 ** this.#failures++)
    this.#timer = clock.after(delayMs, () => this.#connect())
  }

  #drop(): void {
    this.#dropped.add()
    this.#untold++
    this.#telling ??= this.#options.clock.after(TOLD_EVERY_MS, () => this.#tell())
  }

  #tell(): void {
    this.#telling?.cancel()
    this.#telling = undefined
    if (this.#untold === 0) return
    this.#options.log.write('WARNING', LOG_FROM, `Dropped dnstap messages: ${this.#untold}`)
    this.#untold = 0
  }
}
