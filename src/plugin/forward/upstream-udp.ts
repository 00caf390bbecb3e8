// One question over UDP: a socket of its own, so that the kernel picks a new random port for every query, and connected,
// so that it delivers nothing from elsewhere and tells when nobody listens there (RFC 5452 sections 9.2 and 10).

import { createSocket, type Socket } from 'node:dgram'
import type { Clock, Timer } from '../../shared/clock.ts'
import { errorText, type Operation, timeoutText } from './error-text.ts'

export interface UdpOptions {
  readonly remote: { readonly address: string; readonly port: number }
  readonly sourceAddress: string | undefined
  readonly clock: Clock
  readonly timeoutMs: number
  readonly packet: Uint8Array
}

export interface UdpListener {
  /** Something came from the upstream's address and port. */
  datagram(octets: Uint8Array): void
  /** Nothing will come any more; the exchange is closed. */
  failed(text: string): void
}

/** Addresses only: nothing is looked up, so binding and connecting need no turn of the event loop. */
const noLookup = (
  address: string,
  family: unknown,
  callback: (error: Error | null, address: string, family: number) => void,
): void => callback(null, address, Number(family))

/** A datagram sent and its reply waited for. It goes on after replies that the listener does not like, until `close`. */
export class UdpExchange {
  readonly #options: UdpOptions
  readonly #listener: UdpListener
  readonly #socket: Socket
  #timer: Timer | undefined
  #open = true

  constructor(options: UdpOptions, listener: UdpListener) {
    this.#options = options
    this.#listener = listener
    const type = options.remote.address.includes(':') ? 'udp6' : 'udp4'
    this.#socket = createSocket({ type, lookup: noLookup as never })
    this.#socket.unref()
    this.#socket.on('error', error => this.#fail(errorText(this.#operation('read'), error)))
    this.#socket.on('message', octets => {
      // A copy: a view would keep the whole receive buffer for as long as a record of it is cached.
      if (this.#open) listener.datagram(new Uint8Array(octets))
    })
    this.#socket.on('connect', () => {
      if (!this.#open) return
      this.#socket.send(options.packet, error => {
        if (error) this.#fail(errorText(this.#operation('write'), error))
      })
    })
  }

  /** Sends the datagram; the time to answer begins. */
  start(): void {
    const { clock, timeoutMs, sourceAddress } = this.#options
    this.#timer = clock.after(timeoutMs, () => this.#fail(timeoutText(this.#operation('read'))))
    if (sourceAddress === undefined) {
      this.#connect()
      return
    }
    this.#socket.once('listening', () => this.#connect())
    this.#socket.bind({ address: sourceAddress, port: 0, exclusive: true })
  }

  /** Ends the exchange; the listener hears nothing more. */
  close(): void {
    if (!this.#open) return
    this.#open = false
    this.#timer?.cancel()
    this.#socket.close()
  }

  #connect(): void {
    if (this.#open) this.#socket.connect(this.#options.remote.port, this.#options.remote.address)
  }

  #operation(verb: Operation['verb']): Operation {
    return { verb, protocol: 'udp', local: localOf(this.#socket), remote: this.#options.remote }
  }

  #fail(text: string): void {
    if (!this.#open) return
    this.close()
    this.#listener.failed(text)
  }
}

/** Where the socket is bound, as far as it is. */
function localOf(socket: Socket): Operation['local'] {
  try {
    return socket.address()
  } catch (error) {
    // Not bound yet: what fails then has no local end.
    if (error instanceof Error) return undefined
    throw error
  }
}
