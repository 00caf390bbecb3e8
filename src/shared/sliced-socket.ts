// A socket whose data comes in small slices, one in a turn of the event loop. Node's parser of HTTP/1.1 reads all requests of a
// packet before anybody else has a turn, and goes on behind one whose connection was destroyed: two thousand of them fit
// into a read of 64 KiB and take tens of milliseconds.

import type { Socket } from 'node:net'
import { Duplex } from 'node:stream'

export class SlicedSocket extends Duplex {
  readonly #socket: Socket
  readonly #sliceOctets: number
  /** What was read and is not given yet. */
  #rest: Buffer | undefined
  #ended = false
  #wanted = false

  constructor(socket: Socket, sliceOctets: number) {
    super({ readableHighWaterMark: 1, writableHighWaterMark: 1, allowHalfOpen: socket.allowHalfOpen })
    this.#socket = socket
    this.#sliceOctets = sliceOctets
    socket.pause()
    socket.on('data', (chunk: Buffer) => {
      socket.pause()
      this.#rest = this.#rest ? Buffer.concat([this.#rest, chunk]) : chunk
      this.#give()
    })
    socket.on('end', () => {
      this.#ended = true
      this.#give()
    })
    socket.on('error', error => this.destroy(error))
    socket.on('close', () => this.destroy())
  }

  override _read(): void {
    if (this.#wanted) return
    this.#wanted = true
    if (this.#rest || this.#ended) setImmediate(() => this.#give())
    else this.#socket.resume()
  }

  #give(): void {
    if (!this.#wanted || this.destroyed) return
    const rest = this.#rest
    if (!rest && !this.#ended) return
    this.#wanted = false
    this.#rest = rest && rest.length > this.#sliceOctets ? rest.subarray(this.#sliceOctets) : undefined
    this.push(rest ? rest.subarray(0, this.#sliceOctets) : null)
  }

  override _write(chunk: Uint8Array, _encoding: BufferEncoding, taken: (error?: Error | null) => void): void {
    this.#socket.write(chunk, taken)
  }

  override _final(done: (error?: Error | null) => void): void {
    this.#socket.end(done)
  }

  override _destroy(error: Error | null, done: (error?: Error | null) => void): void {
    this.#rest = undefined
    this.#socket.destroy()
    done(error)
  }
}
