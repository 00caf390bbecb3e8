// HOT: SRV records with glue (RFC 2782; specification 2.3.2, 2.4.2; docs/coredns.md 1.5): one for every port and target, weight
// 100 divided by the candidates, target the service's own name or an endpoint's, one address record for each target and
// address behind. Targets are written in full (RFC 2782) and the glue's owners point at them.

import { addressesAt, nextPort, v4CountOf, v6AddressesAt, v6CountOf } from '../../table/block.ts'
import { HEADER_OCTETS } from '../../wire/header.ts'
import { LABEL_MAX_OCTETS, NAME_MAX_OCTETS } from '../../wire/name.ts'
import { TYPE } from '../../wire/rrtype.ts'
import { writeV4Label, writeV6Label } from './address-label.ts'
import type { Selection } from './selection.ts'
import type { AnswerWriter } from './writer.ts'

/** Endpoints with a target in one answer at most; the largest message holds fewer. */
const TARGETS_MAX = 8192
/** Octets of a record before its target: owner, head, priority, weight, port. */
const BEFORE_TARGET = 12 + 6
/** Of an endpoint whose name would be too long. */
const NO_TARGET = -1

export class SrvRecords {
  readonly #selection: Selection
  readonly #writer: AnswerWriter
  /** Where the target of each endpoint was written first, in the order of the walk. */
  readonly #targets = new Int32Array(TARGETS_MAX)
  /** The label of the endpoint at hand. */
  readonly #label = new Uint8Array(LABEL_MAX_OCTETS + 1)
  /** What was written already, where names may repeat: records, targets, glue. */
  readonly #written = new Map<string, number>()

  constructor(selection: Selection, writer: AnswerWriter) {
    this.#selection = selection
    this.#writer = writer
  }

  /** Writes the records and their glue; none is NODATA. */
  write(ttlSeconds: number): void {
    if (this.#selection.isOfService) this.#ofService(ttlSeconds)
    else this.#ofEndpoints(ttlSeconds)
  }

  #ofService(ttlSeconds: number): void {
    const selection = this.#selection
    const writer = this.#writer
    const { words, octets } = selection.table
    const { block, groups } = selection
    const v4Count = v4CountOf(words, block)
    const v6Count = v6CountOf(words, block)
    const candidates = selection.countServicePorts() * (v4Count + v6Count)
    if (candidates === 0) return
    const target = writer.at + BEFORE_TARGET
    for (let i = 0, at = groups.servicePortsAt; i < groups.servicePortCount; i++, at = nextPort(octets, at)) {
      if (!selection.givesRecord(groups.servicePortsAt, i, at)) continue
      if (!this.#record(at, weightOf(candidates), ttlSeconds, false)) return
    }
    if (writer.answers === 0) return
    const v4At = addressesAt(block)
    const v6At = v6AddressesAt(words, block)
    for (let i = 0; i < v4Count; i++) if (!writer.glue(target, octets, v4At + 4 * i, 4, ttlSeconds)) return
    for (let i = 0; i < v6Count; i++) if (!writer.glue(target, octets, v6At + 16 * i, 16, ttlSeconds)) return
  }

  #ofEndpoints(ttlSeconds: number): void {
    const selection = this.#selection
    selection.narrow(0)
    const candidates = selection.countCandidates()
    if (candidates === 0) return
    this.#written.clear()
    selection.rewind()
    let first = 0
    while (selection.nextGroup()) {
      const targets = this.#recordsOfGroup(weightOf(candidates), ttlSeconds, first)
      if (targets < 0) return
      first += targets
    }
    selection.rewind()
    let next = 0
    while (next < first && selection.nextGroup()) {
      if (!this.#groupGivesRecords()) continue
      while (selection.nextEndpoint()) if (!this.#glue(this.#targets[next++]!, ttlSeconds)) return
    }
  }

  /** Whether a target may be written twice: several groups, or host names that endpoints choose. */
  get #mayRepeat(): boolean {
    const { groups } = this.#selection
    return groups.groupCount > 1 || groups.hostnamesAt !== 0
  }

  #groupGivesRecords(): boolean {
    const { groups, table } = this.#selection
    for (let i = 0, at = groups.portsAt; i < groups.portCount; i++, at = nextPort(table.octets, at)) {
      if (this.#selection.givesRecord(groups.portsAt, i, at)) return true
    }
    return false
  }

  /** Writes the group's records; returns how many endpoints have a target, noted from `first` on, or -1 when full. */
  #recordsOfGroup(weight: number, ttlSeconds: number, first: number): number {
    const selection = this.#selection
    const { groups, table } = selection
    const mayRepeat = this.#mayRepeat
    let targets = 0
    for (let i = 0, at = groups.portsAt; i < groups.portCount; i++, at = nextPort(table.octets, at)) {
      if (!selection.givesRecord(groups.portsAt, i, at)) continue
      targets = 0
      selection.rewindGroup()
      while (selection.nextEndpoint()) {
        const recordAt = this.#writer.at
        if (first + targets === TARGETS_MAX || !this.#record(at, weight, ttlSeconds, true)) return -1
        const target = this.#writer.at === recordAt ? NO_TARGET : recordAt + BEFORE_TARGET
        this.#targets[first + targets++] =
          mayRepeat && target !== NO_TARGET ? this.#once(recordAt, target) : target
      }
    }
    return targets
  }

  /** Takes the record written last back where it was written before; returns where its target was written first. */
  #once(recordAt: number, target: number): number {
    const writer = this.#writer
    const name = Buffer.prototype.latin1Slice.call(writer.out, target, writer.at)
    const known = this.#written.get(name)
    const portAndName = Buffer.prototype.latin1Slice.call(writer.out, target - 2, writer.at)
    if (this.#written.has(portAndName)) {
      writer.at = recordAt
      writer.answers--
    } else this.#written.set(portAndName, target)
    if (known !== undefined) return known
    this.#written.set(name, target)
    return target
  }

