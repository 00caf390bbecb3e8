// Questions under way: whoever asks what is being asked already waits for the same reply. An attacker who makes many
// clients ask one name so gains one guess, not many (the birthday attack; CVE-2023-30464), and an upstream sees a popular
// name's miss once.

import { FairShare } from '../../shared/fair-share.ts'

/** Different questions under way at one moment, for one rule on one serving thread; each may hold a socket. */
export const FLIGHTS_MAX = 4096
/** What one client may have under way, as a multiple of what is left for the others: eight ninths of all at most. */
export const CLIENT_MULTIPLE = 8

/** Joins equal questions. `T` is what comes of one; it is shared and must not be changed. */
export class InFlight<T> {
  readonly #flights = new Map<string, Promise<T>>()
  readonly #places = new FairShare(FLIGHTS_MAX, CLIENT_MULTIPLE)

  /** The question's result; `undefined` where it is new and there is no room for more questions of that client. */
  join(key: string, client: string, start: () => Promise<T>): Promise<T> | undefined {
    const known = this.#flights.get(key)
    if (known !== undefined) return known
    if (!this.#places.enter(client)) return undefined
    const flight = start().finally(() => {
      this.#flights.delete(key)
      this.#places.leave(client)
    })
    this.#flights.set(key, flight)
    return flight
  }
}
