// `reload [INTERVAL] [JITTER]`: how often the Corefile is looked at (CoreDNS plugin/reload). What happens then is in
// ../reload.ts.

import { once, readLine } from '../corefile/arguments.ts'
import type { Word } from './plugin.ts'

/** The configuration of `reload`. */
export interface ReloadConfig {
  readonly intervalMs: number
  /** At most half the interval. */
  readonly jitterMs: number
}

const INTERVAL_DEFAULT_MS = 30_000
const INTERVAL_MIN_MS = 2000
const JITTER_DEFAULT_MS = 15_000
const JITTER_MIN_MS = 1000
const DAY_MS = 86_400_000

/** `reload`, once in a server block; the first block that has it counts for the whole Corefile. */
export const reloadWord: Word<ReloadConfig> = {
  word: 'reload',
  doc: {
    usage: 'reload [INTERVAL] [JITTER]',
    meaning: 'looks at the Corefile and all it imports, and takes what changed without losing a query',
    default: '30s, 15s',
    range: 'INTERVAL 2s to 24h, JITTER 1s to half the interval',
    options: [],
    example: `
      . {
          reload 10s 2s
          forward . /etc/resolv.conf
      }`,
  },
  parse(directives, problems) {
    const directive = once(directives, problems)
    if (directive === undefined) return undefined
    let intervalMs = INTERVAL_DEFAULT_MS
    let jitterMs = JITTER_DEFAULT_MS
    readLine(directive, problems, line => {
      const bounds = { minMs: INTERVAL_MIN_MS, maxMs: DAY_MS }
      if (line.has) intervalMs = line.duration('the interval', bounds) ?? intervalMs
      if (line.has)
        jitterMs = line.duration('the jitter', { minMs: JITTER_MIN_MS, maxMs: DAY_MS }) ?? jitterMs
    })
    return { intervalMs, jitterMs: Math.min(jitterMs, intervalMs / 2) }
  },
}
