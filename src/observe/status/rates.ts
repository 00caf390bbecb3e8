// Figures a second out of counters: what was counted between two looks.

import type { FamilySamples, Sample } from '../registry.ts'

/** One label set, with what was counted of it since the look before. */
export interface Change {
  readonly labels: Readonly<Record<string, string>>
  /** As in Sample. */
  readonly numbers: readonly number[]
}

/** Two looks at counters. */
export class Rates {
  #before = new Map<string, readonly number[]>()
  #beforeMs: number
  #changes = new Map<string, readonly Change[]>()
  #seconds = 1

  /** At `startMs` nothing was counted yet. */
  constructor(startMs: number) {
    this.#beforeMs = startMs
  }

  /** Looks again. */
  look(families: readonly FamilySamples[], nowMs: number): void {
    const now = new Map<string, readonly number[]>()
    const changes = new Map<string, readonly Change[]>()
    for (const { family, samples } of families) {
      changes.set(
        family.name,
        samples.map(sample => {
          const key = `${family.name}\0${sample.values.join('\0')}`
          now.set(key, [...sample.numbers])
          const before = this.#before.get(key) ?? []
          return {
            labels: labelsOf(family.labels, sample),
            numbers: sample.numbers.map((n, i) => n - (before[i] ?? 0)),
          }
        }),
      )
    }
    this.#seconds = Math.max(0.001, (nowMs - this.#beforeMs) / 1000)
    this.#before = now
    this.#beforeMs = nowMs
    this.#changes = changes
  }

  /** What changed of a family. */
  changes(family: string): readonly Change[] {
    return this.#changes.get(family) ?? []
  }

  perSecond(count: number): number {
    return count / this.#seconds
  }
}

const labelsOf = (names: readonly string[], { values }: Sample): Record<string, string> =>
  Object.fromEntries(names.map((name, i) => [name, values[i] ?? '']))

export const sumOf = (changes: readonly Change[]): number =>
  changes.reduce((sum, { numbers }) => sum + (numbers[0] ?? 0), 0)

/** Observations in histograms of the same bounds. */
export const countOf = (changes: readonly Change[]): number =>
  changes.reduce((sum, { numbers }) => sum + numbers.slice(0, -1).reduce((a, b) => a + b, 0), 0)

/**
 * The bound, in ms, below which that part of the observations lies, between two bounds in proportion; undefined where there were
 * none.
 */
export function quantileMs(
  changes: readonly Change[],
  boundsSeconds: readonly number[],
  part: number,
): number | undefined {
  const all = countOf(changes)
  if (all <= 0) return undefined
  let below = 0
  for (let i = 0; i < boundsSeconds.length; i++) {
    const here = changes.reduce((sum, { numbers }) => sum + (numbers[i] ?? 0), 0)
    const from = i === 0 ? 0 : boundsSeconds[i - 1]!
    if (below + here >= part * all && here > 0)
      return 1000 * (from + ((boundsSeconds[i]! - from) * (part * all - below)) / here)
    below += here
  }
  return 1000 * boundsSeconds.at(-1)!
}
