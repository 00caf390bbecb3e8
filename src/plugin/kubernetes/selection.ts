// HOT: which of a service's ports and endpoints a name asks for: those of an endpoint's label, of a port and protocol, of
// a topology zone, or all (docs/coredns.md 1.3, 1.12). Endpoints are walked where they lie in the table; nothing is copied.

import { detailAt, flagsOf, GroupCursor, nextPort, portNumber } from '../../table/block.ts'
import { FLAG, NO_PORT } from '../../table/layout.ts'
import type { TableReader } from '../../table/reader.ts'
import type { Scan } from '../../wire/scan.ts'
import { readEndpointLabel } from './address-label.ts'
import type { Asker } from './asker.ts'
import { asksAny, dottedIs, equalOctets, labelIs, portAsks } from './match.ts'
import { CIRCLE, type Circle, isWithinCircle, NEARNESS, type Nearness } from './near.ts'
import type { Request } from './parse-name.ts'

/** So many ports are compared with one another; a Service may have 20,000. */
const MANY_PORTS = 32
/** Of 16 bits. */
const PORT_NUMBERS = 0x10000

export class Selection {
  readonly table: TableReader
  readonly groups = new GroupCursor()
  scan!: Scan
  /** The packet, for the client's spelling. */
  packet!: Uint8Array
  request!: Request
  block = 0
  headless = false
  /** The endpoint that stepGroup stands on: its address, its host name (0: made of the address). */
  endpointAt = 0
  endpointOctets: 4 | 16 = 4
  hostnameAt = 0
  #next = 0
  #nextHostname = 0
  #nextZone = 0
  #nextPlace = 0
  /** Endpoints outside of it are passed over. */
  #circle: Circle = CIRCLE.ALL
  /** Whether, and how, it mattered where the client is. */
  nearness: Nearness = NEARNESS.OFF
  /** Who asks, where that matters. */
  readonly #asker: Asker | undefined
  readonly #atLeast: number
  /** What the endpoint label asked for reads as. */
  readonly #address = new Uint8Array(16)
  #addressOctets = 0
  /** By number, the ports seen of more than MANY_PORTS. */
  #numbers = new Uint8Array(0)

  /** Where an asker is given, a circle of endpoints around it is taken that has at least so many. */
  constructor(table: TableReader, asker?: Asker, atLeast = 1) {
    this.table = table
    this.#asker = asker
    this.#atLeast = atLeast
  }

