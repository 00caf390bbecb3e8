// What the folder's reader has to say to its user: always with the file, line and column where the cause is written.

/** One message; line and column count from 1. */
export interface ManifestProblem {
  /** error: something is not served; warning: served, yet hardly as meant; info: good news. */
  readonly severity: 'error' | 'warning' | 'info'
  readonly file: string
  readonly line: number
  readonly column: number
  readonly message: string
}

export type Report = (problem: ManifestProblem) => void

/** FILE:LINE:COLUMN: severity: message, as compilers write it. */
export const formatProblem = (p: ManifestProblem): string =>
  `${p.file}:${p.line}:${p.column}: ${p.severity}: ${p.message}`

/** More messages than this in one look at the folder are summed up in one line. */
export const PROBLEMS_MAX = 200

/**
 * Passes each problem on once: not again while it lasts, whatever line it moves to, and again when it comes back
 * after it was gone. A file whose last error is gone is reported as well.
 */
export class ProblemLog {
  readonly #report: Report
  #known = new Set<string>()
  #failing = new Set<string>()

  constructor(report: Report) {
    this.#report = report
  }

  /** Takes every problem that there is now. */
  update(problems: readonly ManifestProblem[]): void {
    const now = new Set<string>()
    let told = 0
    for (const problem of problems) {
      const key = unused(now, `${problem.severity} ${problem.file} ${problem.message}`)
      now.add(key)
      if (this.#known.has(key)) continue
      if (told++ < PROBLEMS_MAX) this.#report(problem)
    }
    if (told > PROBLEMS_MAX) {
      const message = `and ${told - PROBLEMS_MAX} more problems`
      this.#report({ ...problems[problems.length - 1]!, severity: 'warning', message })
    }
    const failing = new Set(problems.filter(p => p.severity === 'error').map(p => p.file))
    for (const file of this.#failing) {
      if (failing.has(file)) continue
      this.#report({ severity: 'info', file, line: 1, column: 1, message: 'the errors here are gone' })
    }
    this.#known = now
    this.#failing = failing
  }
}

/** The key, or the key with the first free number behind it: the same words may be true of two places of a file. */
function unused(keys: ReadonlySet<string>, key: string): string {
  if (!keys.has(key)) return key
  let i = 2
  while (keys.has(`${key} ${i}`)) i++
  return `${key} ${i}`
}
