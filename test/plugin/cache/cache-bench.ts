// What the cache's tests share: a serving context of their own, queries, replies, and a chain behind the cache that
// answers what it is told to and remembers what it was asked.

import { familyOf } from '../../../src/observe/families.ts'
import type { FamilyType } from '../../../src/observe/family.ts'
import { labelValues } from '../../../src/observe/family.ts'
import type { Labels, Meters } from '../../../src/observe/meters.ts'
import { type CacheConfig, defaultConfig } from '../../../src/plugin/cache/config.ts'
import { CacheHandler } from '../../../src/plugin/cache/handler.ts'
import type { ServingContext } from '../../../src/plugin/plugin.ts'
import { MESSAGE_MAX, PAYLOAD_DEFAULT } from '../../../src/wire/header.ts'
import { MessageWriter } from '../../../src/wire/message.ts'
import { formatName, name } from '../../../src/wire/name.ts'
import { RCODE } from '../../../src/wire/rcode.ts'
import { cname, type Rr, rr, soaRdata } from '../../../src/wire/record.ts'
import { CLASS, TYPE, typeName } from '../../../src/wire/rrtype.ts'
import type { Query } from '../../support/query.ts'
import { seededRandom } from '../../support/random.ts'
import { DROP, type MaybePromise, type Next, type Outcome, type Reply } from '../../support/reply.ts'
import { HandlerRoad } from '../../support/road.ts'
import { VirtualClock } from '../../support/virtual-clock.ts'
import { recordingLog } from '../../support/words.ts'

/** Meters whose values a test can read, by family and label values in the family's order. */
export class ReadableMeters implements Meters {
  readonly values = new Map<string, number>()

  counter(name: string, labels: Labels = {}) {
    const key = this.#key(name, 'counter', labels)
    return { add: (n = 1) => this.values.set(key, (this.values.get(key) ?? 0) + n) }
  }

  gauge(name: string, labels: Labels = {}) {
    const key = this.#key(name, 'gauge', labels)
    return { set: (value: number) => this.values.set(key, value) }
  }

  histogram(): never {
    throw new TypeError('the cache has no histogram')
  }

  /** The sum over all label sets of the cache's family of that name, or over those that hold the value. */
  sum(name: string, label?: string): number {
    let sum = 0
    for (const [key, value] of this.values) {
      const [family, ...labels] = key.split('\0')
      if (family === name && (label === undefined || labels.includes(label))) sum += value
    }
    return sum
  }

  #key(name: string, type: FamilyType, labels: Labels): string {
    return [name, ...labelValues(familyOf(name, type), labels)].join('\0')
  }
}

/** The stock cache but for its entries, of which there are few: the room for all of them is taken when it is made. */
export function configOf(entriesMax = 256): CacheConfig {
  const stock = defaultConfig(['.'])
  return {
    ...stock,
    success: { ...stock.success, entriesMax },
    denial: { ...stock.denial, entriesMax },
  }
}

/** A cache, its time, its counters, its log, and the chain behind it. */
export class Bench {
  readonly clock = new VirtualClock()
  readonly meters = new ReadableMeters()
  readonly log: string[] = []
  /** What the chain was asked, in order. */
  readonly asked: Query[] = []
  /** What the chain answers; a test may change it at any time. */
  upstream: (query: Query) => Outcome | Promise<Outcome> = () => DROP
  readonly cache: CacheHandler
  readonly config: CacheConfig
  readonly #roads = new Map<string, HandlerRoad>()

  constructor(config: Partial<CacheConfig> = {}, thread = 0) {
    this.config = { ...configOf(), ...config }
    const context: ServingContext = {
      clock: this.clock,
      random: seededRandom(1),
      meters: this.meters,
      log: recordingLog(this.log),
      tellOperator: () => undefined,
      tables: new Map(),
      images: new Map(),
      ownAddresses: [],
      thread,
      threads: 1,
      zones: ['.'],
      ownZones: [],
      addressOrder: 'given',
      handlers: [],
      udpMaxOctets: PAYLOAD_DEFAULT,
    }
    this.cache = new CacheHandler(this.config, context)
  }

  readonly next: Next = query => {
    this.asked.push(query)
    return this.upstream(query)
  }

  /** Asks the cache. */
  async ask(query: Query | string): Promise<Outcome> {
    return await this.askNow(typeof query === 'string' ? question(query) : query)
  }

  /** The same; the reply is there at once where nobody has to be waited for. */
  askNow(query: Query): MaybePromise<Outcome> {
    let road = this.#roads.get(query.server)
    if (road === undefined) {
      const bug = (error: unknown): unknown => this.log.push(String(error))
      road = new HandlerRoad(this.cache, query, this.next, { bug, clock: this.clock })
      this.#roads.set(query.server, road)
    }
    return road.ask(query)
  }

  /** Asks, and gives the reply in one line: `NOERROR aa ra | www.example.org. 30 A | | `. */
  async line(query: Query | string): Promise<string> {
    return lineOf(await this.ask(query))
  }

  count(family: string, label?: string): number {
    return this.meters.sum(`coredns_cache_${family}`, label)
  }
}

/** What a query may differ in from the plain one. */
export interface Asked {
  readonly dnssecOk?: boolean
  readonly checkingDisabled?: boolean
  readonly authenticData?: boolean
  readonly edns?: boolean
  readonly transport?: Query['transport']
  readonly replyMaxOctets?: number
  readonly server?: string
}

