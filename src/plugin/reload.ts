// `reload [INTERVAL] [JITTER]`: how often the Corefile is looked at (CoreDNS plugin/reload). What happens then is in
// ../control/reloader.ts.

import { first, type Line, readLine } from '../corefile/arguments.ts'
import { parseDuration } from '../corefile/values.ts'
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

function readJitter(line: Line): number | undefined {
  const token = line.token('the jitter')
  const jitterMs = token && parseDuration(token.text)
  if (token === undefined || jitterMs === 0 || (jitterMs !== undefined && jitterMs >= JITTER_MIN_MS))
    return jitterMs
  const what = jitterMs === undefined ? 'a duration such as 5s' : '0s or at least 1s'
  return line.error(token, `the jitter must be ${what}`, { found: token.text })
}

/** `reload`; the first one of the first block that has it counts for the whole Corefile. */
export const reloadWord: Word<ReloadConfig> = {
  word: 'reload',
  doc: {
    usage: 'reload [INTERVAL] [JITTER]',
    meaning: 'looks at the Corefile and all it imports, and takes what changed without losing a query',
    default: '30s, 15s',
    range: 'INTERVAL from 2s, a day at most; JITTER 0s, or 1s to half the interval',
    options: [],
    example: `
      . {
          reload 10s 2s
          forward . /etc/resolv.conf
      }`,
  },
  parse(directives, problems) {
    const directive = first(directives, problems)
    if (directive === undefined) return undefined
    let intervalMs = INTERVAL_DEFAULT_MS
    let jitterMs = JITTER_DEFAULT_MS
    readLine(directive, problems, line => {
      if (line.has) intervalMs = line.duration('the interval', { minMs: INTERVAL_MIN_MS }) ?? intervalMs
      if (line.has) jitterMs = readJitter(line) ?? jitterMs
    })
    if (intervalMs > DAY_MS)
      problems.warning(directive.word, 'the Corefile is looked at once a day, however long the interval')
    const boundedMs = Math.min(intervalMs, DAY_MS)
    return { intervalMs: boundedMs, jitterMs: Math.min(jitterMs, boundedMs / 2) }
  },
}
