// `file DBFILE [ZONES…] { … }`: answers for zones out of master files (CoreDNS plugin/file). The control thread reads the
// files, at the start here and again while serving (../../control/zone-files.ts); serving threads share one image of each zone.

import { resolve } from 'node:path'
import { type Line, readLine } from '../../corefile/arguments.ts'
import type { Query } from '../../query/query.ts'
import { type MaybePromise, type Outcome, refused, servfail } from '../../query/reply.ts'
import type { ZoneCopy } from '../../query/zone-copy.ts'
import { formatDuration } from '../../shared/duration.ts'
import { equalNames, isWithin, type Name, name } from '../../wire/name.ts'
import { TYPE } from '../../wire/rrtype.ts'
import type { BlockContext, Handler, Next, ServingContext, Word } from '../plugin.ts'
import { ZoneImage } from './image.ts'
import { type LoadedZone, loadZone, ZONE_MAX_OCTETS } from './load.ts'
import { type Lookup, lookupZone } from './lookup.ts'
import { INCLUDES_MAX, RECORDS_MAX } from './reader.ts'

/** CoreDNS's default. */
const RELOAD_MS = 60_000
/** A file is not looked at more often. */
const RELOAD_MIN_MS = 100

/** One zone of a `file` directive. */
export interface FileZone {
  /** Lower case, absolute. */
  readonly origin: string
  /** Absolute. */
  readonly file: string
  /** 0 is never. */
  readonly reloadMs: number
  /** A newer file counts whatever its serial. */
  readonly byModification: boolean
  /** What was read with the Corefile; undefined where the file could not be read then. */
  readonly loaded: LoadedZone | undefined
}

/** The configuration of all `file` directives of a block. */
export interface FileConfig {
  /** No zone twice. */
  readonly zones: readonly FileZone[]
  /** Zones whose missing names go to the next plugin; undefined: none, ['.']: all. */
  readonly fallthrough: readonly string[] | undefined
}

/** What a zone's images are published under. */
export const zoneKey = ({ origin, file }: Pick<FileZone, 'origin' | 'file'>): string => `${origin} ${file}`

export const fileWord = {
  word: 'file',
  doc: {
    usage: 'file DBFILE [ZONE…]',
    meaning: 'answers for zones out of a zone file (RFC 1035), read again when its serial changes',
    default: 'the zones of the server block',
    options: [
      {
        usage: 'reload DURATION',
        meaning: 'how often the file is looked at; 0 is never',
        default: `${RELOAD_MS / 1000}s`,
        range: `from ${RELOAD_MIN_MS}ms`,
      },
      {
        usage: 'reload_by_mtime',
        meaning: 'takes a file that was modified, whatever its serial',
      },
      {
        usage: 'fallthrough [ZONE…]',
        meaning: 'hands names that are not in the zone to the next plugin, in these zones only or in all',
        default: 'NXDOMAIN',
      },
    ],
    notes: [
      `A zone has at most ${RECORDS_MAX} records in ${INCLUDES_MAX} files of ${ZONE_MAX_OCTETS / 1024 ** 2} MiB together.`,
      'Signed zones are served with their RRSIG and NSEC records; NSEC3 is refused.',
      'Negative answers hold for the smaller of the TTL and the minimum of the SOA (RFC 2308).',
    ],
  },
  parse(directives, problems, block) {
    const zones = new Map<string, FileZone>()
    let fallthrough: readonly string[] | undefined
    for (const directive of directives) {
      readLine(directive, problems, line => {
        const read = readDirective(line, block)
        for (const zone of read.zones) zones.set(zone.origin, zone)
        fallthrough = read.fallthrough ?? fallthrough
      })
    }
    return { zones: [...zones.values()], fallthrough }
  },
  create: (config, context) => new FileHandler(config, context),
} satisfies Word<FileConfig>

function readDirective(line: Line, block: BlockContext): FileConfig {
  const token = line.token('a zone file')
  const origins = line.zones(block.zones)
  let reloadMs = RELOAD_MS
  let byModification = false
  let fallthrough: readonly string[] | undefined
  line.options(
    {
      reload: option => {
        const given = option.duration('the time between two looks at the file')
        if (given !== undefined) reloadMs = given === 0 ? 0 : Math.max(RELOAD_MIN_MS, given)
      },
      reload_by_mtime: () => {
        byModification = true
      },
      fallthrough: option => {
        fallthrough = option.zones(['.'])
      },
    },
    { upstream: 'delete it; names outside the zone are resolved without it' },
  )
  if (token === undefined) return { zones: [], fallthrough }
  const file = resolve(block.directory, token.text)
  const zones = origins.map(origin => {
    const read = loadZone(file, origin, line.problems)
    if (read === 'mistakes') return { origin, file, reloadMs, byModification, loaded: undefined }
    if ('image' in read) return { origin, file, reloadMs, byModification, loaded: read }
    const found = { found: token.text }
    if (reloadMs === 0) line.error(token, read.unreadable, found)
    else {
      const again = `tried again every ${formatDuration(reloadMs)}`
      line.problems.warning(token, `${read.unreadable}; ${again}`, found)
    }
    return { origin, file, reloadMs, byModification, loaded: undefined }
  })
  return { zones, fallthrough }
}

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

class FileHandler implements Handler {
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
