// The process's log, on the control thread: lines as CoreDNS writes them, without a time, to standard output.
//
//   [INFO] plugin/reload: Running configuration SHA512 = …
//   [INFO] 10.0.0.7:40212 - 29008 "A IN example.org. udp 41 false 4096" NOERROR qr,rd,ra 68 0.037990251s
//   [WARNING] 41250 lines of plugin/errors were not logged in the last 10s (at most 5 a second)
//
// or, with -log-format=json, as objects (json-line.ts).
// Nothing here ever waits. Lines beyond a source's rate, or beyond what a slow reader leaves room for, are counted,
// told in a summary, and in seamark_log_dropped_lines_total.

import type { Clock, Timer } from '../shared/clock.ts'
import { formatDuration } from '../shared/duration.ts'
import { formatJsonLine, type LogForm } from './json-line.ts'
import { LogBudget, type Rate } from './log-budget.ts'
import { escapeControls, LINE_MAX_CHARACTERS } from './log-line.ts'
import type { LogOutput } from './log-output.ts'
import type { Counter, Meters } from './meters.ts'
import type { Level, ThreadLog } from './thread-log.ts'

/** How often it is told what was dropped. */
const SUMMARY_PERIOD_MS = 10_000

/** What the log does with lines. */
export interface LogOptions {
  /** -quiet: no lines but warnings and worse. */
  readonly quiet?: boolean
  /** -log-format: text unless given. */
  readonly form?: LogForm
  readonly rateOf?: (from: string) => Rate
}

/** The log of the process. */
export class ProcessLog implements ThreadLog {
  /** The `debug` directive: DEBUG lines are written. */
  debug = false
  readonly #output: Pick<LogOutput, 'write' | 'flush'>
  readonly #clock: Clock
  readonly #quiet: boolean
  readonly #form: LogForm
  readonly #budget: LogBudget
  readonly #overRate: Counter
  readonly #overRoom: Counter
  #lostToReader = 0
  #summary: Timer | undefined

  constructor(
    output: Pick<LogOutput, 'write' | 'flush'>,
    clock: Clock,
    meters: Meters,
    options: LogOptions = {},
  ) {
    this.#output = output
    this.#clock = clock
    this.#quiet = options.quiet ?? false
    this.#form = options.form ?? 'text'
    this.#budget = new LogBudget(clock, options.rateOf)
    this.#overRate = meters.counter('seamark_log_dropped_lines_total', { reason: 'rate' })
    this.#overRoom = meters.counter('seamark_log_dropped_lines_total', { reason: 'reader' })
  }

  write(level: Level, from: string, text: string): void {
    if (!this.#wanted(level)) return
    if (level !== 'FATAL' && !this.#budget.take(from)) {
      this.#overRate.add()
      this.#scheduleSummary()
      return
    }
    this.#print(this.#line(level, from, text))
  }

  #line(level: Level, from: string, text: string): string {
    return `${lineOf(this.#form, level, from, text, this.#clock.wallMs())}\n`
  }

  /** Prints so many lines, each with its line feed, that the rate of a serving thread has let pass already. */
  writeLines(octets: Uint8Array, lines: number): void {
    this.#print(octets, lines)
  }

  /** Prints a text for people to read at start (zones, version), as it is, or an object for each of its lines; not with -quiet. */
  banner(text: string): void {
    if (this.#quiet) return
    if (this.#form === 'text') this.#output.write(`${text}\n`)
    else
      for (const line of text.split('\n')) if (line !== '') this.#output.write(this.#line('INFO', '', line))
  }

  /** Resolves when all is written or the time is over; for the end of the process. */
  async flush(timeoutMs: number): Promise<boolean> {
    this.#summary?.cancel()
    this.#writeSummary()
    return await this.#output.flush(timeoutMs)
  }

  #wanted(level: Level): boolean {
    if (level === 'DEBUG') return this.debug && !this.#quiet
    return !(this.#quiet && level === 'INFO')
  }

  #print(text: string | Uint8Array, lines = 1): void {
    if (this.#output.write(text)) return
    this.#lostToReader += lines
    this.#overRoom.add(lines)
    this.#scheduleSummary()
  }

  #scheduleSummary(): void {
    this.#summary ??= this.#clock.after(SUMMARY_PERIOD_MS, () => this.#writeSummary())
  }

  #writeSummary(): void {
    this.#summary = undefined
    for (const dropped of this.#budget.takeDropped())
      this.#print(this.#line('WARNING', '', droppedText(dropped, SUMMARY_PERIOD_MS)))
    const lost = this.#lostToReader
    if (lost === 0) return
    const text = `${lost} lines were not logged in the last ${formatDuration(SUMMARY_PERIOD_MS)} (slow reader)`
    if (this.#output.write(this.#line('WARNING', '', text))) this.#lostToReader -= lost
    else this.#scheduleSummary()
  }
}

/** The summary of lines beyond a rate. */
export function droppedText(
  { from, lines, rate }: { readonly from: string; readonly lines: number; readonly rate: Rate },
  periodMs: number,
): string {
  const period = formatDuration(periodMs)
  const source = from === '' ? '' : ` of ${from}`
  return `${lines} lines${source} were not logged in the last ${period} (at most ${rate.perSecond} a second)`
}

/** One line, without its line feed: `[LEVEL] FROM: text`, control characters escaped so that no text can forge a line. */
export function formatLine(level: Level, from: string, text: string): string {
  const line = from === '' ? `[${level}] ${text}` : `[${level}] ${from}: ${text}`
  const cut = line.length > LINE_MAX_CHARACTERS ? `${line.slice(0, LINE_MAX_CHARACTERS - 1)}…` : line
  return escapeControls(cut)
}

/** The same in the form that is wanted. */
export const lineOf = (form: LogForm, level: Level, from: string, text: string, wallMs: number): string =>
  form === 'json' ? formatJsonLine(level, from, text, wallMs) : formatLine(level, from, text)
