// Reads the `ratelimit` directive.

import { type Line, once, readLine } from '../../corefile/arguments.ts'
import { parseCidr } from '../../shared/ip.ts'
import type { Word } from '../plugin.ts'
import { bucketMemory } from './buckets.ts'
import {
  type Allowance,
  BURST_DEFAULT_SECONDS,
  CLIENTS_DEFAULT,
  CLIENTS_MAX,
  CLIENTS_MIN,
  RATE_MAX,
  type RatelimitConfig,
} from './config.ts'

export const parseRatelimit: Word<RatelimitConfig>['parse'] = (directives, problems) => {
  const directive = once(directives, problems)
  if (directive === undefined) return undefined
  let queries: Allowance | undefined
  let misses: Allowance | undefined
  let clients = CLIENTS_DEFAULT
  const exempt: string[] = []
  const isLimited = directive.block?.some(({ word }) => word.text === 'queries' || word.text === 'misses')
  readLine(directive, problems, line => {
    line.options({
      queries: option => {
        option.once()
        queries = readAllowance(option)
      },
      misses: option => {
        option.once()
        misses = readAllowance(option)
      },
      exempt: option => exempt.push(...readNetworks(option)),
      clients: option => {
        clients = option.integer('how many clients are remembered', CLIENTS_MIN, CLIENTS_MAX) ?? clients
      },
    })
    if (!isLimited)
      line.error(line.word, 'ratelimit needs queries or misses: without them nothing is limited')
  })
  return { client: { queries, misses }, exempt, table: bucketMemory(clients) }
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
