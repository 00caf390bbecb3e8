// What a listener needs of the rest of the server: octets in, octets out. The fast path answers at once out of shared
// memory and never sees who asks; everything else is copied and answered later.

import type { Endpoint, Transport } from '../query/query.ts'

/** No answer is owed: the packet is not a query, or a plugin drops it. */
export const SILENCE = 0
/** The fast path does not answer this one: call `answerLater`. */
export const LATER = -1

export interface Responder {
  /** True when `answerNow` wants to know who asked: `tellClient` is to be called before anything else. */
  readonly curious: boolean
  /** Before and after a batch of `answerNow` calls: between them the table's memory is held (table/reader.ts). */
  enter(): void
  leave(): void
  /**
   * Answers the query in octets[start … end) into out[outAt …], which has room for `replyMaxOctets` octets (over UDP
   * the client's own payload size also binds). Returns the octets written, SILENCE or LATER. Never throws, allocates nothing.
   */
  answerNow(
    octets: Uint8Array,
    start: number,
    end: number,
    out: Uint8Array,
    outAt: number,
    transport: Transport,
    family: 4 | 6,
    replyMaxOctets: number,
  ): number
  /** Who asked the query in octets[start … end), which was answered just now. */
  tellClient(octets: Uint8Array, start: number, end: number, client: string): void
  /**
   * Answers a query on the slow path. `octets` is a copy that the responder may keep. Resolves to the reply or undefined
   * for silence; never rejects.
   */
  answerLater(
    octets: Uint8Array,
    transport: Transport,
    client: Endpoint,
    local: Endpoint,
  ): Promise<Uint8Array | undefined>
}
