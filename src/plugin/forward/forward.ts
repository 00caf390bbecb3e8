// `forward FROM TO… { … }`: asks other servers what this one does not know (CoreDNS plugin/forward). Options: parse.ts. What
// it does: handler.ts, and of one directive rule.ts.

import type { Word } from '../plugin.ts'
import type { ForwardConfig } from './config.ts'
import { forwardDoc } from './doc.ts'
import { ForwardHandler } from './handler.ts'
import { parseForward } from './parse.ts'

/** `forward`, as often in a server block as there are rules. */
export const forwardWord = {
  word: 'forward',
  doc: forwardDoc,
  parse: parseForward,
  create: (config, context) => new ForwardHandler(config, context),
} satisfies Word<ForwardConfig>
