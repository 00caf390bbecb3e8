// Names that changed and are to be published with the next batch.

import type { Steps } from '../shared/steps.ts'

/** Publishes one name: whether an answer changed. Throws where it does not fit, having changed nothing. */
export type PublishName = (name: string) => Steps<boolean>

/** Runs one change of the table: whether an answer changed, or that it did not fit. */
export type Attempt = (name: string, change: Steps<boolean>) => Steps<boolean | 'full'>

/** The names of one sort, and how one of them is published. */
export class Dirty {
  readonly #publish: PublishName
  #names = new Set<string>()

  constructor(publish: PublishName) {
    this.#publish = publish
  }

  /** Each once, in the order in which they were first noted. */
  get names(): ReadonlySet<string> {
    return this.#names
  }

  add(name: string): void {
    this.#names.add(name)
  }

  /**
   * Publishes all of them; whether an answer changed. What does not fit stays for the next batch, something may have gone by
   * then, and so does what is noted meanwhile.
   */
  *publish(attempt: Attempt): Steps<boolean> {
    const names = this.#names
    this.#names = new Set()
    let changed = false
    for (const name of names) {
      const result = yield* attempt(name, this.#publish(name))
      if (result === 'full') this.#names.add(name)
      else if (result) changed = true
      yield
    }
    return changed
  }
}
