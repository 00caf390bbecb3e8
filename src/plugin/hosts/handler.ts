// `hosts` at work (CoreDNS plugin/hosts/hosts.go):
//
//   PTR of a listed address            its names, whatever the zones; of any other address: the next plugin
//   a name outside the zones           the next plugin
//   a listed name                      its addresses; for another type nothing at all, not even an SOA
//   another name, fallthrough for it   the next plugin
//   another name                       SERVFAIL: there is no SOA to deny it with

import type { Query } from '../../query/query.ts'
import { answer, type MaybePromise, type Outcome, servfail } from '../../query/reply.ts'
import { ZoneTable } from '../../query/zone-table.ts'
import { EDE } from '../../wire/extended-error.ts'
import { foldName, isWithinAny, type Name, name } from '../../wire/name.ts'
import { rr } from '../../wire/record.ts'
import { TYPE } from '../../wire/rrtype.ts'
import type { Scan } from '../../wire/scan.ts'
import type { Next, ServingContext, TreeHandler } from '../plugin.ts'
import type { HostsConfig } from './config.ts'
import { HostsSource } from './source.ts'

const PLUGIN = 'hosts'

export class HostsHandler implements TreeHandler {
  readonly trees = true
  readonly #config: HostsConfig
  readonly #source: HostsSource
  readonly #zones: readonly Name[]
  readonly #fallthrough: readonly Name[]
  /** The same, to be held against scanned names. */
  readonly #zoneTable: ZoneTable<{ readonly zone: Name }>
  readonly #fallthroughTable: ZoneTable<{ readonly zone: Name }>

  constructor(config: HostsConfig, context: ServingContext) {
    this.#config = config
    this.#source = new HostsSource(config, context)
    this.#zones = config.zones.map(name)
    this.#fallthrough = config.fallthrough.map(name)
    this.#zoneTable = new ZoneTable(this.#zones.map(zone => ({ zone })))
    this.#fallthroughTable = new ZoneTable(this.#fallthrough.map(zone => ({ zone })))
  }

  stop(): void {
    this.#source.stop()
  }

  concerns(scan: Scan): boolean {
    if (this.#source.table.has(scan)) return true
    if (scan.qtype === TYPE.PTR || this.#zoneTable.indexOf(scan) < 0) return false
    return this.#fallthroughTable.indexOf(scan) < 0
  }

  handle(query: Query, next: Next): MaybePromise<Outcome> {
    const { qname, qtype } = query.question
    const { ttlSeconds, fallthroughUnsupported } = this.#config
    const { table } = this.#source
    const folded = foldName(qname)
    const records = (type: number, values: readonly Uint8Array[]): Outcome =>
      answer(
        PLUGIN,
        values.map(value => rr(qname, type, ttlSeconds, value)),
      )
    if (qtype === TYPE.PTR) {
      const names = table.pointers(folded)
      return names.length > 0 ? records(TYPE.PTR, names) : next(query)
    }
    if (!isWithinAny(qname, this.#zones)) return next(query)
    const falls = isWithinAny(qname, this.#fallthrough)
    const isAddress = qtype === TYPE.A || qtype === TYPE.AAAA
    if (!isAddress && falls && fallthroughUnsupported) return next(query)
    const v4 = table.addresses(folded, 4)
    const v6 = table.addresses(folded, 16)
    if (v4.length + v6.length > 0)
      return records(qtype, qtype === TYPE.A ? v4 : qtype === TYPE.AAAA ? v6 : [])
    if (falls) return next(query)
    return servfail({ code: EDE.OTHER, text: 'not among the hosts, which have no fallthrough' })
  }
}
