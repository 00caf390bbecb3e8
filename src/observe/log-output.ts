// Standard output behind a bounded buffer. Node's own process.stdout waits for a pipe's reader, so that a stuck log
// collector would stop the control thread; here one write is under way at a time, off the thread, and what does not
// fit in the buffer meanwhile is refused.

import { closeSync, constants, fstatSync, openSync, write } from 'node:fs'
import type { Clock } from '../shared/clock.ts'

/** Text waiting for the reader. */
export const BUFFER_MAX_OCTETS = 1024 * 1024
/** Octets of one write: a pipe's usual size. */
const CHUNK_OCTETS = 64 * 1024
/** How long to leave a full pipe or disk alone. */
const PAUSE_MS = 20

/** Starts writing octets; `done` says how many were taken. A full pipe is the error EAGAIN. */
export type Sink = (
  octets: Uint8Array,
  done: (error: NodeJS.ErrnoException | null, written: number) => void,
) => void

/**
 * A sink for a file descriptor. A pipe is opened a second time without waiting, so that a stuck reader holds no thread
 * of the pool; where that is not allowed the pool's thread waits.
 */
export function descriptorSink(descriptor: number): { readonly sink: Sink; readonly close: () => void } {
  let opened: number | undefined
  try {
    if (fstatSync(descriptor).isFIFO()) {
      opened = openSync(`/proc/self/fd/${descriptor}`, constants.O_WRONLY | constants.O_NONBLOCK)
    }
  } catch {
    // Another system or another user's pipe: the descriptor itself does as well.
    opened = undefined
  }
  const target = opened ?? descriptor
  return {
    sink: (octets, done) => write(target, octets, 0, octets.length, null, done),
    close: () => {
      if (opened !== undefined) closeSync(opened)
    },
  }
}

/** The buffer in front of a sink. */
export class LogOutput {
  readonly #sink: Sink
  readonly #clock: Clock
  readonly #waiting: Uint8Array[] = []
  #octets = 0
  #busy = false
  #broken = false
  #onDrained: (() => void)[] = []

  constructor(sink: Sink, clock: Clock) {
    this.#sink = sink
    this.#clock = clock
  }

  /** Whether anything waits for the reader. */
  get idle(): boolean {
    return this.#octets === 0 && !this.#busy
  }

  /** Takes a text, or its octets, that ends its last line; false where the buffer has no room, or nobody reads any more. */
  write(text: string | Uint8Array): boolean {
    if (this.#broken) return false
    const octets = typeof text === 'string' ? Buffer.from(text) : text
    if (this.#octets + octets.length > BUFFER_MAX_OCTETS) return false
    this.#waiting.push(octets)
    this.#octets += octets.length
    if (!this.#busy) this.#pump()
    return true
  }

  /** Resolves when all is written, when nobody reads, or after the time; then true where all is written. */
  async flush(timeoutMs: number): Promise<boolean> {
    if (this.idle || this.#broken) return !this.#broken
    await new Promise<void>(resolve => {
      const timer = setTimeout(resolve, timeoutMs)
      this.#onDrained.push(() => {
        clearTimeout(timer)
        resolve()
      })
    })
    return this.idle && !this.#broken
  }

  #pump(): void {
    const octets = this.#next()
    if (octets === undefined) {
      this.#drained()
      return
    }
    this.#busy = true
    this.#sink(octets, (error, written) => {
      this.#busy = false
      if (error === null) {
        this.#consume(octets, written)
        this.#pump()
      } else if (error.code === 'EPIPE' || error.code === 'EBADF') {
        this.#giveUp()
      } else {
        this.#waiting.unshift(octets)
        this.#pause()
      }
    })
  }

  /** A full pipe or a full disk: what waits is tried again, what does not fit meanwhile is refused. */
  #pause(): void {
    this.#busy = true
    this.#clock.after(PAUSE_MS, () => {
      this.#busy = false
      this.#pump()
    })
  }

  /** The texts that wait, joined to one write. */
  #next(): Uint8Array | undefined {
    const parts: Uint8Array[] = []
    let octets = 0
    while (this.#waiting.length > 0 && (octets === 0 || octets + this.#waiting[0]!.length <= CHUNK_OCTETS)) {
      const part = this.#waiting.shift()!
      parts.push(part)
      octets += part.length
    }
    return parts.length > 1 ? Buffer.concat(parts) : parts[0]
  }

  #consume(octets: Uint8Array, written: number): void {
    this.#octets -= written
    if (written < octets.length) this.#waiting.unshift(octets.subarray(written))
  }

  /** Nobody will ever read. The server serves on without a log. */
  #giveUp(): void {
    this.#broken = true
    this.#waiting.length = 0
    this.#octets = 0
    this.#drained()
  }

  #drained(): void {
    const waiting = this.#onDrained
    this.#onDrained = []
    for (const resolve of waiting) resolve()
  }
}
