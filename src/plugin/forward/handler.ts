// `forward` at work. Several directives in one server block are rules tried in the order of the file: the first whose FROM
// covers the name and whose `except` does not takes the query (CoreDNS plugin/forward), or the upstreams that `policy` gave its client
// in the place of those. One rule at work: rule.ts. Budget: 6 µs for a question asked and its reply relayed, sockets aside
// (`npm run bench:micro`).

import { DONE, NEXT, type Packet, type Step } from '../../query/packet.ts'
import type { Handler, ServingContext } from '../plugin.ts'
import type { ForwardConfig } from './config.ts'
import type { LookupHost } from './lookup-host.ts'
import { Rule } from './rule.ts'
import type { OpenUdp } from './udp.ts'
import { openUdp } from './udp-open.ts'

/** What a test has of its own. */
export interface ForwardOptions {
  /** Finds the addresses of host names among the TOs; the machine's resolver where absent. */
  readonly lookup?: LookupHost | undefined
  /** Opens sockets to upstreams. */
  readonly open?: OpenUdp | undefined
}

/** The rules of one server block on one serving thread. */
export class ForwardHandler implements Handler {
  readonly #rules: readonly Rule[]

  constructor(
    { rules }: ForwardConfig,
    context: ServingContext,
    { lookup, open = openUdp }: ForwardOptions = {},
  ) {
    const passOn = (rule: Rule, packet: Packet): Step => this.#passOn(rule, packet)
    this.#rules = rules.map(rule => new Rule(rule, context, passOn, open, lookup))
  }

  /** HOT. */
  handle(packet: Packet): Step {
    for (const rule of this.#rules) if (rule.matches(packet.scan)) return (packet.apart ?? rule).ask(packet)
    return NEXT
  }

  retire(): void {
    for (const rule of this.#rules) rule.rest()
  }

  stop(): void {
    for (const rule of this.#rules) rule.stop()
  }

  /** The next rule that covers the name is asked; what there is stays when none does. */
  #passOn(rule: Rule, packet: Packet): Step {
    for (let at = this.#rules.indexOf(rule) + 1; at < this.#rules.length; at++) {
      const later = this.#rules[at]!
      if (!later.matches(packet.scan)) continue
      packet.clear()
      return later.ask(packet)
    }
    return DONE
  }
}
