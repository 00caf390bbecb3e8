// What a listener needs of the rest of the server: packets in, octets out, at once or later.

import type { Packet } from '../query/packet.ts'

/** No answer is owed: the packet is not a query, or a plugin drops it; or the answer is a transfer, in `messages`. */
export const SILENCE = 0
/** The packet waits: its origin hears of it. */
export const PARKED = -1

export interface Responder {
  /** Before and after a batch of `answer` calls: between them the table's memory is held (table/reader.ts). */
  enter(): void
  leave(): void
  /**
   * Answers the packet, of which the listener has filled in its part, into its slot. Returns the octets written, SILENCE or
   * PARKED. Never throws; the packet may be used for the next one.
   */
  answer(packet: Packet): number
}
