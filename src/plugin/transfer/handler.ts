// `transfer` at work: answers AXFR and IXFR with a copy of the zone that another plugin of the block has.

import type { Query } from '../../query/query.ts'
import { answer, type MaybePromise, type Outcome, type Reply, refused, servfail } from '../../query/reply.ts'
import type { ZoneCopy } from '../../query/zone-copy.ts'
import { EDE } from '../../wire/extended-error.ts'
import { formatName } from '../../wire/name.ts'
import { TYPE } from '../../wire/rrtype.ts'
import type { Next, ServingContext, TreeHandler } from '../plugin.ts'
import { ruleOf, type TransferConfig, type TransferRule } from './config.ts'
import { OutgoingTransfer, Places, TRANSFER_MAX_MS, TRANSFERS_MAX } from './outgoing.ts'

const PLUGIN = 'transfer'
const LOG_FROM = 'plugin/transfer'

/** The rules of one server block on one serving thread. */
export class TransferHandler implements TreeHandler {
  readonly trees = true
  readonly #config: TransferConfig
  readonly #context: ServingContext
  readonly #places: Places

  constructor(config: TransferConfig, context: ServingContext) {
    this.#config = config
    this.#context = context
    this.#places = new Places(Math.ceil(TRANSFERS_MAX / context.threads))
  }

  handle(query: Query, next: Next): MaybePromise<Outcome> {
    const { qname, qtype } = query.question
    if (qtype !== TYPE.AXFR && qtype !== TYPE.IXFR) return next(query)
    if (query.transport !== 'tcp' && query.transport !== 'tls') return refused()
    const rule = ruleOf(this.#config, qname)
    if (!rule) return next(query)
    if (!isAllowed(rule, query.client.address)) return { ...refused(), plugin: PLUGIN }
    // An IXFR without the SOA that the client has (RFC 1995 3): CoreDNS answers so.
    if (qtype === TYPE.IXFR && query.ixfrSerial === undefined) return servfail()
    for (const handler of this.#context.handlers) {
      const zone = handler.copyOf?.(qname)
      if (zone === 'not-ready') return servfail({ code: EDE.NOT_READY, text: 'the zone is not complete yet' })
      if (zone) return this.#send(query, zone)
    }
    return next(query)
  }

  #send(query: Query, zone: ZoneCopy): Reply {
    const { soa, serial } = zone
    const [name, client] = [formatName(query.question.qname), query.client.address]
    if (query.ixfrSerial === serial) {
      const text = `Outgoing noop, incremental transfer for up to date zone "${name}" to ${client} for ${serial} SOA serial`
      this.#context.log.write('INFO', LOG_FROM, text)
      return answer(PLUGIN, [soa])
    }
    if (!this.#places.enter(client)) {
      this.#count('refused')
      return servfail({ code: EDE.OTHER, text: 'too many transfers at once' })
    }
    const { clock, log } = this.#context
    const startedMs = clock.nowMs()
    const expired = (): boolean => clock.nowMs() - startedMs > TRANSFER_MAX_MS
    const transfer = new OutgoingTransfer(zone, expired, (complete, records) => {
      this.#places.leave(client)
      this.#count(complete ? 'complete' : 'cut')
      const what = `of ${records} records of zone "${name}" to ${client} for ${serial} SOA serial`
      if (complete) log.write('INFO', LOG_FROM, `Outgoing transfer ${what}`)
      else log.write('WARNING', LOG_FROM, `Outgoing transfer cut off, ${what} is all that was sent`)
    })
    return { ...answer(PLUGIN, []), transfer }
  }

  #count(result: 'complete' | 'cut' | 'refused'): void {
    this.#context.meters.counter('seamark_transfers_total', { result }).add()
  }
}

const isAllowed = ({ anyone, peers }: TransferRule, client: string): boolean =>
  anyone || peers.some(({ address }) => address === client)
