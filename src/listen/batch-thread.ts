// What the batch sockets of one thread share: the memory of a batch, and how they wait. libuv watches them
// beside everything else (fd-watches.ts), so timers, TCP, upstreams and other threads' messages come as they always do; a
// wake-up answers whole batches.
//
// Two forms that spare libuv's turn between packets were measured against it, in CPU µs a query saturated, at
// 20,000/s and at 5,000/s, on a machine busy with other work. poll(2) on the sockets and libuv's own epoll descriptor:
// 3.5, 12.9, 25.0 against 3.65, 12.3, 27.3 of this one (medians of 6 rounds): too little for late timers and a
// look into libuv's descriptors. A thread blocked in recvmmsg: 3.3, 11.2, 22.0 against 3.8, 12.8, 26.7 (of 3): it
// could serve nothing else.

import type { Packet } from '../query/packet.ts'
import { BATCH_MAX, BatchMemory } from './batch-memory.ts'
import type { BatchScheduler, BatchSocket } from './batch-socket.ts'
import type { Libc } from './libc.ts'

/** Full batches that one wake-up answers before the rest of the thread has its turn: 2 ms or so. */
const FULL_BATCHES_MAX = 8

export class BatchThread implements BatchScheduler {
  readonly memory: BatchMemory
  readonly #libc: Libc
  /** Where replies that come late are sent from, a batch for one socket; made when the first one comes. */
  #late: BatchMemory | undefined
  #lateSocket: BatchSocket | undefined
  #lateCount = 0
  #isFlushing = false

  constructor(libc: Libc) {
    this.#libc = libc
    this.memory = new BatchMemory(libc)
  }

  /** Receives from the socket until it ends. */
  add(socket: BatchSocket): void {
    const watch = this.#libc.watch(socket.fd, () => this.#wake(socket))
    socket.onEnd = () => watch.close()
  }

  #wake(socket: BatchSocket): void {
    try {
      for (let batch = 0; batch < FULL_BATCHES_MAX && socket.receive() === BATCH_MAX; batch++);
    } catch (error) {
      this.memory.readyToReceive(BATCH_MAX)
      throw error
    }
  }

  replyLate(socket: BatchSocket, packet: Packet, octets: number): void {
    if (this.#lateCount === BATCH_MAX || (this.#lateSocket !== socket && this.#lateCount > 0)) this.#flush()
    this.#late ??= new BatchMemory(this.#libc)
    this.#lateSocket = socket
    socket.place(this.#late, this.#lateCount++, packet, octets)
    if (this.#isFlushing) return
    this.#isFlushing = true
    setImmediate(() => {
      this.#isFlushing = false
      this.#flush()
    })
  }

  #flush(): void {
    const socket = this.#lateSocket
    const count = this.#lateCount
    this.#lateSocket = undefined
    this.#lateCount = 0
    if (socket && count > 0) socket.sendLate(this.#late!, count)
  }
}
