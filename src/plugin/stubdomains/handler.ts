// `stubdomains` at work: the StubDomains that are served stand in the table of the block's `kubernetes` as one text
// (table/stub-domains.ts). Each becomes a rule of `forward`; one that stays keeps its upstreams' connections and health, and one
// that goes ends what is under way.

import { DONE, NEXT, type Packet, type Step } from '../../query/packet.ts'
import type { TableReader } from '../../table/reader.ts'
import { type ServedStub, STUBS_KEY } from '../../table/stub-domains.ts'
import { numberOf, readText } from '../../table/texts.ts'
import { name, nameKey } from '../../wire/name.ts'
import type { Scan } from '../../wire/scan.ts'
import { addressText, defaultRule, type RuleConfig } from '../forward/config.ts'
import { Rule } from '../forward/rule.ts'
import type { OpenUdp } from '../forward/udp.ts'
import { openUdp } from '../forward/udp-open.ts'
import { KubernetesHandler } from '../kubernetes/handler.ts'
import type { Handler, ServingContext } from '../plugin.ts'

/** A StubDomain at work. */
interface Stub {
  readonly said: ServedStub
  /** What it says, to see whether it has changed. */
  readonly text: string
  readonly rule: Rule
}

export class StubDomainsHandler implements Handler {
  readonly #context: ServingContext
  readonly #open: OpenUdp
  #found: TableReader | undefined
  /** The number of the text that was read last; 0 for none. */
  #number = 0
  /** By the zone as octets of a lower-case name in wire form, one octet a character. */
  #stubs: ReadonlyMap<string, Stub> = new Map()

  constructor(context: ServingContext, open: OpenUdp = openUdp) {
    this.#context = context
    this.#open = open
  }

  handle(packet: Packet): Step {
    this.#read()
    const stub = this.#stubs.size === 0 ? undefined : this.#find(packet.scan)
    if (stub === undefined) return NEXT
    const { name: object, zone, upstreams } = stub.said
    packet.trace?.note(
      'stubdomains',
      `StubDomain ${object} sends ${zone} to ${upstreams.map(addressText).join(', ')}`,
      {
        stub: object,
      },
    )
    return stub.rule.ask(packet)
  }

  retire(): void {
    for (const { rule } of this.#stubs.values()) rule.rest()
  }

  stop(): void {
    for (const { rule } of this.#stubs.values()) rule.stop()
  }

  /** HOT: the StubDomain with the longest zone that the name is or is below. */
  #find({ folded, foldedLength, labelAt, labelCount }: Scan): Stub | undefined {
    for (let i = 0; i < labelCount; i++) {
      const stub = this.#stubs.get(Buffer.prototype.latin1Slice.call(folded, labelAt[i]!, foldedLength))
      if (stub !== undefined) return stub
    }
    return undefined
  }

  /** That of the block's `kubernetes`, which is made behind this one. */
  get #table(): TableReader | undefined {
    this.#found ??= this.#context.handlers.find(
      handler => handler instanceof KubernetesHandler,
    )?.cluster.table
    return this.#found
  }

  /** Takes what has changed since the last query. */
  #read(): void {
    const table = this.#table
    if (table === undefined || numberOf(table, STUBS_KEY) === this.#number) return
    const found = readText(table, STUBS_KEY)
    this.#number = found?.number ?? 0
    const said: readonly ServedStub[] = found === undefined ? [] : JSON.parse(found.text)
    const before = this.#stubs
    this.#stubs = new Map(said.map(each => [keyOf(each.zone), this.#stubOf(each, before)]))
    const kept = new Set(this.#stubs.values())
    for (const stub of before.values()) if (!kept.has(stub)) stub.rule.retire()
  }

  #stubOf(said: ServedStub, before: ReadonlyMap<string, Stub>): Stub {
    const text = JSON.stringify(said)
    const known = before.get(keyOf(said.zone))
    return known?.text === text
      ? known
      : { said, text, rule: new Rule(ruleOf(said), this.#context, () => DONE, this.#open, undefined) }
  }
}

const ruleOf = ({ zone, upstreams, policy, maxFails, forceTcp }: ServedStub): RuleConfig => ({
  ...defaultRule(
    `${zone}.`,
    upstreams.map(address => ({ kind: 'address', ...address })),
  ),
  policy,
  maxFails,
  forceTcp,
})

const keyOf = (zone: string): string => nameKey(name(`${zone}.`))
