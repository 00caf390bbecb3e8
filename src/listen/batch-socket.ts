// HOT: one UDP socket that is drained by recvmmsg and answered by sendmmsg, a batch at a time. Of a socket on
// all addresses the control message of each query (IP_PKTINFO, IPV6_RECVPKTINFO) goes back with its reply, so
// that the reply leaves from the address that was asked. Nothing is allocated per packet. Budget: the
// kernel's share and 1 µs (`node test/bench/listen.ts`).

import { closeSync } from 'node:fs'
import type { Endpoint } from '../query/query.ts'
import { ipFromBytes } from '../shared/ip.ts'
import { isWildcard } from './addresses.ts'
import { BATCH_MAX, type BatchMemory } from './batch-memory.ts'
import { adoptFd, errorCode, LINUX, type Libc } from './libc.ts'
import { type BindPart, ListenError, type ListenOptions, UDP_REPLY_MAX_OCTETS } from './listener.ts'
import { refusal } from './refusal.ts'
import { LATER, oneMessage } from './responder.ts'
import { readSockaddr, SOCKADDR_MAX_OCTETS, sockaddr } from './sockaddr.ts'
import { RECEIVE_BUFFER_OCTETS, SEND_QUEUE_MAX } from './udp-dgram.ts'

/** A port that nobody sends from (RFC 863). */
const DISCARD_PORT = 9
/** Batches that `drain` still answers before it closes a socket on which more keep coming. */
const DRAIN_BATCHES_MAX = 64

/** A reply of the slow path on its way to `send`. */
interface SlowReply {
  readonly octets: Uint8Array
  /** The sender's socket address and the query's control message, as they came. */
  readonly name: Uint8Array
  readonly control: Uint8Array
}

/** What a socket needs of its thread (batch-thread.ts). */
export interface BatchScheduler {
  readonly memory: BatchMemory
  /** Calls `flush` before long. */
  flushLater(socket: BatchSocket): void
}

export class BatchSocket {
  readonly fd: number
  readonly port: number
  readonly #options: ListenOptions
  readonly #libc: Libc
  readonly #scheduler: BatchScheduler
  readonly #memory: BatchMemory
  readonly #family: 4 | 6
  readonly #nameOctets: number
  /** Undefined on all addresses: then the control message says it. */
  readonly #local: Endpoint | undefined
  /** Slots of the batch at hand whose queries take the slow path. */
  readonly #slowSlots = new Uint8Array(BATCH_MAX)
  #replies: SlowReply[] = []
  #inFlight = 0
  /** Slow queries ever begun: where it grows, promise jobs wait for the callback to return. */
  slowBegun = 0
  #draining = false
  #open = true
  readonly #closed = Promise.withResolvers<void>()

  private constructor(
    options: ListenOptions,
    libc: Libc,
    scheduler: BatchScheduler,
    part: BindPart,
    fd: number,
    port: number,
  ) {
    this.#options = options
    this.#libc = libc
    this.#scheduler = scheduler
    this.#memory = scheduler.memory
    this.#family = part.family
    this.#nameOctets = part.family === 6 ? SOCKADDR_MAX_OCTETS : 16
    this.#local = isWildcard(part.address) ? undefined : { address: part.address, port, family: part.family }
    this.fd = fd
    this.port = port
  }

