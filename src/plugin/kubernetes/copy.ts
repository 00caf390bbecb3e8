// The cluster's zone as a whole, for `transfer` (coredns.md 1.13): NS with addresses, then the services by name.
//
//   ClusterIP     its addresses; per port SRV at its name and, where named, at _port._proto below
//   headless      per ready endpoint its address at the service's name and at its own; SRV for its named ports
//   imported      the same, endpoints below the label of their cluster
//   ExternalName  CNAME
//
// The names are copied first, all of one moment; each service is copied as a whole when its turn comes, so no offset
// outlives a look into the table. A service that changes meanwhile is given as it is then, one that goes is left out, and
// a change has a higher serial than the transfer: a client that asks again misses nothing. What is hidden from questions
// (other namespaces, headless services without ready endpoints) is not in the table, or flagged, and is not given either.

import type { ZoneCopy } from '../../query/transfer.ts'
import { addressesAt, detailAt, GroupCursor } from '../../table/block.ts'
import { FLAG, KEY, KIND, NO_PORT, PROTOCOL_LABELS } from '../../table/layout.ts'
import { blockKeyAt, type TableReader } from '../../table/reader.ts'
import { joinNames, type Name, name } from '../../wire/name.ts'
import { cname, type Rr, rr, soaRdata, srvRdata } from '../../wire/record.ts'
import { TYPE } from '../../wire/rrtype.ts'
import { writeV4Label, writeV6Label } from './address-label.ts'
import { nameservers } from './nameservers.ts'

/** What a copy is made from. */
export interface CopyOptions {
  readonly table: TableReader
  readonly zone: Name
  /** The zone is one of imported services. */
  readonly multicluster: boolean
  readonly ttlSeconds: number
  readonly soaTtlSeconds: number
  readonly ownAddresses: readonly Uint8Array[]
  readonly wallMs: () => number
}

const HIDDEN = FLAG.NO_READY | FLAG.IGNORED | FLAG.BAD_TARGET | FLAG.NO_SERVICE
const SVC = Uint8Array.of(3, ...Buffer.from('svc'), 0)

/** The zone now, or `not-ready` before everything is listed: a secondary would take what is missing for gone. */
export function copyOfCluster(options: CopyOptions): ZoneCopy | 'not-ready' {
  const { table, multicluster, wallMs } = options
  if (!table.synced || table.stale) return 'not-ready'
  const serial = multicluster ? table.importSerial : table.serial
  // In the second of a change there may be another under the same serial: what is sent now goes by the serial before.
  const settled = serial === 0 || serial < Math.floor(wallMs() / 1000) ? serial : serial - 1
  return {
    soa: soaOf(options, serial),
    serial,
    opening: soaOf(options, settled),
    records: () => clusterRecords(options),
  }
}

const relative = (prefix: string, zone: Name): Name => joinNames(name(prefix), zone)!

function soaOf({ zone, ttlSeconds, soaTtlSeconds }: CopyOptions, serial: number): Rr {
  const numbers = [serial, 7200, 1800, 86_400, ttlSeconds] as const
  const rdata = soaRdata(relative('ns.dns.', zone), relative('hostmaster.', zone), numbers)
  return rr(zone, TYPE.SOA, soaTtlSeconds, rdata)
}

function* clusterRecords(options: CopyOptions): Generator<Rr, void> {
  const { table } = options
  yield* nameserverRecords(options)
  for (const key of serviceKeys(options)) {
    table.enter()
    const at = table.find(key, 0, key.length)
    const block = at === 0 ? undefined : table.octets.slice(at, at + table.words[at >> 2]!)
    table.leave()
    if (block) yield* new ServiceRecords(options, key, block).all()
  }
}

