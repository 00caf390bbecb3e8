// The plugins of one server block in CoreDNS's order.

import type { Handler, Next } from '../plugin/plugin.ts'
import type { Query } from '../query/query.ts'
import { type MaybePromise, type Outcome, refused, servfail } from '../query/reply.ts'

/**
 * The handlers as one function. A block without plugins refuses; past the last one, a plugin of the name `last`, CoreDNS
 * fails (plugin.NextOrFailure).
 */
export function composeChain(handlers: readonly Handler[], last = ''): Next {
  const end: Next = () =>
    handlers.length === 0 ? refused() : servfail(undefined, `plugin/${last}: no next plugin found`)
  return handlers.reduceRight<Next>(
    (next, handler) =>
      (query: Query): MaybePromise<Outcome> =>
        handler.handle(query, next),
    end,
  )
}
