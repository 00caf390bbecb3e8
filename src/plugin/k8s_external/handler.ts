// `k8s_external` at work in one server block on one serving thread: what kind of name a question is about, and its reply.

import type { Query } from '../../query/query.ts'
import {
  answer,
  type MaybePromise,
  nodata,
  nxdomain,
  type Outcome,
  type Reply,
  refused,
} from '../../query/reply.ts'
import type { ZoneCopy } from '../../query/zone-copy.ts'
import { FLAG } from '../../table/layout.ts'
import { EDE, type ExtendedError } from '../../wire/extended-error.ts'
import {
  countLabels,
  equalNames,
  formatName,
  isWithin,
  isWithinAny,
  joinNames,
  type Name,
  name,
} from '../../wire/name.ts'
import { RCODE } from '../../wire/rcode.ts'
import { type Rr, rr, soaRdata } from '../../wire/record.ts'
import { CLASS, TYPE } from '../../wire/rrtype.ts'
import { type ScannedName, scannedName } from '../../wire/scan.ts'
import { agedReason } from '../kubernetes/age.ts'
import { isReverseZone } from '../kubernetes/answers.ts'
import { addressRecord, zoneCopy } from '../kubernetes/copy.ts'
import { KubernetesHandler } from '../kubernetes/handler.ts'
import { readReverse } from '../kubernetes/reverse.ts'
import { Service } from '../kubernetes/service.ts'
import type { Next, ServingContext, TreeHandler } from '../plugin.ts'
import { nameserverAddresses, ownersOf } from './addresses.ts'
import type { ExternalConfig } from './config.ts'
import { zoneRecords } from './copy.ts'
import { askedOf, type Entry, entriesOf } from './entries.ts'
import { addressAnswer, portAnswer, type Records, type Ttls } from './records.ts'

const PLUGIN = 'k8s_external'
const NO_NAME = {
  code: EDE.OTHER,
  text: 'no exposed service of this name is reached from outside the cluster',
}
const NO_TYPE = { code: EDE.OTHER, text: 'the name exists, and has no record of this type' }
const NOT_SYNCED = { code: EDE.NOT_READY, text: 'the cluster is not listed yet' }
const WRONG_CLASS = { code: EDE.NOT_SUPPORTED, text: 'only the class IN is served' }

/** A zone with the names of its apex. */
interface Zone {
  readonly zone: Name
  readonly labels: number
  readonly ns1: Name
  readonly hostmaster: Name
}

type Cluster = KubernetesHandler['cluster']

/** A question on its way. */
interface Passage {
  readonly query: Query
  readonly next: Next
  readonly cluster: Cluster
  readonly zone: Zone
  readonly scanned: ScannedName
  /** The labels before the zone, in lower case, the leftmost first. */
  readonly before: readonly string[]
}

/** The directive of one server block. */
export class ExternalHandler implements TreeHandler {
  readonly trees = true
  readonly #config: ExternalConfig
  readonly #context: ServingContext
  /** The longest first. */
  readonly #zones: readonly Zone[]
  /** The zone that PTR records point into. */
  readonly #primaryZone: Name
  readonly #fallthrough: readonly Name[]

  constructor(config: ExternalConfig, context: ServingContext) {
    this.#config = config
    this.#context = context
    this.#zones = config.zones
      .map(zone => zoneOf(name(zone), config.apex))
      .sort((a, b) => b.labels - a.labels)
    this.#primaryZone = name(config.zones[0]!)
    this.#fallthrough = (config.fallthrough ?? []).map(zone => name(zone))
  }

