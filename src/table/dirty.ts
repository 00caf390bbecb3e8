// Names that changed and are to be published with the next batch.

/** Publishes one name: whether an answer changed. Throws where it does not fit, having changed nothing. */
export type PublishName = (name: string) => boolean

/** Runs one change of the table: whether an answer changed, or that it did not fit. */
export type Attempt = (name: string, change: () => boolean) => boolean | 'full'

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
   * Publishes all of them; whether an answer changed. What does not fit stays for the next batch: something may have gone by
   * then.
   */
  publish(attempt: Attempt): boolean {
    const names = this.#names
    this.#names = new Set()
    let changed = false
    for (const name of names) {
      const result = attempt(name, () => this.#publish(name))
      if (result === 'full') this.#names.add(name)
      else if (result) changed = true
    }
    return changed
  }
}
