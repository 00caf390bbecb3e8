// HOT: sockets to upstreams by system calls, where koffi loads (listen/libc.ts): the questions of a turn leave together, a call
// for each socket that has some, and what has come on a socket is read by one call. All sockets of a thread share the memory of
// a batch; libuv watches them beside everything else.

import { closeSync } from 'node:fs'
import { getSystemErrorName } from 'node:util'
import { BATCH_MAX, BatchMemory } from '../../listen/batch-memory.ts'
import type { FdWatch } from '../../listen/fd-watches.ts'
import { adoptFd, errorCode, LINUX, type Libc } from '../../listen/libc.ts'
import { readSockaddr, SOCKADDR_MAX_OCTETS, sockaddr } from '../../query/sockaddr.ts'
import { copyAsked } from './asked.ts'
import type { OpenUdp, UdpAsker, UdpSocket, UdpSocketOwner } from './udp.ts'

/** Batches that are read of one socket before the others have their turn. */
const BATCHES_PER_TURN_MAX = 8
/** Asked of the kernel for a socket's receive queue: the answers of a turn of the loop. */
const RECEIVE_BUFFER_OCTETS = 256 * 1024

/** Of a datagram that is too long for its place the true length is told. */
const FLAGS = LINUX.MSG_DONTWAIT | LINUX.MSG_TRUNC

/** The batch sockets of one thread. */
export class UdpBatches {
  readonly #libc: Libc
  readonly #memory: BatchMemory
  #unsent: BatchUdpSocket[] = []

  constructor(libc: Libc) {
    this.#libc = libc
    this.#memory = new BatchMemory(libc)
  }

  /** Opens a socket; why not is the system's code. */
  readonly open: OpenUdp = (remote, sourceAddress, owner) => {
    const libc = this.#libc
    const to = sockaddr(remote.address, remote.port)
    if (!to) return { code: 'EADDRNOTAVAIL' }
    const domain = to[0] === LINUX.AF_INET ? LINUX.AF_INET : LINUX.AF_INET6
    const raw = libc.socket(domain, LINUX.SOCK_DGRAM | LINUX.SOCK_NONBLOCK | LINUX.SOCK_CLOEXEC, 0)
    if (raw < 0) return { code: errorCode(libc) }
    const size = new Uint8Array(Int32Array.of(RECEIVE_BUFFER_OCTETS).buffer)
    libc.setsockopt(raw, LINUX.SOL_SOCKET, LINUX.SO_RCVBUF, size, 4)
    const from = sourceAddress === undefined ? undefined : sockaddr(sourceAddress, 0)
    const isReady =
      (sourceAddress === undefined || (from !== undefined && libc.bind(raw, from, from.length) === 0)) &&
      libc.connect(raw, to, to.length) === 0
    if (!isReady) {
      const code = from === undefined && sourceAddress !== undefined ? 'EADDRNOTAVAIL' : errorCode(libc)
      libc.close(raw)
      return { code }
    }
    const bound = new Uint8Array(SOCKADDR_MAX_OCTETS)
    libc.getsockname(raw, bound, new Uint8Array(Uint32Array.of(bound.length).buffer))
    const fd = adoptFd(libc, raw)
    if (typeof fd === 'string') return { code: fd }
    return new BatchUdpSocket(this, libc, this.#memory, fd, readSockaddr(bound, 0), owner)
  }

  /** The socket has something to send when whoever asks has asked all. */
  sendLater(socket: BatchUdpSocket): void {
    if (this.#unsent.push(socket) === 1) queueMicrotask(() => this.#send())
  }

  #send(): void {
    const unsent = this.#unsent
    this.#unsent = []
    for (const socket of unsent) socket.flush()
  }
}

class BatchUdpSocket implements UdpSocket {
  readonly local
  readonly #batches: UdpBatches
  readonly #libc: Libc
  readonly #memory: BatchMemory
  readonly #fd: number
  readonly #owner: UdpSocketOwner
  readonly #watch: FdWatch
  #queue: UdpAsker[] = []
  #isOpen = true

  constructor(
    batches: UdpBatches,
    libc: Libc,
    memory: BatchMemory,
    fd: number,
    local: UdpSocket['local'],
    owner: UdpSocketOwner,
  ) {
    this.#batches = batches
    this.#libc = libc
    this.#memory = memory
    this.#fd = fd
    this.local = local
    this.#owner = owner
    this.#watch = libc.watch(fd, () => this.#wake())
  }

  send(asker: UdpAsker): void {
    if (this.#queue.push(asker) === 1) this.#batches.sendLater(this)
  }

  close(): void {
    if (!this.#isOpen) return
    this.#isOpen = false
    this.#queue = []
    this.#watch.close()
    closeSync(this.#fd)
  }

  /** Sends what waits; what the kernel does not take is lost, as UDP is, and goes out again in its time. */
  flush(): void {
    const queue = this.#queue
    this.#queue = []
    for (let from = 0; from < queue.length && this.#isOpen; from += BATCH_MAX) this.#flushSome(queue, from)
  }

  #flushSome(queue: readonly UdpAsker[], from: number): void {
    const memory = this.#memory
    let count = 0
    for (let i = from; i < queue.length && count < BATCH_MAX; i++) {
      const asker = queue[i]!
      // Answered, given up, or asked elsewhere meanwhile.
      if (asker.socket?.opened !== this) continue
      const at = memory.replyAt(count)
      const length = copyAsked(asker.question, asker.edns, asker.id, memory.octets, at)
      memory.reply(count, length, count, 0, 0)
      count++
    }
    for (let sent = 0; sent < count; ) {
      const taken = this.#libc.sendmmsg(this.#fd, memory.sendHeaders(sent), count - sent, LINUX.MSG_DONTWAIT)
      if (taken > 0) {
        sent += taken
        continue
      }
      const errno = this.#libc.errno()
      if (errno === LINUX.EINTR) continue
      if (errno !== LINUX.EAGAIN && errno !== LINUX.ENOBUFS) this.#broken('write', errno)
      return
    }
  }

  #wake(): void {
    try {
      for (
        let batch = 0;
        batch < BATCHES_PER_TURN_MAX && this.#isOpen && this.#receive() === BATCH_MAX;
        batch++
      );
    } catch (error) {
      this.#memory.readyToReceive(BATCH_MAX)
      throw error
    }
  }

  #receive(): number {
    const memory = this.#memory
    const count = this.#libc.recvmmsg(this.#fd, memory.receiveHeaders, BATCH_MAX, FLAGS, 0)
    if (count <= 0) {
      const errno = this.#libc.errno()
      if (errno !== LINUX.EAGAIN && errno !== LINUX.EINTR) this.#broken('read', errno)
      return 0
    }
    for (let slot = 0; slot < count && this.#isOpen; slot++) {
      const start = memory.queryAt(slot)
      this.#owner.received(memory.octets, start, start + memory.queryOctets(slot))
    }
    memory.readyToReceive(count)
    return count
  }

  #broken(verb: 'read' | 'write', errno: number): void {
    const code = getSystemErrorName(-errno)
    this.#owner.broken(verb, { code, message: code })
  }
}
