// Which rules can touch what the cluster answers about the names of one zone, decided when the Corefile is loaded: where
// none can, the zone keeps the fast path (../../serving/blocks.ts). In doubt a rule can.
//
//   exact FROM    FROM is a name of the zone
//   suffix FROM   a name of the zone can end so
//   regex FROM    every match ends with a text, and a name of the zone can end so; else it can match anything
//   prefix, substring   with the zone's name behind it, FROM itself is a name of the zone

import type { Name } from '../../wire/name.ts'
import { CLASS } from '../../wire/rrtype.ts'
import { ANSWERED_TYPES } from '../kubernetes/answer-options.ts'
import type { Match, Rule } from './config.ts'
import { showsOctets } from './edns0.ts'
import { endingOf } from './shape.ts'
import { textOf } from './text.ts'

/** Whether a rule can change the question, the answer or the options of a reply about a name of the cluster's zone. */
export function concernsZone(rule: Rule, zone: Name): boolean {
  switch (rule.field) {
    case 'name':
      return canMatch(rule.substitution, textOf(zone))
    case 'ttl':
    case 'rcode':
      return canMatch(rule.match, textOf(zone))
    case 'type':
      // A type is as good as another where the cluster has records of neither (`type ANY HINFO`).
      return ANSWERED_TYPES.has(rule.from) || ANSWERED_TYPES.has(rule.to)
    case 'class':
      return rule.from === CLASS.IN
    case 'cname':
      return true
    case 'edns0':
      // The table knows no options: all that could show is the option in the reply (edns0.ts).
      return showsOctets(rule)
  }
}

/** Whether some name of the zone matches. */
function canMatch({ kind, from }: Match, zone: string): boolean {
  if (zone === '.') return true
  switch (kind) {
    case 'exact':
      return from === zone || from.endsWith(`.${zone}`)
    case 'suffix':
      return canEndWith(from, zone)
    case 'regex': {
      const ending = endingOf(from)
      return ending?.anchored !== true || canEndWith(ending.text, zone)
    }
    default:
      return true
  }
}

const canEndWith = (suffix: string, zone: string): boolean =>
  `.${zone}`.endsWith(suffix) || suffix.endsWith(`.${zone}`) || suffix === zone
