// Connections in the order of their last use, oldest first: a list that is its own links, because every read
// moves one to the end.

import type { StreamConnection } from './stream-connection.ts'

export class StreamOrder {
  #oldest: StreamConnection | undefined
  #newest: StreamConnection | undefined
  #size = 0

  get size(): number {
    return this.#size
  }

  add(connection: StreamConnection): void {
    this.#append(connection)
    this.#size++
  }

  remove(connection: StreamConnection): void {
    this.#unlink(connection)
    this.#size--
  }

  /** Moves a connection of the list to its end. */
  touch(connection: StreamConnection): void {
    if (connection === this.#newest) return
    this.#unlink(connection)
    this.#append(connection)
  }

  /** Oldest first. The connection at hand may be removed meanwhile. */
  *[Symbol.iterator](): Generator<StreamConnection> {
    for (let connection = this.#oldest; connection; ) {
      const next: StreamConnection | undefined = connection.newer
      yield connection
      connection = next
    }
  }

  #append(connection: StreamConnection): void {
    connection.older = this.#newest
    connection.newer = undefined
    if (this.#newest) this.#newest.newer = connection
    else this.#oldest = connection
    this.#newest = connection
  }

  #unlink(connection: StreamConnection): void {
    const { older, newer } = connection
    if (older) older.newer = newer
    else this.#oldest = newer
    if (newer) newer.older = older
    else this.#newest = older
    connection.older = connection.newer = undefined
  }
}
