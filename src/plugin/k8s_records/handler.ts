// `k8s_records` at work: names of its zones out of the table of the block's `kubernetes` (table/records.ts), an alias with what the
// whole server says of its target, wildcards from the closest encloser (RFC 4592). A name that others are below exists.

import { pluginIndex } from '../../observe/query-meters.ts'
import { type Part, takeFound, writeDraft } from '../../query/draft.ts'
import { NEXT, type Packet, type Step } from '../../query/packet.ts'
import { type Zoned, ZoneTable } from '../../query/zone-table.ts'
import { detailAt } from '../../table/block.ts'
import { KEY } from '../../table/layout.ts'
import type { TableReader } from '../../table/reader.ts'
import { EDE, type ExtendedError } from '../../wire/extended-error.ts'
import { FLAG_AA } from '../../wire/header.ts'
import { countLabels, isWithin, joinNames, NAME_MAX_OCTETS, type Name, name } from '../../wire/name.ts'
import { RCODE } from '../../wire/rcode.ts'
import { type Rr, rr, soaRdata } from '../../wire/record.ts'
import { CLASS, TYPE } from '../../wire/rrtype.ts'
import { type Scan, zoneInScan } from '../../wire/scan.ts'
import { SECTION } from '../../wire/walk.ts'
import { KubernetesHandler } from '../kubernetes/handler.ts'
import type { Handler, ServingContext } from '../plugin.ts'
import type { RecordsConfig } from './config.ts'

const PLUGIN = pluginIndex('k8s_records')
const NO_NAME = { code: EDE.OTHER, text: 'no object asks for this name' }
const NO_TYPE = { code: EDE.OTHER, text: 'the name exists, and has no record of this type' }
const NOT_SYNCED = { code: EDE.NOT_READY, text: 'the objects are not listed yet' }
/** 01 * */
const STAR = Uint8Array.of(1, 0x2a)

interface Zone {
  readonly zone: Name
  readonly labels: number
  readonly mname: Name
  readonly rname: Name
}

/** A set of records of a name. */
interface FoundSet {
  readonly type: number
  readonly ttlSeconds: number
  readonly data: readonly Uint8Array[]
}

export class RecordsHandler implements Handler {
  readonly #config: RecordsConfig
  readonly #context: ServingContext
  #found: TableReader | undefined
  #own: readonly Pick<Zone, 'zone' | 'labels'>[] = []
  readonly #zones: ZoneTable<Zone>
  readonly #fallthrough: ZoneTable<Zoned>
  readonly #key = new Uint8Array(1 + NAME_MAX_OCTETS)

