// `ratelimit { … }`: no client takes the server away from the others. Seamark's own word. What it does: handler.ts.

import type { Word } from '../plugin.ts'
import type { RatelimitConfig } from './config.ts'
import { ratelimitDoc } from './doc.ts'
import { RatelimitHandler } from './handler.ts'
import { parseRatelimit } from './parse.ts'

/** `ratelimit`, once in a server block. */
export const ratelimitWord = {
  word: 'ratelimit',
  doc: ratelimitDoc,
  parse: parseRatelimit,
  create: (config, context) => new RatelimitHandler(config, context),
} satisfies Word<RatelimitConfig>
