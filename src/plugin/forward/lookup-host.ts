// Host names among the TOs of `forward`: by the system's resolver, or by the servers that `resolver` names.

import { lazy } from '../../shared/lazy.ts'

/** Looks a host name up: addresses in order of preference. Rejects where there are none. */
export type LookupHost = (host: string, resolvers: readonly string[]) => Promise<readonly string[]>

/** The system's resolver, or the given ones where there are some. */
export async function lookupHost(host: string, resolvers: readonly string[]): Promise<readonly string[]> {
  if (resolvers.length === 0)
    return (await lazy.dns.lookup(host, { all: true })).map(({ address }) => address)
  const resolver = new lazy.dns.Resolver({ timeout: 2000, tries: 1 })
  resolver.setServers(resolvers)
  const [v4, v6] = await Promise.allSettled([resolver.resolve4(host), resolver.resolve6(host)])
  const addresses = [v4, v6].flatMap(answer => (answer.status === 'fulfilled' ? answer.value : []))
  if (addresses.length === 0 && v4.status === 'rejected') throw v4.reason
  return addresses
}