  constructor(config: RecordsConfig, context: ServingContext) {
    this.#config = config
    this.#context = context
    this.#zones = new ZoneTable(
      config.zones.map(text => {
        const zone = name(text)
        const below = (label: string): Name => joinNames(name(`${label}.dns.`), zone) ?? zone
        return { zone, labels: countLabels(zone), mname: below('ns'), rname: below('hostmaster') }
      }),
    )
    this.#fallthrough = new ZoneTable((config.fallthrough ?? []).map(zone => ({ zone: name(zone) })))
    this.#key[0] = KEY.RECORDS
  }

  readonly found = takeFound

  /** A zone of the cluster is its own, but for longer ones in it. */
  concernsZone(zone: Name): boolean {
    return this.#config.zones.some(text => {
      const own = name(text)
      return own.length > zone.length && isWithin(own, zone)
    })
  }

  handle(packet: Packet): Step {
    const { scan } = packet
    const index = scan.qclass === CLASS.IN ? this.#zones.indexOf(scan) : -1
    const table = index < 0 ? undefined : this.#table
    if (table === undefined) return NEXT
    if (scan.qtype === TYPE.AXFR || scan.qtype === TYPE.IXFR) return NEXT
    const zone = this.#zones.at(index)
    if (this.#isOwn(scan, zone)) return NEXT
    table.enter()
    const block = this.#find(table, scan, zone)
    const sets = block === 0 ? undefined : readSets(table, block)
    table.leave()
    const isApex = zone.zone.length === scan.foldedLength
    if (sets === undefined && !isApex) return this.#missing(packet, table, zone)
    return this.#answer(packet, table, zone, sets ?? [], isApex)
  }

  /** Those of the block's `kubernetes`, which is made behind this one. */
  get #table(): TableReader | undefined {
    if (this.#found === undefined) {
      const cluster = this.#context.handlers.find(each => each instanceof KubernetesHandler)?.cluster
      this.#found = cluster?.table
      this.#own = (cluster?.config.zones ?? []).map(text => {
        const zone = name(text)
        return { zone, labels: countLabels(zone) }
      })
    }
    return this.#found
  }

  /** Whether the name is in a zone of the cluster's that is no shorter than the one here. */
  #isOwn(scan: Scan, { zone }: Zone): boolean {
    return this.#own.some(
      own => own.zone.length >= zone.length && zoneInScan(scan, own.zone, own.labels) >= 0,
    )
  }

  /** The block of the name, or of the wildcard below the longest name above it that exists; 0 for none. */
  #find(table: TableReader, { folded, foldedLength, labelAt, labelCount }: Scan, { labels }: Zone): number {
    const own = this.#at(table, folded, 0, foldedLength, 0)
    if (own !== 0) return own
    for (let i = 1; i <= labelCount - labels; i++) {
      const at = i === labelCount ? foldedLength - 1 : labelAt[i]!
      const isThere = i === labelCount - labels || this.#at(table, folded, at, foldedLength, 0) !== 0
      if (isThere) return this.#at(table, folded, at, foldedLength, STAR.length)
    }
    return 0
  }

  /** The block of folded[at … end), with so many octets of `*.` before it. */
  #at(table: TableReader, folded: Uint8Array, at: number, end: number, star: number): number {
    const key = this.#key
    if (1 + star + end - at > key.length) return 0
    for (let i = 0; i < star; i++) key[1 + i] = STAR[i]!
    for (let i = at; i < end; i++) key[1 + star + i - at] = folded[i]!
    return table.find(key, 0, 1 + star + end - at)
  }

  #missing(packet: Packet, table: TableReader, zone: Zone): Step {
    if (this.#fallthrough.indexOf(packet.scan) >= 0) {
      packet.trace?.note('k8s_records', 'no object asks for this name, which falls through')
      return NEXT
    }
    return table.synced
      ? this.#negative(packet, table, zone, RCODE.NXDOMAIN, NO_NAME)
      : this.#negative(packet, table, zone, RCODE.SERVFAIL, NOT_SYNCED)
  }

  #answer(packet: Packet, table: TableReader, zone: Zone, sets: readonly FoundSet[], isApex: boolean): Step {
    const { qname, scan } = packet
    const { qtype } = scan
    const own = sets.filter(({ type }) => type === qtype || qtype === TYPE.ANY)
    const alias = sets.find(({ type }) => type === TYPE.CNAME)
    const parts: Part[] = (own.length > 0 ? own : alias ? [alias] : []).flatMap(set => recordsOf(qname, set))
    if (isApex && (qtype === TYPE.SOA || qtype === TYPE.ANY))
      parts.push({ section: SECTION.ANSWER, record: this.#soa(table, zone) })
    if (parts.length === 0) return this.#negative(packet, table, zone, RCODE.NOERROR, NO_TYPE)
    const target = own.length === 0 ? alias?.data[0] : undefined
    if (target) parts.push({ section: SECTION.ANSWER, qname: target, qtype })
    return draft(packet, parts, RCODE.NOERROR, undefined, target !== undefined)
  }

  #negative(packet: Packet, table: TableReader, zone: Zone, rcode: number, reason: ExtendedError): Step {
    return draft(
      packet,
      [{ section: SECTION.AUTHORITY, record: this.#soa(table, zone) }],
      rcode,
      reason,
      false,
    )
  }

  #soa(table: TableReader, { zone, mname, rname }: Zone): Rr {
    const { ttlSeconds } = this.#config
    return rr(
      zone,
      TYPE.SOA,
      ttlSeconds,
      soaRdata(mname, rname, [table.serial, 7200, 1800, 86_400, ttlSeconds]),
    )
  }
}

function draft(
  packet: Packet,
  parts: readonly Part[],
  rcode: number,
  reason: ExtendedError | undefined,
  endsInAlias: boolean,
): Step {
  return writeDraft(packet, {
    rcode,
    plugin: PLUGIN,
    bits2: FLAG_AA,
    endsInAlias,
    reasonOf: (_, end) => end ?? reason,
    parts,
    found: [],
    truncated: false,
  })
}

const recordsOf = (qname: Name, { type, ttlSeconds, data }: FoundSet): Part[] =>
  data.map(rdata => ({ section: SECTION.ANSWER, record: rr(qname, type, ttlSeconds, rdata) }))

/** The sets of records in a block (table/layout.ts). */
function readSets({ words, octets }: TableReader, block: number): FoundSet[] {
  let at = detailAt(words, block)
  const u16 = (): number => {
    at += 2
    return octets[at - 2]! | (octets[at - 1]! << 8)
  }
  const count = u16()
  return Array.from({ length: count }, () => {
    const type = u16()
    const ttlSeconds = u16() + u16() * 0x10000
    const records = u16()
    const data = Array.from({ length: records }, () => {
      const length = u16()
      at += length
      return octets.slice(at - length, at)
    })
    return { type, ttlSeconds, data }
  })
}
