// The packets that a serving thread uses again and again beside those of its listeners: for what was parked and goes on, and
// for what is asked on behalf of another one. They are taken and given back in turn, so there are as many as look-ups lead
// to look-ups at most.

import { Packet } from '../query/packet.ts'

export class Packets {
  readonly #packets: Packet[] = []
  #taken = 0

  take(): Packet {
    const packet = this.#packets[this.#taken] ?? new Packet()
    this.#packets[this.#taken++] = packet
    return packet
  }

  /** Gives the packet back that was taken last. */
  give(): void {
    this.#taken--
  }
}
