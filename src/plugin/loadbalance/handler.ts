// `loadbalance` at work: orders every reply on its way back, and looks at the weight file from time to time.

import { readFile } from 'node:fs/promises'
import type { Query } from '../../query/query.ts'
import { DROP, type Outcome, type Reply } from '../../query/reply.ts'
import { type Cidr, ipFromBytes, parseCidr } from '../../shared/ip.ts'
import { Polled } from '../../shared/polled.ts'
import { nameKey } from '../../wire/name.ts'
import { RCODE } from '../../wire/rcode.ts'
import type { Rr } from '../../wire/record.ts'
import { TYPE } from '../../wire/rrtype.ts'
import type { Next, ServingContext, TreeHandler } from '../plugin.ts'
import type { LoadbalanceConfig, WeightFile } from './config.ts'
import { prefer, roundRobin, weighted } from './order.ts'
import { checkWeightText } from './weight-file.ts'
import { parseWeights, type Weights } from './weights.ts'

/** The policy of one server block on one serving thread. */
export class LoadbalanceHandler implements TreeHandler {
  readonly trees = true
  readonly #context: ServingContext
  readonly #file: WeightFile | undefined
  readonly #networks: readonly Cidr[]
  #text = ''
  #weights: Weights = new Map()
  readonly #polled: Polled | undefined

  constructor({ weights, prefer }: LoadbalanceConfig, context: ServingContext) {
    this.#context = context
    this.#file = weights
    this.#networks = prefer.flatMap(text => parseCidr(text) ?? [])
    if (weights?.text !== undefined) this.#take(weights.text)
    this.#polled = weights && this.#watch(weights)
    this.#polled?.start()
  }

  handle(query: Query, next: Next): Outcome | Promise<Outcome> {
    const outcome = next(query)
    return outcome instanceof Promise
      ? outcome.then(late => this.#order(query, late))
      : this.#order(query, outcome)
  }

  stop(): void {
    void this.#polled?.stop()
  }

  #order({ question: { qtype } }: Query, outcome: Outcome): Outcome {
    if (outcome === DROP || outcome.rcode !== RCODE.NOERROR) return outcome
    if (qtype === TYPE.AXFR || qtype === TYPE.IXFR) return outcome
    const ordered = this.#file === undefined ? this.#roundRobin(outcome) : this.#weighted(qtype, outcome)
    if (this.#networks.length === 0) return ordered
    return {
      ...ordered,
      answer: prefer(ordered.answer, this.#networks),
      additional: prefer(ordered.additional, this.#networks),
    }
  }

  #roundRobin(reply: Reply): Reply {
    const { random } = this.#context
    return {
      ...reply,
      answer: roundRobin(reply.answer, random),
      authority: roundRobin(reply.authority, random),
      additional: roundRobin(reply.additional, random),
    }
  }

  #weighted(qtype: number, reply: Reply): Reply {
    if (qtype !== TYPE.A && qtype !== TYPE.AAAA && qtype !== TYPE.SRV) return reply
    const weightOf = (record: Rr): number => this.#weightOf(record)
    const { random } = this.#context
    return {
      ...reply,
      answer: weighted(reply.answer, weightOf, random),
      additional: weighted(reply.additional, weightOf, random),
    }
  }

  #weightOf({ owner, rdata }: Rr): number {
    return this.#weights.get(nameKey(owner))?.get(ipFromBytes(rdata).text) ?? 1
  }

  #take(text: string): void {
    const weights = parseWeights(text)
    if (typeof weights === 'string') return
    this.#text = text
    this.#weights = weights
  }

  /** Looks at the file; what cannot be read or understood changes nothing. */
  #watch({ file, reloadMs }: WeightFile): Polled {
    return new Polled({
      clock: this.#context.clock,
      look: () => this.#look(file),
      intervalMs: () => reloadMs,
      trouble: problem => this.#log('ERROR', `${problem}; the weights stay as they are`),
      well: () => this.#log('INFO', `the weight file ${file} is there again`),
    })
  }

  async #look(file: string): Promise<string | undefined> {
    const read = await readFile(file, 'utf8').then(checkWeightText, (error: Error) => ({
      problem: `reading the weight file: ${error.message}`,
    }))
    if (!('text' in read)) return read.problem
    if (read.text !== this.#text && !this.#polled?.stopped) {
      this.#take(read.text)
      this.#log('INFO', `Successfully reloaded weight file ${file}`)
    }
    return undefined
  }

  /** Every serving thread reads the file; one of them tells. */
  #log(level: 'ERROR' | 'INFO', text: string): void {
    if (this.#context.thread === 0) this.#context.log.write(level, 'plugin/loadbalance', text)
  }
}
