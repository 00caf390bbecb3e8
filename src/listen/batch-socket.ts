// HOT: one UDP socket that is drained by recvmmsg and answered by sendmmsg, a batch at a time. Of a socket on
// all addresses the control message of each query (IP_PKTINFO, IPV6_RECVPKTINFO) goes back with its reply, so
// that the reply leaves from the address that was asked. Nothing is allocated per packet. Budget: the
// kernel's share and 1 µs (`node test/bench/listen.ts`).

import { closeSync } from 'node:fs'
import { type Origin, Packet } from '../query/packet.ts'
import { type Endpoint, readSockaddr, SOCKADDR_MAX_OCTETS, sockaddr } from '../query/sockaddr.ts'
import { ipFromBytes } from '../shared/ip.ts'
import { isWildcard } from './addresses.ts'
import { BATCH_MAX, type BatchMemory, CONTROL_AT } from './batch-memory.ts'
import { adoptFd, duplicateFd, errorCode, LINUX, type Libc } from './libc.ts'
import {
  answersEverything,
  type BindPart,
  ListenError,
  type ListenOptions,
  type PassedSocket,
  UDP_REPLY_MAX_OCTETS,
} from './listener.ts'
import { RECEIVE_BUFFER_OCTETS } from './udp-dgram.ts'

/** A port that nobody sends from (RFC 863). */
const DISCARD_PORT = 9
/** Batches that `drain` still answers before it closes a socket on which more keep coming. */
const DRAIN_BATCHES_MAX = 64

/** What a socket needs of its thread (batch-thread.ts). */
export interface BatchScheduler {
  readonly memory: BatchMemory
  /** Sends a reply that comes late, before long: `octets` at the packet's slot. */
  replyLate(socket: BatchSocket, packet: Packet, octets: number): void
}

