// HOT: the answers of one zone of one `kubernetes` directive, from the packet's octets and the table to the reply's octets
// (docs/coredns.md 1.1, 1.2; Kubernetes DNS specification). No allocation, promise or closure on the way of a Service's,
// endpoint's or Pod's name, found or not. Budget: 1 µs for an address record, 4 µs for ten SRV with glue
// (`npm run bench:micro`).

import { detailAt, endOf, flagsOf } from '../../table/block.ts'
import { FLAG, KEY } from '../../table/layout.ts'
import type { TableReader } from '../../table/reader.ts'
import { HEADER_OCTETS } from '../../wire/header.ts'
import { countLabels, NAME_MAX_OCTETS, type Name, name } from '../../wire/name.ts'
import { RCODE } from '../../wire/rcode.ts'
import { TYPE } from '../../wire/rrtype.ts'
import { type Scan, zoneInScan } from '../../wire/scan.ts'
import { AddressRecords } from './addresses.ts'
import { type AnswerOptions, soaTtlSeconds } from './answer-options.ts'
import { Asker } from './asker.ts'
import type { KubernetesConfig } from './config.ts'
import { isFirstOfPath } from './first-of-path.ts'
import { labelRequest } from './metadata.ts'
import { nameservers } from './nameservers.ts'
import { NEARNESS, nearnessText } from './near.ts'
import { isLabel, Request, type Shape, SVC } from './parse-name.ts'
import { PodRecords } from './pod.ts'
import { REASON, type Reason } from './reason.ts'
import { PtrRecords, readReverse } from './reverse.ts'
import { isReverseName } from './reverse-zone.ts'
import { Selection } from './selection.ts'
import { SrvRecords } from './srv.ts'
import { AnswerWriter } from './writer.ts'

/** Not answered here: an ExternalName whose target must be looked up; what was written counts for nothing. */
export const CHASE = -1
/** A name error that falls through to the next plugin. */
export const PASS = -2

/** dns-version.ZONE (specification 2.2): the version of the specification, its TTL fixed. */
const VERSION_TEXT = Uint8Array.of(5, ...Buffer.from('1.1.0'))
const VERSION_TTL_SECONDS = 28_800
export class ClusterAnswers {
  readonly zone: Name
  /** Who asks, where answers depend on that (`topology`): to be told before each question. */
  readonly asker: Asker | undefined
  readonly #labels: number
  readonly #reverse: boolean
  readonly #multicluster: boolean
  readonly #config: KubernetesConfig
  readonly #table: TableReader
  readonly #options: AnswerOptions
  readonly #fallthrough: readonly { readonly zone: Name; readonly labels: number }[]
  readonly #ttl: number
  readonly #negativeTtl: number
  readonly #soaTtl: number
  readonly #versionTtl: number
  readonly #writer: AnswerWriter
  readonly #request = new Request()
  readonly #selection: Selection
  readonly #addresses: AddressRecords
  readonly #srv: SrvRecords
  readonly #ptr: PtrRecords
  readonly #pods: PodRecords
  readonly #address = new Uint8Array(16)
  readonly #importKey = new Uint8Array(1 + 64 + 64)

