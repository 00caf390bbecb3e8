// How many slow queries (forwarded, or answered by plugins) one serving thread holds at a time. Answers out
// of the table are never counted here: they cost nothing that could pile up. A client gets half of all at most, and
// the noisy one loses first (shared/fair-share.ts).

import { FairShare } from '../shared/fair-share.ts'
import type { CountListen } from './events.ts'

/** Slow queries in flight on one thread, all clients and transports together. */
export const SLOW_IN_FLIGHT_MAX = 10_000

export class Admission {
  readonly #places: FairShare
  readonly #count: CountListen

  constructor(count: CountListen, max: number = SLOW_IN_FLIGHT_MAX) {
    this.#places = new FairShare(max, 1)
    this.#count = count
  }

  /** Slow queries in flight now. */
  get inFlight(): number {
    return this.#places.held
  }

  /** Takes a place for a query of that address; false where there is none, which is counted. Pair with `leave`. */
  enter(client: string): boolean {
    const entered = this.#places.enter(client)
    if (!entered) this.#count('slow-refused')
    return entered
  }

  /** Gives the place back. */
  leave(client: string): void {
    this.#places.leave(client)
  }
}