function* nameserverRecords({ table, zone, ttlSeconds, ownAddresses }: CopyOptions): Generator<Rr, void> {
  table.enter()
  const servers = nameservers(table, ownAddresses)
  table.leave()
  const named = servers.flatMap(server => {
    const owner = joinNames(Uint8Array.of(...server.name, 0), zone)
    return owner ? [{ owner, addresses: server.addresses }] : []
  })
  for (const { owner } of named) yield rr(zone, TYPE.NS, ttlSeconds, owner)
  for (const { owner, addresses } of named) {
    for (const address of addresses) yield addressRecord(owner, ttlSeconds, address)
  }
}

const addressRecord = (owner: Name, ttlSeconds: number, address: Uint8Array): Rr =>
  rr(owner, address.length === 4 ? TYPE.A : TYPE.AAAA, ttlSeconds, address)

/** The keys of all services, by name and then by namespace. */
function serviceKeys({ table, multicluster }: CopyOptions): Uint8Array[] {
  const { octets, words } = table
  const kind = multicluster ? KIND.IMPORT : KIND.SERVICE
  const keys: { readonly order: string; readonly key: Uint8Array }[] = []
  table.enter()
  table.eachBlock(block => {
    if (octets[block + 4] !== kind) return
    const at = blockKeyAt(words, block)
    const key = octets.slice(at, at + octets[block + 6]! + octets[block + 7]! * 256)
    const labels = labelsOf(key)
    const nameEnd = 1 + labels[0]!
    keys.push({ order: `${latin1(labels, 1, nameEnd)}\0${latin1(labels, nameEnd + 1, labels.length)}`, key })
  })
  table.leave()
  return keys.sort((a, b) => (a.order < b.order ? -1 : 1)).map(({ key }) => key)
}

/** The labels of a key: name and namespace. */
const labelsOf = (key: Uint8Array): Uint8Array => (key[0] === KEY.IMPORT ? key.subarray(1) : key)

const latin1 = (octets: Uint8Array, at: number, end: number): string =>
  Buffer.prototype.latin1Slice.call(octets, at, end)

/** The records of one service out of a copy of its block. */
class ServiceRecords {
  readonly #options: CopyOptions
  readonly #octets: Uint8Array
  readonly #words: Int32Array
  readonly #owner: Name | undefined
  readonly #groups = new GroupCursor()
  /** Of services whose endpoints may repeat: what was given, by owner and data. */
  readonly #given = new Set<string>()

  constructor(options: CopyOptions, key: Uint8Array, block: Uint8Array) {
    this.#options = options
    this.#octets = block
    this.#words = new Int32Array(block.buffer, 0, block.length >> 2)
    this.#owner = joinNames(Uint8Array.of(...labelsOf(key), ...SVC), options.zone)
  }

