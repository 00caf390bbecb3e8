// `dnstap SOCKET [full] { … }`: queries and replies in a form that tools read (dnstap.info), over a connection to a receiver
// (CoreDNS plugin/dnstap). Nothing of it is there in a block without it.

import type { Word } from '../plugin.ts'
import type { DnstapConfig } from './config.ts'
import { dnstapDoc } from './doc.ts'
import { DnstapHandler } from './handler.ts'
import { parseDnstap } from './parse.ts'

/** `dnstap`, as often as there are receivers. */
export const dnstapWord = {
  word: 'dnstap',
  doc: dnstapDoc,
  parse: parseDnstap,
  create: (config, context) => new DnstapHandler(config, context),
} satisfies Word<DnstapConfig>
