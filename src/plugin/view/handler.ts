// `view` at work: whether a query is for its server block.

import { NEXT, type Packet, type Step } from '../../query/packet.ts'
import type { Handler } from '../plugin.ts'
import type { ViewConfig } from './config.ts'
import { compileExpression, type Evaluate } from './expression/compile.ts'

/** The condition of one server block on one serving thread. */
export class ViewHandler implements Handler {
  readonly name: string
  readonly #conditions: readonly Evaluate[]

  constructor({ name, expressions }: ViewConfig) {
    this.name = name
    this.#conditions = expressions.map(compileExpression)
  }

  /** HOT: whether the packet is for the server block. What an expression cannot say counts as false. */
  accepts(packet: Packet): boolean {
    for (let i = 0; i < this.#conditions.length; i++) if (this.#conditions[i]!(packet) !== true) return false
    return true
  }

  annotate(_packet: Packet, labels: Map<string, string>): void {
    labels.set('view/name', this.name)
  }

  handle(): Step {
    return NEXT
  }
}