  /** Opens a socket on the part's address; an error is a value. */
  static open(
    options: ListenOptions & { readonly reusePort?: boolean },
    libc: Libc,
    scheduler: BatchScheduler,
    part: BindPart,
    port: number,
  ): BatchSocket | ListenError {
    const failed = (code = errorCode(libc)): ListenError => new ListenError('udp', part.address, port, code)
    const address = sockaddr(part.address, port)
    if (!address) return failed('EADDRNOTAVAIL')
    const type = LINUX.SOCK_DGRAM | LINUX.SOCK_NONBLOCK | LINUX.SOCK_CLOEXEC
    const raw = libc.socket(part.family === 6 ? LINUX.AF_INET6 : LINUX.AF_INET, type, 0)
    if (raw < 0) return failed()
    const set = (level: number, name: number, value: number): boolean =>
      libc.setsockopt(raw, level, name, new Uint8Array(Int32Array.of(value).buffer), 4) === 0
    const { SOL_SOCKET, IPPROTO_IP, IPPROTO_IPV6 } = LINUX
    if (!set(SOL_SOCKET, LINUX.SO_RCVBUFFORCE, RECEIVE_BUFFER_OCTETS)) {
      set(SOL_SOCKET, LINUX.SO_RCVBUF, RECEIVE_BUFFER_OCTETS)
    }
    const wildcard = isWildcard(part.address)
    const ready =
      (options.reusePort === false || set(SOL_SOCKET, LINUX.SO_REUSEPORT, 1)) &&
      (part.family === 4 || set(IPPROTO_IPV6, LINUX.IPV6_V6ONLY, 1)) &&
      (!wildcard || part.family === 6 || set(IPPROTO_IP, LINUX.IP_PKTINFO, 1)) &&
      (!wildcard || part.family === 4 || set(IPPROTO_IPV6, LINUX.IPV6_RECVPKTINFO, 1)) &&
      libc.bind(raw, address, address.length) === 0
    if (!ready) {
      const error = failed()
      libc.close(raw)
      return error
    }
    const bound = new Uint8Array(SOCKADDR_MAX_OCTETS)
    libc.getsockname(raw, bound, new Uint8Array(Uint32Array.of(bound.length).buffer))
    const fd = adoptFd(libc, raw)
    if (typeof fd === 'string') return failed(fd)
    return new BatchSocket(options, libc, scheduler, part, fd, readSockaddr(bound, 0).port)
  }

  /**
   * Reads one batch and answers what can be answered at once. Returns the datagrams read: BATCH_MAX where
   * there may be more.
   */
  receive(): number {
    const { octets } = this.#memory
    const count = this.#libc.recvmmsg(this.fd, this.#memory.receiveHeaders, BATCH_MAX, LINUX.MSG_DONTWAIT, 0)
    if (count <= 0) {
      this.#receiveFailed()
      return 0
    }
    const { responder } = this.#options
    const memory = this.#memory
    const wildcard = this.#local === undefined
    let replies = 0
    let slow = 0
    responder.enter()
    for (let slot = 0; slot < count; slot++) {
      const name = memory.nameAt(slot)
      if (octets[name + 2] === 0 && octets[name + 3] === 0) {
        this.#options.count('udp-source-port-zero')
        continue
      }
      const start = memory.queryAt(slot)
      const written = responder.answerNow(
        octets,
        start,
        start + memory.queryOctets(slot),
        octets,
        memory.replyAt(replies),
        'udp',
        this.#family,
        UDP_REPLY_MAX_OCTETS,
      )
      if (responder.curious) {
        const client = readSockaddr(octets, name).address
        responder.tellClient(octets, start, start + memory.queryOctets(slot), client)
      }
      if (written > 0) {
        if (wildcard) this.#forgetInterface(memory.controlAt(slot))
        memory.reply(replies++, written, slot, this.#nameOctets, wildcard ? memory.controlOctets(slot) : 0)
      } else if (written === LATER) {
        this.#slowSlots[slow++] = slot
      }
    }
    responder.leave()
    this.#send(replies)
    for (let i = 0; i < slow; i++) this.#startSlow(this.#slowSlots[i]!)
    memory.readyToReceive(count)
    return count
  }

  #receiveFailed(): void {
    const errno = this.#libc.errno()
    if (errno !== LINUX.EAGAIN && errno !== LINUX.EINTR) this.#options.count('udp-receive-error')
  }

  /**
   * The reply takes the way that routing says; only a link-local address means nothing without its interface.
   */
  #forgetInterface(control: number): void {
    const { octets } = this.#memory
    if (this.#family === 4) octets.fill(0, control + 16, control + 20)
    else if (octets[control + 16] !== 0xfe || (octets[control + 17]! & 0xc0) !== 0x80) {
      octets.fill(0, control + 32, control + 36)
    }
  }