  *all(): Generator<Rr, void> {
    const owner = this.#owner
    const flags = this.#octets[5]!
    if (!owner || flags & HIDDEN) return
    const detail = detailAt(this.#words, 0)
    if (flags & FLAG.EXTERNAL_NAME) {
      return yield cname(owner, this.#options.ttlSeconds, this.#octets.slice(detail, this.#words[0]))
    }
    this.#groups.open(this.#octets, detail)
    if (flags & FLAG.HEADLESS) yield* this.#endpoints(owner)
    else yield* this.#clusterIPs(owner)
  }

  *#clusterIPs(owner: Name): Generator<Rr, void> {
    const { ttlSeconds } = this.#options
    const [v4Count, v6Count] = [this.#words[2]!, this.#words[3]!]
    const v6At = addressesAt(0) + 4 * v4Count
    for (let i = 0; i < v4Count; i++) yield this.#address(owner, addressesAt(0) + 4 * i, 4)
    for (let i = 0; i < v6Count; i++) yield this.#address(owner, v6At + 16 * i, 16)
    const numbers = new Set<number>()
    for (const port of this.#ports(this.#groups.servicePortsAt, this.#groups.servicePortCount)) {
      const rdata = srvRdata(0, 100, port.number, owner)
      if (!numbers.has(port.number)) yield rr(owner, TYPE.SRV, ttlSeconds, rdata)
      numbers.add(port.number)
      if (port.owner) yield rr(port.owner, TYPE.SRV, ttlSeconds, rdata)
    }
  }

  *#endpoints(owner: Name): Generator<Rr, void> {
    const groups = this.#groups
    while (groups.next()) {
      const ports = [...this.#ports(groups.portsAt, groups.portCount)]
      let hostnameAt = groups.hostnamesAt
      for (let i = 0; i < groups.v4Count + groups.v6Count; i++) {
        const isV4 = i < groups.v4Count
        const at = isV4 ? groups.v4At + 4 * i : groups.v6At + 16 * (i - groups.v4Count)
        const label = this.#label(at, isV4 ? 4 : 16, hostnameAt)
        if (hostnameAt !== 0) hostnameAt += 1 + this.#octets[hostnameAt]!
        // CoreDNS weighs the endpoints of one slice, which has one family.
        const weight = Math.max(1, Math.floor(100 / (isV4 ? groups.v4Count : groups.v6Count)))
        yield* this.#endpoint(owner, label, at, isV4 ? 4 : 16, ports, weight)
      }
    }
  }

  *#endpoint(
    owner: Name,
    label: Uint8Array,
    at: number,
    length: 4 | 16,
    ports: readonly Port[],
    weight: number,
  ): Generator<Rr, void> {
    const { ttlSeconds } = this.#options
    yield* this.#once(this.#address(owner, at, length))
    const { clusterAt } = this.#groups
    const cluster =
      clusterAt === 0 ? [] : this.#octets.subarray(clusterAt, clusterAt + 1 + this.#octets[clusterAt]!)
    const target = joinNames(Uint8Array.of(...label, ...cluster, 0), owner)
    if (!target) return
    yield* this.#once(this.#address(target, at, length))
    for (const port of ports) {
      if (port.owner)
        yield* this.#once(rr(port.owner, TYPE.SRV, ttlSeconds, srvRdata(0, weight, port.number, target)))
    }
  }

  #address(owner: Name, at: number, length: 4 | 16): Rr {
    return addressRecord(owner, this.#options.ttlSeconds, this.#octets.slice(at, at + length))
  }

  /** An address in several groups, and what follows from it, is given once, whatever its weight there. */
  *#once(record: Rr): Generator<Rr, void> {
    if (this.#groups.groupCount > 1) {
      const { owner, rdata, type } = record
      const key = latin1(owner, 0, owner.length) + latin1(rdata, type === TYPE.SRV ? 4 : 0, rdata.length)
      if (this.#given.has(key)) return
      this.#given.add(key)
    }
    yield record
  }

  #label(at: number, length: 4 | 16, hostnameAt: number): Uint8Array {
    const octets = this.#octets
    if (hostnameAt !== 0 && octets[hostnameAt] !== 0)
      return octets.slice(hostnameAt, hostnameAt + 1 + octets[hostnameAt]!)
    const label = new Uint8Array(64)
    return label.slice(0, (length === 4 ? writeV4Label : writeV6Label)(octets, at, label, 0))
  }

  /** The ports that have a number. */
  *#ports(portsAt: number, count: number): Generator<Port, void> {
    const octets = this.#octets
    for (let i = 0, at = portsAt; i < count; i++, at += 4 + octets[at + 3]!) {
      const number = octets[at]! | (octets[at + 1]! << 8)
      if (number === NO_PORT) continue
      const protocol = PROTOCOL_LABELS[octets[at + 2]!]
      const text = latin1(octets, at + 4, at + 4 + octets[at + 3]!)
      const named = text !== '' && protocol !== undefined && this.#owner
      yield { number, owner: named ? joinNames(name(`_${text}._${protocol}.`), named) : undefined }
    }
  }
}

/** A port, and where its SRV record stands if it has a name. */
interface Port {
  readonly number: number
  readonly owner: Name | undefined
}
