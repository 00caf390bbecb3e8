// What is wrong with a configuration, as values: each problem has a place, and where a choice was missed the word found
// and the words allowed. A parser goes on after a problem, so that one look shows all of them.
//
//   Corefile:7:9: error: unknown property of kubernetes (found "tll"; allowed: fallthrough, pods, ttl; did you mean "ttl"?)

import type { Place } from './token.ts'

/** One mistake in a configuration. A configuration with an error is not served; a warning changes nothing. */
export interface Problem {
  readonly severity: 'error' | 'warning'
  readonly file: string
  /** From 1. */
  readonly line: number
  /** From 1. */
  readonly column: number
  /** Lower case, without a full stop. */
  readonly message: string
  /** The word that stands there. */
  readonly found?: string
  /** The words that could stand there. */
  readonly allowed?: readonly string[]
  /** How the line is written. */
  readonly usage?: string
  /** A file, a folder or a host that is not known here, and may be where the server runs. */
  readonly absent?: true
}

/** What a problem may tell beside its message. */
export type Detail = Pick<Problem, 'found' | 'allowed' | 'absent'>

/** More problems than anybody reads; the rest is counted and told in one last line. */
export const PROBLEMS_MAX = 500

/** Collects problems in the order they are met, at most PROBLEMS_MAX. */
export class Problems {
  readonly #list: Problem[] = []
  #dropped = 0
  #errors = 0

  /** Adds an error at a place; the configuration will not be served. */
  error(place: Place, message: string, detail: Detail = {}): void {
    this.#errors++
    this.#add('error', place, message, detail)
  }

  /** Adds a warning at a place. */
  warning(place: Place, message: string, detail: Detail = {}): void {
    this.#add('warning', place, message, detail)
  }

  /** The number of errors so far, those beyond PROBLEMS_MAX included. */
  get errors(): number {
    return this.#errors
  }

  /** Runs `read`, and tells beside each problem it reports without a choice of words how its line is written. */
  explaining<T>(usageAt: (problem: Problem) => string | undefined, read: () => T): T {
    const from = this.#list.length
    const result = read()
    for (let i = from; i < this.#list.length; i++) {
      const problem = this.#list[i]!
      const usage = problem.allowed === undefined ? usageAt(problem) : undefined
      if (usage !== undefined) this.#list[i] = { ...problem, usage }
    }
    return result
  }

  /** Every problem so far; where some were dropped, the last one says how many. */
  get list(): readonly Problem[] {
    const last = this.#list.at(-1)
    if (last === undefined || this.#dropped === 0) return [...this.#list]
    const { file, line, column } = last
    const severity = this.#errors > 0 ? 'error' : 'warning'
    const message = `${this.#dropped} further problems after this one are not shown`
    return [...this.#list, { severity, file, line, column, message }]
  }

  #add(severity: Problem['severity'], { file, line, column }: Place, message: string, detail: Detail): void {
    if (this.#list.length >= PROBLEMS_MAX) this.#dropped++
    else this.#list.push({ severity, file, line, column, message, ...detail })
  }
}

/** A problem as one line: `FILE:LINE:COLUMN: error: message (found "x"; allowed: a, b; did you mean "a"?)`. */
export function formatProblem(problem: Problem): string {
  const { severity, file, line, column, message, found, allowed, usage } = problem
  const details: string[] = []
  if (found !== undefined) details.push(`found ${JSON.stringify(found)}`)
  if (allowed !== undefined && allowed.length > 0) details.push(`allowed: ${allowed.join(', ')}`)
  const near = found === undefined || allowed === undefined ? undefined : nearestWord(found, allowed)
  if (near !== undefined) details.push(`did you mean "${near}"?`)
  if (usage !== undefined) details.push(`usage: ${usage}`)
  const tail = details.length > 0 ? ` (${details.join('; ')})` : ''
  return `${file}:${line}:${column}: ${severity}: ${message}${tail}`
}

/** A word longer than this is nobody's slip of the keyboard; it bounds the work of a comparison. */
const NEAR_MAX_LENGTH = 64

/**
 * The allowed word that `found` most likely meant: at most a third of its letters wrong, never more than 3, of two letters
 * one; undefined where there is none. Of two equally near words the first counts.
 */
export function nearestWord(found: string, allowed: readonly string[]): string | undefined {
  const word = found.toLowerCase()
  if (word.length < 2 || word.length > NEAR_MAX_LENGTH) return undefined
  let best: string | undefined
  let bestDistance = Math.min(3, Math.max(1, Math.floor(word.length / 3))) + 1
  for (const candidate of allowed) {
    if (Math.abs(candidate.length - word.length) >= bestDistance) continue
    const distance = editDistance(word, candidate.toLowerCase())
    if (distance < bestDistance) {
      best = candidate
      bestDistance = distance
    }
  }
  return best === found ? undefined : best
}

/** Optimal string alignment: insert, delete, replace and swap of neighbours cost 1 each. */
function editDistance(a: string, b: string): number {
  let before: number[] = []
  let above = Array.from({ length: b.length + 1 }, (_, j) => j)
  for (let i = 1; i <= a.length; i++) {
    const row = [i]
    for (let j = 1; j <= b.length; j++) {
      const same = a[i - 1] === b[j - 1]
      row[j] = Math.min(above[j]! + 1, row[j - 1]! + 1, above[j - 1]! + (same ? 0 : 1))
      if (i > 1 && j > 1 && a[i - 1] === b[j - 2] && a[i - 2] === b[j - 1]) {
        row[j] = Math.min(row[j]!, before[j - 2]! + 1)
      }
    }
    before = above
    above = row
  }
  return above[b.length]!
}
