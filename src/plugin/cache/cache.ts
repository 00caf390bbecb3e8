// `cache [TTL] [ZONES…] { … }`: keeps the replies of the rest of the chain for as long as they allow (CoreDNS
// plugin/cache). Options: parse.ts. Behaviour: handler.ts. The way of a hit without the chain: fast.ts.

import type { Word } from '../plugin.ts'
import type { CacheConfig } from './config.ts'
import { cacheDoc } from './doc.ts'
import { CacheHandler } from './handler.ts'
import { parseCache } from './parse.ts'

/** The word; its handlers are CacheHandlers, which also make the fast path of their cache. */
export const cacheWord = {
  word: 'cache',
  doc: cacheDoc,
  parse: parseCache,
  effect: () => ({ transparent: true }),
  create: (config, context) => new CacheHandler(config, context),
} satisfies Word<CacheConfig>
