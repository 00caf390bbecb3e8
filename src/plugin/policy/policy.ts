// `policy { … }`: which namespaces may resolve what. Seamark's own word. What it does: handler.ts.

import type { Word } from '../plugin.ts'
import type { PolicyConfig } from './config.ts'
import { policyDoc } from './doc.ts'
import { PolicyHandler } from './handler.ts'
import { parsePolicy } from './parse.ts'

/** `policy`, once in a server block. */
export const policyWord = {
  word: 'policy',
  doc: policyDoc,
  parse: parsePolicy,
  create: (config, context) => new PolicyHandler(config, context),
} satisfies Word<PolicyConfig>
