// The lines of a growing log that tell of bugs: what was read once is not read again, nor kept.

import { closeSync, openSync, readSync } from 'node:fs'
import { bugLines } from '../../support/target.ts'

const CHUNK_OCTETS = 64 * 1024

export class LogTail {
  readonly #file: string
  readonly #chunk = Buffer.alloc(CHUNK_OCTETS)
  readonly #bugs: string[] = []
  #at = 0
  #begun = ''

  constructor(file: string) {
    this.#file = file
  }

  /** Those so far. */
  bugs(): readonly string[] {
    const descriptor = openSync(this.#file, 'r')
    try {
      for (;;) {
        const count = readSync(descriptor, this.#chunk, 0, CHUNK_OCTETS, this.#at)
        if (count === 0) return this.#bugs
        this.#at += count
        const lines = (this.#begun + this.#chunk.toString('utf8', 0, count)).split('\n')
        this.#begun = lines.pop()!
        this.#bugs.push(...bugLines({ output: () => lines.join('\n') }))
      }
    } finally {
      closeSync(descriptor)
    }
  }
}