  /** Sends the first `count` send headers. What the kernel does not take is lost, as UDP is, and counted. */
  #send(count: number): void {
    for (let sent = 0; sent < count; ) {
      const taken = this.#libc.sendmmsg(
        this.fd,
        this.#memory.sendHeaders(sent),
        count - sent,
        LINUX.MSG_DONTWAIT,
      )
      if (taken > 0) {
        sent += taken
        continue
      }
      const errno = this.#libc.errno()
      if (errno === LINUX.EINTR) continue
      if (errno === LINUX.EAGAIN || errno === LINUX.ENOBUFS) {
        this.#options.count('udp-send-dropped', count - sent)
        return
      }
      // The error is the first message's: an address that is gone, a firewall. The others may still go.
      this.#options.count('udp-send-error')
      sent++
    }
  }

  #startSlow(slot: number): void {
    if (this.#draining) return
    this.slowBegun++
    const memory = this.#memory
    const { octets } = memory
    const controlAt = memory.controlAt(slot)
    const queryAt = memory.queryAt(slot)
    const nameAt = memory.nameAt(slot)
    const local = this.#local ?? { address: this.#asked(controlAt), port: this.port, family: this.#family }
    if (!this.#local) this.#forgetInterface(controlAt)
    const control = octets.slice(controlAt, controlAt + (this.#local ? 0 : memory.controlOctets(slot)))
    const name = octets.slice(nameAt, nameAt + this.#nameOctets)
    const query = octets.slice(queryAt, queryAt + memory.queryOctets(slot))
    void this.#answerLater(query, readSockaddr(name, 0), local, name, control)
  }

  /** Our address, to which the query was sent. */
  #asked(controlAt: number): string {
    const at = controlAt + (this.#family === 4 ? 20 : 16)
    return ipFromBytes(this.#memory.octets.slice(at, at + (this.#family === 4 ? 4 : 16))).text
  }

  async #answerLater(
    query: Uint8Array,
    client: Endpoint,
    local: Endpoint,
    name: Uint8Array,
    control: Uint8Array,
  ): Promise<void> {
    const { admission, responder } = this.#options
    if (!admission.enter(client.address)) {
      this.#replyLater(refusal(query), name, control)
      return
    }
    this.#inFlight++
    const reply = oneMessage(await responder.answerLater(query, 'udp', client, local))
    this.#inFlight--
    admission.leave(client.address)
    this.#replyLater(reply, name, control)
  }

  #replyLater(octets: Uint8Array | undefined, name: Uint8Array, control: Uint8Array): void {
    if (octets && octets.length <= UDP_REPLY_MAX_OCTETS) {
      if (this.#replies.length >= SEND_QUEUE_MAX) this.#options.count('udp-send-dropped')
      else this.#replies.push({ octets, name, control })
    }
    this.#scheduler.flushLater(this)
  }

  /** Sends the replies that the slow path has given since. */
  flush(): void {
    const replies = this.#replies
    this.#replies = []
    for (let from = 0; this.#open && from < replies.length; from += BATCH_MAX) {
      const count = Math.min(BATCH_MAX, replies.length - from)
      for (let slot = 0; slot < count; slot++) {
        const { octets, name, control } = replies[from + slot]!
        this.#memory.octets.set(octets, this.#memory.replyAt(slot))
        this.#memory.octets.set(name, this.#memory.nameAt(slot))
        this.#memory.octets.set(control, this.#memory.controlAt(slot))
        this.#memory.reply(slot, octets.length, slot, name.length, control.length)
      }
      this.#send(count)
    }
    if (this.#draining && this.#isIdle()) this.#end()
  }

  /** Answers what the kernel has taken in, waits for the slow path, closes. Resolves when closed. */
  drain(): Promise<void> {
    if (this.#open && !this.#draining) {
      this.#turnAway()
      for (let batch = 0; batch < DRAIN_BATCHES_MAX && this.receive() === BATCH_MAX; batch++);
      this.#draining = true
      if (this.#isIdle()) this.#end()
    }
    return this.#closed.promise
  }

  /**
   * From here on the kernel gives what comes to the other sockets of the port: one with a peer takes nobody else's
   * datagrams. What it has taken in already can still be read, and replies go where they are sent. Without this, what
   * came between the last reading and the closing would be lost.
   */
  #turnAway(): void {
    const loopback = this.#family === 4 ? '127.0.0.1' : '::1'
    const peer = sockaddr(this.#local?.address ?? loopback, DISCARD_PORT)
    if (peer && this.#libc.connect(this.fd, peer, peer.length) < 0) this.#options.count('udp-send-error')
  }

  #isIdle(): boolean {
    return this.#inFlight === 0 && this.#replies.length === 0
  }

  /** Closes at once. */
  close(): Promise<void> {
    this.#end()
    return this.#closed.promise
  }

  #end(): void {
    if (!this.#open) return
    this.#open = false
    this.onEnd()
    closeSync(this.fd)
    this.#closed.resolve()
  }

  /** Called once before the descriptor is closed; the owner sets it. */
  onEnd: () => void = () => undefined
}
