// The most frequent of many keys in bounded memory (Metwally, Agrawal, El Abbadi: "Efficient computation of frequent and top-k
// elements in data streams"): a new key takes the place and the count of the least frequent one, which is what its own count
// may be too high by. A key with more than 1/places of all that was counted is never missing.

/** A key that is counted. */
export interface Counted<T> {
  readonly key: string
  /** Never less than the truth. */
  count: number
  /** What `count` may be too high by. */
  readonly error: number
  /** How often it was added since it has its place. */
  seen: number
  /** What was said of the key last. */
  last: T
}

export class SpaceSaving<T> {
  readonly #places: number
  readonly #counted = new Map<string, Counted<T>>()
  #total = 0

  /** `places`: keys that are counted at a time. */
  constructor(places: number) {
    this.#places = places
  }

  /** All that was counted. */
  get total(): number {
    return this.#total
  }

  add(key: string, count: number, last: T): void {
    this.#total += count
    const known = this.#counted.get(key)
    if (known !== undefined) {
      known.count += count
      known.seen++
      known.last = last
      return
    }
    const error = this.#counted.size < this.#places ? 0 : this.#dropLeast()
    this.#counted.set(key, { key, count: error + count, error, seen: 1, last })
  }

  get(key: string): Counted<T> | undefined {
    return this.#counted.get(key)
  }

  /** The most frequent ones, so many at most, by what is certain of their counts. */
  top(keys: number): readonly Counted<T>[] {
    return [...this.#counted.values()].sort((a, b) => b.count - b.error - (a.count - a.error)).slice(0, keys)
  }

  clear(): void {
    this.#counted.clear()
    this.#total = 0
  }

  #dropLeast(): number {
    let least: Counted<T> | undefined
    for (const counted of this.#counted.values())
      if (least === undefined || counted.count < least.count) least = counted
    this.#counted.delete(least!.key)
    return least!.count
  }
}
