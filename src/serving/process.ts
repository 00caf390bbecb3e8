// The road of every query on one listener: checks in the order of the packet, each exit visible; then the fast path, which
// answers from the packet's octets; then the chain of the server block, which takes what is left.
//
//   scan ─ silence, NOTIMP, FORMERR, BADVERS
//     └─ class ─ REFUSED unless a plugin of the block speaks it
//         └─ server block ─ REFUSED where none has the name
//             ├─ an option that the reply is to have, too: a cookie, keepalive ─ chain
//             ├─ cluster's zone, no plugin concerned ─ answer, NODATA, NXDOMAIN, SERVFAIL (table)
//             ├─ cached answer, no plugin concerned ─ answer (cache)
//             └─ chain

import { LATER, type LateReply, type Responder, SILENCE } from '../listen/responder.ts'
import { pluginIndex, protoIndex, type QueryMeters, qtypeIndex } from '../observe/query-meters.ts'
import { SAMPLE_EVERY, type Storms } from '../observe/storms.ts'
import { MISS } from '../plugin/cache/fast.ts'
import { CHASE, PASS } from '../plugin/kubernetes/answers.ts'
import { uncompressedOctets } from '../plugin/log/format.ts'
import type { Guard } from '../plugin/plugin.ts'
import {
  type Budget,
  type Endpoint,
  LOOKUPS_MAX,
  PATIENCE_MS,
  type Query,
  type Transport,
} from '../query/query.ts'
import { DROP, type Outcome, type Reply, refused, servfail } from '../query/reply.ts'
import { ZoneTable } from '../query/zone-table.ts'
import type { Clock } from '../shared/clock.ts'
import type { TableReader } from '../table/reader.ts'
import { EDE } from '../wire/extended-error.ts'
import { failureReason, writeFailure } from '../wire/failure.ts'
import { foldName, formatName, type Name } from '../wire/name.ts'
import { OPT_OCTETS } from '../wire/opt.ts'
import { RCODE } from '../wire/rcode.ts'
import { CLASS, TYPE } from '../wire/rrtype.ts'
import { OPTION, Scan, type Verdict } from '../wire/scan.ts'
import type { ServerCookies } from './cookies.ts'
import { readCookie, readIxfrSerial, readOptions } from './read.ts'
import type { ServedZone } from './served-zone.ts'
import { TransferMessages } from './transfer.ts'
import { keepaliveOption, replyLimit, writeCookieReply, writeReply } from './write.ts'

export interface ProcessOptions {
  /** The listener's label in metrics: `dns://:53`. */
  readonly server: string
  readonly zones: readonly ServedZone[]
  /** Of connections: what clients that ask for it are told (RFC 7828). */
  readonly idleTimeoutMs: number
  /** The tables that the fast path reads. */
  readonly tables: readonly TableReader[]
  readonly clock: Clock
  readonly cookies: ServerCookies
  /** Counts what no server block takes: zone `dropped`. */
  readonly dropped: QueryMeters | undefined
  readonly storms: Storms
  /** Told of a plugin's bug: a rejection on the way of a query, which got SERVFAIL. */
  readonly bug: (error: unknown, query: Query) => void
}

const NO_BLOCK_ERROR = { code: EDE.NOT_AUTHORITATIVE, text: 'no server block of the Corefile has this name' }
const NO_BLOCK = failureReason(NO_BLOCK_ERROR.code, NO_BLOCK_ERROR.text)
const WRONG_CLASS_ERROR = { code: EDE.NOT_SUPPORTED, text: 'only the class IN is served' }
const WRONG_CLASS = failureReason(WRONG_CLASS_ERROR.code, WRONG_CLASS_ERROR.text)

const KUBERNETES = pluginIndex('kubernetes')
const CACHE = pluginIndex('cache')
const NOBODY = pluginIndex('')

export class QueryProcess implements Responder {
  readonly #server: string
  readonly #zones: ZoneTable<ServedZone>
  readonly #tables: readonly TableReader[]
  readonly #idleTimeoutMs: number
  readonly #clock: Clock
  readonly #cookies: ServerCookies
  readonly #dropped: QueryMeters | undefined
  readonly #bug: ProcessOptions['bug']
  readonly #scan = new Scan()
  readonly #storms: Storms
  #enteredMs = 0
  #denials = 0
  curious = false

