// `k8s_external` at work in one server block on one serving thread: what kind of name a question is about, and its reply.

import { pluginIndex } from '../../observe/query-meters.ts'
import { type Part, takeFound, writeDraft } from '../../query/draft.ts'
import { NEXT, type Packet, type Step } from '../../query/packet.ts'
import type { ZoneCopy } from '../../query/zone-copy.ts'
import { type Zoned, ZoneTable } from '../../query/zone-table.ts'
import { FLAG } from '../../table/layout.ts'
import { EDE, type ExtendedError } from '../../wire/extended-error.ts'
import { FLAG_AA } from '../../wire/header.ts'
import { countLabels, equalNames, formatName, isWithin, joinNames, type Name, name } from '../../wire/name.ts'
import { RCODE } from '../../wire/rcode.ts'
import { type Rr, rr, soaRdata } from '../../wire/record.ts'
import { CLASS, TYPE } from '../../wire/rrtype.ts'
import type { Scan } from '../../wire/scan.ts'
import { SECTION } from '../../wire/walk.ts'
import { agedReason } from '../kubernetes/age.ts'
import { textAt } from '../kubernetes/client-namespace.ts'
import { addressRecord, zoneCopy } from '../kubernetes/copy.ts'
import { KubernetesHandler } from '../kubernetes/handler.ts'
import { readReverse } from '../kubernetes/reverse.ts'
import { isReverseZone } from '../kubernetes/reverse-zone.ts'
import { Service } from '../kubernetes/service.ts'
import type { Handler, ServingContext } from '../plugin.ts'
import { nameserverAddresses, ownersOf } from './addresses.ts'
import type { ExternalConfig } from './config.ts'
import { zoneRecords } from './copy.ts'
import { askedOf, type Entry, entriesOf } from './entries.ts'
import { writeAddresses } from './fast.ts'
import { addressParts, portParts, type Ttls } from './records.ts'

const PLUGIN = pluginIndex('k8s_external')
const NO_NAME = {
  code: EDE.OTHER,
  text: 'no exposed service of this name is reached from outside the cluster',
}
const NO_TYPE = { code: EDE.OTHER, text: 'the name exists, and has no record of this type' }
const NOT_SYNCED = { code: EDE.NOT_READY, text: 'the cluster is not listed yet' }
const WRONG_CLASS = 'only the class IN is served'

/** A zone with the names of its apex. */
interface Zone {
  readonly zone: Name
  readonly labels: number
  readonly isReverse: boolean
  readonly ns1: Name
  readonly hostmaster: Name
}

type Cluster = KubernetesHandler['cluster']

/** A question on its way. */
interface Passage {
  readonly packet: Packet
  readonly cluster: Cluster
  readonly zone: Zone
  /** The labels before the zone, in lower case, the leftmost first. */
  readonly before: readonly string[]
}

/** The directive of one server block. */
export class ExternalHandler implements Handler {
  readonly #config: ExternalConfig
  readonly #apexLabel: Uint8Array
  readonly #context: ServingContext
  readonly #zones: readonly Zone[]
  readonly #table: ZoneTable<Zone>
  /** The zone that PTR records point into. */
  readonly #primaryZone: Name
  readonly #fallthrough: ZoneTable<Zoned>
  #found: Cluster | undefined

  constructor(config: ExternalConfig, context: ServingContext) {
    this.#config = config
    this.#apexLabel = Buffer.from(config.apex, 'latin1')
    this.#context = context
    this.#zones = config.zones.map(zone => zoneOf(name(zone), config.apex))
    this.#table = new ZoneTable(this.#zones)
    this.#primaryZone = name(config.zones[0]!)
    this.#fallthrough = new ZoneTable((config.fallthrough ?? []).map(zone => ({ zone: name(zone) })))
  }