/** A query for `NAME` or `NAME TYPE`, as a stub resolver would ask. */
export function question(text: string, asked: Asked = {}): Query {
  const [owner = '.', type = 'A', qclass = 'IN'] = text.split(' ')
  const edns =
    asked.edns || asked.dnssecOk !== undefined
      ? { payloadSize: PAYLOAD_DEFAULT, dnssecOk: asked.dnssecOk ?? false, options: [] }
      : undefined
  return {
    id: 4711,
    question: {
      qname: name(owner),
      qtype: TYPE[type as keyof typeof TYPE],
      qclass: CLASS[qclass as keyof typeof CLASS],
    },
    recursionDesired: true,
    authenticData: asked.authenticData ?? false,
    checkingDisabled: asked.checkingDisabled ?? false,
    edns,
    transport: asked.transport ?? 'udp',
    client: { address: '10.0.0.1', port: 40000, family: 4 },
    local: { address: '10.96.0.10', port: 53, family: 4 },
    server: asked.server ?? 'dns://:53',
    zone: '.',
    view: '',
    requestOctets: 40,
    replyMaxOctets: asked.replyMaxOctets ?? MESSAGE_MAX,
    receivedAtMs: 0,
    deadlineMs: 5000,
    budget: { lookupsLeft: 12 },
    metadata: new Map(),
    lookup: () => Promise.reject(new Error('the cache looks nothing up')),
  }
}

/** What a reply may differ in from a forwarded, empty NOERROR. */
export function reply(parts: Partial<Reply> = {}): Reply {
  return {
    rcode: RCODE.NOERROR,
    authoritative: false,
    recursionAvailable: true,
    authenticData: false,
    truncated: false,
    answer: [],
    authority: [],
    additional: [],
    plugin: 'forward',
    ...parts,
  }
}

/** An A record; the address is 192.0.2.`last`. */
export const a = (owner: string, ttlSeconds: number, last = 1): Rr =>
  rr(name(owner), TYPE.A, ttlSeconds, Uint8Array.of(192, 0, 2, last))

/** A CNAME record. */
export const alias = (owner: string, ttlSeconds: number, target: string): Rr =>
  cname(name(owner), ttlSeconds, target)

/** An SOA record of example.org; `minimum` is its own last field. */
export const soa = (ttlSeconds: number, minimum = 3600, owner = 'example.org'): Rr =>
  rr(
    name(owner),
    TYPE.SOA,
    ttlSeconds,
    soaRdata(name(`ns.${owner}`), name(`hostmaster.${owner}`), [1, 7200, 1800, 86400, minimum]),
  )

/** A positive reply to any A question. */
export const positive =
  (ttlSeconds: number, last = 1, parts: Partial<Reply> = {}) =>
  (query: Query): Reply =>
    reply({
      answer: [rr(query.question.qname, TYPE.A, ttlSeconds, Uint8Array.of(192, 0, 2, last))],
      ...parts,
    })

export const nxdomain =
  (ttlSeconds: number, parts: Partial<Reply> = {}) =>
  (): Reply =>
    reply({ rcode: RCODE.NXDOMAIN, authority: [soa(ttlSeconds)], ...parts })

export const nodata =
  (ttlSeconds: number, parts: Partial<Reply> = {}) =>
  (): Reply =>
    reply({ authority: [soa(ttlSeconds)], ...parts })

export const servfail =
  (parts: Partial<Reply> = {}) =>
  (): Reply =>
    reply({ rcode: RCODE.SERVFAIL, ...parts })

/** A reply in one line: rcode, flags, then the sections, records as `owner TTL TYPE`, an A record with its last octet. */
export function lineOf(outcome: Outcome): string {
  if (outcome === DROP) return 'silence'
  const names = Object.entries(RCODE)
  const rcode = names.find(([, code]) => code === outcome.rcode)?.[0] ?? String(outcome.rcode)
  const flags = [
    outcome.authoritative ? ' aa' : '',
    outcome.recursionAvailable ? ' ra' : '',
    outcome.authenticData ? ' ad' : '',
    outcome.truncated ? ' tc' : '',
    outcome.extendedError ? ` ede${outcome.extendedError.code}` : '',
  ]
  const records = [outcome.answer, outcome.authority, outcome.additional].map(section =>
    section.map(recordText).join(', '),
  )
  return `${rcode}${flags.join('')} | ${records.join(' | ')}`.trimEnd()
}

function recordText({ owner, ttlSeconds, type, rdata }: Rr): string {
  const last = type === TYPE.A ? ` .${rdata[3]}` : ''
  return `${formatName(owner)} ${ttlSeconds} ${typeName(type)}${last}`
}

const writer = new MessageWriter()

/** A query as its client sends it. */
export function encodeQuery(query: Query): Uint8Array {
  const { id, recursionDesired, authenticData, checkingDisabled, edns } = query
  const head = {
    id,
    response: false,
    opcode: 0,
    authoritative: false,
    truncated: false,
    recursionDesired,
    recursionAvailable: false,
    authenticData,
    checkingDisabled,
    rcode: 0,
    question: query.question,
  }
  return writer
    .write(head, { answer: [], authority: [], additional: [] }, edns && { ...edns, version: 0 }, MESSAGE_MAX)
    .slice()
}
