// `file` at work. The control thread reads the files, at the start (parse.ts) and again while serving
// (../../control/zone-files.ts); serving threads share one image of each zone.

import { pluginIndex } from '../../observe/query-meters.ts'
import { DONE, type Kept, LOOKUP, NEXT, type Packet, type Step } from '../../query/packet.ts'
import type { ZoneCopy } from '../../query/zone-copy.ts'
import { type Zoned, ZoneTable } from '../../query/zone-table.ts'
import { EDE } from '../../wire/extended-error.ts'
import { equalNames, formatName, type Name, name } from '../../wire/name.ts'
import { RCODE } from '../../wire/rcode.ts'
import { TYPE } from '../../wire/rrtype.ts'
import type { Handler, ServingContext } from '../plugin.ts'
import { takeAsked } from './chase.ts'
import { type FileConfig, type FileZone, zoneKey } from './config.ts'
import { ZoneImage } from './image.ts'
import { lookupZone } from './lookup.ts'
import type { ZoneReply } from './reply.ts'

const PLUGIN = pluginIndex('file')

/** One zone as served: its image now. */
class ServedFile {
  readonly zone: Name
  readonly #key: string
  readonly #published: ServingContext['images']
  #image: ZoneImage | undefined

  constructor(zone: FileZone, published: ServingContext['images']) {
    this.zone = name(zone.origin)
    this.#key = zoneKey(zone)
    this.#published = published
    if (zone.loaded) this.#image = new ZoneImage(zone.loaded.image)
  }

  /** Undefined where the file has never been read. */
  get image(): ZoneImage | undefined {
    const published = this.#published.get(this.#key)
    if (published && published !== this.#image?.buffer) this.#image = new ZoneImage(published)
    return this.#image
  }
}

/** The zones of one server block on one serving thread. */
export class FileHandler implements Handler {
  readonly #context: ServingContext
  readonly #zones: readonly ServedFile[]
  readonly #table: ZoneTable<ServedFile>
  readonly #fallthrough: ZoneTable<Zoned>

  constructor({ zones, fallthrough = [] }: FileConfig, context: ServingContext) {
    this.#context = context
    this.#zones = zones.map(zone => new ServedFile(zone, context.images))
    this.#table = new ZoneTable(this.#zones)
    this.#fallthrough = new ZoneTable(fallthrough.map(zone => ({ zone: name(zone) })))
  }

  /** HOT. */
  handle(packet: Packet): Step {
    const { scan } = packet
    const { qtype, folded, foldedLength } = scan
    const index = this.#table.indexOf(scan)
    // Nobody behind to ask: the name is not for this server (CoreDNS).
    if (index < 0) return this.#context.handlers.at(-1) === this ? packet.fail(RCODE.REFUSED) : NEXT
    if (qtype === TYPE.AXFR || qtype === TYPE.IXFR) return packet.fail(RCODE.REFUSED)
    const { image } = this.#table.at(index)
    if (!image) return packet.fail(RCODE.SERVFAIL)
    const reply = lookupZone(image, folded.slice(0, foldedLength), qtype, scan.dnssecOk)
    if (reply.fault !== undefined) return packet.fail(RCODE.SERVFAIL, EDE.OTHER, reply.fault)
    if (reply.wildcard !== undefined) packet.setLabel('zone/wildcard', formatName(reply.wildcard))
    if (reply.isMissing && this.#fallthrough.indexOf(scan) >= 0) return NEXT
    if (reply.target !== undefined) {
      packet.wishName = reply.target
      packet.wishType = qtype
      packet.keep(reply)
      return LOOKUP
    }
    reply.write(packet, PLUGIN)
    return DONE
  }

  /** The reply about the end of an alias. */
  found(packet: Packet, kept: Kept, asked: Packet): Step {
    const reply = kept as ZoneReply
    takeAsked(reply, reply.target!, asked)
    reply.write(packet, PLUGIN, asked)
    return DONE
  }

  copyOf(zone: Name): ZoneCopy | 'not-ready' | undefined {
    const served = this.#zones.find(each => equalNames(each.zone, zone))
    if (!served) return undefined
    const { image } = served
    if (!image) return 'not-ready'
    const { soa, serial } = image
    return { soa, serial, opening: soa, records: () => image.records() }
  }
}
