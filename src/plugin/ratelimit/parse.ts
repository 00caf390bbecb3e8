// Reads the `ratelimit` directive.

import { type Line, once, readLine } from '../../corefile/arguments.ts'
import { parseCidr } from '../../shared/ip.ts'
import { isOfNamespaces, verifiesPods } from '../kubernetes/clients.ts'
import type { Word } from '../plugin.ts'
import { bucketMemory } from './buckets.ts'
import {
  type Allowance,
  BURST_DEFAULT_SECONDS,
  CLIENTS_DEFAULT,
  CLIENTS_MAX,
  CLIENTS_MIN,
  IPV6_BITS_DEFAULT,
  IPV6_BITS_MIN,
  RATE_MAX,
  type RatelimitConfig,
} from './config.ts'

/** The options that are allowances. */
const ALLOWANCES: readonly string[] = ['queries', 'misses', 'namespace_queries', 'namespace_misses']

export const parseRatelimit: Word<RatelimitConfig>['parse'] = (directives, problems, block) => {
  const directive = once(directives, problems)
  if (directive === undefined) return undefined
  const read: Partial<Record<string, Allowance>> = {}
  let clients = CLIENTS_DEFAULT
  let ipv6Bits = IPV6_BITS_DEFAULT
  const exempt: string[] = []
  const isLimited = directive.block?.some(({ word }) => ALLOWANCES.includes(word.text))
  const allowance = (option: Line): void => {
    option.once()
    const found = readAllowance(option)
    if (found) read[option.word.text] = found
  }
  readLine(directive, problems, line => {
    line.options({
      ...Object.fromEntries(ALLOWANCES.map(word => [word, allowance])),
      exempt: option => exempt.push(...readNetworks(option)),
      ipv6_prefix: option => {
        ipv6Bits = option.integer('the bits of a network', IPV6_BITS_MIN, IPV6_BITS_DEFAULT) ?? ipv6Bits
      },
      clients: option => {
        clients = option.integer('how many clients are remembered', CLIENTS_MIN, CLIENTS_MAX) ?? clients
      },
    })
    if (!isLimited)
      line.error(line.word, 'ratelimit needs queries or misses: without them nothing is limited')
    if (isOfNamespaces(directive) && !verifiesPods(block)) {
      const message =
        'limits of namespaces need `pods verified` in kubernetes: without it nobody knows whose a client is'
      line.error(line.word, message)
    }
  })
  return {
    client: { queries: read.queries, misses: read.misses },
    namespace: { queries: read.namespace_queries, misses: read.namespace_misses },
    exempt,
    ipv6Bits,
    table: bucketMemory(clients),
  }
}

function readAllowance(option: Line): Allowance | undefined {
  const perSecond = option.integer('queries a second', 1, RATE_MAX)
  if (perSecond === undefined) return undefined
  const burst = option.has
    ? option.integer('queries at once', 1, RATE_MAX)
    : BURST_DEFAULT_SECONDS * perSecond
  return burst === undefined ? undefined : { perSecond, burst }
}

function readNetworks(option: Line): string[] {
  return option.some('a network').flatMap(token => {
    const network = parseCidr(token.text)
    if (network) return network.text
    option.error(token, 'this is neither a network nor an address', { found: token.text })
    return []
  })
}
