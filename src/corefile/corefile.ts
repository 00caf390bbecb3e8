// What a Corefile is once it is read: server blocks of directives, whatever these mean.

import type { Key } from './key.ts'
import type { Problem } from './problem.ts'
import type { Token } from './token.ts'

/** One line inside a server block or inside another directive's block. */
export interface Directive {
  readonly word: Token
  readonly args: readonly Token[]
  /** The lines between its braces; undefined without braces. */
  readonly block: readonly Directive[] | undefined
}

/** Zones and the directives they share. */
export interface ServerBlock {
  /** At least one; several for one written key that is a network. */
  readonly keys: readonly Key[]
  /** In the order of the file; the chain's order is in words.ts. */
  readonly directives: readonly Directive[]
}

/** A Corefile as read. It may be served when no problem is an error. */
export interface Corefile {
  readonly blocks: readonly ServerBlock[]
  readonly problems: readonly Problem[]
  /** Every file read, in order, each once, the Corefile first. */
  readonly files: readonly string[]
}
