// Where a listener's queries go: the same listener serves one configuration after another, and the change falls between
// two packets.

import type { LateReply, Responder } from '../listen/responder.ts'
import type { Endpoint, Transport } from '../query/query.ts'

export class SwitchResponder implements Responder {
  #current: Responder
  #next: Responder | undefined
  #inside = false

  constructor(current: Responder) {
    this.#current = current
  }

  /** Queries go to `next` from the next batch on. */
  turnTo(next: Responder): void {
    if (this.#inside) this.#next = next
    else this.#current = next
  }

  get curious(): boolean {
    return this.#current.curious
  }

  tellClient(octets: Uint8Array, start: number, end: number, client: string): void {
    this.#current.tellClient(octets, start, end, client)
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

  answerNow(
    octets: Uint8Array,
    start: number,
    end: number,
    out: Uint8Array,
    outAt: number,
    transport: Transport,
    family: 4 | 6,
    replyMaxOctets: number,
  ): number {
    return this.#current.answerNow(octets, start, end, out, outAt, transport, family, replyMaxOctets)
  }

  answerLater(
    octets: Uint8Array,
    transport: Transport,
    client: Endpoint,
    local: Endpoint,
  ): Promise<LateReply> {
    return this.#current.answerLater(octets, transport, client, local)
  }
}
