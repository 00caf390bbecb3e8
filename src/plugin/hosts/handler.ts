// `hosts` at work (CoreDNS plugin/hosts/hosts.go):
//
//   PTR of a listed address            its names, whatever the zones; of any other address: the next plugin
//   a name outside the zones           the next plugin
//   a listed name                      its addresses; for another type nothing at all, not even an SOA
//   another name, fallthrough for it   the next plugin
//   another name                       SERVFAIL: there is no SOA to deny it with

import { pluginIndex } from '../../observe/query-meters.ts'
import { NEXT, type Packet, type Step } from '../../query/packet.ts'
import { ZoneTable } from '../../query/zone-table.ts'
import { EDE } from '../../wire/extended-error.ts'
import { FLAG_AA } from '../../wire/header.ts'
import { name } from '../../wire/name.ts'
import { RCODE } from '../../wire/rcode.ts'
import { CLASS, TYPE } from '../../wire/rrtype.ts'
import type { Scan } from '../../wire/scan.ts'
import { SECTION } from '../../wire/walk.ts'
import type { Handler, ServingContext } from '../plugin.ts'
import type { HostsConfig } from './config.ts'
import { hostsKey } from './load.ts'
import { FoundValues } from './multimap.ts'
import { HostTable } from './table.ts'

const PLUGIN = pluginIndex('hosts')
const NOT_LISTED = 'not among the hosts, which have no fallthrough'

const found = new FoundValues()

export class HostsHandler implements Handler {
  readonly #config: HostsConfig
  readonly #key: string
  readonly #published: ServingContext['images']
  #table: HostTable
  readonly #zones: ZoneTable<{ readonly zone: Uint8Array }>
  readonly #fallthrough: ZoneTable<{ readonly zone: Uint8Array }>

  constructor(config: HostsConfig, context: ServingContext) {
    this.#config = config
    this.#key = hostsKey(config)
    this.#published = context.images
    this.#table = new HostTable(config.loaded.image)
    this.#zones = zonesOf(config.zones)
    this.#fallthrough = zonesOf(config.fallthrough)
  }

  /** The latest state of the file that was published. */
  get #latest(): HostTable {
    const image = this.#published.get(this.#key)
    if (image !== undefined && image !== this.#table.buffer) this.#table = new HostTable(image)
    return this.#table
  }

  concerns(scan: Scan): boolean {
    if (this.#latest.has(scan)) return true
    return scan.qtype !== TYPE.PTR && this.#zones.indexOf(scan) >= 0 && this.#fallthrough.indexOf(scan) < 0
  }

  /** HOT. */
  handle(packet: Packet): Step {
    const { scan } = packet
    const { qtype } = scan
    const table = this.#latest
    found.count = 0
    if (qtype === TYPE.PTR) {
      table.pointers(scan, found)
      return found.count === 0 ? NEXT : this.#answer(packet)
    }
    if (this.#zones.indexOf(scan) < 0) return NEXT
    const falls = this.#fallthrough.indexOf(scan) >= 0
    if (qtype === TYPE.A) table.addresses(scan, 4, found)
    else if (qtype === TYPE.AAAA) table.addresses(scan, 16, found)
    else if (falls && this.#config.fallthroughUnsupported) return NEXT
    if (found.count > 0 || table.hasAddress(scan)) return this.#answer(packet)
    if (!falls) return packet.fail(RCODE.SERVFAIL, EDE.OTHER, NOT_LISTED)
    packet.trace?.note('hosts', 'has no such host, and falls through')
    return NEXT
  }

  /** What was found, of the type that is asked. */
  #answer(packet: Packet): Step {
    const { question, qnameAt, scan } = packet
    const { ttlSeconds } = this.#config
    const { octets, ats, lengths, count } = found
    const composer = packet.compose()
    for (let i = 0; i < count; i++) {
      const at = ats[i]!
      const end = at + lengths[i]!
      composer.record(SECTION.ANSWER, question, qnameAt, scan.qtype, CLASS.IN, ttlSeconds, octets, at, end)
    }
    return packet.composed(RCODE.NOERROR, PLUGIN, FLAG_AA)
  }
}

const zonesOf = (zones: readonly string[]): ZoneTable<{ readonly zone: Uint8Array }> =>
  new ZoneTable(zones.map(zone => ({ zone: name(zone) })))
