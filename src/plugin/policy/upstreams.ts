// Whom `forward` asks for some clients in place of its own upstreams: a rule of it for each line, with connections and health of
// its own. What they say is nobody else's: `cache` keeps it under a key of the line.

import { createHash } from 'node:crypto'
import type { Apart, Packet, Step } from '../../query/packet.ts'
import { DONE } from '../../query/packet.ts'
import { addressText, defaultRule } from '../forward/config.ts'
import { Rule } from '../forward/rule.ts'
import type { OpenUdp } from '../forward/udp.ts'
import type { ServingContext } from '../plugin.ts'
import type { UpstreamRule } from './config.ts'

const KEY_OCTETS = 16

export class Upstreams implements Apart {
  /** Of whom and what the line says, so that it outlives a reload which leaves that as it is, and no other. */
  readonly key: Uint8Array
  /** What a person is told of it. */
  readonly text: string
  /** Where the line is, and its words. */
  readonly written: string
  readonly #rule: Rule

  constructor({ from, to, written }: UpstreamRule, context: ServingContext, open: OpenUdp) {
    this.key = createHash('sha256')
      .update(JSON.stringify([from, to]))
      .digest()
      .subarray(0, KEY_OCTETS)
    const addresses = to.map(each => (each.kind === 'address' ? addressText(each) : ''))
    this.written = written
    this.text = `${addresses.join(', ')} (${written})`
    this.#rule = new Rule(defaultRule('.', to), context, () => DONE, open, undefined)
  }

  ask(packet: Packet): Step {
    return this.#rule.ask(packet)
  }

  rest(): void {
    this.#rule.rest()
  }

  stop(): void {
    this.#rule.stop()
  }
}
