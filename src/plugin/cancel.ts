// `cancel [DURATION]`: how long a query may take (CoreDNS plugin/cancel). What waits for others (`forward`) gives up then,
// with SERVFAIL.

import { last, readLine } from '../corefile/arguments.ts'
import { NEXT, PATIENCE_MS } from '../query/packet.ts'
import type { Word } from './plugin.ts'

/** The configuration of `cancel`. */
export interface CancelConfig {
  readonly timeoutMs: number
}

/** CoreDNS's default: a little more than clients wait. */
const TIMEOUT_MS = 5001

/** `cancel`; of several in a block the last one counts. */
export const cancelWord: Word<CancelConfig> = {
  word: 'cancel',
  doc: {
    usage: 'cancel [DURATION]',
    meaning: 'gives up a query after that time',
    default: `${TIMEOUT_MS}ms`,
    range: 'from 1ms',
    options: [],
    notes: [`Without it, and where it says more, a query is given up after ${PATIENCE_MS / 1000}s.`],
    example: `
      . {
          cancel 1s
          forward . 10.0.0.2 10.0.0.3
      }`,
  },
  parse(directives, problems) {
    let timeoutMs = TIMEOUT_MS
    for (const directive of directives) {
      readLine(directive, problems, line => {
        timeoutMs = (line.has ? line.duration('the time', { minMs: 1 }) : undefined) ?? TIMEOUT_MS
      })
    }
    last(directives, problems)
    return { timeoutMs }
  },
  effect: () => ({ transparent: true }),
  create: ({ timeoutMs }) => ({
    handle(packet) {
      packet.deadlineMs = Math.min(packet.deadlineMs, packet.receivedAtMs + timeoutMs)
      return NEXT
    },
  }),
}
