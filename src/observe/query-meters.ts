// HOT: counts one answered query in the six families that every dashboard charts, for every query of both paths. Slots
// are found through small integer tables that fill at first use; a query costs eight additions to this thread's own
// slots and allocates nothing. Budget: 60 ns (`npm run bench:micro`).

import { rcodeLabel } from '../wire/rcode.ts'
import { TYPE } from '../wire/rrtype.ts'
import { observe, type ThreadMeters } from './counters.ts'
import { SIZE_BUCKETS, TIME_BUCKETS } from './family.ts'
import type { Labels } from './meters.ts'

/** The types that CoreDNS tells apart (plugin/metrics/vars/monitor.go); all others are `other`. */
const TYPE_LABELS = [
  'A', 'NS', 'CNAME', 'SOA', 'PTR', 'MX', 'TXT', 'AAAA', 'SRV', 'DS', 'RRSIG', 'NSEC', 'DNSKEY', 'NSEC3', 'SVCB',
  'HTTPS', 'IXFR', 'AXFR', 'ANY',
] as const // biome-ignore format: a list

/** qtypeIndex → label; index 0 is `other`. */
const QTYPES: readonly string[] = ['other', ...TYPE_LABELS]
const FOLDED_TYPES = new Uint8Array(256)
TYPE_LABELS.forEach((label, i) => {
  FOLDED_TYPES[TYPE[label]] = i + 1
})

/** The small number of a query type, for `count`. */
export const qtypeIndex = (qtype: number): number => (qtype < 256 ? FOLDED_TYPES[qtype]! : 0)

const PROTOS = ['udp', 'tcp'] as const

/** The small number of a transport, for `count`; all that runs over TCP counts as tcp, as in CoreDNS. */
export const protoIndex = (transport: 'udp' | 'tcp' | 'tls' | 'https'): number =>
  transport === 'udp' ? 0 : 1

/** Names of writers of replies; more would be a bug, and are counted as ''. */
const PLUGINS_MAX = 64
const plugins: string[] = ['']

/** The small number of the plugin that wrote a reply ('' is the server itself), for `count`; found once, kept. */
export function pluginIndex(plugin: string): number {
  const known = plugins.indexOf(plugin)
  if (known >= 0) return known
  return plugins.length < PLUGINS_MAX ? plugins.push(plugin) - 1 : 0
}

/** The plugin with that small number. */
export const pluginName = (index: number): string => plugins[index] ?? ''

/** Response codes that have an index of their own; BADCOOKIE, the last that anybody sends, is 23. */
const RCODES_MAX = 24

/** As a Smi table entry: the label set has not been registered. */
const UNKNOWN = -1

/** CoreDNS's zone label of queries that never reach a plugin. */
export const DROPPED_ZONE = 'dropped'

/** The counters of the queries of one (server, zone, view) on one thread. */
export class QueryMeters {
  readonly #meters: ThreadMeters
  readonly #slots: Float64Array
  readonly #labels: Labels
  readonly #requests = new Int32Array(PROTOS.length * 2 * QTYPES.length).fill(UNKNOWN)
  readonly #responses = new Int32Array(RCODES_MAX * PLUGINS_MAX).fill(UNKNOWN)
  readonly #requestSize = new Int32Array(PROTOS.length).fill(UNKNOWN)
  readonly #responseSize = new Int32Array(PROTOS.length).fill(UNKNOWN)
  readonly #timeBounds = Float64Array.from(TIME_BUCKETS)
  readonly #sizeBounds = Float64Array.from(SIZE_BUCKETS)
  #duration = UNKNOWN
  #dnssecOk = UNKNOWN

  /** `server` is `dns://:53`, `zone` the server block's, `.` or `dropped`, `view` a name or ''. */
  constructor(meters: ThreadMeters, server: string, zone: string, view: string) {
    this.#meters = meters
    this.#slots = meters.slots
    this.#labels = { server, zone, view }
  }

