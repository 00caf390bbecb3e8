// `rewrite [continue|stop] FIELD …`: changes questions on their way to the plugins behind, and replies on their way back
// (CoreDNS plugin/rewrite). Rules are tried in the order of the file; one that applies is the last unless it says
// `continue`. What stands before in the chain (log, errors, metrics) and the client see the question as it was asked;
// what stands behind (autopath, acl, cache, kubernetes, forward) sees the changed one alone.
//
//   www.example.org A ─ rule 1 ─ rule 2 ─▶ web.demo.svc.cluster.local A
//                                              │
//   www.example.org A ◀ rule 1 ◀ rule 2 ◀── web.demo.svc.cluster.local A 10.96.0.7

import { CLASS } from '../../wire/rrtype.ts'
import type { Word } from '../plugin.ts'
import type { RewriteConfig } from './config.ts'
import { rewriteDoc } from './doc.ts'
import { RewriteHandler } from './handler.ts'
import { parseRewrite } from './parse.ts'

/** `rewrite`, one rule in each directive. */
export const rewriteWord: Word<RewriteConfig> = {
  word: 'rewrite',
  doc: rewriteDoc,
  parse: parseRewrite,
  effect: ({ rules }) => ({
    otherClasses: rules.some(rule => rule.field === 'class' && rule.from !== CLASS.IN),
  }),
  create: config => new RewriteHandler(config),
}
