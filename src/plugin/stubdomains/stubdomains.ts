// `stubdomains [ZONES…]`: zones and their upstreams out of objects. Seamark's own word. What it does: handler.ts.

import type { Word } from '../plugin.ts'
import type { StubDomainsConfig } from './config.ts'
import { stubDomainsDoc } from './doc.ts'
import { StubDomainsHandler } from './handler.ts'
import { parseStubDomains } from './parse.ts'

/** `stubdomains`, once in a server block. */
export const stubDomainsWord = {
  word: 'stubdomains',
  doc: stubDomainsDoc,
  parse: parseStubDomains,
  create: (_, context) => new StubDomainsHandler(context),
} satisfies Word<StubDomainsConfig>
