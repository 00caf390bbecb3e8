// `kubernetes` in the chain. The listener's fast path calls ClusterAnswers by itself; this handler does the same for queries
// that come down the chain, and follows ExternalName targets, which needs the rest of the server (docs/coredns.md 1.6).

import { type AliasEnd, aliasEnd } from '../../query/alias.ts'
import type { Packet } from '../../query/packet.ts'
import type { Query } from '../../query/query.ts'
import {
  type MaybePromise,
  type Outcome,
  answer as positive,
  type Reply,
  refused,
  servfail,
} from '../../query/reply.ts'
import { sockaddr } from '../../query/sockaddr.ts'
import type { ZoneCopy } from '../../query/zone-copy.ts'
import type { TableReader } from '../../table/reader.ts'
import { EDE, readExtendedError } from '../../wire/extended-error.ts'
import { MESSAGE_MAX } from '../../wire/header.ts'
import { decodeMessage, MessageWriter, type Question } from '../../wire/message.ts'
import { equalNames, formatName, isWithin, joinNames, type Name, name, parentName } from '../../wire/name.ts'
import { RCODE } from '../../wire/rcode.ts'
import { type Rr, rr } from '../../wire/record.ts'
import { CLASS, TYPE } from '../../wire/rrtype.ts'
import { Scan } from '../../wire/scan.ts'
import type { Next, ServingContext, TreeHandler } from '../plugin.ts'
import { type AnswerOptions, CHASE, ClusterAnswers, isReverseZone, PASS, soaTtlSeconds } from './answers.ts'
import { Asker } from './asker.ts'
import { Clients } from './clients.ts'
import { type KubernetesConfig, sourceKey } from './config.ts'
import { copyOfCluster } from './copy.ts'
import { ownAddresses } from './nameservers.ts'
import { reasonCounters } from './reason.ts'

/** A link is refused when more than this many stand before it (docs/coredns.md 1.6). */
const CHAIN_MAX = 10
const PLUGIN = 'kubernetes'

/** What one look into the table gave. */
type Found = Reply | typeof CHASE | typeof PASS

/** A chain followed to its end; `undefined` where it leads to nothing of ours. */
interface Chased {
  readonly records: readonly Rr[]
  readonly end: AliasEnd
}

export class KubernetesHandler implements TreeHandler {
  readonly trees = true
  readonly #config: KubernetesConfig
  readonly #table: TableReader
  readonly #own: readonly Uint8Array[]
  readonly #answers: readonly ClusterAnswers[]
  readonly #clients: Clients | undefined
  /** Where clients are, for labels. */
  readonly #asker: Asker | undefined
  /** Whether a plugin chooses among all addresses, however many fit. */
  readonly #needsAll: boolean
  readonly #wallMs: () => number
  readonly #scan = new Scan()
  readonly #writer = new MessageWriter()
  readonly #out = new Uint8Array(MESSAGE_MAX)

  /** The chain gives every answer its final TTL and order; shuffled it is here too, where not all of it fits. */
  constructor(config: KubernetesConfig, context: ServingContext) {
    const table = context.tables.get(sourceKey(config))
    if (!table) throw new RangeError(`no table for ${sourceKey(config)}`)
    this.#config = config
    this.#table = table
    const own = config.localIps.length > 0 ? ownAddresses(config.localIps) : context.ownAddresses
    this.#own = own
    this.#wallMs = () => context.clock.wallMs()
    const { random, addressOrder } = context
    this.#needsAll = addressOrder === 'chosen'
    const plain = {
      shuffle: addressOrder === 'random',
      flattenedTtl: (ttlSeconds: number) => ttlSeconds,
      random,
      reasons: true,
      ownAddresses: own,
      counters: reasonCounters(context.meters),
    }
    this.#answers = this.answersForZones(() => plain)
    this.#clients = config.clients && new Clients(table, config.clients)
    this.#asker = config.nodes ? new Asker(table) : undefined
  }

