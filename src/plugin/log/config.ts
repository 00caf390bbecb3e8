// What the `log` directives of a block are told, as data.

import type { ReplyClass } from './classify.ts'

/** Names of one server block's log directives together. */
export const RULES_MAX = 1000

/** What is logged of the questions below one name. */
export interface LogRule {
  /** As written, a name with or without its final dot. */
  readonly name: string
  readonly format: string
  /** One of them, or `all`. */
  readonly classes: readonly ReplyClass[]
}

/** The configuration of `log`. */
export interface LogConfig {
  readonly rules: readonly LogRule[]
}
