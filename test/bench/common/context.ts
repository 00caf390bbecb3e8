// What the rows of the benchmarks work with, and what they give back.

import { Scope } from '../../e2e/processes.ts'
import type { Cores } from './cores.ts'
import type { RowResult } from './results.ts'
import { type Bench, type Subject, type SubjectId, start } from './servers.ts'

/** How much is measured. */
export interface Effort {
  readonly rounds: number
  /** Of each measurement. */
  readonly seconds: number
  /** Leaves out and makes smaller what takes minutes. */
  readonly quick: boolean
}

/** The servers that are kept running, one serving thread each, and what they are started in. */
export class Context {
  readonly bench: Bench
  readonly cores: Cores
  readonly effort: Effort
  /** Where query files go. */
  readonly folder: string
  readonly say: (line: string) => void
  /** The servers there are to measure. */
  readonly subjects: readonly SubjectId[]
  #scope = new Scope()
  readonly #started = new Map<SubjectId, Subject>()

  constructor(options: Pick<Context, 'bench' | 'cores' | 'effort' | 'folder' | 'say' | 'subjects'>) {
    this.bench = options.bench
    this.cores = options.cores
    this.effort = options.effort
    this.folder = options.folder
    this.say = options.say
    this.subjects = options.subjects
  }

  /** The server, started when it is asked for first. */
  async subject(id: SubjectId): Promise<Subject> {
    const known = this.#started.get(id)
    if (known) return known
    const subject = await start(this.#scope, id, this.bench, { cores: this.cores.server })
    this.#started.set(id, subject)
    return subject
  }

  /** Ends the servers; the next `subject` starts anew. */
  async stopAll(): Promise<void> {
    this.#started.clear()
    const scope = this.#scope
    this.#scope = new Scope()
    await scope.end()
  }

  /** Those of the given servers that there are. */
  available(wanted: readonly SubjectId[]): SubjectId[] {
    return wanted.filter(id => this.subjects.includes(id))
  }
}

/** One row, or several that are measured together. */
export interface Row {
  /** What `--rows` calls it. */
  readonly id: string
  readonly title: string
  run(context: Context): Promise<RowResult[]>
}