export class BatchSocket implements Origin {
  readonly transport = 'udp'
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
  /** Whether others take from the same socket: other threads, and whoever has it when this process is gone. */
  readonly #shared: boolean
  /** The query at hand. */
  readonly #packet = new Packet()
  /** Packets that wait, and replies that are not sent yet. */
  #inFlight = 0
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
    shared = false,
  ) {
    this.#options = options
    this.#shared = shared
    this.#libc = libc
    this.#scheduler = scheduler
    this.#memory = scheduler.memory
    this.#family = part.family
    this.#nameOctets = part.family === 6 ? SOCKADDR_MAX_OCTETS : 16
    this.#local = isWildcard(part.address) ? undefined : { address: part.address, port, family: part.family }
    this.fd = fd
    this.port = port
    const packet = this.#packet
    packet.octets = packet.from = packet.slot = this.#memory.octets
    packet.slotOctets = UDP_REPLY_MAX_OCTETS
    packet.family = part.family
    packet.origin = this
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
    const set = setterOf(libc, raw)
    const ready =
      (options.reusePort === false || set(LINUX.SOL_SOCKET, LINUX.SO_REUSEPORT, 1)) &&
      (part.family === 4 || set(LINUX.IPPROTO_IPV6, LINUX.IPV6_V6ONLY, 1)) &&
      prepare(set, part) &&
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

  /** Takes from a socket that is open already, by a descriptor of this thread's own; an error is a value. */
  static adopt(
    options: ListenOptions,
    libc: Libc,
    scheduler: BatchScheduler,
    part: BindPart,
    { fd, port }: PassedSocket,
  ): BatchSocket | ListenError {
    const own = duplicateFd(libc, fd)
    if (typeof own === 'string') return new ListenError('udp', part.address, port, own)
    if (prepare(setterOf(libc, own), part))
      return new BatchSocket(options, libc, scheduler, part, own, port, true)
    const error = new ListenError('udp', part.address, port, errorCode(libc))
    closeSync(own)
    return error
  }

  /**
   * Reads one batch and answers what can be answered at once. Returns the datagrams read: BATCH_MAX where
   * there may be more.
   */
  receive(): number {
    const count = this.#libc.recvmmsg(this.fd, this.#memory.receiveHeaders, BATCH_MAX, LINUX.MSG_DONTWAIT, 0)
    if (count <= 0) {
      this.#receiveFailed()
      return 0
    }
    const { responder } = this.#options
    const memory = this.#memory
    const { octets } = memory
    const packet = this.#packet
    const nameOctets = this.#nameOctets
    const wildcard = this.#local === undefined
    let replies = 0
    responder.enter()
    for (let slot = 0; slot < count; slot++) {
      const fromAt = memory.fromAt(slot)
      if (octets[fromAt + 2] === 0 && answersEverything(octets[fromAt + 3]!)) {
        this.#options.count('udp-source-port-refused')
        continue
      }
      const controlOctets = wildcard ? memory.controlOctets(slot) : 0
      packet.start = memory.queryAt(slot)
      packet.end = packet.start + memory.queryOctets(slot)
      packet.fromAt = fromAt
      packet.fromOctets = wildcard ? CONTROL_AT + controlOctets : nameOctets
      packet.slotAt = memory.replyAt(replies)
      const written = responder.answer(packet)
      if (written <= 0) continue
      if (wildcard) this.#forgetInterface(octets, fromAt + CONTROL_AT)
      memory.reply(replies++, written, slot, nameOctets, controlOctets)
    }
    responder.leave()
    this.#send(memory, replies)
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
  #forgetInterface(octets: Uint8Array, control: number): void {
    if (this.#family === 4) octets.fill(0, control + 16, control + 20)
    else if (octets[control + 16] !== 0xfe || (octets[control + 17]! & 0xc0) !== 0x80) {
      octets.fill(0, control + 32, control + 36)
    }
  }

  /** Sends the first `count` send headers. What the kernel does not take is lost, as UDP is, and counted. */
  #send(memory: BatchMemory, count: number): void {
    for (let sent = 0; sent < count; ) {
      const taken = this.#libc.sendmmsg(this.fd, memory.sendHeaders(sent), count - sent, LINUX.MSG_DONTWAIT)
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

  localOf(packet: Packet): Endpoint {
    return (
      this.#local ?? { address: askedAddress(packet, this.#family), port: this.port, family: this.#family }
    )
  }

  parked(): void {
    this.#inFlight++
  }

  reply(packet: Packet, octets: number): void {
    if (octets > 0 && octets <= UDP_REPLY_MAX_OCTETS && this.#open)
      this.#scheduler.replyLate(this, packet, octets)
    else this.#left(1)
  }

  /** Puts a late reply into a slot of the memory that it is sent from. */
  place(memory: BatchMemory, slot: number, packet: Packet, octets: number): void {
    const { fromAt, fromOctets, slotAt } = packet
    const at = memory.fromAt(slot)
    memory.octets.set(packet.slot.subarray(slotAt, slotAt + octets), memory.replyAt(slot))
    for (let i = 0; i < fromOctets; i++) memory.octets[at + i] = packet.from[fromAt + i]!
    const controlOctets = Math.max(0, fromOctets - CONTROL_AT)
    if (controlOctets > 0) this.#forgetInterface(memory.octets, at + CONTROL_AT)
    memory.reply(slot, octets, slot, this.#nameOctets, controlOctets)
  }

  /** Sends that many late replies; counts them as over. */
  sendLate(memory: BatchMemory, count: number): void {
    if (this.#open) this.#send(memory, count)
    this.#left(count)
  }

  #left(count: number): void {
    this.#inFlight -= count
    if (this.#draining && this.#inFlight === 0) this.#end()
  }

  /** Answers what the kernel has taken in, waits for the slow path, closes. Resolves when closed. */
  drain(): Promise<void> {
    if (this.#open && !this.#draining) {
      // What is in a shared socket waits there for the others.
      if (!this.#shared) {
        this.#turnAway()
        for (let batch = 0; batch < DRAIN_BATCHES_MAX && this.receive() === BATCH_MAX; batch++);
      }
      this.#draining = true
      if (this.#inFlight === 0) this.#end()
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

type Setter = (level: number, name: number, value: number) => boolean

const setterOf =
  (libc: Libc, fd: number): Setter =>
  (level, name, value) =>
    libc.setsockopt(fd, level, name, new Uint8Array(Int32Array.of(value).buffer), 4) === 0

/** Room for what comes in bursts; on all addresses each query says which one it was sent to. */
function prepare(set: Setter, { address, family }: BindPart): boolean {
  const { SOL_SOCKET, IPPROTO_IP, IPPROTO_IPV6 } = LINUX
  if (!set(SOL_SOCKET, LINUX.SO_RCVBUFFORCE, RECEIVE_BUFFER_OCTETS))
    set(SOL_SOCKET, LINUX.SO_RCVBUF, RECEIVE_BUFFER_OCTETS)
  if (!isWildcard(address)) return true
  return family === 4 ? set(IPPROTO_IP, LINUX.IP_PKTINFO, 1) : set(IPPROTO_IPV6, LINUX.IPV6_RECVPKTINFO, 1)
}

/** Our address, to which the query was sent. */
function askedAddress({ from, fromAt }: Packet, family: 4 | 6): string {
  const at = fromAt + CONTROL_AT + (family === 4 ? 20 : 16)
  return ipFromBytes(from.slice(at, at + (family === 4 ? 4 : 16))).text
}
