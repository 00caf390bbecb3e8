// `autopath [ZONES…] @kubernetes|@query|FILE`: walks the search path of a client in its place (CoreDNS plugin/autopath). What it
// does: handler.ts.

import type { Word } from '../plugin.ts'
import type { AutopathConfig } from './config.ts'
import { autopathDoc } from './doc.ts'
import { AutopathHandler } from './handler.ts'
import { parseAutopath } from './parse.ts'

/** `autopath`, once in a server block. */
export const autopathWord = {
  word: 'autopath',
  doc: autopathDoc,
  parse: parseAutopath,
  create: (config, context) => new AutopathHandler(config, context),
} satisfies Word<AutopathConfig>