  #glue(target: number, ttlSeconds: number): boolean {
    if (target === NO_TARGET) return true
    const { endpointAt, endpointOctets, table } = this.#selection
    if (this.#mayRepeat) {
      const address = Buffer.prototype.latin1Slice.call(table.octets, endpointAt, endpointAt + endpointOctets)
      const key = `${target}/${address}`
      if (this.#written.has(key)) return true
      this.#written.set(key, target)
    }
    return this.#writer.glue(target, table.octets, endpointAt, endpointOctets, ttlSeconds)
  }

  /**
   * One record for the port at `portAt`: its target is the service, or the endpoint that the selection stands on. Nothing is
   * written where that is no name; false where there is no room.
   */
  #record(portAt: number, weight: number, ttlSeconds: number, ofEndpoint: boolean): boolean {
    const { request, scan, packet, table } = this.#selection
    const writer = this.#writer
    const { clusterAt } = this.#selection.groups
    const label = ofEndpoint ? this.#endpointLabel() : 0
    const cluster = ofEndpoint && clusterAt ? 1 + table.octets[clusterAt]! : 0
    const suffix = scan.foldedLength - request.serviceAt
    if (label + cluster + suffix > NAME_MAX_OCTETS) return true
    if (!writer.open(TYPE.SRV, ttlSeconds, 6 + label + cluster + suffix)) return false
    writer.u16(0)
    writer.u16(weight)
    writer.u16(table.octets[portAt]! | (table.octets[portAt + 1]! << 8))
    writer.bytes(this.#label, 0, label)
    writer.bytes(table.octets, clusterAt, clusterAt + cluster)
    writer.bytes(scan.folded, request.serviceAt, request.zoneAt)
    const nameAt = scan.start + HEADER_OCTETS
    writer.bytes(packet, nameAt + request.zoneAt, nameAt + scan.foldedLength)
    writer.close()
    return true
  }

  /** Writes the endpoint's label to #label; returns its octets. */
  #endpointLabel(): number {
    const { hostnameAt, endpointAt, endpointOctets, table } = this.#selection
    const { octets } = table
    const label = this.#label
    if (!hostnameAt)
      return endpointOctets === 4
        ? writeV4Label(octets, endpointAt, label, 0)
        : writeV6Label(octets, endpointAt, label, 0)
    const length = octets[hostnameAt]! + 1
    for (let i = 0; i < length; i++) label[i] = octets[hostnameAt + i]!
    return length
  }
}

const weightOf = (candidates: number): number => Math.max(1, Math.floor(100 / candidates))
