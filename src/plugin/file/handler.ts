// `file` at work. The control thread reads the files, at the start (parse.ts) and again while serving
// (../../control/zone-files.ts); serving threads share one image of each zone.

import type { Query } from '../../query/query.ts'
import { type MaybePromise, type Outcome, refused, servfail } from '../../query/reply.ts'
import type { ZoneCopy } from '../../query/zone-copy.ts'
import { equalNames, isWithin, type Name, name } from '../../wire/name.ts'
import { TYPE } from '../../wire/rrtype.ts'
import type { Next, ServingContext, TreeHandler } from '../plugin.ts'
import { type FileConfig, type FileZone, zoneKey } from './config.ts'
import { ZoneImage } from './image.ts'
import { type Lookup, lookupZone } from './lookup.ts'

/** One zone as served: its image now. */
class ServedFile {
  readonly origin: Name
  readonly #key: string
  readonly #published: ServingContext['zoneImages']
  #image: ZoneImage | undefined

  constructor(zone: FileZone, published: ServingContext['zoneImages']) {
    this.origin = name(zone.origin)
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
export class FileHandler implements TreeHandler {
  readonly trees = true
  readonly #context: ServingContext
  /** The longest first. */
  readonly #zones: readonly ServedFile[]
  readonly #fallthrough: readonly Name[]

  constructor({ zones, fallthrough = [] }: FileConfig, context: ServingContext) {
    this.#context = context
    this.#zones = zones
      .map(zone => new ServedFile(zone, context.zoneImages))
      .sort((a, b) => b.origin.length - a.origin.length)
    this.#fallthrough = fallthrough.map(zone => name(zone))
  }

  handle(query: Query, next: Next): MaybePromise<Outcome> {
    const { qname, qtype } = query.question
    const zone = this.#zones.find(({ origin }) => isWithin(qname, origin))
    // Nobody behind to ask: the name is not for this server (CoreDNS).
    if (!zone) return this.#context.handlers.at(-1) === this ? refused() : next(query)
    if (qtype === TYPE.AXFR || qtype === TYPE.IXFR) return refused()
    const { image } = zone
    if (!image) return servfail()
    const looked = lookupZone(image, query)
    return looked instanceof Promise
      ? looked.then(late => this.#outcome(late, query, next))
      : this.#outcome(looked, query, next)
  }

  #outcome({ reply, missing }: Lookup, query: Query, next: Next): MaybePromise<Outcome> {
    const { qname } = query.question
    return missing && this.#fallthrough.some(zone => isWithin(qname, zone)) ? next(query) : reply
  }

  copyOf(zone: Name): ZoneCopy | 'not-ready' | undefined {
    const served = this.#zones.find(({ origin }) => equalNames(origin, zone))
    if (!served) return undefined
    const { image } = served
    if (!image) return 'not-ready'
    const { soa, serial } = image
    return { soa, serial, opening: soa, records: () => image.records() }
  }
}
