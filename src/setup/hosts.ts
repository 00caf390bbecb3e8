// Host names among the upstreams of a configuration, looked up before it is served: one that has no address is an error at its
// place, as in CoreDNS, so that a rollout stops there and a reload keeps what serves.

import type { Problem } from '../corefile/problem.ts'
import type { ForwardConfig, RuleConfig, To } from '../plugin/forward/config.ts'
import { forwardWord } from '../plugin/forward/forward.ts'
import { type LookupHost, lookupHost } from '../plugin/forward/lookup-host.ts'
import { type Configuration, counted } from './configuration.ts'
import { type BlockSetup, configsOf } from './setup.ts'

type Host = Extract<To, { kind: 'host' }>

/** A resolver that does not answer is not waited for any longer. */
const LOOKUP_MAX_MS = 10_000

/** The configuration with the addresses of its host names, and an error for each that has none. */
export async function lookUpHosts(
  configuration: Configuration,
  lookup: LookupHost = lookupHost,
): Promise<Configuration> {
  const { setup } = configuration
  const rules = setup.blocks.flatMap(block => configsOf(block, forwardWord).flatMap(config => config.rules))
  const hosts = rules.flatMap(rule => hostsOf(rule).map(host => ({ host, resolvers: rule.resolvers })))
  if (hosts.length === 0) return configuration
  const found = new Map<Host, readonly string[]>()
  const problems = await Promise.all(
    hosts.map(async ({ host, resolvers }) => {
      const addresses = await within(LOOKUP_MAX_MS, lookup(host.host, resolvers)).catch(
        (error: Error) => error,
      )
      if (addresses instanceof Error) return problemOf(host, addresses)
      found.set(host, addresses)
      return undefined
    }),
  )
  return {
    ...configuration,
    setup: { ...setup, blocks: setup.blocks.map(block => withAddresses(block, found)) },
    ...counted([...configuration.problems, ...problems.filter(problem => problem !== undefined)]),
  }
}

const hostsOf = ({ to }: RuleConfig): Host[] => to.filter(one => one.kind === 'host')

/** Rejects when the time is over. */
function within<T>(timeoutMs: number, promise: Promise<T>): Promise<T> {
  const { promise: late, reject } = Promise.withResolvers<never>()
  const timer = setTimeout(() => reject(new Error(`no answer within ${timeoutMs / 1000} s`)), timeoutMs)
  return Promise.race([promise, late]).finally(() => clearTimeout(timer))
}

const problemOf = ({ host, at }: Host, { message }: Error): Problem => ({
  severity: 'error',
  ...at,
  message: `this host cannot be resolved: ${message}`,
  found: host,
  absent: true,
})

function withAddresses(block: BlockSetup, found: ReadonlyMap<Host, readonly string[]>): BlockSetup {
  const known = (to: To): To =>
    to.kind === 'host' ? { ...to, addresses: found.get(to) ?? to.addresses } : to
  const plugins = block.plugins.map(plugin => {
    const [config] = configsOf({ plugins: [plugin] }, forwardWord)
    if (config === undefined) return plugin
    const rules = config.rules.map(rule => ({ ...rule, to: rule.to.map(known) }))
    return { ...plugin, config: { rules } satisfies ForwardConfig }
  })
  return { ...block, plugins }
}
