// The cluster's zone as a whole, for `transfer` (docs/coredns.md 1.13): NS with addresses, then the services by name.
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

import type { ZoneCopy } from '../../query/zone-copy.ts'
import { FLAG, KIND } from '../../table/layout.ts'
import type { TableReader } from '../../table/reader.ts'
import { isSettled } from '../../table/serial.ts'
import { joinNames, LABEL_MAX_OCTETS, type Name, name, nameKey } from '../../wire/name.ts'
import { cname, type Rr, rr, soaRdata, srvRdata } from '../../wire/record.ts'
import { TYPE } from '../../wire/rrtype.ts'
import { nameservers } from './nameservers.ts'
import { allServices, latin1, type Service, type ServiceGroup, type ServicePort } from './service.ts'

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
  if (!table.synced || table.restored) return 'not-ready'
  const serial = multicluster ? table.importSerial : table.serial
  return zoneCopy(
    serial,
    wallMs,
    each => soaOf(options, each),
    () => clusterRecords(options),
  )
}

/** A copy of a zone whose serial is the time of its last change in seconds. */
export function zoneCopy(
  serial: number,
  wallMs: () => number,
  soaOf: (serial: number) => Rr,
  records: () => Iterator<Rr>,
): ZoneCopy {
  // In the second of a change there may be another under the same serial: what is sent now goes by the serial before.
  const settled = isSettled(serial, Math.floor(wallMs() / 1000)) ? serial : serial - 1
  return { soa: soaOf(serial), serial, opening: soaOf(settled), records }
}

const relative = (prefix: string, zone: Name): Name => joinNames(name(prefix), zone)!

function soaOf({ zone, ttlSeconds, soaTtlSeconds }: CopyOptions, serial: number): Rr {
  const numbers = [serial, 7200, 1800, 86_400, ttlSeconds] as const
  const rdata = soaRdata(relative('ns.dns.', zone), relative('hostmaster.', zone), numbers)
  return rr(zone, TYPE.SOA, soaTtlSeconds, rdata)
}

function* clusterRecords(options: CopyOptions): Generator<Rr, void> {
  yield* nameserverRecords(options)
  const kind = options.multicluster ? KIND.IMPORT : KIND.SERVICE
  for (const service of allServices(options.table, kind)) yield* serviceRecords(options, service)
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

/** A or AAAA. */
export const addressRecord = (owner: Name, ttlSeconds: number, address: Uint8Array): Rr =>
  rr(owner, address.length === 4 ? TYPE.A : TYPE.AAAA, ttlSeconds, address)

function* serviceRecords(options: CopyOptions, service: Service): Generator<Rr, void> {
  const owner = joinNames(Uint8Array.of(...service.labels, ...SVC), options.zone)
  if (!owner || service.has(HIDDEN)) return
  const { target } = service
  if (target) yield cname(owner, options.ttlSeconds, target)
  else if (service.has(FLAG.HEADLESS)) yield* endpointRecords(options, owner, service.groups)
  else yield* clusterIPRecords(options, owner, service)
}

function* clusterIPRecords({ ttlSeconds }: CopyOptions, owner: Name, service: Service): Generator<Rr, void> {
  for (const address of service.addresses) yield addressRecord(owner, ttlSeconds, address)
  const numbers = new Set<number>()
  for (const port of service.ports) {
    if (port.number === undefined) continue
    const rdata = srvRdata(0, 100, port.number, owner)
    if (!numbers.has(port.number)) yield rr(owner, TYPE.SRV, ttlSeconds, rdata)
    numbers.add(port.number)
    const portOwner = portName(port, owner)
    if (portOwner) yield rr(portOwner, TYPE.SRV, ttlSeconds, rdata)
  }
}

/** An address in several groups, and what follows from it, is given once, whatever its weight there. */
function* endpointRecords(
  options: CopyOptions,
  owner: Name,
  groups: readonly ServiceGroup[],
): Generator<Rr, void> {
  const given = new Set<string>()
  for (const group of groups) {
    for (const record of groupRecords(options, owner, group)) {
      if (groups.length > 1) {
        const { rdata, type } = record
        const key = nameKey(record.owner) + latin1(rdata, type === TYPE.SRV ? 4 : 0, rdata.length)
        if (given.has(key)) continue
        given.add(key)
      }
      yield record
    }
  }
}

function* groupRecords(
  { ttlSeconds }: CopyOptions,
  owner: Name,
  { ports, endpoints, cluster }: ServiceGroup,
): Generator<Rr, void> {
  // CoreDNS weighs the endpoints of one slice, which has one family.
  const v4Count = endpoints.filter(({ address }) => address.length === 4).length
  for (const { address, label } of endpoints) {
    yield addressRecord(owner, ttlSeconds, address)
    const target = joinNames(Uint8Array.of(...label, ...cluster, 0), owner)
    if (!target) continue
    yield addressRecord(target, ttlSeconds, address)
    const count = address.length === 4 ? v4Count : endpoints.length - v4Count
    const weight = Math.max(1, Math.floor(100 / count))
    for (const port of ports) {
      const portOwner = portName(port, owner)
      if (portOwner && port.number !== undefined)
        yield rr(portOwner, TYPE.SRV, ttlSeconds, srvRdata(0, weight, port.number, target))
    }
  }
}

/** Where the SRV record of a named port stands: _port._proto below the service's name; undefined where that is no name. */
export const portName = ({ name: text, protocol }: ServicePort, owner: Name): Name | undefined =>
  text === '' || protocol === '' || text.length >= LABEL_MAX_OCTETS
    ? undefined
    : joinNames(name(`_${text}._${protocol}.`), owner)
