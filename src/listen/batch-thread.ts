// What the batch sockets of one thread share: the memory of a batch, and how they wait. libuv watches them
// beside everything else, so timers, TCP, upstreams and other threads' messages come as they always do; a
// wake-up answers whole batches.
//
// Two forms that spare libuv's turn between packets were measured against it, in CPU µs a query saturated, at
// 20,000/s and at 5,000/s, on a machine busy with other work. poll(2) on the sockets and libuv's own epoll descriptor:
// 3.5, 12.9, 25.0 against 3.65, 12.3, 27.3 of this one (medians of 6 rounds): too little for late timers and a
// look into libuv's descriptors. A thread blocked in recvmmsg: 3.3, 11.2, 22.0 against 3.8, 12.8, 26.7 (of 3): it
// could serve nothing else.

import { BATCH_MAX, BatchMemory } from './batch-memory.ts'
import type { BatchScheduler, BatchSocket } from './batch-socket.ts'
import type { Libc } from './libc.ts'

/** Full batches that one wake-up answers before the rest of the thread has its turn: 2 ms or so. */
const FULL_BATCHES_MAX = 8

export class BatchThread implements BatchScheduler {
  readonly memory: BatchMemory
  readonly #libc: Libc
  #unflushed: BatchSocket[] = []

  constructor(libc: Libc) {
    this.#libc = libc
    this.memory = new BatchMemory(libc)
  }

  /** Receives from the socket until it ends. */
  add(socket: BatchSocket): void {
    const watch = this.#libc.watch(socket.fd, () => this.#wake(socket))
    socket.onEnd = () => watch.close()
  }

  /**
   * Outside of node's own scope: no promise job follows by itself, and what is thrown would be lost (libc.ts).
   */
  #wake(socket: BatchSocket): void {
    const before = socket.slowBegun
    try {
      for (let batch = 0; batch < FULL_BATCHES_MAX && socket.receive() === BATCH_MAX; batch++);
    } catch (error) {
      this.memory.readyToReceive(BATCH_MAX)
      setImmediate(() => {
        throw error
      })
    }
    // An immediate is followed by the jobs that slow queries have made.
    if (socket.slowBegun !== before) setImmediate(() => undefined)
  }

  flushLater(socket: BatchSocket): void {
    if (this.#unflushed.length === 0) setImmediate(() => this.#flush())
    if (!this.#unflushed.includes(socket)) this.#unflushed.push(socket)
  }

  #flush(): void {
    const unflushed = this.#unflushed
    this.#unflushed = []
    for (const socket of unflushed) socket.flush()
  }
}
