// How the Corefile stands: refused or not, and what is served in its place (last-good.ts); what warns of it, told once.

import { formatProblem } from '../corefile/problem.ts'
import type { ProcessLog } from '../observe/log.ts'
import type { Registry } from '../observe/registry.ts'
import { type Configuration, type ConfigurationSource, rejudge } from '../setup/configuration.ts'
import { publicProblem, publicText } from '../setup/public-text.ts'
import { readLastGood, saveLastGood } from './last-good.ts'

export interface CorefileStateOptions {
  readonly configuration: ConfigurationSource
  readonly log: ProcessLog
  readonly registry: Registry
  /** Where the configuration that was served last is kept; '' for nowhere. */
  readonly lastGood: string
  /** Told why the Corefile is not what is served, each time that it is looked at. */
  readonly refusal: (text: string) => void
}

export class CorefileState {
  readonly #options: CorefileStateOptions
  /** Why it is not what is served, as far as anybody may know it; '' where it is. */
  #refused = ''
  #keeping = Promise.resolve()
  /** Of the latest look at it: what stays as it was is told once. */
  #warnings: readonly string[] = []

  constructor(options: CorefileStateOptions) {
    this.#options = options
  }

  get refused(): string {
    return this.#refused
  }

  /** The same for /ready, one line or none. */
  get refusals(): readonly string[] {
    return this.#refused === '' ? [] : [`Corefile refused: ${this.#refused}`]
  }

  /** When the latest configuration is kept. */
  get kept(): Promise<void> {
    return this.#keeping
  }

  /** What was served before the Corefile was broken; its host names are looked up while serving. A text is what is wrong where there is nothing. */
  fallBack(broken: Configuration): Configuration | string {
    const errors = errorsOf(broken)
    this.#refused = publicErrorsOf(broken)
    const { lastGood, configuration, log } = this.#options
    if (lastGood === '') return errors
    const kept = readLastGood(lastGood)
    if (typeof kept === 'string') return `${errors}\nno last good configuration: ${kept}`
    const former = rejudge(configuration, kept.blocks)
    if (former.errors > 0) {
      return `${errors}\nthe last good configuration cannot be served either:\n${errorsOf(former)}`
    }
    log.write('ERROR', '', `the Corefile cannot be served: ${errors}`)
    const since = new Date(kept.savedAtMs).toISOString()
    log.write('ERROR', '', `serving the configuration of ${since}, which ${lastGood} has kept`)
    return former
  }

  /** Keeps what is served for a restart. */
  keep({ blocks }: Configuration): void {
    const { lastGood, log } = this.#options
    if (lastGood === '') return
    this.#keeping = this.#keeping
      .then(() => saveLastGood(lastGood, blocks, Date.now()))
      .catch((error: Error) => {
        log.write('WARNING', '', `keeping the configuration in ${lastGood}: ${error.message}`)
      })
  }

  /** Notes whether the Corefile is refused: the error with which a configuration could not be served, or undefined. */
  judge(next: Configuration, error: string | undefined): void {
    this.#refused =
      error === undefined ? '' : next.errors > 0 ? publicErrorsOf(next) : publicText(error, next.hidden)
    this.tell()
  }

  /** Says in the metrics, and to whoever is told, whether it is refused. */
  tell(): void {
    this.#options.registry.publish('seamark_corefile_refused', [
      { labels: {}, value: this.#refused === '' ? 0 : 1 },
    ])
    if (this.#refused !== '') this.#options.refusal(this.#refused)
  }

  /** What is wrong with the Corefile, and surprising in what is served, for anybody to read. */
  problems(current: Configuration | undefined): readonly string[] {
    if (current === undefined) return this.refusals
    const warnings = current.problems.filter(({ severity }) => severity === 'warning')
    return [...this.refusals, ...warnings.map(problem => publicProblem(problem, current.hidden))]
  }

  /** Tells the warnings that hold now and did not before. */
  warn({ problems }: Configuration): void {
    const warnings = problems.filter(({ severity }) => severity === 'warning').map(formatProblem)
    for (const warning of warnings) {
      if (!this.#warnings.includes(warning)) this.#options.log.write('WARNING', '', warning)
    }
    this.#warnings = warnings
  }
}

/** Everything that is wrong, a line each. */
export const errorsOf = (configuration: Configuration): string =>
  configuration.problems
    .filter(problem => problem.severity === 'error')
    .map(formatProblem)
    .join('\n')

const publicErrorsOf = ({ problems, hidden }: Configuration): string =>
  problems
    .filter(problem => problem.severity === 'error')
    .map(problem => publicProblem(problem, hidden))
    .join('\n')
