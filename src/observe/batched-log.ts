// The log on a serving thread. Lines are written here as octets, one behind the other, held to their source's rate, so that a
// flood never becomes messages, and sent to the control thread in one message a turn of the event loop. A shared count of
// lines under way keeps a busy control thread from being buried: beyond a bound lines are dropped and counted.

import type { Clock, Timer } from '../shared/clock.ts'
import { jsonHead, type LogForm } from './json-line.ts'
import { droppedText, lineOf } from './log.ts'
import { LogBudget, type Rate } from './log-budget.ts'
import { LINE_MAX_OCTETS, LineWriter } from './log-line.ts'
import type { Counter, Meters } from './meters.ts'
import type { Level, ServingLog } from './thread-log.ts'

/** Lines of one thread that the control thread has not seen yet. */
export const LINES_UNDER_WAY_MAX = 4096
const SUMMARY_PERIOD_MS = 10_000
/** Octets of lines that are sent together at most. */
const CHUNK_OCTETS = 64 * 1024
/** In front of a line of a query, as `formatLine` writes it. */
const INFO = new TextEncoder().encode('[INFO] ')
const encoder = new TextEncoder()

/** The memory in which a thread and the control thread count lines under way. */
export const lineCountMemory = (): SharedArrayBuffer => new SharedArrayBuffer(Int32Array.BYTES_PER_ELEMENT)

/** Says that the control thread has taken so many lines; it calls this with the memory of the thread they came from. */
export function acknowledgeLines(memory: SharedArrayBuffer, lines: number): void {
  Atomics.sub(new Int32Array(memory), 0, lines)
}

/** What a thread's log is made of. */
export interface BatchedLogOptions {
  /** From lineCountMemory, shared with the control thread. */
  readonly memory: SharedArrayBuffer
  /** Hands so many lines, each with its line feed, to the control thread, usually by postMessage. */
  readonly send: (octets: Uint8Array, lines: number) => void
  readonly clock: Clock
  readonly meters: Meters
  /** -quiet: no lines but warnings and worse. */
  readonly quiet?: boolean
  /** -log-format: text unless given. */
  readonly form?: LogForm
  readonly rateOf?: (from: string) => Rate
}

/** The log of one serving thread. */
export class BatchedLog implements ServingLog {
  /** The `debug` directive: DEBUG lines are sent. */
  debug = false
  readonly isJson: boolean
  readonly #underWay: Int32Array
  readonly #send: BatchedLogOptions['send']
  readonly #clock: Clock
  readonly #budget: LogBudget
  readonly #quiet: boolean
  readonly #form: LogForm
  readonly #overRate: Counter
  readonly #overRoom: Counter
  readonly #chunk = new Uint8Array(CHUNK_OCTETS)
  readonly #writer = new LineWriter()
  readonly #flushLater = (): void => this.flush()
  /** Octets of the chunk that are written, and the lines in them. */
  #octets = 0
  #lines = 0
  #lost = 0
  #summary: Timer | undefined

  constructor(options: BatchedLogOptions) {
    this.#underWay = new Int32Array(options.memory)
    this.#send = options.send
    this.#clock = options.clock
    this.#quiet = options.quiet ?? false
    this.#form = options.form ?? 'text'
    this.isJson = this.#form === 'json'
    this.#budget = new LogBudget(options.clock, options.rateOf)
    this.#overRate = options.meters.counter('seamark_log_dropped_lines_total', { reason: 'rate' })
    this.#overRoom = options.meters.counter('seamark_log_dropped_lines_total', { reason: 'thread' })
  }

  write(level: Level, from: string, text: string): void {
    if (level === 'DEBUG' ? !this.debug || this.#quiet : this.#quiet && level === 'INFO') return
    if (level === 'FATAL' || this.#mayWrite(from)) this.#push(level, from, text)
  }

  line(): LineWriter | undefined {
    if (this.#quiet || !this.#mayWrite('') || !this.#hasRoom()) return undefined
    if (this.isJson) {
      this.#writer.beginJson(this.#chunk, this.#octets, jsonHead('INFO', this.#clock.wallMs()))
    } else {
      this.#writer.begin(this.#chunk, this.#octets)
      this.#writer.text(INFO)
    }
    return this.#writer
  }

  endLine(): void {
    this.#written(this.#writer.end())
  }

  /** Sends what was written in this turn at once; for the end of the thread. */
  flush(): void {
    if (this.#lines === 0) return
    const octets = this.#chunk.slice(0, this.#octets)
    const lines = this.#lines
    this.#octets = this.#lines = 0
    this.#send(octets, lines)
  }

  /** Whether the source may log now. */
  #mayWrite(from: string): boolean {
    if (this.#budget.take(from)) return true
    this.#overRate.add()
    this.#scheduleSummary()
    return false
  }

  #push(level: Level, from: string, text: string): void {
    if (!this.#hasRoom()) return
    const line = lineOf(this.#form, level, from, text, this.#clock.wallMs())
    const chunk = this.#chunk.subarray(this.#octets)
    this.#writer.begin(this.#chunk, this.#octets + encoder.encodeInto(line, chunk).written)
    this.endLine()
  }

  /** Whether the control thread follows, so that one more line may be sent; there is room for it then. */
  #hasRoom(): boolean {
    if (Atomics.load(this.#underWay, 0) >= LINES_UNDER_WAY_MAX) {
      this.#lost++
      this.#overRoom.add()
      this.#scheduleSummary()
      return false
    }
    if (this.#octets + LINE_MAX_OCTETS > CHUNK_OCTETS) this.flush()
    return true
  }

  #written(end: number): void {
    this.#octets = end
    Atomics.add(this.#underWay, 0, 1)
    if (this.#lines++ === 0) setImmediate(this.#flushLater)
  }

  #scheduleSummary(): void {
    this.#summary ??= this.#clock.after(SUMMARY_PERIOD_MS, () => {
      this.#summary = undefined
      for (const dropped of this.#budget.takeDropped())
        this.#push('WARNING', '', droppedText(dropped, SUMMARY_PERIOD_MS))
      if (this.#lost === 0) return
      const lost = this.#lost
      this.#lost = 0
      this.#push('WARNING', '', `${lost} lines of a serving thread were not logged (control thread busy)`)
    })
  }
}
