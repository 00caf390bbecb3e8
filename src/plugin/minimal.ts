// `minimal`: answers without what nobody asked for (CoreDNS plugin/minimal; RFC 2181 section 9 has the sections beside the
// answer for help only). Negative answers keep the SOA that caches need, delegations their name servers.

import { readLine } from '../corefile/arguments.ts'
import type { Query } from '../query/query.ts'
import { DROP, type Outcome } from '../query/reply.ts'
import { replyType } from './log/classify.ts'
import type { ServingContext, Word } from './plugin.ts'

/** `minimal`, without arguments; the fast path heeds it by itself (kubernetes/writer.ts). */
export const minimalWord: Word<Record<string, never>> = {
  word: 'minimal',
  doc: {
    usage: 'minimal',
    meaning: 'leaves out the authority and additional sections of positive answers',
    options: [],
    example: `
      . {
          minimal
          forward . /etc/resolv.conf
      }`,
  },
  parse(directives, problems) {
    for (const directive of directives) readLine(directive, problems, () => {})
    return {}
  },
  effect: () => ({ transparent: true, minimal: true }),
  create: (_config, context) => ({
    handle(query, next) {
      const outcome = next(query)
      return outcome instanceof Promise
        ? outcome.then(late => minimized(query, late, context))
        : minimized(query, outcome, context)
    },
  }),
}

function minimized(query: Query, outcome: Outcome, { clock }: ServingContext): Outcome {
  if (outcome === DROP || replyType(query, outcome, clock.wallMs()) !== 'NOERROR') return outcome
  return { ...outcome, authority: [], additional: [] }
}
