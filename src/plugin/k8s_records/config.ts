// What `k8s_records` is told, as data, and how it is read: `kubernetes` in the same block watches what it names.

import { type Line, readLine } from '../../corefile/arguments.ts'
import type { Directive } from '../../corefile/corefile.ts'
import { Problems } from '../../corefile/problem.ts'
import { parseZone } from '../../corefile/zone.ts'
import type { RecordKind } from '../../objects/objects.ts'
import type { RecordOptions } from '../../objects/options.ts'
import { isDnsLabel } from '../../objects/slim.ts'
import type { BlockContext } from '../plugin.ts'

/** The configuration of `k8s_records`. */
export interface RecordsConfig {
  readonly zones: readonly string[]
  /** Zones whose missing names go to the next plugin; undefined: none. */
  readonly fallthrough: readonly string[] | undefined
  readonly ttlSeconds: number
  readonly objects: RecordOptions
}

export const TTL_DEFAULT_SECONDS = 60
export const TTL_MAX_SECONDS = 3600

/** The words for kinds of objects. */
const KINDS: Readonly<Record<string, RecordKind>> = {
  dnsrecords: 'DNSRecord',
  dnsendpoints: 'DNSEndpoint',
  ingresses: 'Ingress',
  httproutes: 'HTTPRoute',
  services: 'Service',
}

/** The directive of a block, with its mistakes. */
export function readRecords(directive: Directive, problems: Problems): RecordsConfig {
  let zones: readonly string[] = []
  let fallthrough: readonly string[] | undefined
  let ttlSeconds = TTL_DEFAULT_SECONDS
  const kinds = new Set<RecordKind>()
  const delegations: { suffix: string; to: string[] }[] = []
  readLine(directive, problems, line => {
    zones = line.zones()
    if (zones.length === 0)
      line.error(line.word, 'k8s_records needs a zone, for names that no object has are denied')
    line.options({
      from: option => {
        for (const token of option.some('kinds of objects')) {
          const kind = Object.hasOwn(KINDS, token.text) ? KINDS[token.text] : undefined
          if (kind) kinds.add(kind)
          else
            option.error(token, 'records come from none such', {
              found: token.text,
              allowed: Object.keys(KINDS),
            })
        }
      },
      delegate: option => {
        const delegation = readDelegation(option)
        if (delegation) delegations.push(delegation)
      },
      ttl: option => {
        ttlSeconds = option.integer('the TTL in seconds', 1, TTL_MAX_SECONDS) ?? ttlSeconds
      },
      fallthrough: option => {
        fallthrough = option.zones(['.'])
      },
    })
    if (kinds.size === 0) line.error(line.word, 'k8s_records needs `from` with a kind of objects')
    if (delegations.length === 0)
      line.error(line.word, 'k8s_records needs `delegate`: without it no namespace may have a name')
  })
  const objects = { kinds: [...kinds].sort(), delegations, own: [], zones: zones.map(bare), ttlSeconds }
  return { zones, fallthrough, ttlSeconds, objects }
}

/** Without its final dot. */
const bare = (zone: string): string => zone.replace(/\.$/, '')

/** `SUFFIX to NAMESPACE…`. */
function readDelegation(option: Line): { suffix: string; to: string[] } | undefined {
  const token = option.token('a name')
  if (token === undefined) return undefined
  const zone = parseZone(token.text)
  if (!('value' in zone)) return option.error(token, zone.reason, { found: token.text })
  if (option.choice('to, before namespaces', ['to']) === undefined) return undefined
  const to = option.some('a namespace').map(each => {
    if (each.text !== '*' && !isDnsLabel(each.text))
      option.error(each, 'this is no name of a namespace', { found: each.text })
    return each.text
  })
  return { suffix: bare(zone.value), to }
}

/**
 * What the block's `k8s_records`, if it has one, asks of `kubernetes`, whose zones are `own`; its mistakes are told where it is
 * read itself.
 */
export function recordOptions(
  { directives }: BlockContext,
  own: readonly string[],
): RecordOptions | undefined {
  const [directive] = directives.get('k8s_records') ?? []
  if (directive === undefined) return undefined
  return { ...readRecords(directive, new Problems()).objects, own: own.map(bare) }
}
