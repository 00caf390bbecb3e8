// Random choices that are the same for the same seed, so that what they led to can be had again.

/** Whole numbers below 2^32 (mulberry32). */
function mulberry32(seed: number): () => number {
  let state = seed >>> 0
  return () => {
    state = (state + 0x6d2b79f5) >>> 0
    let mixed = Math.imul(state ^ (state >>> 15), state | 1)
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61)
    return (mixed ^ (mixed >>> 14)) >>> 0
  }
}

/** Numbers in [0, 1), in the place of Math.random. */
export function seededRandom(seed: number): () => number {
  const next = mulberry32(seed)
  return () => next() / 2 ** 32
}

/** Choices. */
export class Random {
  readonly #next: () => number

  constructor(seed: number) {
    this.#next = mulberry32(seed)
  }

  /** 0 … limit - 1 */
  below(limit: number): number {
    return this.#next() % limit
  }

  chance(percent: number): boolean {
    return this.below(100) < percent
  }

  pick<Value>(values: readonly Value[]): Value {
    return values[this.below(values.length)]!
  }
}
