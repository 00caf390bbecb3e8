// UDP over node:dgram: the form that runs everywhere. One socket per local address, so that a listener on all
// addresses answers from the one that was asked (a client drops a reply that comes from elsewhere); the list
// of local addresses is read again every few seconds, as Pods' nodes gain and lose them.

import { createSocket, type RemoteInfo, type Socket } from 'node:dgram'
import { networkInterfaces } from 'node:os'
import { type Origin, Packet } from '../query/packet.ts'
import { type Endpoint, readSockaddr, SOCKADDR_MAX_OCTETS, sockaddr } from '../query/sockaddr.ts'
import type { Timer } from '../shared/clock.ts'
import { interfaceAddresses, isWildcard } from './addresses.ts'
import {
  answersEverything,
  type BindPart,
  bindParts,
  codeOf,
  isAddressMissing,
  ListenError,
  type Listener,
  type ListenOptions,
  type ListenResult,
  openParts,
  UDP_QUERY_MAX_OCTETS,
  UDP_REPLY_MAX_OCTETS,
} from './listener.ts'
import { REUSE_PORT } from './reuse-port.ts'

/** Asked of the kernel for a socket's receive queue; it grants at most net.core.rmem_max. */
export const RECEIVE_BUFFER_OCTETS = 4 * 1024 * 1024
/** Replies that wait in one socket for the kernel to take them; beyond it they are dropped and counted. */
export const SEND_QUEUE_MAX = 1000
const RESCAN_MS = 5000
/** Of a sender whose address is none: nobody's. */
const NOWHERE = new Uint8Array(SOCKADDR_MAX_OCTETS)

/** What `listenUdpDgram` takes beyond every listener's options. */
export interface DgramOptions extends ListenOptions {
  /** The machine's addresses; a test brings its own. */
  readonly interfaces?: typeof networkInterfaces
  /** Whether other threads may share the port; where the system cannot, they may not. */
  readonly reusePort?: boolean
}

/** Opens UDP sockets on `address`; an error is a value. Never throws. */
export async function listenUdpDgram(options: DgramOptions): Promise<ListenResult> {
  const opened = await openParts<OpenedUdp>(bindParts(options.address), options.port, (part, port) =>
    isWildcard(part.address) ? EveryAddress.open(options, part, port) : DgramSocket.open(options, part, port),
  )
  if (opened instanceof ListenError) return { ok: false, error: opened }
  const listener: Listener = {
    kind: 'udp-dgram',
    address: options.address,
    port: opened[0]!.port,
    drain: async () => {
      await Promise.all(opened.map(one => one.drain()))
    },
    close: async () => {
      await Promise.all(opened.map(one => one.close()))
    },
  }
  return { ok: true, listener }
}

interface OpenedUdp {
  readonly port: number
  drain(): Promise<void>
  close(): Promise<void>
}

/** The sockets of a wildcard: one for each local address of its family. */
class EveryAddress {
  readonly #options: DgramOptions
  readonly #part: BindPart
  readonly #sockets = new Map<string, DgramSocket>()
  #timer: Timer | undefined
  #closed = false
  port: number

  private constructor(options: DgramOptions, part: BindPart, port: number) {
    this.#options = options
    this.#part = part
    this.port = port
  }

  static async open(
    options: DgramOptions,
    part: BindPart,
    port: number,
  ): Promise<EveryAddress | ListenError> {
    const every = new EveryAddress(options, part, port)
    const error = await every.#scan()
    if (!error && every.#sockets.size > 0) {
      every.#rescanLater()
      return every
    }
    await every.close()
    return error ?? new ListenError('udp', part.address, port, 'EADDRNOTAVAIL')
  }

