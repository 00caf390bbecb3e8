// `view` at work: whether a query is for its server block.

import type { Query } from '../../query/query.ts'
import type { MaybePromise, Outcome } from '../../query/reply.ts'
import type { Next, TreeHandler } from '../plugin.ts'
import type { ViewConfig } from './config.ts'
import { compileExpression, type Evaluate } from './expression/compile.ts'

/** The condition of one server block on one serving thread. */
export class ViewHandler implements TreeHandler {
  readonly trees = true
  readonly name: string
  readonly #conditions: readonly Evaluate[]

  constructor({ name, expressions }: ViewConfig) {
    this.name = name
    this.#conditions = expressions.map(compileExpression)
  }

  /** Whether the query is for the server block. What an expression cannot say counts as false. */
  accepts(query: Query): boolean {
    for (const condition of this.#conditions) if (condition(query) !== true) return false
    return true
  }

  annotate({ metadata }: Query): void {
    metadata.set('view/name', this.name)
  }

  handle(query: Query, next: Next): MaybePromise<Outcome> {
    return next(query)
  }
}
