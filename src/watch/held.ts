// The objects of one resource that the sink holds: what the API server sends is compared with them, and only what says
// something new goes on. A sink that throws is counted, and what it did not take is not held.

import { textAt } from '../objects/field.ts'
import { type Kind, type Kinds, objectKey, type Sink } from '../objects/objects.ts'
import { same } from '../objects/same.ts'
import { messageOf } from './api-error.ts'
import { Intake, rawKey } from './intake.ts'
import type { Convert } from './reflector-options.ts'

/** One object as it came. */
export interface Incoming<K extends Kind> {
  /** Its key; '' where it has no name. */
  readonly key: string
  /** The slim copy, the very one that is held where it says the same; undefined for what is gone or not served. */
  readonly slim: Kinds[K] | undefined
  readonly version: string
}

/** Where the log hears of what is malformed or not taken. */
export interface HeldLog {
  warn(message: string): void
  error(message: string): void
}

export class HeldObjects<K extends Kind> {
  readonly #kind: K
  readonly #sink: Sink
  readonly #log: HeldLog
  readonly #intake: Intake<K>
  #objects = new Map<string, Kinds[K]>()
  /** Of every object that is there, those that are not served included. */
  #versions = new Map<string, string>()
  #sinkErrors = 0

  constructor(kind: K, sink: Sink, convert: Convert<K>, log: HeldLog) {
    this.#kind = kind
    this.#sink = sink
    this.#log = log
    this.#intake = new Intake(convert, message => log.warn(message))
  }

  /** What the sink holds, by key. */
  get all(): ReadonlyMap<string, Kinds[K]> {
    return this.#objects
  }

  /** The version of every object that the API server has told of, by key; of one that the sink did not take, the former. */
  get versions(): ReadonlyMap<string, string> {
    return this.#versions
  }

  /** Malformed objects seen. */
  get skipped(): number {
    return this.#intake.skipped
  }

  /** Exceptions thrown by the sink. */
  get sinkErrors(): number {
    return this.#sinkErrors
  }

  /** Reads an object; one without a name that is to be `deleted` is counted as malformed. */
  read(raw: unknown, deleted: boolean): Incoming<K> {
    const fresh = deleted ? undefined : this.#intake.slim(raw)
    const key = fresh ? objectKey(fresh) : rawKey(raw)
    if (key === '' && deleted) this.#intake.skip(raw, 'deleted, but without a name')
    const known = this.#objects.get(key)
    const slim = fresh && known && same(fresh, known) ? known : fresh
    return { key, slim, version: textAt(raw, 'metadata', 'resourceVersion') }
  }

  /** Gives a change to the sink, if it is one; `version` is undefined for an object that is gone. */
  apply(key: string, slim: Kinds[K] | undefined, version: string | undefined): void {
    const known = this.#objects.get(key)
    if (slim && slim !== known) {
      if (!this.#toSink(() => this.#sink.upsert(this.#kind, slim))) return
      this.#objects.set(key, slim)
    } else if (!slim && known) {
      if (!this.#toSink(() => this.#sink.remove(this.#kind, key))) return
      this.#objects.delete(key)
    }
    if (version === undefined) this.#versions.delete(key)
    else this.#versions.set(key, version)
  }

  /** Gives a whole set to the sink in one step; false where it did not take it. */
  replace(objects: Map<string, Kinds[K]>, versions: Map<string, string>): boolean {
    if (!this.#toSink(() => this.#sink.replace(this.#kind, objects.values()))) return false
    this.#objects = objects
    this.#versions = versions
    return true
  }

  #toSink(action: () => void): boolean {
    try {
      action()
      return true
    } catch (cause) {
      this.#sinkErrors++
      this.#log.error(`applying a change failed: ${messageOf(cause)}`)
      return false
    }
  }
}
