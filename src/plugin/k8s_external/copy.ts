// A zone of k8s_external as a whole, for `transfer` (CoreDNS plugin/k8s_external/transfer.go): NS with addresses, then the
// services by name. Names of load balancers are links; what they lead to is another zone's.

import { FLAG } from '../../table/layout.ts'
import type { TableReader } from '../../table/reader.ts'
import { joinNames, type Name, nameKey } from '../../wire/name.ts'
import type { Rr } from '../../wire/record.ts'
import { portName } from '../kubernetes/copy.ts'
import { allServices, type Service, type ServicePort } from '../kubernetes/service.ts'
import { type Entry, entriesOf } from './entries.ts'
import { portRecords, type Ttls, targetRecords } from './records.ts'

/** What a copy is made of. */
export interface CopyOptions extends Ttls {
  readonly table: TableReader
  readonly zone: Name
  readonly headless: boolean
  /** The NS record and the addresses of its target. */
  readonly apex: readonly Rr[]
}

/** All records but the SOA, drawn service by service. */
export function* zoneRecords(options: CopyOptions): Generator<Rr, void> {
  yield* options.apex
  for (const service of allServices(options.table)) {
    const owner = joinNames(Uint8Array.of(...service.labels, 0), options.zone)
    if (owner && !service.has(FLAG.NO_SERVICE)) yield* serviceRecords(options, service, owner)
  }
}

function* serviceRecords(options: CopyOptions, service: Service, owner: Name): Generator<Rr, void> {
  const entries = (port: string, protocol: string): Entry[] =>
    entriesOf(service, owner, { endpoint: '', port, protocol }, options.headless)
  const all = entries('', '')
  yield* targetRecords(all, owner, options)
  yield* portRecords(all, owner, options)
  for (const port of namedPorts(service)) {
    const portOwner = portName(port, owner)
    if (portOwner) yield* portRecords(entries(port.name, port.protocol), portOwner, options)
  }
  yield* endpointRecords(options, all, owner)
}

/** Each endpoint of a headless service by its own name. */
function* endpointRecords(options: CopyOptions, entries: readonly Entry[], owner: Name): Generator<Rr, void> {
  const byName = new Map<string, { readonly target: Name; readonly own: Entry[] }>()
  for (const entry of entries) {
    if ('host' in entry || entry.target === owner) continue
    const { target } = entry
    const key = nameKey(target)
    const known = byName.get(key)
    if (known) known.own.push(entry)
    else byName.set(key, { target, own: [entry] })
  }
  for (const { target, own } of byName.values()) {
    yield* targetRecords(own, target, options)
    yield* portRecords(own, target, options)
  }
}

/** The ports that have a name, of the service itself and of its endpoints, each once. */
function namedPorts(service: Service): Iterable<ServicePort> {
  const ports = [...service.ports, ...service.groups.flatMap(group => group.ports)]
  return new Map(ports.map(port => [`${port.name}/${port.protocol}`, port])).values()
}