  /**
   * The answers of all zones, the longest first, with what the plugins around make of them: the fast path. A zone for
   * which `options` gives undefined is left to the chain.
   */
  answersForZones(options: (zone: string) => AnswerOptions | undefined): ClusterAnswers[] {
    return this.#config.zones
      .flatMap(zone => {
        const ofZone = options(zone)
        return ofZone
          ? [new ClusterAnswers(this.#config, zone, this.#table, { ...ofZone, ownAddresses: this.#own })]
          : []
      })
      .sort((a, b) => b.zone.length - a.zone.length)
  }

  /** The table that it answers from, the directive, and the server's own addresses: for k8s_external beside it. */
  get cluster(): {
    readonly table: TableReader
    readonly config: KubernetesConfig
    readonly ownAddresses: readonly Uint8Array[]
  } {
    return { table: this.#table, config: this.#config, ownAddresses: this.#own }
  }

  annotate({ asked, client, from, fromAt }: Packet, labels: Map<string, string>): void {
    this.#clients?.annotate(client.address, labels)
    this.#asker?.annotate(from, fromAt, labels)
    this.#answers.find(answers => answers.covers(asked))?.annotate(asked, labels)
  }

  /**
   * The search path of the Pod that asks from the address, for a name in one of the zones: NS.svc.ZONE, svc.ZONE, ZONE.
   * Empty where nobody knows which Pod it is, or where it shares its node's address: others may ask from there, too.
   */
  searchPath(qname: Name, address: string): readonly Name[] {
    const zone = this.#answersOf(qname)?.zone
    const client = zone && this.#clients?.find(address)
    if (!client || client.hostNetwork) return []
    const own = joinNames(name(`${client.namespace}.svc.`), zone)
    return own ? [own, parentName(own), zone] : []
  }

  /** HOT: whether the name may be one that a search path was put behind. */
  maySearch(scan: Scan): boolean {
    for (const answers of this.#answers) if (answers.covers(scan)) return answers.isSearched(scan)
    return false
  }

  /** Reverse zones have no copy: nothing here could say which addresses they lack. */
  copyOf(zone: Name): ZoneCopy | 'not-ready' | undefined {
    const { zones, ttlSeconds } = this.#config
    const own = zones.find(text => !isReverseZone(text) && equalNames(name(text), zone))
    if (own === undefined) return undefined
    return copyOfCluster({
      table: this.#table,
      zone: name(own),
      multicluster: this.#config.multiclusterZones.includes(own),
      ttlSeconds,
      soaTtlSeconds: soaTtlSeconds(this.#config),
      ownAddresses: this.#own,
      wallMs: this.#wallMs,
    })
  }

  handle(query: Query, next: Next): MaybePromise<Outcome> {
    const { question } = query
    const answers = this.#answersOf(question.qname)
    if (!answers) return next(query)
    // Another class comes this far where a plugin of the block speaks it; the cluster has no data of it.
    if (question.qclass !== CLASS.IN)
      return refused({ code: EDE.NOT_SUPPORTED, text: 'only the class IN is served' })
    const found = this.#find(answers, question, query, query.edns !== undefined)
    if (found === PASS) {
      query.trace?.note('kubernetes', 'has no such name, and falls through')
      return next(query)
    }
    return found === CHASE ? this.#external(answers, query) : found
  }

  #answersOf(qname: Name): ClusterAnswers | undefined {
    return this.#answers.find(answers => isWithin(qname, answers.zone))
  }

  /** Of thousands of endpoints no more are read than the client can be sent. */
  #limitOf({ transport, replyMaxOctets }: Query): number {
    return transport === 'udp' && !this.#needsAll ? replyMaxOctets : MESSAGE_MAX
  }

  /** One question out of the table, by the fast path's own code, as a reply; with EDNS it tells why there is nothing. */
  #find(answers: ClusterAnswers, question: Question, query: Query, edns: boolean): Found {
    const octets = this.#ask(question, edns)
    this.#table.enter()
    const from = answers.asker && sockaddr(query.client.address, query.client.port)
    if (from) answers.asker.comes(from, 0)
    const length = answers.answer(this.#scan, octets, this.#out, 0, this.#limitOf(query))
    this.#table.leave()
    if (length === CHASE || length === PASS) return length
    return this.#decode(length)
  }

  /** Writes the question as a packet and scans it. */
  #ask(question: Question, edns: boolean): Uint8Array {
    const octets = this.#writer.write(
      { ...HEAD, question: { ...question, qclass: CLASS.IN } },
      NO_SECTIONS,
      edns ? PLAIN_EDNS : undefined,
      MESSAGE_MAX,
    )
    this.#scan.read(octets, 0, octets.length)
    return octets
  }

  #decode(length: number): Reply {
    const message = decodeMessage(this.#out.subarray(0, length))
    if (!message) return servfail(undefined, 'the answer that was rendered cannot be read')
    const { rcode, authoritative, truncated, answer, authority, additional } = message
    const extendedError = readExtendedError(message.edns?.options ?? [])
    return {
      ...positive(PLUGIN, answer, additional),
      rcode,
      authoritative,
      truncated,
      authority,
      extendedError,
    }
  }

  async #external(answers: ClusterAnswers, query: Query): Promise<Reply> {
    const chased = await this.#chase(answers, query, query.question.qname, [])
    if (chased) return { ...positive(PLUGIN, chased.records), ...chased.end }
    const octets = this.#ask(query.question, query.edns !== undefined)
    return this.#decode(answers.noData(this.#scan, octets, this.#out, 0, MESSAGE_MAX))
  }

