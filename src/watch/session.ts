// One stream or list under way: the live watch whose events go to the sink, or the candidate that collects a complete
// state to follow it.

import type { Kind, Kinds } from '../objects/objects.ts'
import type { ApiCall } from './client.ts'

/** Versions by key that a live watch has told while a candidate was under way, '' for a removal. */
export type Ahead = Map<string, string>

/** How a session begins. */
export interface Beginning {
  readonly verb: 'list' | 'watch'
  readonly startedMs: number
  /** How long the server is asked to let a watch live. */
  readonly timeoutMs: number
}

/** A live watch or a candidate. */
export class Session<K extends Kind> {
  call: ApiCall | undefined
  readonly verb: 'list' | 'watch'
  readonly startedMs: number
  readonly timeoutMs: number
  /** What a candidate has collected; undefined once objects go to the sink. */
  collected: Map<string, Kinds[K]> | undefined = new Map()
  /** The version of every object that was collected, those that are not served included. */
  versions = new Map<string, string>()
  /** The initial state is complete. */
  complete = false
  /** The version reached. */
  version = ''
  /** An event or a bookmark came. */
  progress = false

  constructor({ verb, startedMs, timeoutMs }: Beginning) {
    this.verb = verb
    this.startedMs = startedMs
    this.timeoutMs = timeoutMs
  }

  /** A session that continues from a version instead of collecting. */
  static resume<K extends Kind>(version: string, beginning: Omit<Beginning, 'verb'>): Session<K> {
    const session = new Session<K>({ ...beginning, verb: 'watch' })
    session.collected = undefined
    session.complete = true
    session.version = version
    return session
  }

  /** Collects an object, or that it is not served; `version` is undefined for one that is gone. */
  collect(key: string, slim: Kinds[K] | undefined, version: string | undefined): void {
    if (slim) this.collected?.set(key, slim)
    else this.collected?.delete(key)
    if (version === undefined) this.versions.delete(key)
    else this.versions.set(key, version)
  }

  /** Forgets what was collected: the list begins again. */
  clear(): void {
    this.collected?.clear()
    this.versions.clear()
  }

  /** What was collected is in the sink; what comes now follows it there. */
  publish(): void {
    this.collected = undefined
    this.versions = new Map()
  }

  /** Strikes off what this candidate has seen, too; true if nothing is left. */
  hasCaughtUpWith(ahead: Ahead): boolean {
    for (const [key, version] of ahead) {
      const seen = version === '' ? !this.collected?.has(key) : this.versions.get(key) === version
      if (seen) ahead.delete(key)
    }
    return ahead.size === 0
  }
}
