// Where a listener's packets go: the same listener serves one configuration after another, and the change falls between
// two packets. What waits goes on where it began.

import type { Responder } from '../listen/responder.ts'
import type { Packet } from '../query/packet.ts'

export class SwitchResponder implements Responder {
  #current: Responder
  #next: Responder | undefined
  #inside = false

  constructor(current: Responder) {
    this.#current = current
  }

  /** Packets go to `next` from the next batch on. */
  turnTo(next: Responder): void {
    if (this.#inside) this.#next = next
    else this.#current = next
  }

  enter(): void {
    this.#inside = true
    this.#current.enter()
  }

  leave(): void {
    this.#current.leave()
    this.#inside = false
    if (this.#next) {
      this.#current = this.#next
      this.#next = undefined
    }
  }

  answer(packet: Packet): number {
    return this.#current.answer(packet)
  }
}
