// What a client's resolver makes of a name: the names that it asks one after another, and when it stops. Where the client is a
// Pod the kubelet writes its resolv.conf by dnsPolicy and dnsConfig (Kubernetes: DNS for Services and Pods).
//
//                           glibc (res_search)                   musl (name_from_dns_search)
//   dots < ndots            search path, then the name           search path, then the name
//   dots >= ndots           the name, then the search path       the name alone
//   an answer               ends                                 ends
//   NXDOMAIN                goes on                              goes on
//   no such record          goes on                              ends
//   SERVFAIL, no reply      goes on                              ends
//   REFUSED and others      ends                                 ends

import type { PodFacts } from '../objects/evidence.ts'
import { parseName } from '../wire/name.ts'

/** The resolv.conf of a client. */
export interface Resolver {
  readonly search: readonly string[]
  readonly ndots: number
  /** Whom it asks in place of this server, in a few words; '' where it asks here. */
  readonly asksInstead: string
  /** `NAMESPACE/NAME`; '' where no Pod is known. */
  readonly pod: string
  /** Whether it is a Pod of the network of its node. */
  readonly isOnHost: boolean
  /** Where it comes from, in a few words. */
  readonly from: string
}

export type Libc = 'glibc' | 'musl'

/** What came of one name. */
export type Outcome = 'answer' | 'no-data' | 'no-name' | 'failure' | 'silence' | 'refused'

const NDOTS_CLUSTER = 5
const NDOTS_DEFAULT = 1

/** That of a Pod of this namespace which says nothing of its own. `zone` is the cluster's, with a final dot. */
export const plainResolver = (namespace: string, zone: string): Resolver => ({
  search: [`${namespace}.svc.${zone}`, `svc.${zone}`, zone].map(undotted),
  ndots: NDOTS_CLUSTER,
  asksInstead: '',
  pod: '',
  isOnHost: false,
  from: `a Pod of namespace ${namespace}`,
})

/**
 * A Pod's own. What stands in the resolv.conf of its node is not known here; `isHere` tells whether an address is one at which
 * this server may be asked.
 */
export function podResolver(
  { namespace, name, hostNetwork, dns }: PodFacts,
  zone: string,
  isHere: (address: string) => boolean,
): Resolver {
  // The kubelet gives a Pod of the host's network the host's resolver, unless it insists.
  const policy = dns.policy === 'ClusterFirst' && hostNetwork ? 'Default' : dns.policy
  const isCluster = policy === 'ClusterFirst' || policy === 'ClusterFirstWithHostNet'
  const plain = plainResolver(namespace, zone)
  const search = [...new Set([...(isCluster ? plain.search : []), ...dns.searches.map(undotted)])]
  return {
    search,
    ndots: dns.ndots ?? (isCluster ? NDOTS_CLUSTER : NDOTS_DEFAULT),
    asksInstead: isCluster || dns.nameservers.some(isHere) ? '' : insteadOf(policy, dns.nameservers),
    pod: `${namespace}/${name}`,
    isOnHost: hostNetwork,
    from: `Pod ${namespace}/${name}, dnsPolicy ${dns.policy}${hostNetwork ? ' on the network of its node' : ''}`,
  }
}

const insteadOf = (policy: string, nameservers: readonly string[]): string =>
  policy === 'None' ? `${nameservers.join(' and ') || 'nobody'} (dnsPolicy None)` : 'the resolver of its node'

const undotted = (domain: string): string => domain.replace(/\.$/, '')

/** Names of addresses are asked as they are, whatever the search path (getnameinfo). */
const REVERSE = /\.(?:in-addr|ip6)\.arpa$/i

/** The names that are asked, absolute, in their order; those that are no names are left out as the resolver does. */
export function candidates(
  asked: string,
  { search, ndots }: Pick<Resolver, 'search' | 'ndots'>,
  libc: Libc,
): readonly string[] {
  if (asked.endsWith('.')) return [asked]
  if (REVERSE.test(asked)) return [`${asked}.`]
  const alone = `${asked}.`
  const below = search.map(domain => (domain === '' ? alone : `${asked}.${domain}.`))
  const isDotted = asked.split('.').length - 1 >= ndots
  const names = isDotted ? (libc === 'musl' ? [alone] : [alone, ...below]) : [...below, alone]
  return [...new Set(names)].filter(text => parseName(text) !== undefined)
}

/** Whether the resolver asks the next name after that. */
export function goesOn(libc: Libc, outcome: Outcome): boolean {
  if (outcome === 'no-name') return true
  if (outcome === 'answer' || outcome === 'refused') return false
  return libc === 'glibc'
}
