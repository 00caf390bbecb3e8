// A Sink that keeps what it is told, with a log of every call, so that tests can look at the state and at how it came
// about.

import { type Kind, type Kinds, objectKey, type Sink } from '../../src/objects/objects.ts'

/** The objects of each kind by key, and the calls that made them so. */
export class RecordingSink implements Sink {
  /** `replace Service 3`, `upsert Service default/web`, `remove Service default/web`. */
  readonly calls: string[] = []
  readonly synced = new Set<Kind>()
  /** Throws from the next calls, so often. */
  failures = 0
  readonly #objects = new Map<Kind, Map<string, Kinds[Kind]>>()

  replace<K extends Kind>(kind: K, objects: Iterable<Kinds[K]>): void {
    const replaced = new Map([...objects].map(object => [objectKey(object), object]))
    this.#called(`replace ${kind} ${replaced.size}`)
    this.#objects.set(kind, replaced)
    this.synced.add(kind)
  }

  upsert<K extends Kind>(kind: K, object: Kinds[K]): void {
    this.#called(`upsert ${kind} ${objectKey(object)}`)
    this.of(kind).set(objectKey(object), object)
  }

  remove(kind: Kind, key: string): void {
    this.#called(`remove ${kind} ${key}`)
    this.of(kind).delete(key)
  }

  /** The objects of a kind, by key. */
  of<K extends Kind>(kind: K): Map<string, Kinds[K]> {
    let objects = this.#objects.get(kind)
    if (!objects) {
      objects = new Map()
      this.#objects.set(kind, objects)
    }
    return objects as Map<string, Kinds[K]>
  }

  /** The keys of a kind, sorted. */
  keys(kind: Kind): string[] {
    return [...this.of(kind).keys()].sort()
  }

  /** All objects of a kind in the order of their keys. */
  state<K extends Kind>(kind: K): Kinds[K][] {
    return this.keys(kind).map(key => this.of(kind).get(key) as Kinds[K])
  }

  #called(call: string): void {
    if (this.failures > 0) {
      this.failures--
      throw new Error('the sink was told to fail')
    }
    this.calls.push(call)
  }
}