  /** Follows the ExternalName service `owner`; `chain` is what was followed before. */
  async #chase(
    answers: ClusterAnswers,
    query: Query,
    owner: Name,
    chain: readonly Rr[],
  ): Promise<Chased | undefined> {
    const { qtype } = query.question
    this.#ask({ qname: owner, qtype, qclass: CLASS.IN }, false)
    this.#table.enter()
    const target = answers.externalTarget(this.#scan)
    this.#table.leave()
    if (!target || isWithin(target, owner) || chain.length > CHAIN_MAX) return undefined
    if (chain.some(link => equalNames(link.rdata, target))) return undefined
    const link = rr(owner, TYPE.CNAME, this.#config.ttlSeconds, target)
    if (isWithin(target, answers.zone)) {
      const inner = this.#find(answers, { qname: target, qtype, qclass: CLASS.IN }, query, false)
      if (inner === PASS) return undefined
      if (inner !== CHASE) {
        // In the zone a target without an answer is NODATA without a link, as in CoreDNS, unless nobody knows yet.
        return inner.answer.length === 0 && inner.rcode !== RCODE.SERVFAIL
          ? undefined
          : { records: [link, ...inner.answer], end: aliasEnd(target, inner) }
      }
      const rest = await this.#chase(answers, query, target, [...chain, link])
      return rest && { ...rest, records: [link, ...rest.records] }
    }
    query.trace?.note('kubernetes', `the externalName is ${formatName(target)}, which is looked up`, {
      target: formatName(target),
    })
    const reply = await query.lookup(target, qtype)
    return { records: [link, ...reply.answer], end: aliasEnd(target, reply) }
  }
}

const HEAD = {
  id: 0,
  response: false,
  opcode: 0,
  authoritative: false,
  truncated: false,
  recursionDesired: false,
  recursionAvailable: false,
  authenticData: false,
  checkingDisabled: false,
  rcode: 0,
}
const PLAIN_EDNS = { payloadSize: MESSAGE_MAX, version: 0, dnssecOk: false, options: [] }
const NO_SECTIONS = { answer: [], authority: [], additional: [] }
