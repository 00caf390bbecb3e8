// The plugins that answer with trees in CoreDNS's order, as one function.

import type { Next, TreeHandler } from '../plugin/plugin.ts'
import type { Query } from '../query/query.ts'
import type { MaybePromise, Outcome } from '../query/reply.ts'

/** The handlers as one function; what the last one hands on goes to `end`. */
export function composeChain(handlers: readonly TreeHandler[], end: Next): Next {
  return handlers.reduceRight<Next>(
    (next, handler) =>
      (query: Query): MaybePromise<Outcome> =>
        handler.handle(query, next),
    end,
  )
}
