// The places for connections of one HTTP server. Probes and scrapers are few and brief: where all places are taken, or a
// client has its share, a connection that waits for a request makes room for the new one, the longest idle of whoever has
// most; so that who holds half a request on hundreds of them keeps nobody out. On a connection one request is answered
// at a time: a second one before the answer to the first, which no probe sends, ends it, as a thousand of them in one packet
// would be a thousand answers in memory.

import type { Socket } from 'node:net'

/** Connections of one server, and of one client of it. */
export const CONNECTIONS_MAX = 64
export const CONNECTIONS_PER_CLIENT_MAX = 32

interface Place {
  readonly socket: Socket
  readonly client: string
  /** A request is being answered. */
  busy: boolean
}

export class HttpPlaces {
  /** By `keyOf`, the one that was of use last at the end. */
  readonly #places = new Map<string, Place>()
  readonly #closed: () => void

  /** `closed` is told of each connection that is closed for others or for itself. */
  constructor(closed: () => void) {
    this.#closed = closed
  }

  /** Takes in an accepted socket, below TLS where there is some. */
  take(socket: Socket): void {
    const client = socket.remoteAddress ?? ''
    const key = keyOf(socket)
    while (this.#places.size >= CONNECTIONS_MAX || this.#heldBy(client) >= CONNECTIONS_PER_CLIENT_MAX) {
      this.#evict(this.#heldBy(client) >= CONNECTIONS_PER_CLIENT_MAX ? client : this.#greediest())
    }
    this.#places.set(key, { socket, client, busy: false })
    socket.once('close', () => {
      if (this.#places.get(key)?.socket === socket) this.#places.delete(key)
    })
  }

  /** A request has come on that socket; false where it is closed, or the request before it is not answered yet. */
  begin(socket: Socket): boolean {
    // What stands behind it in the same packet still comes.
    if (socket.destroyed) return false
    const key = keyOf(socket)
    const place = this.#places.get(key)
    if (!place) return true
    if (place.busy) {
      this.#closed()
      return false
    }
    place.busy = true
    return true
  }

  /** It is answered. */
  end(socket: Socket): void {
    const key = keyOf(socket)
    const place = this.#places.get(key)
    if (!place) return
    place.busy = false
    this.#places.delete(key)
    this.#places.set(key, place)
  }

  /** Closes the connections on which nothing is being answered. */
  closeIdle(): void {
    for (const { busy, socket } of this.#places.values()) if (!busy) socket.destroy()
  }

  closeAll(): void {
    for (const { socket } of this.#places.values()) socket.destroy()
  }

  #heldBy(client: string): number {
    let held = 0
    for (const place of this.#places.values()) if (place.client === client) held++
    return held
  }

  #greediest(): string {
    const held = new Map<string, number>()
    for (const { client } of this.#places.values()) held.set(client, (held.get(client) ?? 0) + 1)
    let most = ''
    for (const [client, count] of held) if (count > (held.get(most) ?? 0)) most = client
    return most
  }

  #evict(client: string): void {
    const own = [...this.#places].filter(([, place]) => place.client === client)
    const [key, place] = own.find(([, { busy }]) => !busy) ?? own[0]!
    this.#places.delete(key)
    this.#closed()
    place.socket.destroy()
  }
}

/** The same of a raw socket and the TLS socket over it. */
const keyOf = ({ remoteAddress, remotePort, localAddress }: Socket): string =>
  `${remoteAddress} ${remotePort} ${localAddress}`
