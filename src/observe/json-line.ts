// A line of the log as one JSON object (`-log-format=json`), for collectors that take objects and parse no text. The fields
// are CoreDNS's: `time` (RFC 3339, UTC), `level`, `msg`, `plugin` where a plugin speaks; docs/logging.md has those of queries.
//
//   {"time":"2026-11-30T10:00:00.000Z","level":"ERROR","msg":"2 example.org. A: no answer","plugin":"errors"}
//
// The message is the text of the other form, control characters escaped there, and cut where that is.

import { escapeControls, LINE_MAX_CHARACTERS } from './log-line.ts'
import type { Level } from './thread-log.ts'

/** The forms of the log. */
export const LOG_FORMS = ['text', 'json'] as const
export type LogForm = (typeof LOG_FORMS)[number]

const PLUGIN = 'plugin/'

/** One object, without its line feed. `from` is `plugin/forward` and the like, or ''. */
export function formatJsonLine(level: Level, from: string, text: string, wallMs: number): string {
  const whole = escapeControls(text)
  const msg = whole.length > LINE_MAX_CHARACTERS ? `${whole.slice(0, LINE_MAX_CHARACTERS - 1)}…` : whole
  const plugin = from.startsWith(PLUGIN) ? from.slice(PLUGIN.length) : from
  return JSON.stringify({
    time: timeOf(wallMs),
    level,
    msg: msg.toWellFormed(),
    ...(plugin !== '' && { plugin }),
  })
}

/** What stands before the message of a query's line. */
export const jsonHead = (level: Level, wallMs: number): string =>
  `{"time":"${timeOf(wallMs)}","level":"${level}","msg":"`

const timeOf = (wallMs: number): string => new Date(wallMs).toISOString()
