// `forward` at work. Several directives in one server block are rules tried in the order of the file: the first whose FROM
// covers the name and whose `except` does not takes the query (CoreDNS plugin/forward). One rule at work: rule.ts.

import type { Query } from '../../query/query.ts'
import type { MaybePromise, Outcome } from '../../query/reply.ts'
import type { Next, ServingContext, TreeHandler } from '../plugin.ts'
import type { ForwardConfig } from './config.ts'
import type { LookupHost } from './lookup-host.ts'
import { Rule } from './rule.ts'

/** The rules of one server block on one serving thread. */
export class ForwardHandler implements TreeHandler {
  readonly trees = true
  readonly #rules: readonly Rule[]

  /** `lookup` finds the addresses of host names among the TOs; the machine's resolver where absent. */
  constructor(config: ForwardConfig, context: ServingContext, lookup?: LookupHost) {
    this.#rules = config.rules.map(rule => new Rule(rule, context, lookup))
  }

  handle(query: Query, next: Next): MaybePromise<Outcome> {
    const first = this.#after(0, query)
    return first < 0 ? next(query) : this.#ask(first, query)
  }

  stop(): void {
    for (const rule of this.#rules) rule.stop()
  }

  async #ask(first: number, query: Query): Promise<Outcome> {
    for (let at = first; ; ) {
      const rule = this.#rules[at]!
      const reply = await rule.ask(query)
      // What a rule would pass on stays when no later rule covers the name.
      const later = reply.plugin !== '' && rule.passesOn(reply) ? this.#after(at + 1, query) : -1
      if (later < 0) return reply
      at = later
    }
  }

  /** The first rule from `start` on that takes the query; -1 for none. */
  #after(start: number, { question }: Query): number {
    for (let at = start; at < this.#rules.length; at++) {
      if (this.#rules[at]!.matches(question.qname)) return at
    }
    return -1
  }
}
