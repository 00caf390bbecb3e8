// HOT: many deadlines on one timer. A wheel of slots of TICK_MS each; what falls due later than the wheel reaches goes round
// again. The timer runs while something waits, and nothing is allocated for what does.
//
//   due at 37 ms ─▶ slot 4 │ 0 │ 1 │ 2 │ 3 │ 4 │ …

import type { Clock, Timer } from './clock.ts'

/** How late a deadline may be seen. */
export const TICK_MS = 10
const SLOTS = 512
/** The slot of what has fallen due and was not called yet. */
const DUE = SLOTS

/** Something with a deadline; the links are the wheel's. */
export interface Timed {
  /** On the monotonic clock. */
  dueMs: number
  wheelSlot: number
  wheelNext: Timed | undefined
  wheelBefore: Timed | undefined
  /** The deadline has come: it is not in the wheel any more, and may be put there again. */
  onDue(nowMs: number): void
}

export class TimerWheel {
  readonly #clock: Clock
  readonly #slots: (Timed | undefined)[] = new Array<Timed | undefined>(SLOTS + 1).fill(undefined)
  #size = 0
  /** The slot that was looked at last, counted from the clock's beginning. */
  #tick = 0
  #timer: Timer | undefined

  constructor(clock: Clock) {
    this.#clock = clock
  }

  /** Deadlines that wait. */
  get size(): number {
    return this.#size
  }

  /** Puts it in, or moves it where its `dueMs` has changed. */
  set(timed: Timed): void {
    if (this.#timer === undefined) this.#start()
    const tick = Math.max(Math.ceil(timed.dueMs / TICK_MS), this.#tick + 1)
    const slot = tick & (SLOTS - 1)
    if (timed.wheelSlot === slot) return
    if (timed.wheelSlot >= 0) this.#unlink(timed)
    else this.#size++
    this.#link(timed, slot)
  }

  /** Takes it out, if it is in. */
  cancel(timed: Timed): void {
    if (timed.wheelSlot < 0) return
    this.#unlink(timed)
    this.#size--
  }

  #link(timed: Timed, slot: number): void {
    const first = this.#slots[slot]
    timed.wheelSlot = slot
    timed.wheelNext = first
    if (first) first.wheelBefore = timed
    this.#slots[slot] = timed
  }

  #unlink(timed: Timed): void {
    const { wheelBefore, wheelNext, wheelSlot } = timed
    if (wheelBefore) wheelBefore.wheelNext = wheelNext
    else this.#slots[wheelSlot] = wheelNext
    if (wheelNext) wheelNext.wheelBefore = wheelBefore
    timed.wheelNext = timed.wheelBefore = undefined
    timed.wheelSlot = -1
  }

  /** The timer runs for as long as something waits; it stops by itself. */
  #start(): void {
    this.#tick = Math.floor(this.#clock.nowMs() / TICK_MS)
    this.#later()
  }

  #later(): void {
    const dueMs = (this.#tick + 1) * TICK_MS
    this.#timer = this.#clock.after(Math.max(0, dueMs - this.#clock.nowMs()), () => this.#turn())
  }

  #turn(): void {
    const nowMs = this.#clock.nowMs()
    const before = this.#tick
    this.#tick = Math.max(before, Math.floor(nowMs / TICK_MS))
    const from = Math.max(before + 1, this.#tick - SLOTS + 1)
    for (let tick = from; tick <= this.#tick && this.#size > 0; tick++) this.#look(tick & (SLOTS - 1), nowMs)
    if (this.#size > 0) this.#later()
    else this.#timer = undefined
  }

  /** Calls what has fallen due in a slot; what goes round again stays. */
  #look(slot: number, nowMs: number): void {
    for (let timed = this.#slots[slot]; timed; ) {
      const next: Timed | undefined = timed.wheelNext
      if (timed.dueMs <= nowMs) {
        this.#unlink(timed)
        this.#link(timed, DUE)
      }
      timed = next
    }
    for (let timed = this.#slots[DUE]; timed; timed = this.#slots[DUE]) {
      this.cancel(timed)
      timed.onDue(nowMs)
    }
  }
}

const wheels = new WeakMap<Clock, TimerWheel>()

/** The wheel of a clock: one for the thread. */
export function wheelOf(clock: Clock): TimerWheel {
  let wheel = wheels.get(clock)
  if (!wheel) {
    wheel = new TimerWheel(clock)
    wheels.set(clock, wheel)
  }
  return wheel
}
