// A TCP relay between a DNS server under test and the API server: cut its connections, refuse new ones, or stall them
// without a word, while everybody else still reaches the API server.

import { once } from 'node:events'
import { type AddressInfo, connect, createServer, type Server, type Socket } from 'node:net'
import type { Scope } from './processes.ts'

/** The relay. */
export class TcpProxy {
  readonly #server: Server
  readonly #target: number
  readonly #sockets = new Set<Socket>()
  #open = true
  /** Connections accepted and relayed so far. */
  connections = 0

  private constructor(target: number) {
    this.#target = target
    this.#server = createServer(socket => this.#relay(socket))
  }

  /** Listens on a free port of 127.0.0.1 and relays to `target` there. */
  static async start(scope: Scope, target: number): Promise<TcpProxy> {
    const proxy = new TcpProxy(target)
    await once(proxy.#server.listen(0, '127.0.0.1'), 'listening')
    scope.add('tcp proxy', () => {
      proxy.cut()
      proxy.#server.close()
    })
    return proxy
  }

  get port(): number {
    return (this.#server.address() as AddressInfo).port
  }

  #relay(socket: Socket): void {
    this.#keep(socket)
    if (!this.#open) return void socket.resetAndDestroy()
    this.connections++
    const onward = connect(this.#target, '127.0.0.1')
    this.#keep(onward)
    socket.pipe(onward)
    onward.pipe(socket)
    socket.once('close', () => onward.destroy())
    onward.once('close', () => socket.destroy())
  }

  #keep(socket: Socket): void {
    this.#sockets.add(socket)
    // A reset on either side is what this relay is made for; 'close' follows and ends the other side.
    socket.on('error', () => socket.destroy())
    socket.once('close', () => this.#sockets.delete(socket))
  }

  /** Resets every connection; new ones are accepted as before. */
  cut(): void {
    for (const socket of this.#sockets) {
      if (socket.connecting) socket.destroy()
      else socket.resetAndDestroy()
    }
  }

  /** Resets every connection and every new one until `restore`. */
  refuse(): void {
    this.#open = false
    this.cut()
  }

  /** Relays again. */
  restore(): void {
    this.#open = true
  }
}
