// Time as the rest of the code sees it: monotonic, in milliseconds, and its timers. Tests pass their own.

export interface Timer {
  cancel(): void
}

export interface Clock {
  /** Monotonic milliseconds, with fractions; not related to the time of day. */
  nowMs(): number
  /** What `nowMs` counts from on the clock of the machine, which all threads have in common; absent: the same. */
  readonly originMs?: number
  /** Milliseconds since 1970. */
  wallMs(): number
  /** Calls back once; a pending timer does not keep the process alive. */
  after(delayMs: number, callback: () => void): Timer
}

/** The machine's clock. */
export const systemClock: Clock = {
  nowMs: () => performance.now(),
  originMs: Number(process.hrtime.bigint()) / 1e6 - performance.now(),
  wallMs: () => Date.now(),
  after(delayMs, callback) {
    const timer = setTimeout(callback, delayMs)
    timer.unref()
    return { cancel: () => clearTimeout(timer) }
  },
}
