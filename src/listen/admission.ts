// How many slow queries (forwarded, or answered by plugins) one serving thread holds at a time. Answers out
// of the table are never counted here: they cost nothing that could pile up.
//
// The noisy client loses first: a client may hold as many as there is room left for everybody. Alone it gets
// half of the whole, two noisy ones a third each, and a quiet client finds room until the last place is gone
// (Choudhury and Hahne's dynamic threshold for shared buffers). Memory is bounded by the limit: a client is
// known only while it has queries in flight.

import type { CountListen } from './listener.ts'

/** Slow queries in flight on one thread, all clients and transports together. */
export const SLOW_IN_FLIGHT_MAX = 10_000

export class Admission {
  readonly #max: number
  readonly #count: CountListen
  readonly #byClient = new Map<string, number>()
  #inFlight = 0

  constructor(count: CountListen, max: number = SLOW_IN_FLIGHT_MAX) {
    this.#count = count
    this.#max = max
  }

  /** Slow queries in flight now. */
  get inFlight(): number {
    return this.#inFlight
  }

  /** Clients that have slow queries in flight now. */
  get clients(): number {
    return this.#byClient.size
  }

  /**
   * Takes a place for a query of that address; false where there is none, which is counted. Pair with `leave`.
   */
  enter(client: string): boolean {
    const held = this.#byClient.get(client) ?? 0
    if (held >= this.#max - this.#inFlight) {
      this.#count('slow-refused')
      return false
    }
    this.#byClient.set(client, held + 1)
    this.#inFlight++
    return true
  }

  /** Gives the place back. */
  leave(client: string): void {
    const held = this.#byClient.get(client)
    if (held === undefined) return
    if (held === 1) this.#byClient.delete(client)
    else this.#byClient.set(client, held - 1)
    this.#inFlight--
  }
}
