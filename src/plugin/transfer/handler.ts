// `transfer` at work: answers AXFR and IXFR with a copy of the zone that another plugin of the block has.

import { pluginIndex } from '../../observe/query-meters.ts'
import { NEXT, type Packet, type Step } from '../../query/packet.ts'
import type { ZoneCopy } from '../../query/zone-copy.ts'
import { EDE } from '../../wire/extended-error.ts'
import { FLAG_AA } from '../../wire/header.ts'
import { formatName } from '../../wire/name.ts'
import { RCODE } from '../../wire/rcode.ts'
import { TYPE } from '../../wire/rrtype.ts'
import { SECTION } from '../../wire/walk.ts'
import type { Handler, ServingContext } from '../plugin.ts'
import { ruleOf, type TransferConfig, type TransferRule } from './config.ts'
import { OutgoingTransfer, Places, TRANSFER_MAX_MS, TRANSFERS_MAX } from './outgoing.ts'
import { readIxfrSerial } from './serial.ts'

const PLUGIN = pluginIndex('transfer')
const LOG_FROM = 'plugin/transfer'

/** The rules of one server block on one serving thread. */
export class TransferHandler implements Handler {
  readonly #config: TransferConfig
  readonly #context: ServingContext
  readonly #places: Places

  constructor(config: TransferConfig, context: ServingContext) {
    this.#config = config
    this.#context = context
    this.#places = new Places(Math.ceil(TRANSFERS_MAX / context.threads))
  }

  handle(packet: Packet): Step {
    const { qtype } = packet.scan
    if (qtype !== TYPE.AXFR && qtype !== TYPE.IXFR) return NEXT
    if (packet.transport !== 'tcp' && packet.transport !== 'tls') return packet.fail(RCODE.REFUSED)
    const { qname } = packet
    const rule = ruleOf(this.#config, qname)
    if (!rule) return NEXT
    if (!isAllowed(rule, packet.client.address)) return refuse(packet)
    const { octets, start, end } = packet
    const clientSerial = qtype === TYPE.IXFR ? readIxfrSerial(octets.subarray(start, end)) : undefined
    // An IXFR without the SOA that the client has (RFC 1995 3): CoreDNS answers so.
    if (qtype === TYPE.IXFR && clientSerial === undefined) return packet.fail(RCODE.SERVFAIL)
    for (const handler of this.#context.handlers) {
      const zone = handler.copyOf?.(qname)
      if (zone === 'not-ready')
        return packet.fail(RCODE.SERVFAIL, EDE.NOT_READY, 'the zone is not complete yet')
      if (zone) return this.#send(packet, zone, clientSerial)
    }
    return NEXT
  }

  #send(packet: Packet, zone: ZoneCopy, clientSerial: number | undefined): Step {
    const { soa, serial } = zone
    const [name, client] = [formatName(packet.qname), packet.client.address]
    if (clientSerial === serial) {
      const text = `Outgoing noop, incremental transfer for up to date zone "${name}" to ${client} for ${serial} SOA serial`
      this.#context.log.write('INFO', LOG_FROM, text)
      const { owner, type, ttlSeconds, rdata } = soa
      packet.compose().record(SECTION.ANSWER, owner, 0, type, soa.class, ttlSeconds, rdata, 0, rdata.length)
      return packet.composed(RCODE.NOERROR, PLUGIN, FLAG_AA)
    }
    if (!this.#places.enter(client)) {
      this.#count('refused')
      return packet.fail(RCODE.SERVFAIL, EDE.OTHER, 'too many transfers at once')
    }
    const { clock, log } = this.#context
    const startedMs = clock.nowMs()
    const expired = (): boolean => clock.nowMs() - startedMs > TRANSFER_MAX_MS
    packet.transfer = new OutgoingTransfer(zone, expired, (complete, records) => {
      this.#places.leave(client)
      this.#count(complete ? 'complete' : 'cut')
      const what = `of ${records} records of zone "${name}" to ${client} for ${serial} SOA serial`
      if (complete) log.write('INFO', LOG_FROM, `Outgoing transfer ${what}`)
      else log.write('WARNING', LOG_FROM, `Outgoing transfer cut off, ${what} is all that was sent`)
    })
    packet.compose()
    return packet.composed(RCODE.NOERROR, PLUGIN, FLAG_AA)
  }

  #count(result: 'complete' | 'cut' | 'refused'): void {
    this.#context.meters.counter('seamark_transfers_total', { result }).add()
  }
}

const isAllowed = ({ anyone, peers }: TransferRule, client: string): boolean =>
  anyone || peers.some(({ address }) => address === client)

/** The peer is none of those that the rule names. */
function refuse(packet: Packet): Step {
  const step = packet.fail(RCODE.REFUSED)
  packet.plugin = PLUGIN
  return step
}
