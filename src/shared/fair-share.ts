// Places that many clients share, of which the noisy lose theirs first: a client may hold a multiple of what is left for
// everybody (Choudhury and Hahne's dynamic threshold for shared buffers). With the multiple 1 one client alone gets half of
// all, two get a third each; with 8 it is eight ninths, and eight seventeenths. A client that holds nothing finds room until
// the last place is gone. Memory is bounded by the places: a client is known only while it holds one.

/** Places by client, who is told by a key. */
export class FairShare<Client = string> {
  readonly #max: number
  readonly #multiple: number
  readonly #byClient = new Map<Client, number>()
  #held = 0

  constructor(max: number, multiple: number) {
    this.#max = max
    this.#multiple = multiple
  }

  /** Places taken now. */
  get held(): number {
    return this.#held
  }

  /** Clients that hold places now. */
  get clients(): number {
    return this.#byClient.size
  }

  /** Takes a place for the client; false where there is none for it. Pair with `leave`. */
  enter(client: Client): boolean {
    const held = this.#byClient.get(client) ?? 0
    if (held >= this.#multiple * (this.#max - this.#held)) return false
    this.#byClient.set(client, held + 1)
    this.#held++
    return true
  }

  /** Gives the place back. */
  leave(client: Client): void {
    const held = this.#byClient.get(client)
    if (held === undefined) return
    if (held === 1) this.#byClient.delete(client)
    else this.#byClient.set(client, held - 1)
    this.#held--
  }
}
