// Cluster addresses of Services, as the API server gives them out: those that a Service names are its own, the first
// one in file order where two name the same; what is missing comes from the address book. Families follow
// spec.ipFamilies and spec.ipFamilyPolicy in a cluster that has both families and prefers IPv4.

import { fieldAt, listAt, textAt } from '../objects/field.ts'
import type { SlimService } from '../objects/objects.ts'
import { type IpFamily, parseIp } from '../shared/ip.ts'
import { type AddressBook, SERVICE_POOLS } from './addresses.ts'
import type { Warn } from './pods.ts'
import { type RawObject, titleOf } from './raw.ts'

/** A Service of the folder with what was read of it. */
export interface ServiceView {
  readonly object: RawObject
  readonly slim: SlimService
}

/** The families of a Service in order, by what it asks for and the addresses that it names. */
export function familiesOf(service: ServiceView): readonly IpFamily[] {
  const { raw } = service.object
  const asked = listAt(raw, 'spec', 'ipFamilies').flatMap<IpFamily>(family =>
    family === 'IPv4' ? 4 : family === 'IPv6' ? 6 : [],
  )
  const named = service.slim.clusterIPs.flatMap(text => parseIp(text)?.family ?? [])
  const families = new Set<IpFamily>([...named, ...asked])
  const policy = textAt(raw, 'spec', 'ipFamilyPolicy')
  if (families.size === 0) families.add(4)
  if (policy.endsWith('DualStack')) families.add(families.has(4) ? 6 : 4)
  else if (policy === 'SingleStack' || Math.max(asked.length, named.length) < 2)
    return [...families].slice(0, 1)
  return [...families]
}

/** The Services with their final cluster addresses; the order of the argument decides who keeps a disputed one. */
export function assignClusterIps(
  services: readonly ServiceView[],
  book: AddressBook,
  taken: ReadonlySet<string>,
  warn: Warn,
): ServiceView[] {
  const owners = new Map<string, ServiceView>()
  const disputes: { readonly service: ServiceView; readonly owner: ServiceView; readonly ip: string }[] = []
  const kept = new Map<ServiceView, readonly string[]>()
  for (const service of services) {
    const own = service.slim.clusterIPs.filter(ip => {
      const owner = owners.get(ip)
      if (owner) disputes.push({ service, owner, ip })
      else owners.set(ip, service)
      return owner === undefined
    })
    kept.set(service, own)
  }
  const missing = new Map(services.map(service => [service, missingOf(service, kept.get(service) ?? [])]))
  const pools = SERVICE_POOLS.map((pool, i) => {
    const family = i === 0 ? 4 : 6
    const needy = services.filter(service => missing.get(service)?.includes(family))
    return book.assign(pool, needy.map(keyOf), taken)
  })
  const result = services.map(service => {
    const ips = [...(kept.get(service) ?? [])]
    for (const family of missing.get(service) ?? []) {
      const ip = pools[family === 4 ? 0 : 1]!.get(keyOf(service))
      if (ip === undefined) warn(service.object, ['spec'], 'no cluster IP is left: it has none')
      else ips.push(ip)
    }
    return { object: service.object, slim: { ...service.slim, clusterIPs: inOrder(ips, service) } }
  })
  for (const { service, owner, ip } of disputes) tell(result[services.indexOf(service)]!, owner, ip, warn)
  return result
}

const keyOf = (service: ServiceView): string =>
  `${service.object.kind}/${service.object.namespace}/${service.object.name}`

/** The families in which a Service that should have a cluster address has none. */
function missingOf(service: ServiceView, kept: readonly string[]): readonly IpFamily[] {
  if (service.slim.headless || service.slim.type === 'ExternalName') return []
  const have = kept.map(ip => parseIp(ip)?.family)
  return familiesOf(service).filter(family => !have.includes(family))
}

/** The addresses in the order of the Service's families, which is the order an API server keeps. */
function inOrder(ips: readonly string[], service: ServiceView): string[] {
  const order = familiesOf(service)
  const rank = (ip: string): number => order.indexOf(parseIp(ip)?.family ?? 4)
  return ips.toSorted((a, b) => rank(a) - rank(b))
}

function tell(service: ServiceView, owner: ServiceView, ip: string, warn: Warn): void {
  const { object, slim } = service
  const path =
    fieldAt(object.raw, 'spec', 'clusterIP') === ip ? ['spec', 'clusterIP'] : ['spec', 'clusterIPs']
  const instead = slim.clusterIPs.length > 0 ? `has ${slim.clusterIPs.join(' and ')} instead` : 'has none'
  const { line, column } = owner.object.place.at([])
  const where = `${titleOf(owner.object)} (${owner.object.place.file}:${line}:${column})`
  warn(object, path, `cluster IP ${ip} is taken by ${where}: this one ${instead}`)
}