  /**
   * Counts one query and its reply. `qtype`, `proto` and `plugin` are the small numbers of the functions above;
   * `replyOctets` is the reply's size before compression and truncation where it is known (CoreDNS's), else as sent.
   */
  count(
    qtype: number,
    family: 4 | 6,
    proto: number,
    rcode: number,
    requestOctets: number,
    replyOctets: number,
    durationSeconds: number,
    plugin: number,
    dnssecOk: boolean,
  ): void {
    const slots = this.#slots
    this.countRequest(qtype, family, proto, requestOctets, dnssecOk)
    const response = rcode * PLUGINS_MAX + plugin
    const responseSlot = rcode < RCODES_MAX ? this.#responses[response]! : UNKNOWN
    slots[responseSlot >= 0 ? responseSlot : this.#newResponse(response, rcode, plugin)]! += 1
    if (this.#duration < 0) this.#newDuration()
    observe(slots, this.#duration, this.#timeBounds, durationSeconds)
    observe(slots, this.#responseSize[proto]!, this.#sizeBounds, replyOctets)
  }

  /** Counts a query alone: one that gets no reply. */
  countRequest(qtype: number, family: 4 | 6, proto: number, requestOctets: number, dnssecOk: boolean): void {
    const slots = this.#slots
    const request = (proto * 2 + (family === 6 ? 1 : 0)) * QTYPES.length + qtype
    const requestSlot = this.#requests[request]!
    slots[requestSlot >= 0 ? requestSlot : this.#newRequest(request, qtype, family, proto)]! += 1
    if (this.#requestSize[proto]! < 0) this.#newSizes(proto)
    observe(slots, this.#requestSize[proto]!, this.#sizeBounds, requestOctets)
    if (dnssecOk) slots[this.#dnssecOk >= 0 ? this.#dnssecOk : this.#newDnssecOk()]! += 1
  }

  #newRequest(at: number, qtype: number, family: 4 | 6, proto: number): number {
    const labels = { proto: PROTOS[proto]!, family: family === 6 ? '2' : '1', type: QTYPES[qtype]! }
    const slot = this.#counter('coredns_dns_requests_total', labels)
    this.#requests[at] = slot
    return slot
  }

  /** A code above the table is looked up each time; nobody sends one. */
  #newResponse(at: number, rcode: number, plugin: number): number {
    const labels = { rcode: rcodeLabel(rcode), plugin: plugins[plugin]! }
    const slot = this.#counter('coredns_dns_responses_total', labels)
    if (rcode < RCODES_MAX) this.#responses[at] = slot
    return slot
  }

  #newDnssecOk(): number {
    this.#dnssecOk = this.#counter('coredns_dns_do_requests_total', {})
    return this.#dnssecOk
  }

  #newDuration(): void {
    this.#duration = this.#histogram('coredns_dns_request_duration_seconds', {})
  }

  #newSizes(proto: number): void {
    const labels = { proto: PROTOS[proto]! }
    this.#requestSize[proto] = this.#histogram('coredns_dns_request_size_bytes', labels)
    this.#responseSize[proto] = this.#histogram('coredns_dns_response_size_bytes', labels)
  }

  #counter(family: string, labels: Labels): number {
    return this.#meters.slotOf(family, 'counter', { ...this.#labels, ...labels })
  }

  #histogram(family: string, labels: Labels): number {
    return this.#meters.slotOf(family, 'histogram', { ...this.#labels, ...labels })
  }
}

/** The QueryMeters of a thread by (server, zone, view), each made once. */
export class QueryMetersTable {
  readonly #meters: ThreadMeters
  readonly #made = new Map<string, QueryMeters>()

  constructor(meters: ThreadMeters) {
    this.#meters = meters
  }

  /** The counters of one server block; the same object for the same labels. */
  of(server: string, zone: string, view: string): QueryMeters {
    const key = `${server}\0${zone}\0${view}`
    let made = this.#made.get(key)
    if (made === undefined) {
      made = new QueryMeters(this.#meters, server, zone, view)
      this.#made.set(key, made)
    }
    return made
  }
}
