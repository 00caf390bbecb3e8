// Reads the `stubdomains` directive: `kubernetes` in the same block watches the objects.

import { once, readLine } from '../../corefile/arguments.ts'
import { Problems } from '../../corefile/problem.ts'
import type { StubOptions } from '../../objects/options.ts'
import type { BlockContext, Word } from '../plugin.ts'
import type { StubDomainsConfig } from './config.ts'

export const parseStubDomains: Word<StubDomainsConfig>['parse'] = (directives, problems, block) => {
  const directive = once(directives, problems)
  if (directive === undefined) return undefined
  let zones: readonly string[] = []
  readLine(directive, problems, line => {
    zones = line.zones(block.zones)
  })
  if (!block.words.has('kubernetes'))
    problems.error(
      directive.word,
      'stubdomains needs kubernetes in this server block, which reads the objects',
    )
  return { zones }
}

/** What the block's `stubdomains`, if it has one, asks of `kubernetes`; its mistakes are told where it is read itself. */
export function stubOptions(block: BlockContext, own: readonly string[]): StubOptions | undefined {
  const directives = block.directives.get('stubdomains') ?? []
  const config = directives.length > 0 ? parseStubDomains(directives, new Problems(), block) : undefined
  if (config === undefined) return undefined
  const bare = (zones: readonly string[]): string[] => zones.map(zone => zone.replace(/\.$/, '')).sort()
  return { within: bare(config.zones), own: bare(own) }
}
