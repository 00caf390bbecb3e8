// A socket to an upstream by node:dgram: the form that runs everywhere.

import { createSocket, type Socket } from 'node:dgram'
import { copyAsked } from './asked.ts'
import type { OpenUdp, UdpAsker, UdpSocket, UdpSocketOwner } from './udp.ts'

/** Addresses only: nothing is looked up, so binding and connecting need no turn of the event loop. */
const noLookup = (
  address: string,
  family: unknown,
  callback: (error: Error | null, address: string, family: number) => void,
): void => callback(null, address, Number(family))

/** Opens a socket. */
export const openDgram: OpenUdp = (remote, sourceAddress, owner) =>
  new DgramSocket(remote, sourceAddress, owner)

class DgramSocket implements UdpSocket {
  readonly #socket: Socket
  readonly #owner: UdpSocketOwner
  /** Questions that wait for the socket to be connected. */
  #early: UdpAsker[] | undefined = []
  #isOpen = true

  constructor(
    { address, port }: { readonly address: string; readonly port: number },
    sourceAddress: string | undefined,
    owner: UdpSocketOwner,
  ) {
    this.#owner = owner
    const socket = createSocket({
      type: address.includes(':') ? 'udp6' : 'udp4',
      lookup: noLookup as never,
    })
    this.#socket = socket
    socket.unref()
    socket.on('error', error => this.#broken(this.#early ? 'dial' : 'read', error))
    socket.on('message', octets => {
      if (this.#isOpen) owner.received(octets, 0, octets.length)
    })
    socket.once('connect', () => this.#connected())
    if (sourceAddress === undefined) {
      socket.connect(port, address)
      return
    }
    socket.once('listening', () => {
      if (this.#isOpen) socket.connect(port, address)
    })
    socket.bind({ address: sourceAddress, port: 0, exclusive: true })
  }

  get local(): UdpSocket['local'] {
    if (this.#early || !this.#isOpen) return undefined
    const { address, port } = this.#socket.address()
    return { address, port }
  }

  send(asker: UdpAsker): void {
    if (this.#early) {
      this.#early.push(asker)
      return
    }
    const octets = new Uint8Array(asker.question.questionOctets)
    const length = copyAsked(asker.question, asker.edns, asker.id, octets, 0)
    this.#socket.send(octets, 0, length, error => {
      if (error) this.#broken('write', error)
    })
  }

  close(): void {
    if (!this.#isOpen) return
    this.#isOpen = false
    this.#socket.close()
  }

  #connected(): void {
    const early = this.#early ?? []
    this.#early = undefined
    if (!this.#isOpen) return
    // Some may not wait any more: they have another socket, or none.
    for (const asker of early) if (asker.socket?.opened === this) this.send(asker)
  }

  #broken(verb: 'dial' | 'read' | 'write', error: NodeJS.ErrnoException): void {
    if (this.#isOpen) this.#owner.broken(verb, error)
  }
}
