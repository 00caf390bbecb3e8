// How a thread waits for its UDP sockets. Two states:
//
//   cool  libuv watches the sockets beside everything else: exact timers, no CPU time without packets
//   hot   packets come closer together than libuv's turn of the loop is worth: the thread itself waits in poll(2), for the
//         sockets and for libuv's own epoll descriptor, which is readable as soon as libuv has anything to do: TCP, upstreams,
//         messages of other threads, termination. Between two packets nothing but poll, recvmmsg and sendmmsg runs.
//
// What must hold, so that hot waiting never delays anything but timers, and those by STAY_MS + LINGER_MS at most:
// - libuv hands new descriptors to epoll at the beginning of its own poll phase. Callbacks of that phase may have asked for
//   more, so the thread waits by itself only after a turn in which libuv handled no event at all (uvMetricsInfo.events).
// - slow queries start promises, whose jobs run when the callback returns: it returns after a batch with slow ones.
// - the responder's `leave` has been called whenever the thread waits (batch-socket.ts).
//
// Measured against libuv alone and against a thread that blocks in recvmmsg: test/bench/listen.md.

import { readdirSync, readFileSync, readlinkSync } from 'node:fs'
import { BATCH_MAX, BatchMemory, POLLS_MAX } from './batch-memory.ts'
import type { BatchScheduler, BatchSocket } from './batch-socket.ts'
import type { FdWatch, Libc } from './libc.ts'

/** Two wake-ups within this time make the loop hot. */
const HOT_WITHIN_MS = 4
/** Without a packet for this long it cools down. */
const LINGER_MS = 10
/** The longest time between two turns of libuv's loop while packets keep coming. */
const STAY_MS = 10
/** Full batches in a row before libuv's descriptor is looked at. */
const FULL_BATCHES_MAX = 4
/** How often the descriptor is looked for in vain before that is given up. */
const EPOLL_SEARCHES_MAX = 8

export class BatchLoop implements BatchScheduler {
  readonly memory: BatchMemory
  readonly #libc: Libc
  readonly #sockets: BatchSocket[] = []
  readonly #watches = new Map<BatchSocket, FdWatch>()
  #unflushed: BatchSocket[] = []
  /** libuv's epoll descriptor of this thread; -1 where it could not be found: then the loop never gets hot. */
  #epollFd = -1
  #epollSearches = 0
  #hot = false
  #lastWakeMs = 0
  #lastEvents = -1

  constructor(libc: Libc) {
    this.#libc = libc
    this.memory = new BatchMemory(libc)
  }

  get isHot(): boolean {
    return this.#hot
  }

  /** Receives from the socket until it ends; false where the thread has too many. */
  add(socket: BatchSocket): boolean {
    if (this.#sockets.length >= POLLS_MAX - 1) return false
    const watch = this.#libc.watch(socket.fd)
    this.#sockets.push(socket)
    this.#watches.set(socket, watch)
    if (this.#hot) watch.stop()
    else this.#start(watch)
    socket.onEnd = () => {
      this.#sockets.splice(this.#sockets.indexOf(socket), 1)
      this.#watches.delete(socket)
      watch.close()
    }
    return true
  }

  flushLater(socket: BatchSocket): void {
    if (this.#unflushed.length === 0) setImmediate(this.#flush)
    if (!this.#unflushed.includes(socket)) this.#unflushed.push(socket)
  }

  readonly #flush = (): void => {
    const unflushed = this.#unflushed
    this.#unflushed = []
    for (const socket of unflushed) socket.flush()
  }

  #start(watch: FdWatch): void {
    watch.start({ readable: true }, this.#wake)
  }

  readonly #wake = (): void => {
    try {
      // Promise jobs of slow queries do not follow this callback, but they do follow an immediate.
      if (this.#receiveAll()) setImmediate(() => undefined)
      // Real time, not a listener's clock: this is about the kernel's packets and the thread's CPU time.
      const nowMs = performance.now()
      const close = nowMs - this.#lastWakeMs < HOT_WITHIN_MS
      this.#lastWakeMs = nowMs
      if (close && !this.#hot && this.#findEpoll()) this.#heat()
    } catch (error) {
      setImmediate(() => {
        throw error
      })
    }
  }

  /** Reads what all sockets have, within a bound; true where slow queries began. */
  #receiveAll(): boolean {
    let slow = false
    for (let i = this.#sockets.length - 1; i >= 0; i--) slow = this.#receive(this.#sockets[i]!) || slow
    return slow
  }

  #receive(socket: BatchSocket): boolean {
    const before = socket.slowBegun
    for (let batch = 0; batch < FULL_BATCHES_MAX && socket.receive() === BATCH_MAX; batch++);
    return socket.slowBegun !== before
  }

  #heat(): void {
    this.#hot = true
    for (const watch of this.#watches.values()) watch.stop()
    setImmediate(this.#turn)
  }

  #cool(): void {
    this.#hot = false
    for (const watch of this.#watches.values()) this.#start(watch)
  }

  readonly #turn = (): void => {
    // Whatever is thrown, the sockets go on being watched.
    let hot = true
    try {
      this.#flush()
      const { events } = performance.nodeTiming.uvMetricsInfo
      if (events === this.#lastEvents) hot = this.#stay()
      else this.#receiveAll()
      this.#lastEvents = events
    } finally {
      if (hot && this.#sockets.length > 0) setImmediate(this.#turn)
      else this.#cool()
    }
  }

  /** Waits and answers by itself. True to go on after a turn of libuv's loop, false where no more packets come. */
  #stay(): boolean {
    const { memory } = this
    const sockets = this.#sockets
    const count = sockets.length
    for (let i = 0; i < count; i++) memory.watch(i, sockets[i]!.fd)
    memory.watch(count, this.#epollFd)
    const untilMs = performance.now() + STAY_MS
    for (;;) {
      const ready = this.#libc.poll(memory.polls, count + 1, LINGER_MS)
      if (ready === 0) return false
      if (ready < 0) return true
      let slow = false
      for (let i = 0; i < count; i++) {
        if (memory.isReady(i)) slow = this.#receive(sockets[i]!) || slow
      }
      if (slow || memory.isReady(count) || performance.now() >= untilMs) return true
    }
  }

  /** Looks for the eventpoll descriptor in which libuv watches our sockets, by what the kernel says of each (proc(5)). */
  #findEpoll(): boolean {
    if (this.#epollFd >= 0) return true
    if (this.#epollSearches++ >= EPOLL_SEARCHES_MAX) return false
    const watched = new RegExp(`^tfd:\\s+(?:${this.#sockets.map(socket => socket.fd).join('|')})\\s`, 'm')
    for (const fd of readFd('', () => readdirSync('/proc/self/fd').join(' ')).split(' ')) {
      if (readFd(fd, number => readlinkSync(`/proc/self/fd/${number}`)) !== 'anon_inode:[eventpoll]') continue
      if (!watched.test(readFd(fd, number => readFileSync(`/proc/self/fdinfo/${number}`, 'latin1')))) continue
      this.#epollFd = Number(fd)
      return true
    }
    return false
  }
}

/** What is to be read of a descriptor, or '' where another thread has closed it meanwhile, or there is no /proc. */
function readFd(fd: string, read: (fd: string) => string): string {
  try {
    return read(fd)
  } catch (error) {
    if (error instanceof Error && 'code' in error) return ''
    throw error
  }
}