  /** Turns to a service's block; false when what the name asks for does not exist there. */
  open(scan: Scan, packet: Uint8Array, request: Request, block: number): boolean {
    this.scan = scan
    this.packet = packet
    this.request = request
    this.block = block
    this.headless = (flagsOf(this.table.octets, block) & FLAG.HEADLESS) !== 0
    this.#circle = CIRCLE.ALL
    switch (request.shape) {
      case 'endpoint':
        this.#addressOctets = readEndpointLabel(scan.folded, request.endpointAt, this.#address)
        return this.#any()
      case 'port':
        return this.headless ? this.#any() : this.countServicePorts() > 0
      case 'zone':
        if (!this.headless) return false
        if (request.prefer && !this.#any()) request.shape = 'service'
        return true
      default:
        return true
    }
  }

  /** Whether only some of the endpoints are given, those near the client. */
  get isNarrow(): boolean {
    return this.#circle !== CIRCLE.ALL
  }

  /**
   * Takes the narrowest circle around the asker with enough endpoints that have addresses of so many octets, of any where
   * that is 0. Names that ask for a zone have chosen theirs.
   */
  narrow(octets: 0 | 4 | 16): void {
    const asker = this.#asker
    if (asker === undefined || this.request.shape === 'zone') return
    if ((flagsOf(this.table.octets, this.block) & FLAG.NEAR) === 0) return
    this.nearness = NEARNESS.NOWHERE
    if (!asker.locate()) return
    this.#circle = CIRCLE.ALL
    this.rewind()
    const narrowest = this.groups.next() && this.groups.nodeFirst ? CIRCLE.NODE : CIRCLE.ZONE
    const widest = asker.hasZone ? CIRCLE.ZONE : CIRCLE.NODE
    for (let circle: Circle = narrowest; circle >= widest; circle = (circle - 1) as Circle) {
      this.#circle = this.nearness = circle
      if (this.#hasEnough(octets)) return
    }
    this.#circle = this.nearness = CIRCLE.ALL
  }

  #hasEnough(octets: 0 | 4 | 16): boolean {
    let found = 0
    this.rewind()
    while (this.nextGroup()) {
      while (this.nextEndpoint())
        if ((octets === 0 || octets === this.endpointOctets) && ++found >= this.#atLeast) return true
    }
    return false
  }

  /** Whether the answer is the service's own: its cluster IPs and ports, not its endpoints. */
  get isOfService(): boolean {
    return !this.headless && this.request.shape !== 'endpoint'
  }

  /** Stands before the first group. */
  rewind(): void {
    this.groups.open(this.table.octets, detailAt(this.table.words, this.block))
  }

  /** Moves to the next group that has a port asked for. */
  nextGroup(): boolean {
    while (this.groups.next()) {
      if (this.#isOfCluster() && this.#groupPorts() > 0) {
        this.rewindGroup()
        return true
      }
    }
    return false
  }

  /** Whether the group's endpoints are in the cluster asked for: none, for endpoints of this one. */
  #isOfCluster(): boolean {
    const { request, scan, table } = this
    if (request.shape !== 'endpoint') return true
    const { clusterAt } = this.groups
    if (clusterAt === 0 || request.clusterAt < 0) return clusterAt === 0 && request.clusterAt < 0
    return labelIs(scan.folded, request.clusterAt, table.octets, clusterAt)
  }

  rewindGroup(): void {
    this.#next = 0
    this.#nextHostname = this.groups.hostnamesAt
    this.#nextZone = this.groups.zonesAt
    this.#nextPlace = this.groups.placesAt
  }

  /** Moves to the group's next endpoint that is asked for. */
  nextEndpoint(): boolean {
    const { octets } = this.table
    const groups = this.groups
    const count = groups.v4Count + groups.v6Count
    while (this.#next < count) {
      const i = this.#next++
      const v4 = i < groups.v4Count
      const at = v4 ? groups.v4At + 4 * i : groups.v6At + 16 * (i - groups.v4Count)
      const hostname = this.#nextHostname
      const zone = this.#nextZone
      if (hostname) this.#nextHostname += 1 + octets[hostname]!
      if (zone) this.#nextZone += 1 + octets[zone]!
      const place = this.#nextPlace
      if (place) this.#nextPlace += 1 + octets[place]!
      const named = hostname !== 0 && octets[hostname] !== 0
      if (!this.#isAsked(at, v4 ? 4 : 16, named ? hostname : 0, zone)) continue
      if (this.#circle !== CIRCLE.ALL && !isWithinCircle(octets, place, this.#circle, this.#asker!)) continue
      this.endpointAt = at
      this.endpointOctets = v4 ? 4 : 16
      this.hostnameAt = named ? hostname : 0
      return true
    }
    return false
  }

  #isAsked(at: number, length: 4 | 16, hostname: number, zone: number): boolean {
    const { request, scan, table } = this
    if (request.shape === 'zone') {
      return zone !== 0 && dottedIs(scan.folded, request.endpointAt, request.portAt, table.octets, zone)
    }
    if (request.shape !== 'endpoint') return true
    if (hostname !== 0) return labelIs(scan.folded, request.endpointAt, table.octets, hostname)
    return this.#addressOctets === length && equalOctets(this.#address, 0, table.octets, at, length)
  }

  #any(): boolean {
    this.rewind()
    while (this.nextGroup()) if (this.nextEndpoint()) return true
    return false
  }

  /** Pairs of address and port that are asked for, before any is left out as given twice (docs/coredns.md 1.5). */
  countCandidates(): number {
    this.rewind()
    let candidates = 0
    while (this.nextGroup()) {
      const ports = this.#groupPorts()
      const { counted, countsAt } = this.groups
      const { shape } = this.request
      const all = !this.isNarrow && (shape === 'service' || shape === 'port')
      if (all) candidates += counted * ports
      else {
        while (this.nextEndpoint())
          candidates += ports * (countsAt ? this.table.octets[countsAt + this.#next - 1]! : 1)
      }
    }
    return candidates
  }

  /** How many of the service's ports are asked for; a service without ports has one that stands for none. */
  countServicePorts(): number {
    this.rewind()
    return this.#countPorts(this.groups.servicePortsAt, this.groups.servicePortCount)
  }

  #groupPorts(): number {
    return this.#countPorts(this.groups.portsAt, this.groups.portCount)
  }

  #countPorts(at: number, count: number): number {
    const { octets } = this.table
    const { request, scan } = this
    if (request.shape !== 'port') return Math.max(1, count)
    if (count === 0) return asksAny(scan.folded, request.portAt, request.protocolAt) ? 1 : 0
    let matching = 0
    for (let i = 0; i < count; i++, at = nextPort(octets, at)) {
      if (portAsks(scan.folded, request.portAt, request.protocolAt, octets, at)) matching++
    }
    return matching
  }

  /**
   * Whether the port at `at`, the `index`th of those that begin at `portsAt`, gives an SRV record: it is asked for, has a
   * number, and no port before it gave the same number (53 over UDP and TCP is one record).
   */
  givesRecord(portsAt: number, index: number, at: number): boolean {
    if (index >= MANY_PORTS) return this.#isNewPort(portsAt, index, at)
    if (!this.#isPort(at)) return false
    const { octets } = this.table
    for (let i = 0, before = portsAt; i < index; i++, before = nextPort(octets, before)) {
      if (portNumber(octets, before) === portNumber(octets, at) && this.#isPort(before)) return false
    }
    return true
  }

  /** The same where there are so many ports that each of them is looked at once: index follows index, from 0 or MANY_PORTS on. */
  #isNewPort(portsAt: number, index: number, at: number): boolean {
    const { octets } = this.table
    if (index === MANY_PORTS) {
      if (this.#numbers.length === 0) this.#numbers = new Uint8Array(PORT_NUMBERS)
      else this.#numbers.fill(0)
      for (let i = 0, before = portsAt; i < index; i++, before = nextPort(octets, before))
        if (this.#isPort(before)) this.#numbers[portNumber(octets, before)] = 1
    }
    if (!this.#isPort(at)) return false
    const number = portNumber(octets, at)
    const isNew = this.#numbers[number] === 0
    this.#numbers[number] = 1
    return isNew
  }

  #isPort(at: number): boolean {
    const { octets } = this.table
    const { request, scan } = this
    if (portNumber(octets, at) === NO_PORT) return false
    return request.shape !== 'port' || portAsks(scan.folded, request.portAt, request.protocolAt, octets, at)
  }
}
