// What `view` is told, as data.

import type { Expression } from './expression/syntax.ts'

/** Expressions of one view. */
export const EXPRESSIONS_MAX = 100

/** The configuration of `view`. */
export interface ViewConfig {
  readonly name: string
  /** All must be true. */
  readonly expressions: readonly Expression[]
}
