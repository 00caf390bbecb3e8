// Connections in the order of their last use, oldest first: a list that is its own links, because every read
// moves one to the end.

import type { Account, Keeper } from './stream-memory.ts'

/** A connection as its listener knows it, whatever is spoken on it; idle while nothing is in flight and nothing waits to be written. */
export interface OpenConnection extends Keeper {
  readonly account: Account
  /** Neighbours in the order of use. */
  older: OpenConnection | undefined
  newer: OpenConnection | undefined
  /** Reads no more, answers what is in flight, then ends. */
  finish(): void
  /** Closes at once. */
  close(): void
  /** Enforces the timeouts; called about twice a second. */
  check(nowMs: number, idleMs: number): void
}

export class StreamOrder {
  #oldest: OpenConnection | undefined
  #newest: OpenConnection | undefined
  #size = 0

  get size(): number {
    return this.#size
  }

  add(connection: OpenConnection): void {
    this.#append(connection)
    this.#size++
  }

  remove(connection: OpenConnection): void {
    this.#unlink(connection)
    this.#size--
  }

  /** Moves a connection of the list to its end. */
  touch(connection: OpenConnection): void {
    if (connection === this.#newest) return
    this.#unlink(connection)
    this.#append(connection)
  }

  /** Oldest first. The connection at hand may be removed meanwhile. */
  *[Symbol.iterator](): Generator<OpenConnection> {
    for (let connection = this.#oldest; connection; ) {
      const next: OpenConnection | undefined = connection.newer
      yield connection
      connection = next
    }
  }

  #append(connection: OpenConnection): void {
    connection.older = this.#newest
    connection.newer = undefined
    if (this.#newest) this.#newest.newer = connection
    else this.#oldest = connection
    this.#newest = connection
  }

  #unlink(connection: OpenConnection): void {
    const { older, newer } = connection
    if (older) older.newer = newer
    else this.#oldest = newer
    if (newer) newer.older = older
    else this.#newest = older
    connection.older = connection.newer = undefined
  }
}