  constructor(config: KubernetesConfig, zoneText: string, table: TableReader, options: AnswerOptions) {
    this.zone = name(zoneText)
    this.#labels = countLabels(this.zone)
    this.#reverse = isReverseName(this.zone)
    this.#multicluster = config.multiclusterZones.includes(zoneText)
    this.#config = config
    this.#table = table
    this.#options = options
    this.#fallthrough = (config.fallthrough ?? []).map(text => {
      const zone = name(text)
      return { zone, labels: countLabels(zone) }
    })
    const soaTtl = soaTtlSeconds(config)
    this.#ttl = options.flattenedTtl(config.ttlSeconds, 'success')
    this.#soaTtl = options.flattenedTtl(soaTtl, 'success')
    this.#negativeTtl = options.flattenedTtl(soaTtl, 'denial')
    this.#versionTtl = options.flattenedTtl(VERSION_TTL_SECONDS, 'success')
    this.#writer = new AnswerWriter(this.#request, options.minimal)
    this.asker = config.topology && new Asker(table, config.verifiedPods)
    this.#selection = new Selection(table, this.asker, config.topology?.atLeast)
    this.#addresses = new AddressRecords(this.#selection, this.#writer, options.random)
    this.#srv = new SrvRecords(this.#selection, this.#writer)
    this.#ptr = new PtrRecords(table, this.#writer, name(config.primaryZone))
    this.#pods = new PodRecords(config.pods, this.#ttl, this.#request, table, this.#writer)
  }

  /** Whether its names are of addresses. */
  get isReverse(): boolean {
    return this.#reverse
  }

  get table(): TableReader {
    return this.#table
  }

  /** Whether the answer that was written is for where the client is. */
  get isForPlace(): boolean {
    return this.#selection.nearness !== NEARNESS.OFF
  }

  /** Why it is this one, for a person; undefined where the client's place does not matter. Between enter and leave only. */
  get nearnessText(): string | undefined {
    const { asker } = this
    return asker && nearnessText(this.#selection.nearness, asker.place, this.#config.topology?.atLeast ?? 1)
  }

  /** Where the zone begins in a scanned name; -1 where it does not cover it. */
  #zoneAt(scan: Scan): number {
    return zoneInScan(scan, this.zone, this.#labels)
  }

  /** Whether the scanned name is the zone's apex or below it. */
  covers(scan: Scan): boolean {
    return this.#zoneAt(scan) >= 0
  }

  /**
   * Answers a scanned query that the zone covers, of any type and class IN, into out[outAt …], in `maxOctets` octets at
   * most. Returns the octets written, CHASE or PASS. Between enter and leave of the table's reader only.
   */
  answer(scan: Scan, packet: Uint8Array, out: Uint8Array, outAt: number, maxOctets: number): number {
    this.asker?.begin()
    this.#selection.nearness = NEARNESS.OFF
    const writer = this.#writer
    const labels = scan.labelCount - this.#labels
    const zoneAt = this.#zoneAt(scan)
    writer.begin(scan, packet, out, outAt, maxOctets)
    const { qtype } = scan
    const request = this.#request
    request.clear(zoneAt)
    if (qtype === TYPE.AXFR || qtype === TYPE.IXFR) {
      if (this.#options.transfers) return PASS
      return writer.finish(RCODE.REFUSED, false, this.#options.reasons ? REASON.NO_TRANSFERS : undefined)
    }
    if (qtype === TYPE.SOA && labels === 0) return this.#soa(zoneAt)
    if (this.#reverse) return labels === 0 ? this.#apex(qtype) : this.#reverseName(scan, qtype)
    request.read(scan, labels, zoneAt, this.#config.zonal, this.#multicluster)
    switch (request.shape) {
      case 'apex':
        return this.#apex(qtype)
      case 'category':
        return this.#nodata()
      case 'namespace':
        return this.#namespace(scan)
      case 'dns-version':
        return qtype === TYPE.TXT ? this.#version() : this.#nameError(scan, REASON.NO_SUCH_SHAPE)
      case 'ns.dns':
        return this.#ownAddresses(qtype)
      case 'pod':
        return this.#pod(scan, qtype)
      case 'unknown':
        return this.#nameError(scan, this.#noShape(labels))
      default:
        return this.#service(scan, packet, qtype)
    }
  }

  /** Leaves what a scanned name that the zone covers asks for in the metadata. */
  annotate(scan: Scan, metadata: Map<string, string>): void {
    const { zonal } = this.#config
    const labels = scan.labelCount - this.#labels
    const zoneAt = this.#zoneAt(scan)
    this.#request.read(scan, labels, zoneAt, zonal, this.#multicluster)
    labelRequest(this.#request, scan, { zonal, multicluster: this.#multicluster }, metadata)
  }

  /** HOT: whether a name that the zone covers is as one that a Pod's search path makes first: X.NS.svc.ZONE. */
  isSearched(scan: Scan): boolean {
    const labels = scan.labelCount - this.#labels
    return labels >= 3 && isLabel(scan.folded, scan.labelAt[labels - 1]!, SVC)
  }

  /** HOT: the labels before the zone of a name that only a Pod's search path makes (first-of-path.ts); 0 for any other. */
  labelsOfPath(scan: Scan): number {
    const labels = scan.labelCount - this.#labels
    return !this.#multicluster && isFirstOfPath(scan, labels, this.#table) ? labels : 0
  }

  /** The target of an ExternalName service asked for by its own name, as octets of a name; undefined for anything else. */
  externalTarget(scan: Scan): Name | undefined {
    const labels = scan.labelCount - this.#labels
    const request = this.#request
    request.read(scan, labels, labels < 0 ? 0 : (scan.labelAt[labels] ?? 0), false, this.#multicluster)
    if (request.shape !== 'service' || this.#multicluster) return undefined
    const block = this.#table.find(scan.folded, request.serviceAt, request.keyEnd)
    if (block === 0 || (flagsOf(this.#table.octets, block) & FLAG.EXTERNAL_NAME) === 0) return undefined
    const at = detailAt(this.#table.words, block)
    return at === 0 ? undefined : this.#table.octets.slice(at, endOf(this.#table.words, block))
  }

  /** The zone's negative answer, for whoever finds that a chased target has nothing (docs/coredns.md 1.6). */
  noData(scan: Scan, packet: Uint8Array, out: Uint8Array, outAt: number, maxOctets: number): number {
    this.#writer.begin(scan, packet, out, outAt, maxOctets)
    const labels = scan.labelCount - this.#labels
    const zoneAt = this.#zoneAt(scan)
    this.#request.read(scan, labels, zoneAt, false, this.#multicluster)
    return this.#nodata(REASON.NO_TARGET)
  }

  get ttlSeconds(): number {
    return this.#config.ttlSeconds
  }

  #service(scan: Scan, packet: Uint8Array, qtype: number): number {
    const request = this.#request
    const block = this.#multicluster
      ? this.#findImport(scan)
      : this.#table.find(scan.folded, request.serviceAt, request.keyEnd)
    if (block === 0) return this.#nameError(scan, this.#noService(scan))
    const flags = flagsOf(this.#table.octets, block)
    if (flags & HIDDEN) return this.#nameError(scan, hiddenBecause(flags))
    if (flags & FLAG.EXTERNAL_NAME) return this.#external(scan, block, qtype)
    if (!this.#selection.open(scan, packet, request, block))
      return this.#nameError(scan, NOT_SELECTED[request.shape])
    if (qtype === TYPE.A) {
      this.#addresses.write(4, this.#ttl, this.#options.shuffle)
      return this.#positive(REASON.NO_V4)
    }
    if (qtype === TYPE.AAAA) {
      this.#addresses.write(16, this.#ttl, this.#options.shuffle)
      return this.#positive(REASON.NO_V6)
    }
    if (qtype !== TYPE.SRV) return this.#nodata()
    this.#srv.write(this.#ttl)
    return this.#positive(REASON.NO_PORTS)
  }

  /** The block of the imported service, whose key begins with an octet that no name has. */
  #findImport(scan: Scan): number {
    const { serviceAt, keyEnd } = this.#request
    const key = this.#importKey
    key[0] = KEY.IMPORT
    for (let at = serviceAt; at < keyEnd; at++) key[1 + at - serviceAt] = scan.folded[at]!
    return this.#table.find(key, 0, 1 + keyEnd - serviceAt)
  }

  /** Whether it is the namespace that is missing. */
  #noService(scan: Scan): Reason | undefined {
    if (!scan.edns) return undefined
    const request = this.#request
    const { namespaceAt, keyEnd } = request
    const noNamespace = this.#table.find(scan.folded, namespaceAt, keyEnd) === 0
    // More labels than a service has, and no port's: a resolver may have put NS.svc.ZONE, or svc.ZONE, behind another name.
    if (!request.hasForeignLabels || scan.folded[1] === UNDERSCORE)
      return noNamespace ? REASON.NO_NAMESPACE : REASON.NO_SERVICE
    request.searchAt = noNamespace ? keyEnd : namespaceAt
    return noNamespace ? REASON.NO_NAMESPACE_SEARCHED : REASON.NO_SERVICE_SEARCHED
  }

  /** What has no form of the zone's names is mostly another name with one of the search domains behind it. */
  #noShape(labels: number): Reason {
    const request = this.#request
    if (request.pod || labels === 1) return REASON.NO_SUCH_SHAPE
    request.searchAt = request.namespaceAt < 0 ? request.zoneAt : request.namespaceAt
    return REASON.SEARCHED
  }

  #external(scan: Scan, block: number, qtype: number): number {
    const request = this.#request
    if (request.shape !== 'service') return this.#nameError(scan, REASON.BELOW_EXTERNAL)
    if (qtype === TYPE.A || qtype === TYPE.AAAA) return CHASE
    const { words, octets } = this.#table
    const at = detailAt(words, block)
    const end = endOf(words, block)
    if (qtype === TYPE.CNAME && this.#writer.open(TYPE.CNAME, this.#ttl, end - at)) {
      this.#writer.bytes(octets, at, end)
      this.#writer.close()
    }
    return this.#positive()
  }

  #namespace(scan: Scan): number {
    const request = this.#request
    if (request.pod && this.#config.pods === 'disabled') return this.#nameError(scan, REASON.PODS_DISABLED)
    if (this.#table.find(scan.folded, request.namespaceAt, request.keyEnd) === 0)
      return this.#nameError(scan, REASON.NO_NAMESPACE)
    return this.#nodata()
  }

  #pod(scan: Scan, qtype: number): number {
    const missing = this.#pods.write(scan, qtype)
    return missing === undefined ? this.#positive() : this.#nameError(scan, missing)
  }

  /** A of an address that somebody has is NODATA, of any other a name error (docs/coredns.md 1.8). */
  #reverseName(scan: Scan, qtype: number): number {
    const octets = readReverse(scan, this.#address)
    if (octets === 0 || !this.#ptr.write(this.#address, octets, this.#ttl))
      return this.#nameError(scan, REASON.NO_OWNER)
    if (qtype !== TYPE.PTR) this.#writer.retract()
    return this.#positive()
  }

  #apex(qtype: number): number {
    if (qtype === TYPE.NS) this.#ns()
    return this.#positive()
  }

  #ns(): void {
    const writer = this.#writer
    const pointer = 0xc000 | (HEADER_OCTETS + this.#request.zoneAt)
    const servers = nameservers(this.#table, this.#options.ownAddresses).filter(
      server => server.name.length + this.zone.length <= NAME_MAX_OCTETS,
    )
    const targets: number[] = []
    for (const server of servers) {
      if (!writer.open(TYPE.NS, this.#ttl, server.name.length + 2)) return
      targets.push(writer.at)
      writer.bytes(server.name, 0, server.name.length)
      writer.u16(pointer)
      writer.close()
    }
    servers.forEach((server, i) => {
      for (const address of server.addresses) {
        writer.glue(targets[i]!, address, 0, address.length === 4 ? 4 : 16, this.#ttl)
      }
    })
  }

  #ownAddresses(qtype: number): number {
    const servers = nameservers(this.#table, this.#options.ownAddresses)
    for (const address of servers.flatMap(server => server.addresses)) {
      if (qtype === TYPE.A && address.length === 4) this.#writer.address(address, 0, 4, this.#ttl)
      if (qtype === TYPE.AAAA && address.length === 16) this.#writer.address(address, 0, 16, this.#ttl)
    }
    return this.#positive()
  }

  #version(): number {
    const writer = this.#writer
    if (writer.open(TYPE.TXT, this.#versionTtl, VERSION_TEXT.length)) {
      writer.bytes(VERSION_TEXT, 0, VERSION_TEXT.length)
      writer.close()
    }
    return this.#finish(RCODE.NOERROR)
  }

  #soa(zoneAt: number): number {
    this.#writer.soa(zoneAt, this.#soaTtl, this.#config.ttlSeconds, this.#serial, 'answer')
    return this.#finish(RCODE.NOERROR)
  }

  /** What was written, or NODATA for that reason when nothing was. */
  #positive(reason: Reason = REASON.NO_TYPE): number {
    return this.#writer.answers > 0 || this.#writer.truncated
      ? this.#finish(RCODE.NOERROR)
      : this.#nodata(reason)
  }

  #nodata(reason: Reason = REASON.NO_TYPE): number {
    return this.#negative(RCODE.NOERROR, reason)
  }

  /** No such name: to the next plugin where `fallthrough` covers it, NXDOMAIN once all is listed, SERVFAIL before. */
  #nameError(scan: Scan, reason: Reason | undefined): number {
    if (this.#config.fallthrough !== undefined && this.#fallsThrough(scan)) return PASS
    return this.#table.synced
      ? this.#negative(RCODE.NXDOMAIN, reason)
      : this.#negative(RCODE.SERVFAIL, REASON.NOT_SYNCED)
  }

  #fallsThrough(scan: Scan): boolean {
    for (const { zone, labels } of this.#fallthrough) if (zoneInScan(scan, zone, labels) >= 0) return true
    return false
  }

  get #serial(): number {
    return this.#multicluster ? this.#table.importSerial : this.#table.serial
  }

  #negative(rcode: number, reason: Reason | undefined): number {
    const serial = this.#serial
    const { zoneAt } = this.#request
    const { counters } = this.#options
    if (counters !== undefined) counters[reason === undefined ? counters.length - 1 : reason.index]!.add()
    this.#writer.soa(zoneAt, this.#negativeTtl, this.#config.ttlSeconds, serial, 'authority')
    return this.#finish(rcode, reason)
  }

  /** Where reasons are told, so is that the API server has not been heard for a while, whatever the answer. */
  #finish(rcode: number, reason?: Reason): number {
    if (!this.#options.reasons) return this.#writer.finish(rcode, true)
    return this.#writer.finish(rcode, true, reason, this.#table.age)
  }
}

/** Services whose names do not exist. */
const HIDDEN = FLAG.NO_READY | FLAG.IGNORED | FLAG.BAD_TARGET | FLAG.NO_SERVICE

function hiddenBecause(flags: number): Reason {
  if (flags & FLAG.NO_READY) return REASON.NO_READY
  if (flags & FLAG.IGNORED) return REASON.IGNORED
  return flags & FLAG.BAD_TARGET ? REASON.BAD_TARGET : REASON.NO_SERVICE
}

/** Why a service that exists has nothing for a name of that shape. */
const NOT_SELECTED: Readonly<Partial<Record<Shape, Reason>>> = {
  endpoint: REASON.NO_ENDPOINT,
  port: REASON.NO_PORT,
  zone: REASON.NOT_ZONAL,
}

const UNDERSCORE = 0x5f
