// `kubernetes` in the chain. The listener's fast path calls ClusterAnswers by itself; this handler does the same for queries
// that come down the chain, and follows ExternalName targets, which needs the rest of the server (docs/coredns.md 1.6).

import { pluginIndex } from '../../observe/query-meters.ts'
import { takeFound, writeDraft } from '../../query/draft.ts'
import { BACK, DONE, type Kept, LOOKUP, NEXT, type Packet, type Step } from '../../query/packet.ts'
import { takeWhole } from '../../query/settle.ts'
import type { ZoneCopy } from '../../query/zone-copy.ts'
import type { TableReader } from '../../table/reader.ts'
import { EDE } from '../../wire/extended-error.ts'
import { MESSAGE_MAX } from '../../wire/header.ts'
import {
  countLabels,
  equalNames,
  formatName,
  isWithin,
  joinNames,
  type Name,
  name,
  parentName,
} from '../../wire/name.ts'
import { RCODE } from '../../wire/rcode.ts'
import { CLASS } from '../../wire/rrtype.ts'
import type { Scan } from '../../wire/scan.ts'
import type { Handler, ServingContext } from '../plugin.ts'
import { isEmpty } from '../why.ts'
import { type AnswerOptions, soaTtlSeconds } from './answer-options.ts'
import { CHASE, ClusterAnswers, PASS } from './answers.ts'
import { Asker } from './asker.ts'
import { Clients } from './clients.ts'
import { type KubernetesConfig, sourceKey } from './config.ts'
import { copyOfCluster } from './copy.ts'
import { ExternalNames } from './external.ts'
import { namespaceOf, PATH_LABELS_MIN } from './first-of-path.ts'
import { ownAddresses } from './nameservers.ts'
import { reasonCounters } from './reason.ts'
import { isReverseZone } from './reverse-zone.ts'

const KUBERNETES = pluginIndex('kubernetes')

/** What names are not that fall through. */
const NO_ADDRESS = 'no service and no ready endpoint has this address'
const NO_NAME = 'no such name in the cluster'

export class KubernetesHandler implements Handler {
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
  readonly #externals: ExternalNames
  /** Labels that a name must have to tell of a search path. */
  readonly #pathLabelsMin: number

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
    this.#pathLabelsMin = PATH_LABELS_MIN + Math.min(...this.#answers.map(({ zone }) => countLabels(zone)))
    this.#externals = new ExternalNames(table, config.ttlSeconds)
    this.#clients = config.clients && new Clients(table, config.clients)
    this.#asker = config.nodes ? new Asker(table, config.verifiedPods) : undefined
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
    const zone = this.#answers.find(answers => isWithin(qname, answers.zone))?.zone
    const client = zone && this.#clients?.find(address)
    if (!client || client.hostNetwork) return []
    const own = joinNames(name(`${client.namespace}.svc.`), zone)
    return own ? [own, parentName(own), zone] : []
  }

  /** The same of the search path that the name itself tells of (first-of-path.ts); empty where it tells of none. */
  pathOfName(scan: Scan): readonly Name[] {
    const answers = this.#answers.find(each => each.covers(scan))
    const labels = answers?.labelsOfPath(scan) ?? 0
    if (answers === undefined || labels === 0) return []
    const own = joinNames(name(`${namespaceOf(scan, labels)}.svc.`), answers.zone)
    return own ? [own, parentName(own), answers.zone] : []
  }

  /** HOT: whether it tells of one. */
  tellsPath(scan: Scan): boolean {
    if (scan.labelCount < this.#pathLabelsMin) return false
    for (const answers of this.#answers) if (answers.covers(scan)) return answers.labelsOfPath(scan) > 0
    return false
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

  handle(packet: Packet): Step {
    const { scan, trace } = packet
    const answers = this.#answersOf(scan)
    if (!answers) return NEXT
    // Another class comes this far where a plugin of the block speaks it; the cluster has no data of it.
    if (scan.qclass !== CLASS.IN)
      return packet.fail(RCODE.REFUSED, EDE.NOT_SUPPORTED, 'only the class IN is served')
    packet.enlarge()
    this.#table.enter()
    const { question, out, outAt } = packet
    answers.asker?.comes(packet.from, packet.fromAt)
    const octets = answers.answer(scan, question, out, outAt, this.#limitOf(packet))
    const nearness = trace && answers.nearnessText
    this.#table.leave()
    if (answers.isForPlace) packet.isForClient = true
    if (nearness !== undefined) trace?.note('kubernetes', nearness)
    if (octets === PASS) {
      trace?.note('kubernetes', 'has no such name, and falls through')
      packet.clear()
      if (!packet.asked.edns) return NEXT
      packet.keep(answers.isReverse ? NO_ADDRESS : NO_NAME)
      return BACK
    }
    return octets === CHASE ? this.#chase(packet, answers) : takeWhole(packet, octets, KUBERNETES)
  }

  /** Says of a name that fell through, and has nothing behind either, that the cluster has not. */
  back(packet: Packet, kept: Kept): Step {
    if (!isEmpty(packet)) return DONE
    const said = Buffer.from(packet.reason.subarray(0, packet.reasonOctets)).toString()
    packet.setReason(Math.max(packet.reasonCode, EDE.OTHER), said === '' ? String(kept) : `${kept}; ${said}`)
    return DONE
  }

  /** Goes on with what the name outside the cluster has. */
  found(packet: Packet, draft: Kept, asked: Packet): Step {
    return takeFound(packet, draft, asked)
  }

  #answersOf(scan: Scan): ClusterAnswers | undefined {
    for (const answers of this.#answers) if (answers.covers(scan)) return answers
    return undefined
  }

  /** Of thousands of endpoints no more are read than the client can be sent. */
  #limitOf({ transport, becomesSmaller, limit }: Packet): number {
    return transport === 'udp' && !this.#needsAll && !becomesSmaller ? limit : MESSAGE_MAX
  }

  #chase(packet: Packet, answers: ClusterAnswers): Step {
    const draft = this.#externals.follow(answers, packet, this.#limitOf(packet))
    if (draft === undefined) return this.#noData(packet, answers)
    const step = writeDraft(packet, draft)
    if (step === LOOKUP && packet.trace !== undefined) {
      const target = formatName(packet.wishName)
      packet.trace.note('kubernetes', `the externalName is ${target}, which is looked up`, { target })
    }
    return step
  }

  #noData(packet: Packet, answers: ClusterAnswers): Step {
    packet.enlarge()
    const { scan, question, out, outAt } = packet
    this.#table.enter()
    const octets = answers.noData(scan, question, out, outAt, MESSAGE_MAX)
    this.#table.leave()
    return takeWhole(packet, octets, KUBERNETES)
  }
}