  get #cluster(): Cluster | undefined {
    return this.#context.handlers.find(handler => handler instanceof KubernetesHandler)?.cluster
  }

  concernsZone(zone: Name): boolean {
    return this.#zones.some(own => isWithin(own.zone, zone) || isWithin(zone, own.zone))
  }

  /** Reverse zones have no copy, as those of kubernetes have none. */
  copyOf(qname: Name): ZoneCopy | 'not-ready' | undefined {
    const zone = this.#zones.find(each => equalNames(each.zone, qname))
    const cluster = zone && !isReverseZone(formatName(zone.zone)) ? this.#cluster : undefined
    if (!zone || !cluster) return undefined
    const { table } = cluster
    if (!table.synced || table.restored) return 'not-ready'
    const options = {
      ...this.#ttls(cluster),
      table,
      zone: zone.zone,
      headless: this.#config.headless,
      apex: [this.#ns(zone), ...this.#nameserver(cluster, zone.ns1)],
    }
    return zoneCopy(
      table.externalSerial,
      () => this.#context.clock.wallMs(),
      serial => this.#soa({ cluster, zone }, serial),
      () => zoneRecords(options),
    )
  }

  handle(query: Query, next: Next): MaybePromise<Outcome> {
    const { qname, qclass, qtype } = query.question
    const zone = this.#zones.find(each => isWithin(qname, each.zone))
    const cluster = zone && this.#cluster
    if (!cluster) return next(query)
    if (qclass !== CLASS.IN) return refused(WRONG_CLASS)
    if (qtype === TYPE.AXFR || qtype === TYPE.IXFR) return refused()
    const scanned = scannedName(qname)
    const before = labelsBefore(scanned, scanned.labelCount - zone.labels)
    const passage = { query, next, cluster, zone, scanned, before }
    if (before.length === 0) return this.#apex(passage)
    if (before.at(-1) === this.#config.apex) return this.#belowApex(passage)
    const address = new Uint8Array(16)
    const octets = readReverse(scanned, address)
    if (octets > 0) return this.#reverse(passage, address.subarray(0, octets))
    const found = this.#find(passage)
    if (found === undefined) return this.#nameError(passage)
    return qtype === TYPE.A || qtype === TYPE.AAAA || qtype === TYPE.SRV
      ? this.#records(passage, found)
      : this.#nodata(passage)
  }

  #apex(passage: Passage): Reply {
    const { query, cluster, zone } = passage
    if (query.question.qtype === TYPE.SOA) return finished(cluster, answer(PLUGIN, [this.#soa(passage)]))
    if (query.question.qtype !== TYPE.NS) return this.#nodata(passage)
    return finished(cluster, answer(PLUGIN, [this.#ns(zone)], this.#nameserver(cluster, zone.ns1)))
  }

  /** APEX.ZONE, ns1.APEX.ZONE and whatever else would be there. */
  #belowApex(passage: Passage): Reply {
    const { query, cluster, before } = passage
    if (before.length === 1) return this.#nodata(passage)
    if (before.length > 2 || before[0] !== 'ns1') return this.#denied(passage)
    const { qname, qtype } = query.question
    const records = this.#nameserver(cluster, qname).filter(({ type }) => type === qtype)
    return records.length > 0 ? finished(cluster, answer(PLUGIN, records)) : this.#nodata(passage)
  }

  #nameserver({ table, ownAddresses }: Cluster, owner: Name): Rr[] {
    const addresses = nameserverAddresses(table, ownAddresses, this.#config.headless)
    return addresses.map(address => addressRecord(owner, this.#config.ttlSeconds, address))
  }

  /** A of an address that some service is reached at is NODATA, of any other a name error (docs/coredns.md 1.8). */
  #reverse(passage: Passage, address: Uint8Array): MaybePromise<Outcome> {
    const { query, cluster } = passage
    const owners = ownersOf(cluster.table, address)
    if (owners.length === 0) return this.#nameError(passage)
    const { qname, qtype } = query.question
    if (qtype !== TYPE.PTR) return this.#nodata(passage)
    const targets = owners.flatMap(labels => joinNames(Uint8Array.of(...labels, 0), this.#primaryZone) ?? [])
    const records = targets.map(target => rr(qname, TYPE.PTR, this.#config.ttlSeconds, target))
    return finished(cluster, answer(PLUGIN, records))
  }

  /** The ways to what the name asks for; none for a namespace alone, undefined where there is nothing of that name. */
  #find({ cluster, scanned, before }: Passage): readonly Entry[] | undefined {
    const { table } = cluster
    const { folded, labelAt } = scanned
    const namespaceAt = labelAt[before.length - 1]!
    const keyEnd = namespaceAt + 1 + folded[namespaceAt]!
    if (!table.copyOf(folded.slice(namespaceAt, keyEnd))) return undefined
    if (before.length === 1) return []
    const serviceAt = labelAt[before.length - 2]!
    const asked = askedOf(before.slice(0, -2))
    const block = asked && table.copyOf(folded.slice(serviceAt, keyEnd))
    if (!block) return undefined
    const service = new Service(block)
    const entries = entriesOf(service, folded.slice(serviceAt), asked, this.#config.headless)
    return entries.length > 0 && !service.has(FLAG.NO_SERVICE) ? entries : undefined
  }

  async #records(passage: Passage, entries: readonly Entry[]): Promise<Reply> {
    const { query, cluster } = passage
    const { qname, qtype } = query.question
    const ttls = this.#ttls(cluster)
    const records: Records =
      qtype === TYPE.SRV
        ? await portAnswer(entries, qname, ttls, query.lookup)
        : await addressAnswer(entries, qname, qtype, ttls, query.lookup)
    if (records.answer.length === 0) return this.#nodata(passage)
    const reply = { ...answer(PLUGIN, records.answer, records.additional), ...records.end }
    return finished(cluster, reply, reply.extendedError)
  }

  #nodata(passage: Passage): Reply {
    return finished(passage.cluster, nodata(PLUGIN, this.#soa(passage)), NO_TYPE)
  }

  #denied(passage: Passage): Reply {
    return finished(passage.cluster, nxdomain(PLUGIN, this.#soa(passage)), NO_NAME)
  }

  /** To the next plugin where `fallthrough` covers it; before all is listed nobody knows. */
  #nameError(passage: Passage): MaybePromise<Outcome> {
    const { query, next, cluster } = passage
    if (isWithinAny(query.question.qname, this.#fallthrough)) return next(query)
    if (cluster.table.synced) return this.#denied(passage)
    return { ...nodata(PLUGIN, this.#soa(passage)), rcode: RCODE.SERVFAIL, extendedError: NOT_SYNCED }
  }

  #soa({ cluster, zone }: Pick<Passage, 'cluster' | 'zone'>, serial = cluster.table.externalSerial): Rr {
    const { ttlSeconds } = this.#config
    const numbers = [serial, 7200, 1800, 86_400, ttlSeconds] as const
    return rr(zone.zone, TYPE.SOA, ttlSeconds, soaRdata(zone.ns1, zone.hostmaster, numbers))
  }

  #ns({ zone, ns1 }: Zone): Rr {
    return rr(zone, TYPE.NS, this.#config.ttlSeconds, ns1)
  }

  #ttls({ config }: Cluster): Ttls {
    return { ttlSeconds: this.#config.ttlSeconds, linkTtlSeconds: config.ttlSeconds }
  }
}

function zoneOf(zone: Name, apex: string): Zone {
  const below = (label: string): Name => joinNames(name(`${label}.${apex}.`), zone) ?? zone
  return { zone, labels: countLabels(zone), ns1: below('ns1'), hostmaster: below('hostmaster') }
}

const labelsBefore = ({ folded, labelAt }: ScannedName, count: number): string[] =>
  Array.from(labelAt.subarray(0, count), at =>
    Buffer.from(folded.subarray(at + 1, at + 1 + folded[at]!)).toString('latin1'),
  )

/** The reply, with why there is nothing and, where the API server has not been heard for a while, how old it is. */
function finished({ table }: Cluster, reply: Reply, reason?: ExtendedError): Reply {
  const { age } = table
  return { ...reply, extendedError: age === 0 ? reason : agedReason(age, reply.rcode, reason?.text) }
}
