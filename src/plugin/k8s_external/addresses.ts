// Which services have an address outside the cluster, by the table's address index: for PTR and for the zone's own name
// server.

import { blockKeyAt, eachExternal, endOf, flagsOf, keyEndOf, kindOf } from '../../table/block.ts'
import { EXTERNAL, FLAG, KIND } from '../../table/layout.ts'
import type { TableReader } from '../../table/reader.ts'
import { equalOctets } from '../kubernetes/match.ts'
import { blocksWith } from '../kubernetes/nameservers.ts'
import { Service } from '../kubernetes/service.ts'

/** The two labels, name and namespace, of the services that are reached at an address of 4 or 16 octets. */
export function ownersOf(table: TableReader, address: Uint8Array): Uint8Array[] {
  const tagged = Uint8Array.of(address.length === 4 ? EXTERNAL.V4 : EXTERNAL.V6, ...address)
  const { words, octets } = table
  table.enter()
  const owners = blocksWith(table, table.hashOf(tagged, 0, tagged.length)).flatMap(block => {
    let isOwner = false
    eachExternal(words, octets, block, (at, end) => {
      if (end - at === tagged.length && equalOctets(octets, at, tagged, 0, tagged.length)) isOwner = true
    })
    return isOwner ? [octets.slice(blockKeyAt(words, block), keyEndOf(words, octets, block))] : []
  })
  table.leave()
  return owners
}

/**
 * The addresses of the zone's name server: those outside the cluster of the services whose endpoints have one of this
 * server's own, or with `headless` the endpoints' own; where no service has, this server's.
 */
export function nameserverAddresses(
  table: TableReader,
  own: readonly Uint8Array[],
  headless: boolean,
): readonly Uint8Array[] {
  const services = own.flatMap(address => servicesOf(table, address))
  if (services.length === 0) return own
  const found = services.flatMap(service => {
    if (headless && service.has(FLAG.HEADLESS)) return endpointAddresses(service)
    return service.externals.flatMap(external => ('address' in external ? [external.address] : []))
  })
  return [...new Map(found.map(address => [address.join(), address])).values()]
}

/** Copies of the services one of whose endpoints has the address. */
function servicesOf(table: TableReader, address: Uint8Array): Service[] {
  const { words, octets } = table
  table.enter()
  const copies = blocksWith(table, table.hashOf(address, 0, address.length))
    .filter(
      block => kindOf(octets, block) === KIND.SERVICE && (flagsOf(octets, block) & FLAG.NO_SERVICE) === 0,
    )
    .map(block => new Uint8Array(octets.subarray(block, endOf(words, block))))
  table.leave()
  const isIts = (its: Uint8Array): boolean =>
    its.length === address.length && equalOctets(its, 0, address, 0, address.length)
  return copies.map(copy => new Service(copy)).filter(service => endpointAddresses(service).some(isIts))
}

const endpointAddresses = ({ groups }: Service): Uint8Array[] =>
  groups.flatMap(({ endpoints }) => endpoints.map(({ address }) => address))
