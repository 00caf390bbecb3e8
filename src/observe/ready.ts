// `ready`: /ready says 200 OK once everything that needs time to begin has begun (CoreDNS plugin/ready), until then 503
// and on its first line the plugins that it waits for; `?verbose` adds a line of explanation for each, and what else an
// operator should know. From the moment the process is told to end it says 503, so that no new client is sent here.
//
//   GET /ready           503  kubernetes
//   GET /ready?verbose   503  kubernetes
//                             kubernetes: waiting for the first list of endpointslices
//                             Corefile refused: Corefile:7:9: error: unknown property of kubernetes …

import type { HttpAnswer, HttpRoute } from './http-answers.ts'
import type { ThreadLog } from './thread-log.ts'

/** Something that takes time to begin. */
export interface ReadySource {
  /** The plugin: `kubernetes`. */
  readonly name: string
  ready(): boolean
  /** What it waits for, or how it is; one line. */
  explain(): string
}

/** until-ready asks a source until it was ready once; continuously asks it every time. */
export type MonitorMode = 'until-ready' | 'continuously'

/** Whether the process is ready, and why not. */
export class Readiness {
  readonly #log: ThreadLog
  readonly #notes: () => readonly string[]
  readonly #shown: (text: string) => string
  readonly #seenReady = new Set<ReadySource>()
  #sources: readonly ReadySource[] = []
  #mode: MonitorMode = 'until-ready'
  #ending = false

  /**
   * `notes` are further lines for `?verbose`, such as why the last reload was refused; `shown` makes what a source explains fit
   * for anybody's eyes.
   */
  constructor(
    log: ThreadLog,
    notes: () => readonly string[] = () => [],
    shown: (text: string) => string = text => text,
  ) {
    this.#log = log
    this.#notes = notes
    this.#shown = shown
  }

  /** Takes the sources of a new configuration; one that stays keeps what was seen of it. */
  watch(sources: readonly ReadySource[], mode: MonitorMode): void {
    this.#sources = sources
    this.#mode = mode
    for (const source of this.#seenReady) if (!sources.includes(source)) this.#seenReady.delete(source)
  }

  /** Says 503 from now on. */
  end(): void {
    this.#ending = true
  }

  /** The names of the plugins that are not ready, each once, in alphabetical order. */
  missing(): readonly string[] {
    const waiting = this.#sources.filter(source => !this.#isReady(source))
    return [...new Set(waiting.map(({ name }) => name))].sort()
  }

  /** What /ready answers. */
  readonly route: HttpRoute = query => this.#answer(query.has('verbose'))

  #answer(verbose: boolean): HttpAnswer {
    const missing = this.missing()
    const ready = missing.length === 0 && !this.#ending
    if (missing.length > 0 && !this.#ending) {
      this.#log.write('INFO', 'plugin/ready', `Plugins not ready: "${missing.join(',')}"`)
    }
    const head = this.#ending ? 'Shutting down' : ready ? 'OK' : missing.join(',')
    const details = verbose ? [...this.#sources.map(source => this.#explained(source)), ...this.#notes()] : []
    return { status: ready ? 200 : 503, body: [head, ...details].join('\n') + (verbose ? '\n' : '') }
  }

  #isReady(source: ReadySource): boolean {
    if (this.#mode === 'until-ready' && this.#seenReady.has(source)) return true
    const ready = source.ready()
    if (ready) this.#seenReady.add(source)
    return ready
  }

  #explained(source: ReadySource): string {
    return `${source.name}: ${this.#shown(source.explain())}`
  }
}
