// Which descriptors of this thread are readable, told in every turn of its event loop. libuv watches one descriptor for all of
// them, the kernel's epoll, and is woken by it; but what it then calls is a function of its own that does nothing, and no
// JavaScript. A thread may be ended at any moment, out of heap above all, and Node turns the loop of an ending thread once more
// to close what is open: a callback into it from there, as koffi's own poll makes it, ends the whole process. An immediate
// that does not keep the loop from waiting looks after each turn what the kernel has to say.

import type { Koffi, Library } from '../shared/koffi.ts'

/** A file descriptor watched until it is closed. */
export interface FdWatch {
  /** To be called before the descriptor is closed. */
  close(): void
}

type PollHandle = ReturnType<Koffi['node']['poll']>

/** linux/eventpoll.h, and uv_handle_type and uv_poll_event of uv.h. */
const EPOLL_CTL_ADD = 1
const EPOLL_CTL_DEL = 2
const EPOLLIN = 1
const EPOLL_CLOEXEC = 0x80000
const UV_POLL = 8
const UV_READABLE = 1
/** Descriptors that are told of in one turn; of more the others in the next. */
const EVENTS_MAX = 64
/** struct epoll_event: u32 events, u64 data; without a gap between them on x64 alone. */
const DATA_AT = process.arch === 'x64' ? 4 : 8
const EVENT_OCTETS = DATA_AT + 8

interface Calls {
  epoll_ctl(epoll: number, operation: number, fd: number, event: Uint8Array): number
  epoll_wait(epoll: number, events: Uint8Array, count: number, timeoutMs: number): number
}

export class FdWatches {
  readonly #calls: Calls
  readonly #epoll: number
  readonly #handle: PollHandle
  readonly #events = Buffer.alloc(EVENTS_MAX * EVENT_OCTETS)
  readonly #watched = new Map<number, () => void>()
  #isLooking = false

  private constructor(calls: Calls, epoll: number, handle: PollHandle) {
    this.#calls = calls
    this.#epoll = epoll
    this.#handle = handle
  }

  /**
   * Undefined where Node or the C library lacks what is needed. `adopt` gives a descriptor into Node's keeping, which closes it
   * with the thread, and returns its new number.
   */
  static open(koffi: Koffi, library: Library, adopt: (fd: number) => number | string): FdWatches | undefined {
    try {
      const created = library.func('epoll_create1', 'int', ['int'])(EPOLL_CLOEXEC) as number
      const epoll = created < 0 ? created : adopt(created)
      if (typeof epoll === 'string' || epoll < 0) return undefined
      const handle = quietHandle(koffi, library, epoll)
      const calls: Calls = {
        epoll_ctl: library.func('epoll_ctl', 'int', ['int', 'int', 'int', 'void *']),
        epoll_wait: library.func('epoll_wait', 'int', ['int', 'void *', 'int', 'int']),
      }
      return handle && new FdWatches(calls, epoll, handle)
    } catch {
      // A symbol is missing: koffi says so with an exception.
      return undefined
    }
  }

  /** Calls back in every turn in which the descriptor is readable. */
  watch(fd: number, onReadable: () => void): FdWatch {
    const event = Buffer.alloc(EVENT_OCTETS)
    event.writeUInt32LE(EPOLLIN, 0)
    event.writeInt32LE(fd, DATA_AT)
    this.#calls.epoll_ctl(this.#epoll, EPOLL_CTL_ADD, fd, event)
    if (this.#watched.size === 0) this.#handle.ref()
    this.#watched.set(fd, onReadable)
    this.#lookLater()
    return {
      close: () => {
        if (this.#watched.get(fd) !== onReadable) return
        this.#watched.delete(fd)
        this.#calls.epoll_ctl(this.#epoll, EPOLL_CTL_DEL, fd, event)
        if (this.#watched.size === 0) this.#handle.unref()
      },
    }
  }

  #lookLater(): void {
    if (this.#isLooking || this.#watched.size === 0) return
    this.#isLooking = true
    setImmediate(() => this.#look()).unref()
  }

  #look(): void {
    this.#isLooking = false
    // First: what a callback throws must not be the end of it.
    this.#lookLater()
    const events = this.#events
    const count = this.#calls.epoll_wait(this.#epoll, events, EVENTS_MAX, 0)
    for (let i = 0; i < count; i++) this.#watched.get(events.readInt32LE(i * EVENT_OCTETS + DATA_AT))?.()
  }
}

/**
 * koffi's handle for the descriptor, which it closes with the thread, turned to a function of libuv that changes nothing in place
 * of the one that calls into JavaScript. By libuv's own functions alone: nothing is known of how its memory is laid out.
 */
function quietHandle(koffi: Koffi, library: Library, fd: number): PollHandle | undefined {
  const findSymbol = library.func('dlsym', 'uintptr_t', ['uintptr_t', 'str'])
  const getLoop = library.func('napi_get_uv_event_loop', 'int', ['void *', 'void *'])
  const visit = koffi.proto(`void seamark_visit_${fd}(void *handle, void *nothing)`)
  const walk = library.func('uv_walk', 'void', ['uintptr_t', koffi.pointer(visit), 'uintptr_t'])
  const typeOf = library.func('uv_handle_get_type', 'int', ['void *'])
  const filenoOf = library.func('uv_fileno', 'int', ['void *', 'void *'])
  const startPoll = library.func('uv_poll_start', 'int', ['uintptr_t', 'int', 'uintptr_t'])
  const nothing = findSymbol(0, 'uv_is_active') as number | bigint
  const loop = Buffer.alloc(8)
  if (!nothing || getLoop(koffi.node.env, loop) !== 0) return undefined
  const handle = koffi.node.poll(fd, { readable: true }, () => undefined)
  const number = Buffer.alloc(4)
  let found: bigint | undefined
  walk(
    loop.readBigUInt64LE(),
    (one: unknown) => {
      const isOurs = typeOf(one) === UV_POLL && filenoOf(one, number) === 0 && number.readInt32LE() === fd
      if (isOurs) found = koffi.address(one)
    },
    0,
  )
  if (found !== undefined && startPoll(found, UV_READABLE, nothing) === 0) {
    handle.unref()
    return handle
  }
  handle.close()
  return undefined
}