  /** Opens a socket for each address that has none, closes those whose address is gone. */
  async #scan(): Promise<ListenError | undefined> {
    const { family } = this.#part
    const present = new Set(
      interfaceAddresses((this.#options.interfaces ?? networkInterfaces)())
        .filter(local => local.family === family)
        .map(local => local.address),
    )
    for (const [address, socket] of this.#sockets) {
      if (present.has(address)) continue
      this.#sockets.delete(address)
      await socket.close()
    }
    for (const address of present) {
      if (this.#sockets.has(address) || this.#closed) continue
      const socket = await DgramSocket.open(this.#options, { address, family, optional: false }, this.port)
      // An IPv6 address that is still being checked for duplicates cannot be bound yet: the next scan will.
      if (socket instanceof ListenError) {
        if (!isAddressMissing(socket.code)) return socket
      } else if (this.#closed) {
        await socket.close()
      } else {
        this.#sockets.set(address, socket)
        this.port = socket.port
      }
    }
    return undefined
  }

  #rescanLater(): void {
    this.#timer = this.#options.clock.after(RESCAN_MS, async () => {
      const error = await this.#scan()
      if (error) this.#options.count('udp-receive-error')
      if (!this.#closed) this.#rescanLater()
    })
  }

  async drain(): Promise<void> {
    this.#timer?.cancel()
    this.#closed = true
    await Promise.all([...this.#sockets.values()].map(socket => socket.drain()))
  }

  async close(): Promise<void> {
    this.#timer?.cancel()
    this.#closed = true
    await Promise.all([...this.#sockets.values()].map(socket => socket.close()))
  }
}

/** One socket on one address. */
class DgramSocket implements Origin {
  readonly transport = 'udp'
  readonly port: number
  readonly #options: DgramOptions
  readonly #socket: Socket
  readonly #local: Endpoint
  readonly #closed: Promise<void>
  /**
   * Where replies are rendered; the socket keeps it, and a new one is made, when the kernel does not take one
   * at once.
   */
  #out = new Uint8Array(UDP_REPLY_MAX_OCTETS)
  /** The query at hand. */
  readonly #packet = new Packet()
  /** Packets that wait. */
  #inFlight = 0
  #draining = false
  #open = true

  private constructor(options: DgramOptions, socket: Socket, part: BindPart) {
    this.#options = options
    this.#socket = socket
    this.port = socket.address().port
    this.#local = { address: part.address, port: this.port, family: part.family }
    this.#closed = new Promise(resolve => socket.once('close', resolve))
    socket.on('message', (octets, from) => this.#receive(octets, from))
    socket.on('error', () => options.count('udp-receive-error'))
  }

  static open(options: DgramOptions, part: BindPart, port: number): Promise<DgramSocket | ListenError> {
    const socket = createSocket({
      type: part.family === 6 ? 'udp6' : 'udp4',
      ipv6Only: part.family === 6,
      reusePort: REUSE_PORT && options.reusePort !== false,
      recvBufferSize: RECEIVE_BUFFER_OCTETS,
      // Addresses only, never names, and without waiting a turn of the loop.
      lookup: (address, _options, found) => found(null, address, part.family),
    })
    return new Promise(resolve => {
      socket.once('error', cause => {
        socket.close()
        resolve(new ListenError('udp', part.address, port, codeOf(cause), cause))
      })
      socket.bind({ address: part.address, port, exclusive: true }, () => {
        socket.removeAllListeners('error')
        resolve(new DgramSocket(options, socket, part))
      })
    })
  }

  #receive(octets: Uint8Array, from: RemoteInfo): void {
    if (answersEverything(from.port)) {
      this.#options.count('udp-source-port-refused')
      return
    }
    const { responder } = this.#options
    const packet = this.#packet
    packet.octets = octets
    packet.start = 0
    packet.end = Math.min(octets.length, UDP_QUERY_MAX_OCTETS)
    packet.from = sockaddr(from.address, from.port) ?? NOWHERE
    packet.fromAt = 0
    packet.fromOctets = packet.from.length
    packet.family = this.#local.family
    packet.origin = this
    packet.slot = this.#out
    packet.slotAt = 0
    packet.slotOctets = UDP_REPLY_MAX_OCTETS
    responder.enter()
    const written = responder.answer(packet)
    responder.leave()
    if (written > 0) this.#sendOut(written, from)
  }

  localOf(): Endpoint {
    return this.#local
  }

  parked(): void {
    this.#inFlight++
  }

  reply({ from, fromAt, slot, slotAt }: Packet, octets: number): void {
    this.#inFlight--
    if (octets > 0 && octets <= UDP_REPLY_MAX_OCTETS)
      this.#send(slot.slice(slotAt, slotAt + octets), octets, readSockaddr(from, fromAt))
    if (this.#draining && this.#inFlight === 0) this.#end()
  }

  #sendOut(length: number, to: RemoteInfo): void {
    const queued = this.#socket.getSendQueueCount()
    this.#send(this.#out, length, to)
    if (this.#socket.getSendQueueCount() > queued) this.#out = new Uint8Array(UDP_REPLY_MAX_OCTETS)
  }

  #send(octets: Uint8Array, length: number, to: Pick<RemoteInfo, 'address' | 'port'>): void {
    if (!this.#open) return
    if (this.#socket.getSendQueueCount() >= SEND_QUEUE_MAX) this.#options.count('udp-send-dropped')
    else this.#socket.send(octets, 0, length, to.port, to.address, this.#onSent)
  }

  readonly #onSent = (error: Error | null): void => {
    if (error) this.#options.count('udp-send-error')
  }

  /** What still comes meanwhile is answered: the kernel has it, and nobody else will. */
  drain(): Promise<void> {
    this.#draining = true
    setImmediate(() => {
      if (this.#inFlight === 0) this.#end()
    })
    return this.#closed
  }

  close(): Promise<void> {
    this.#end()
    return this.#closed
  }

  #end(): void {
    if (!this.#open) return
    this.#open = false
    this.#socket.close()
  }
}
