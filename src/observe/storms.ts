// Storms: a client, a name, a namespace or a pattern of missing names that makes up far too much of all queries, which costs
// the node's connection tracking and the operator an evening (a Pod in a crash loop, a search path gone wrong). Each is told
// once, with its rate and whose address it is, and once more when it is over.
//
//   [WARNING] storm: Pod shop/crawler-7 (10.244.3.7) asks 2310 times a second for nope.default.svc.cluster.local., which does
//             not exist: 71 % of all queries
//   [INFO] storm over: Pod shop/crawler-7 (10.244.3.7) asked 415800 times in 3m0s for nope.default.svc.cluster.local.
//
// What is told is the narrowest of what is too much: a client of which one name is told is not told besides, unless the rest of
// what it asks is too much as well.

import { formatDuration } from '../shared/duration.ts'
import { rcodeName } from '../wire/rcode.ts'
import type { Counter, Meters } from './meters.ts'
import type { Registry } from './registry.ts'
import { SILENT } from './samples.ts'
import type { SpaceSaving } from './space-saving.ts'
import type { ThreadLog } from './thread-log.ts'

/** What a query is of. */
export interface Source {
  readonly client: string
  readonly name: string
  /** Of a name that does not exist: what it has in common with others; '' otherwise. */
  readonly pattern: string
  /** '' where the name has none. */
  readonly namespace: string
  readonly rcode: number
}

/** The sketches of a window. */
export interface Sketches {
  /** By client and name. */
  readonly sources: SpaceSaving<Source>
  /** By client and pattern. */
  readonly patterns: SpaceSaving<Source>
  readonly names: SpaceSaving<Source>
  /** By pattern. */
  readonly missing: SpaceSaving<Source>
  readonly clients: SpaceSaving<Source>
  readonly namespaces: SpaceSaving<Source>
}

/** What a storm may be of, and from which share of all queries and which rate on it is one. */
interface Kind {
  readonly name: string
  readonly sketch: keyof Sketches
  readonly of: readonly (keyof Source)[]
  readonly share: number
  readonly perSecond: number
}

/** The narrow ones first. */
const KINDS: readonly Kind[] = [
  { name: 'client_name', sketch: 'sources', of: ['client', 'name'], share: 0.2, perSecond: 200 },
  { name: 'client_pattern', sketch: 'patterns', of: ['client', 'pattern'], share: 0.2, perSecond: 200 },
  { name: 'name', sketch: 'names', of: ['name'], share: 0.25, perSecond: 1000 },
  { name: 'pattern', sketch: 'missing', of: ['pattern'], share: 0.25, perSecond: 1000 },
  { name: 'client', sketch: 'clients', of: ['client'], share: 0.5, perSecond: 1000 },
  { name: 'namespace', sketch: 'namespaces', of: ['namespace'], share: 0.5, perSecond: 2000 },
]
/** Nothing is a storm before so many seconds of its least rate have come: 2000 queries of one pair. */
const MIN_SECONDS = 10
/** One that was told goes on above this part of what makes one. */
const GOES_ON = 0.5
/** Windows below that, after which it is over. */
const QUIET_WINDOWS = 3
/** What of a sketch is looked at: each key of a storm has a fifth of all at least. */
const TOP = 8

interface Storm {
  readonly kind: Kind
  readonly source: Source
  readonly pod: string
  readonly sinceMs: number
  /** What was counted of it in the windows that are over, and in the one that is not. */
  queriesBefore: number
  queries: number
  lastMs: number
  perSecond: number
  quietWindows: number
}

export interface StormsOptions {
  readonly log: ThreadLog
  readonly meters: Meters
  readonly registry: Pick<Registry, 'publish'>
  readonly podsOf: (addresses: ReadonlySet<string>) => ReadonlyMap<string, string>
}

/** A key that is too much. */
interface Found {
  readonly key: string
  readonly kind: Kind
  readonly source: Source
  readonly queries: number
}

export class Storms {
  readonly #options: StormsOptions
  readonly #queries: Counter
  readonly #told: Counter
  /** By kind and key. */
  readonly #storms = new Map<string, Storm>()

  constructor(options: StormsOptions) {
    this.#options = options
    this.#queries = options.meters.counter('seamark_storm_queries_total')
    this.#told = options.meters.counter('seamark_storms_total')
  }

