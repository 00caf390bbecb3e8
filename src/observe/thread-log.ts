// The log as code sees it. On a serving thread lines are octets in a message to the control thread, which alone writes to
// standard output; lines beyond a bound are counted and dropped there, so that a flood of failures costs little.

import type { LineWriter } from './log-line.ts'

/** CoreDNS's levels; a line reads `[LEVEL] plugin/NAME: text`. */
export type Level = 'DEBUG' | 'INFO' | 'WARNING' | 'ERROR' | 'FATAL'

export interface ThreadLog {
  /** Whether lines of the level DEBUG are written (the directive `debug`). */
  readonly debug: boolean
  /** `from` is `plugin/forward` and the like, or '' for the server's own lines. */
  write(level: Level, from: string, text: string): void
}

/** The log of a serving thread, with a line for each query where it is asked for. */
export interface ServingLog extends ThreadLog {
  /** Whether lines are JSON objects: behind the message of a query come its fields (log-line.ts `endString`). */
  readonly isJson: boolean
  /**
   * HOT: begins a line of the level INFO of the server's own; undefined where none is wanted, or none may be written now, which is
   * counted. `endLine` ends it, before anything else is logged.
   */
  line(): LineWriter | undefined
  endLine(): void
}
