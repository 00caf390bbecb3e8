// From what the API server sends to slim objects and keys. What is malformed is counted, and named in the log once.

import { textAt } from '../objects/field.ts'
import type { Kind, Kinds } from '../objects/objects.ts'
import { isProblem } from '../objects/slim.ts'
import { messageOf } from './api-error.ts'
import type { Convert } from './reflector-options.ts'

/** Skipped objects are named in the log up to this number, then only counted. */
const NAMED_MAX = 32

/** Takes in the raw objects of one resource. */
export class Intake<K extends Kind> {
  readonly #convert: Convert<K>
  readonly #warn: (message: string) => void
  readonly #named = new Set<string>()
  #skipped = 0

  constructor(convert: Convert<K>, warn: (message: string) => void) {
    this.#convert = convert
    this.#warn = warn
  }

  /** Malformed objects seen so far. */
  get skipped(): number {
    return this.#skipped
  }

  /** The slim copy; undefined for what is not served and for what is malformed (which is counted). */
  slim(raw: unknown): Kinds[K] | undefined {
    try {
      const slim = this.#convert(raw)
      if (slim === undefined || !isProblem(slim)) return slim
      this.skip(raw, `${slim.path.join('.')}: ${slim.problem}`)
    } catch (cause) {
      this.skip(raw, messageOf(cause))
    }
    return undefined
  }

  /** Counts a malformed object. */
  skip(raw: unknown, why: string): void {
    this.#skipped++
    const key = rawKey(raw) || '(without a name)'
    if (this.#named.has(key) || this.#named.size >= NAMED_MAX) return
    this.#named.add(key)
    this.#warn(`skipping ${key}: ${why}`)
  }
}

/** NAMESPACE/NAME or NAME in lower case, as objectKey has it of the slim copy; '' without a name. */
export function rawKey(raw: unknown): string {
  const name = textAt(raw, 'metadata', 'name').toLowerCase()
  const namespace = textAt(raw, 'metadata', 'namespace').toLowerCase()
  return namespace === '' || name === '' ? name : `${namespace}/${name}`
}
