// Reads the `k8s_external` directive.

import { type Line, readLine } from '../../corefile/arguments.ts'
import type { Word } from '../plugin.ts'
import { APEX_DEFAULT, type ExternalConfig, TTL_DEFAULT_SECONDS, TTL_MAX_SECONDS } from './config.ts'

type Draft = { -readonly [K in keyof ExternalConfig]: ExternalConfig[K] }

/** The configuration of the directives of a block: the last one's zones, and what all of them say of these, as in CoreDNS. */
export const parseExternal: Word<ExternalConfig>['parse'] = (directives, problems, block) => {
  const draft: Draft = {
    zones: [],
    apex: APEX_DEFAULT,
    ttlSeconds: TTL_DEFAULT_SECONDS,
    headless: false,
    fallthrough: undefined,
  }
  const read = directives.map(directive => {
    readLine(directive, problems, line => {
      draft.zones = [...new Set(line.zones(block.zones))]
      readOptions(line, draft)
    })
    if (!block.words.has('kubernetes'))
      problems.error(directive.word, 'k8s_external needs kubernetes in this server block')
    return { word: directive.word, zones: draft.zones }
  })
  for (const { word, zones } of read) {
    if (zones.every(zone => draft.zones.includes(zone))) continue
    problems.warning(word, 'only the zones of the last k8s_external of a server block count, as in CoreDNS')
  }
  return draft
}

function readOptions(line: Line, draft: Draft): void {
  line.options({
    apex: option => {
      const token = option.token('a label')
      if (token === undefined) return
      const label = token.text.toLowerCase()
      if (/^[a-z0-9_-]{1,63}$/.test(label)) draft.apex = label
      else option.error(token, 'this is no label of a name', { found: token.text })
    },
    ttl: option => {
      draft.ttlSeconds = option.integer('the TTL in seconds', 0, TTL_MAX_SECONDS) ?? draft.ttlSeconds
    },
    headless: () => {
      draft.headless = true
    },
    fallthrough: option => {
      draft.fallthrough = option.zones(['.'])
    },
  })
}
