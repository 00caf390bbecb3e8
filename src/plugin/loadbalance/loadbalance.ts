// `loadbalance [round_robin | weighted FILE] { reload DURATION; prefer CIDR… }`: the order of the records in answers
// (CoreDNS plugin/loadbalance). It stands before the cache, so that every answer out of it has an order of its own.

import type { Word } from '../plugin.ts'
import type { LoadbalanceConfig } from './config.ts'
import { loadbalanceDoc } from './doc.ts'
import { LoadbalanceHandler } from './handler.ts'
import { parseLoadbalance } from './parse.ts'

/** `loadbalance`; of several in a block the last policy counts. */
export const loadbalanceWord = {
  word: 'loadbalance',
  doc: loadbalanceDoc,
  parse: parseLoadbalance,
  // Round robin is what the fast path does by itself.
  effect: ({ weights, prefer }) =>
    weights === undefined && prefer.length === 0
      ? { transparent: true, addressOrder: 'random' }
      : { addressOrder: 'chosen' },
  create: (config, context) => new LoadbalanceHandler(config, context),
} satisfies Word<LoadbalanceConfig>