  constructor(options: ProcessOptions) {
    const { server, zones, tables, idleTimeoutMs, clock, cookies, dropped, storms, bug } = options
    this.#server = server
    this.#zones = new ZoneTable(zones)
    this.#tables = tables
    this.#idleTimeoutMs = idleTimeoutMs
    this.#clock = clock
    this.#cookies = cookies
    this.#dropped = dropped
    this.#bug = bug
    this.#storms = storms
  }

  enter(): void {
    this.#enteredMs = this.#clock.nowMs()
    for (let i = 0; i < this.#tables.length; i++) this.#tables[i]!.enter()
  }

  leave(): void {
    for (let i = 0; i < this.#tables.length; i++) this.#tables[i]!.leave()
  }

  /** HOT. */
  answerNow(
    octets: Uint8Array,
    start: number,
    end: number,
    out: Uint8Array,
    outAt: number,
    transport: Transport,
    family: 4 | 6,
    replyMaxOctets: number,
  ): number {
    const scan = this.#scan
    const verdict = scan.read(octets, start, end)
    if (verdict !== 'ok') return this.#reject(verdict, octets, out, outAt, transport, family)
    if (scan.hasOption(OPTION.COOKIE) || asksForKeepalive(scan, transport)) return LATER
    const index = this.#zones.ownerOf(scan)
    if (index < 0) return this.#refuse(undefined, octets, out, outAt, transport, family)
    const served = this.#zones.at(index)
    if (served.accepts !== undefined) return LATER
    if (scan.qclass !== CLASS.IN) {
      return served.anyClass ? LATER : this.#refuse(served, octets, out, outAt, transport, family)
    }
    const limit = Math.min(replyMaxOctets, replyLimit(transport, scan.payloadSize, served.udpMaxOctets))
    const { clusters, cache } = served
    for (let i = 0; i < clusters.length; i++) {
      const cluster = clusters[i]!
      if (!cluster.covers(scan)) continue
      if (concernsOne(served.clusterGuards, scan)) break
      const length = cluster.answer(scan, octets, out, outAt, limit)
      if (length === CHASE) return LATER
      if (length === PASS) break
      if (served.passesCache) cache?.countPassed()
      const rcode = out[outAt + 3]! & 15
      if (rcode === RCODE.NXDOMAIN && this.#isSampledDenial()) this.curious = true
      this.#count(served.meters, transport, family, rcode, length, KUBERNETES)
      return length
    }
    if (cache === undefined || concernsOne(served.cacheGuards, scan)) return LATER
    const length = cache.answer(scan, octets, out, outAt, limit, this.#enteredMs)
    if (length === MISS) return LATER
    const rcode = out[outAt + 3]! & 15
    if (rcode === RCODE.NXDOMAIN && this.#isSampledDenial()) this.curious = true
    this.#count(served.meters, transport, family, rcode, length, CACHE)
    return length
  }

  /** Whether the denial at hand is one of those that storms are told by. */
  #isSampledDenial(): boolean {
    return (++this.#denials & (SAMPLE_EVERY - 1)) === 0
  }

  tellClient(octets: Uint8Array, start: number, end: number, client: string): void {
    this.curious = false
    const scan = new Scan()
    if (scan.read(octets, start, end) !== 'ok') return
    this.#storms.denied(client, formatName(scan.folded.slice(0, scan.foldedLength)))
  }

  #reject(
    verdict: Verdict,
    octets: Uint8Array,
    out: Uint8Array,
    outAt: number,
    transport: Transport,
    family: 4 | 6,
  ): number {
    if (verdict === 'drop') return SILENCE
    if (verdict === 'cookie') return LATER
    const rcode = verdict === 'notimp' ? RCODE.NOTIMP : verdict === 'badvers' ? RCODE.BADVERS : RCODE.FORMERR
    const length = writeFailure(this.#scan, octets, out, outAt, rcode)
    this.#count(this.#dropped, transport, family, rcode, length, NOBODY)
    return length
  }

  #refuse(
    served: ServedZone | undefined,
    octets: Uint8Array,
    out: Uint8Array,
    outAt: number,
    transport: Transport,
    family: 4 | 6,
  ): number {
    const reason = !served ? NO_BLOCK : served.reasons ? WRONG_CLASS : undefined
    const length = writeFailure(this.#scan, octets, out, outAt, RCODE.REFUSED, reason)
    this.#count(served ? served.meters : this.#dropped, transport, family, RCODE.REFUSED, length, NOBODY)
    return length
  }

  #count(
    meters: QueryMeters | undefined,
    transport: Transport,
    family: 4 | 6,
    rcode: number,
    length: number,
    plugin: number,
  ): void {
    if (meters === undefined) return
    const scan = this.#scan
    const seconds = (this.#clock.nowMs() - this.#enteredMs) / 1000
    const octets = scan.end - scan.start
    const qtype = qtypeIndex(scan.qtype)
    meters.count(qtype, family, protoIndex(transport), rcode, octets, length, seconds, plugin, scan.dnssecOk)
  }

  async answerLater(
    octets: Uint8Array,
    transport: Transport,
    client: Endpoint,
    local: Endpoint,
  ): Promise<LateReply> {
    const scan = new Scan()
    const verdict = scan.read(octets, 0, octets.length)
    if (verdict === 'cookie') return this.#answerCookie(scan, octets, transport, client)
    if (verdict !== 'ok') return undefined
    const asked = this.#query(scan, octets, transport, client, local)
    const routed = this.#route(scan, asked)
    if (!routed) return this.#refuseLate(asked)
    const { served } = routed
    const query = {
      ...routed.query,
      replyMaxOctets: replyLimit(transport, scan.payloadSize, served.udpMaxOctets),
    }
    const outcome = await this.#run(served, query)
    if (outcome === DROP) return undefined
    if (outcome.rcode === RCODE.NXDOMAIN && this.#isSampledDenial()) {
      this.#storms.denied(client.address, formatName(foldName(asked.question.qname)))
    }
    const reply = served.reasons ? outcome : { ...outcome, extendedError: undefined }
    const { transfer } = reply
    if (!transfer) return writeReply(query, reply)
    return new TransferMessages(query, reply, transfer, error => this.#bug(error, query))
  }

  /** A query about a cookie and nothing else: BADCOOKIE where the server's half is not ours (RFC 7873 5.4). */
  #answerCookie(scan: Scan, octets: Uint8Array, transport: Transport, client: Endpoint): Uint8Array {
    const { state, option } = this.#cookies.judge(readCookie(readOptions(scan, octets))!, client.address)
    const rcode = state === 'invalid' ? RCODE.BADCOOKIE : RCODE.NOERROR
    const reply = writeCookieReply(scan, rcode, option)
    this.#dropped?.count(
      qtypeIndex(0),
      client.family,
      protoIndex(transport),
      rcode,
      octets.length,
      reply.length,
      0,
      NOBODY,
      scan.dnssecOk,
    )
    return reply
  }

  /** No block has the name, or views stand for it and none of them is for the query. */
  #refuseLate(query: Query): Uint8Array {
    const reply = refused(NO_BLOCK_ERROR)
    if (this.#dropped) this.#countOutcome(this.#dropped, query, reply)
    return writeReply(query, reply)
  }

  /**
   * The block that takes the query, the longest zone and the first view that accepts it, and the query as it comes there.
   * A block's view may ask for the labels of its plugins.
   */
  #route(scan: Scan, asked: Query): { readonly served: ServedZone; readonly query: Query } | undefined {
    let query = asked
    for (let index = this.#zones.ownerOf(scan); index >= 0; index = this.#zones.indexOf(scan, index + 1)) {
      const served = this.#zones.at(index)
      if (served.annotate) query = { ...query, metadata: new Map() }
      if (this.#accepts(served, query))
        return { served, query: { ...query, zone: served.zoneText, view: served.view } }
    }
    return undefined
  }

  #accepts({ annotate, accepts }: ServedZone, query: Query): boolean {
    try {
      annotate?.(query)
      return accepts === undefined || accepts(query)
    } catch (error) {
      this.#bug(error, query)
      return false
    }
  }

  /** Asks the chain and counts what it says; a plugin's bug is a SERVFAIL and a line in the log. */
  async #run(served: ServedZone, query: Query): Promise<Outcome> {
    let outcome: Outcome = refused(WRONG_CLASS_ERROR)
    try {
      if (served.anyClass || query.question.qclass === CLASS.IN) outcome = await served.chain(query)
    } catch (error) {
      this.#bug(error, query)
      outcome = servfail({ code: EDE.OTHER, text: 'the server met a bug of its own' })
    }
    if (served.meters) this.#countOutcome(served.meters, query, outcome)
    return outcome
  }

  #countOutcome(meters: QueryMeters, query: Query, outcome: Outcome): void {
    const qtype = qtypeIndex(query.question.qtype)
    const proto = protoIndex(query.transport)
    const { requestOctets, client } = query
    const dnssecOk = query.edns?.dnssecOk ?? false
    if (outcome === DROP) {
      meters.countRequest(qtype, client.family, proto, requestOctets, dnssecOk)
      return
    }
    const replyOctets = uncompressedOctets(query, outcome)
    const seconds = (this.#clock.nowMs() - query.receivedAtMs) / 1000
    const plugin = pluginIndex(outcome.plugin)
    meters.count(
      qtype,
      client.family,
      proto,
      outcome.rcode,
      requestOctets,
      replyOctets,
      seconds,
      plugin,
      dnssecOk,
    )
  }

  #query(scan: Scan, octets: Uint8Array, transport: Transport, client: Endpoint, local: Endpoint): Query {
    const receivedAtMs = this.#clock.nowMs()
    const budget: Budget = { lookupsLeft: LOOKUPS_MAX }
    const options = readOptions(scan, octets)
    const cookie = readCookie(options)
    const query: Query = {
      id: scan.id,
      question: {
        qname: octets.slice(12, 12 + scan.foldedLength),
        qtype: scan.qtype,
        qclass: scan.qclass,
      },
      recursionDesired: scan.recursionDesired,
      authenticData: scan.authenticData,
      checkingDisabled: scan.checkingDisabled,
      edns: scan.edns ? { payloadSize: scan.payloadSize, dnssecOk: scan.dnssecOk, options } : undefined,
      replyOptions: [
        ...(cookie ? [this.#cookies.judge(cookie, client.address).option] : []),
        ...(asksForKeepalive(scan, transport) ? [keepaliveOption(this.#idleTimeoutMs)] : []),
      ],
      ixfrSerial: scan.qtype === TYPE.IXFR ? readIxfrSerial(octets) : undefined,
      transport,
      client,
      local,
      server: this.#server,
      zone: '',
      view: '',
      requestOctets: octets.length,
      replyMaxOctets: 512,
      receivedAtMs,
      deadlineMs: receivedAtMs + PATIENCE_MS,
      budget,
      metadata: new Map(),
      lookup: (qname, qtype) => this.#lookup(query, qname, qtype),
    }
    return query
  }

  /** A question that a plugin asks the whole server on a query's behalf: routed, cached and counted like any other. */
  async #lookup(asker: Query, qname: Name, qtype: number): Promise<Reply> {
    if (asker.budget.lookupsLeft-- <= 0) {
      return servfail({ code: EDE.OTHER, text: 'too many look-ups for one query' })
    }
    const scan = new Scan()
    const packet = new Uint8Array(16 + qname.length)
    packet[5] = 1
    packet.set(qname, 12)
    packet.set([qtype >> 8, qtype & 255, 0, CLASS.IN], 12 + qname.length)
    if (scan.read(packet, 0, packet.length) !== 'ok') return servfail()
    const question = { qname, qtype, qclass: CLASS.IN }
    const requestOctets = packet.length + (asker.edns ? OPT_OCTETS : 0)
    // Whatever the client desires, its target must be found (CoreDNS sets RD, too).
    const query: Query = { ...asker, question, recursionDesired: true, requestOctets }
    const routed = this.#route(scan, query)
    if (!routed) return refused()
    const outcome = await this.#run(routed.served, routed.query)
    return outcome === DROP ? refused() : outcome
  }
}

/** Whether the client wants to know how long its connection may be idle; over UDP and HTTP the option means nothing. */
const asksForKeepalive = (scan: Scan, transport: Transport): boolean =>
  (transport === 'tcp' || transport === 'tls') && scan.hasOption(OPTION.KEEPALIVE)

function concernsOne(guards: readonly Guard[], scan: Scan): boolean {
  for (let i = 0; i < guards.length; i++) if (guards[i]!.concerns(scan)) return true
  return false
}
