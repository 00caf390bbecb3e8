// What a listener needs of the rest of the server: octets in, octets out. The fast path answers at once out of shared
// memory and never sees who asks; everything else is copied and answered later.

import type { Endpoint, Transport } from '../query/query.ts'

/** No answer is owed: the packet is not a query, or a plugin drops it. */
export const SILENCE = 0
/** The fast path does not answer this one: call `answerLater`. */
export const LATER = -1

/** The messages of a zone transfer, drawn one by one as the peer takes them. */
export interface Messages {
  /** The next message; `complete` after the last one; `cut` where the transfer cannot go on: the connection is to end. */
  next(): Uint8Array | 'complete' | 'cut'
  /** Nothing more is drawn. To be called once, however it ends. */
  end(): void
}

/** What a slow query is answered with: one message, several over TCP and TLS, or silence. */
export type LateReply = Uint8Array | Messages | undefined

/** The reply for a transport that carries one message: of several nothing is sent. */
export function oneMessage(reply: LateReply): Uint8Array | undefined {
  if (reply === undefined || reply instanceof Uint8Array) return reply
  reply.end()
  return undefined
}

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
   * for silence; to several messages for zone transfers over TCP and TLS only. Never rejects.
   */
  answerLater(octets: Uint8Array, transport: Transport, client: Endpoint, local: Endpoint): Promise<LateReply>
}
