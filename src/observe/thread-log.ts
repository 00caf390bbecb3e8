// The log as code sees it. On a serving thread a line is a message to the control thread, which alone writes to
// standard output; lines beyond a bound are counted and dropped there, so that a flood of failures costs little.

/** CoreDNS's levels; a line reads `[LEVEL] plugin/NAME: text`. */
export type Level = 'DEBUG' | 'INFO' | 'WARNING' | 'ERROR' | 'FATAL'

export interface ThreadLog {
  /** Whether lines of the level DEBUG are written (the directive `debug`). */
  readonly debug: boolean
  /** `from` is `plugin/forward` and the like, or '' for the server's own lines. */
  write(level: Level, from: string, text: string): void
}