  /** That of the block's `kubernetes`, which is made behind this one. */
  get #cluster(): Cluster | undefined {
    this.#found ??= this.#context.handlers.find(handler => handler instanceof KubernetesHandler)?.cluster
    return this.#found
  }

  concernsZone(zone: Name): boolean {
    return this.#zones.some(own => isWithin(own.zone, zone) || isWithin(zone, own.zone))
  }

  /** Reverse zones have no copy, as those of kubernetes have none. */
  copyOf(qname: Name): ZoneCopy | 'not-ready' | undefined {
    const zone = this.#zones.find(each => equalNames(each.zone, qname))
    const cluster = zone && !zone.isReverse ? this.#cluster : undefined
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

  readonly found = takeFound

  /** HOT. */
  handle(packet: Packet): Step {
    const { scan } = packet
    const index = this.#table.indexOf(scan)
    const cluster = index < 0 ? undefined : this.#cluster
    if (!cluster) return NEXT
    const { qclass, qtype } = scan
    if (qclass !== CLASS.IN) return packet.fail(RCODE.REFUSED, EDE.NOT_SUPPORTED, WRONG_CLASS)
    if (qtype === TYPE.AXFR || qtype === TYPE.IXFR) return packet.fail(RCODE.REFUSED)
    const zone = this.#table.at(index)
    const count = scan.labelCount - zone.labels
    const isPlain =
      count === 2 && (qtype === TYPE.A || qtype === TYPE.AAAA) && !zone.isReverse && !this.#isBelowApex(scan)
    if (isPlain && writeAddresses(packet, cluster.table, this.#config.ttlSeconds))
      return packet.composed(RCODE.NOERROR, PLUGIN, FLAG_AA)
    const before = labelsBefore(scan, count)
    const passage = { packet, cluster, zone, before }
    if (before.length === 0) return this.#apex(passage)
    if (before.at(-1) === this.#config.apex) return this.#belowApex(passage)
    const octets = readReverse(scan, address)
    if (octets > 0) return this.#reverse(passage, address.slice(0, octets))
    const found = this.#find(passage)
    if (found === undefined) return this.#nameError(passage)
    return qtype === TYPE.A || qtype === TYPE.AAAA || qtype === TYPE.SRV
      ? this.#records(passage, found)
      : this.#nodata(passage)
  }

  /** Whether the second label of a name is that of the apex. */
  #isBelowApex({ folded, labelAt }: Scan): boolean {
    const at = labelAt[1]!
    const apex = this.#apexLabel
    if (folded[at] !== apex.length) return false
    for (let i = 0; i < apex.length; i++) if (folded[at + 1 + i] !== apex[i]) return false
    return true
  }

  #apex(passage: Passage): Step {
    const { packet, cluster, zone } = passage
    const { qtype } = packet.scan
    if (qtype === TYPE.SOA) return answer(passage, [{ section: ANSWER, record: this.#soa(passage) }])
    if (qtype !== TYPE.NS) return this.#nodata(passage)
    const glue = this.#nameserver(cluster, zone.ns1).map(record => ({ section: ADDITIONAL, record }))
    return answer(passage, [{ section: ANSWER, record: this.#ns(zone) }, ...glue])
  }

  /** APEX.ZONE, ns1.APEX.ZONE and whatever else would be there. */
  #belowApex(passage: Passage): Step {
    const { packet, cluster, before } = passage
    if (before.length === 1) return this.#nodata(passage)
    if (before.length > 2 || before[0] !== 'ns1') return this.#denied(passage)
    const { qname, scan } = packet
    const records = this.#nameserver(cluster, qname).filter(({ type }) => type === scan.qtype)
    return records.length > 0
      ? answer(
          passage,
          records.map(record => ({ section: ANSWER, record })),
        )
      : this.#nodata(passage)
  }

  #nameserver({ table, ownAddresses }: Cluster, owner: Name): Rr[] {
    const addresses = nameserverAddresses(table, ownAddresses, this.#config.headless)
    return addresses.map(each => addressRecord(owner, this.#config.ttlSeconds, each))
  }

  /** A of an address that some service is reached at is NODATA, of any other a name error (docs/coredns.md 1.8). */
  #reverse(passage: Passage, octets: Uint8Array): Step {
    const { packet, cluster } = passage
    const owners = ownersOf(cluster.table, octets)
    if (owners.length === 0) return this.#nameError(passage)
    if (packet.scan.qtype !== TYPE.PTR) return this.#nodata(passage)
    const { qname } = packet
    const targets = owners.flatMap(labels => joinNames(Uint8Array.of(...labels, 0), this.#primaryZone) ?? [])
    return answer(
      passage,
      targets.map(target => ({
        section: ANSWER,
        record: rr(qname, TYPE.PTR, this.#config.ttlSeconds, target),
      })),
    )
  }

  /** The ways to what the name asks for; none for a namespace alone, undefined where there is nothing of that name. */
  #find({ packet, cluster, before }: Passage): readonly Entry[] | undefined {
    const { table } = cluster
    const { folded, foldedLength, labelAt } = packet.scan
    const namespaceAt = labelAt[before.length - 1]!
    const keyEnd = namespaceAt + 1 + folded[namespaceAt]!
    if (table.find(folded, namespaceAt, keyEnd) === 0) return undefined
    if (before.length === 1) return []
    const serviceAt = labelAt[before.length - 2]!
    const asked = askedOf(before.slice(0, -2))
    const block = asked && table.copyOf(folded.slice(serviceAt, keyEnd))
    if (!block) return undefined
    const service = new Service(block)
    const owner = folded.slice(serviceAt, foldedLength)
    const entries = entriesOf(service, owner, asked, this.#config.headless)
    return entries.length > 0 && !service.has(FLAG.NO_SERVICE) ? entries : undefined
  }

  #records(passage: Passage, entries: readonly Entry[]): Step {
    const { packet, cluster } = passage
    const { qname, scan } = packet
    const ttls = this.#ttls(cluster)
    const parts =
      scan.qtype === TYPE.SRV
        ? portParts(entries, qname, ttls)
        : addressParts(entries, qname, scan.qtype, ttls)
    return parts[0]?.section === ANSWER ? answer(passage, parts) : this.#nodata(passage)
  }

  #nodata(passage: Passage): Step {
    return this.#negative(passage, RCODE.NOERROR, NO_TYPE)
  }

  #denied(passage: Passage): Step {
    return this.#negative(passage, RCODE.NXDOMAIN, NO_NAME)
  }

  #negative(passage: Passage, rcode: number, reason: ExtendedError): Step {
    return answer(passage, [{ section: SECTION.AUTHORITY, record: this.#soa(passage) }], rcode, reason)
  }

  /** To the next plugin where `fallthrough` covers it; before all is listed nobody knows. */
  #nameError(passage: Passage): Step {
    const { packet, cluster } = passage
    if (this.#fallthrough.indexOf(packet.scan) >= 0) return NEXT
    return cluster.table.synced ? this.#denied(passage) : this.#negative(passage, RCODE.SERVFAIL, NOT_SYNCED)
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
  return {
    zone,
    labels: countLabels(zone),
    isReverse: isReverseZone(formatName(zone)),
    ns1: below('ns1'),
    hostmaster: below('hostmaster'),
  }
}

const { ANSWER, ADDITIONAL } = SECTION
const address = new Uint8Array(16)

const labelsBefore = ({ folded, labelAt }: Scan, count: number): string[] =>
  Array.from({ length: count }, (_, i) => textAt(folded, labelAt[i]!))

/** The reply, with why there is nothing and, where the API server has not been heard for a while, how old it is. */
function answer(
  { packet, cluster }: Passage,
  parts: readonly Part[],
  rcode: number = RCODE.NOERROR,
  reason?: ExtendedError,
): Step {
  const { age } = cluster.table
  return writeDraft(packet, {
    rcode,
    plugin: PLUGIN,
    bits2: FLAG_AA,
    endsInAlias: parts.length === 2 && parts[1]!.qname !== undefined && parts[1]!.section === ANSWER,
    reasonOf: (code, end = reason) =>
      age === 0 || end === NOT_SYNCED ? end : agedReason(age, code, end?.text),
    parts,
    found: [],
    truncated: false,
  })
}
