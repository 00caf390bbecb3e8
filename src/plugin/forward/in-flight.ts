// Questions under way: whoever asks what is being asked already waits for the same reply. An attacker who makes many
// clients ask one name so gains one guess, not many (the birthday attack; CVE-2023-30464), and an upstream sees a popular
// name's miss once.

/** Different questions under way at one moment, for one rule on one serving thread; each may hold a socket. */
export const FLIGHTS_MAX = 4096

/** Joins equal questions. `T` is what comes of one; it is shared and must not be changed. */
export class InFlight<T> {
  readonly #flights = new Map<string, Promise<T>>()

  /** The question's result; `undefined` where it is new and FLIGHTS_MAX are under way. */
  join(key: string, start: () => Promise<T>): Promise<T> | undefined {
    const known = this.#flights.get(key)
    if (known !== undefined) return known
    if (this.#flights.size >= FLIGHTS_MAX) return undefined
    const flight = start().finally(() => this.#flights.delete(key))
    this.#flights.set(key, flight)
    return flight
  }

  get size(): number {
    return this.#flights.size
  }
}
