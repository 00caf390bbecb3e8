// One stream or list under way: the live watch whose events go to the sink, or the candidate that collects a complete
// state to follow it.

import type { Kind, Kinds } from '../objects/objects.ts'
import type { ApiCall } from './client.ts'

/** Versions by key that a live watch has told while a candidate was under way, '' for a removal. */
export type Ahead = Map<string, string>

/** A live watch or a candidate. */
export class Session<K extends Kind> {
  call: ApiCall | undefined
  /** How it began. */
  readonly verb: 'list' | 'watch'
  readonly startedMs: number
  /** What a candidate has collected; undefined once objects go to the sink. */
  collected: Map<string, Kinds[K]> | undefined = new Map()
  /** The initial state is complete. */
  complete = false
  /** The version reached. */
  version = ''
  /** An event or a bookmark came. */
  progress = false
  /** Only beside a live watch: the version of each object that the candidate has seen. */
  #seen: Map<string, string> | undefined

  constructor(verb: 'list' | 'watch', startedMs: number, besideLive: boolean) {
    this.verb = verb
    this.startedMs = startedMs
    if (besideLive) this.#seen = new Map()
  }

  /** A session that continues from a version instead of collecting. */
  static resume<K extends Kind>(version: string, startedMs: number): Session<K> {
    const session = new Session<K>('watch', startedMs, false)
    session.collected = undefined
    session.complete = true
    session.version = version
    return session
  }

  /** Collects an object, or its absence. */
  collect(key: string, slim: Kinds[K] | undefined, version: string): void {
    if (slim) this.collected?.set(key, slim)
    else this.collected?.delete(key)
    this.#seen?.set(key, version)
  }

  /** Forgets what was collected: the list begins again. */
  clear(): void {
    this.collected?.clear()
    this.#seen?.clear()
  }

  /** What was collected is in the sink; what comes now follows it there. */
  publish(): void {
    this.collected = undefined
    this.#seen = undefined
  }

  /** Strikes off what this candidate has seen, too; true if nothing is left. */
  hasCaughtUpWith(ahead: Ahead): boolean {
    for (const [key, version] of ahead) {
      const seen = version === '' ? !this.collected?.has(key) : this.#seen?.get(key) === version
      if (seen) ahead.delete(key)
    }
    return ahead.size === 0
  }
}
