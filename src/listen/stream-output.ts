// HOT: what a connection (stream-connection.ts) writes: replies are rendered one behind the other into the buffer that all
// connections share, and leave it with one write; and how long its peer has not taken what was written.

import type { Socket } from 'node:net'
import { MESSAGE_MAX, writeU16 } from '../wire/header.ts'
import { LENGTH_OCTETS } from './frame.ts'
import type { StreamShared } from './stream-shared.ts'

/** So many octets of answers are written together; then it is seen whether the kernel takes them. */
const WRITE_OCTETS = 32 * 1024

export class StreamOutput {
  readonly #socket: Socket
  readonly #shared: StreamShared
  readonly #onTaken: () => void
  /** Octets in the shared buffer. */
  length = 0
  /** Since when the peer has not taken all; -1 where it has. */
  unsentSinceMs = -1
  /** Of a peer that does not take what we write: how much waited, and since when. */
  #stalledOctets = 0
  #stalledAtMs = 0

  /** `taken` is called when the kernel has taken all of what it did not take at once. */
  constructor(socket: Socket, shared: StreamShared, taken: () => void) {
    this.#socket = socket
    this.#shared = shared
    this.#onTaken = () => {
      if (this.unsentSinceMs < 0 || socket.writableLength > 0) return
      this.unsentSinceMs = -1
      this.#stalledOctets = 0
      taken()
    }
  }

  /** Where the next reply may be rendered in the shared buffer, with room for the longest. */
  place(): number {
    if (this.length + LENGTH_OCTETS + MESSAGE_MAX > this.#shared.out.length) this.write()
    return this.length + LENGTH_OCTETS
  }

  /** A reply of so many octets was rendered there. */
  rendered(octets: number): void {
    writeU16(this.#shared.out, this.length, octets)
    this.length += LENGTH_OCTETS + octets
    if (this.length >= WRITE_OCTETS) this.write()
  }

  /** Puts a message behind what is there. */
  append(message: Uint8Array): void {
    const { out } = this.#shared
    if (this.length + LENGTH_OCTETS + message.length > out.length) this.write()
    writeU16(out, this.length, message.length)
    out.set(message, this.length + LENGTH_OCTETS)
    this.length += LENGTH_OCTETS + message.length
  }

  /** Hands all of it to the socket. */
  write(): void {
    const length = this.length
    if (length === 0) return
    this.length = 0
    // A copy: the socket keeps what the kernel does not take at once, and the buffer serves all connections.
    this.#socket.write(Buffer.from(this.#shared.out.subarray(0, length)), this.#onTaken)
    if (this.unsentSinceMs < 0 && this.#socket.writableLength > 0) this.unsentSinceMs = this.#shared.nowMs()
  }

  /** How long the peer has taken nothing of what waits for it, as seen from one call to the next; 0 where nothing waits. */
  stalledMs(nowMs: number): number {
    const waiting = this.#socket.writableLength
    if (waiting === 0 || waiting !== this.#stalledOctets) {
      this.#stalledOctets = waiting
      this.#stalledAtMs = nowMs
    }
    return nowMs - this.#stalledAtMs
  }
}