  /** Those of now, as one sentence each. */
  get texts(): readonly string[] {
    return [...this.#storms.values()].map(sentence)
  }

  /** Looks for storms in a window that is not over, of which the sketches have `ms`. */
  look(sketches: Sketches, ms: number, nowMs: number): void {
    for (const { key, kind, source, queries } of this.#find(sketches, ms)) {
      const perSecond = Math.round((queries / ms) * 1000)
      const known = this.#storms.get(key)
      if (known === undefined) {
        const pod = this.#options.podsOf(new Set([source.client])).get(source.client) ?? ''
        const begun = { kind, source, pod, sinceMs: nowMs - ms, perSecond, quietWindows: 0 }
        const storm: Storm = { ...begun, queriesBefore: 0, queries, lastMs: nowMs }
        this.#storms.set(key, storm)
        this.#told.add()
        this.#queries.add(queries)
        const share = Math.round((100 * queries) / sketches.clients.total)
        this.#options.log.write('WARNING', '', `storm: ${sentence(storm)}: ${share} % of all queries`)
      } else {
        this.#queries.add(Math.max(0, queries - known.queries))
        known.queries = queries
        known.perSecond = perSecond
        known.lastMs = nowMs
      }
    }
    this.#publish()
  }

  /** The same of a window that is over. */
  end(sketches: Sketches, ms: number, nowMs: number): void {
    this.look(sketches, ms, nowMs)
    for (const [key, storm] of this.#storms) {
      const isQuiet = storm.queries === 0
      storm.quietWindows = isQuiet ? storm.quietWindows + 1 : 0
      storm.queriesBefore += storm.queries
      storm.queries = 0
      if (isQuiet) storm.perSecond = 0
      if (storm.quietWindows < QUIET_WINDOWS) continue
      this.#storms.delete(key)
      this.#options.log.write('INFO', '', `storm over: ${pastSentence(storm)}`)
    }
    this.#publish()
  }

  /** The server ends: storms that go on are told as far as they have come. */
  stop(): void {
    for (const storm of this.#storms.values()) {
      storm.queriesBefore += storm.queries
      this.#options.log.write('INFO', '', `storm at the stop: ${pastSentence(storm)}`)
    }
    this.#storms.clear()
  }

  #find(sketches: Sketches, ms: number): readonly Found[] {
    const found: Found[] = []
    const { total } = sketches.clients
    for (const kind of KINDS) {
      for (const { key: of, count, error, last } of sketches[kind.sketch].top(TOP)) {
        const key = `${kind.name} ${of}`
        const factor = this.#storms.has(key) ? GOES_ON : 1
        const told = found.filter(({ kind: narrow, source }) => isInside(narrow, source, kind, last))
        const queries = count - error - told.reduce((sum, each) => sum + each.queries, 0)
        const isStorm =
          queries >= factor * kind.share * total &&
          queries >= factor * kind.perSecond * MIN_SECONDS &&
          queries * 1000 >= factor * kind.perSecond * ms
        if (isStorm) found.push({ key, kind, source: last, queries })
      }
    }
    return found
  }

  #publish(): void {
    this.#options.registry.publish(
      'seamark_storm_queries_per_second',
      [...this.#storms.values()].map(({ kind, source, pod, perSecond }) => {
        const has = (part: keyof Source): string => (kind.of.includes(part) ? `${source[part]}` : '')
        const name = has('name') || has('pattern')
        const labels = { kind: kind.name, client: has('client'), pod: has('client') && pod, name }
        return { labels: { ...labels, namespace: has('namespace') }, value: perSecond }
      }),
    )
  }
}

/** Whether all that a narrow storm asks is counted by a wide one, too. */
const isInside = (narrow: Kind, told: Source, wide: Kind, source: Source): boolean =>
  narrow.name !== wide.name &&
  wide.of.every(part => told[part] === source[part] && (narrow.of.includes(part) || isImplied(narrow, part)))

/** A name has a pattern and a namespace; a pattern mostly has the namespace of the names that were seen. */
const isImplied = ({ of }: Kind, part: keyof Source): boolean =>
  (part === 'pattern' || part === 'namespace') && (of.includes('name') || of.includes('pattern'))

function sentence({ kind, source, pod, perSecond }: Storm): string {
  const many = `${perSecond} times a second for ${objectOf(kind, source)}`
  return kind.of.includes('client') ? `${clientOf(source, pod)} asks ${many}` : `clients ask ${many}`
}

function pastSentence({ kind, source, pod, queriesBefore, sinceMs, lastMs }: Storm): string {
  const lasted = formatDuration(Math.max(1, Math.round((lastMs - sinceMs) / 1000)) * 1000)
  const many = `asked ${Math.round(queriesBefore)} times in ${lasted} for ${objectOf(kind, source)}`
  return `${kind.of.includes('client') ? clientOf(source, pod) : 'clients'} ${many}`
}

const clientOf = ({ client }: Source, pod: string): string => (pod === '' ? client : `Pod ${pod} (${client})`)

function objectOf({ of }: Kind, { name, pattern, namespace, rcode }: Source): string {
  if (of.includes('pattern')) return `names that do not exist, ${pattern} as ${name}`
  if (of.includes('namespace')) return `names of the namespace ${namespace}`
  if (!of.includes('name')) return 'names of many kinds'
  if (rcode === 0) return name
  if (rcode === SILENT) return `${name}, which gets no reply`
  return rcode === 3 ? `${name}, which does not exist` : `${name}, which gets ${rcodeName(rcode)}`
}
