// A clock that stands still until a test moves it. Sockets stay real: `until` lets them work between two steps.

import { setImmediate as turn } from 'node:timers/promises'
import type { Clock, Timer } from '../../src/shared/clock.ts'

interface Pending {
  readonly atMs: number
  readonly order: number
  readonly callback: () => void
}

/** Time that goes by only when `advance` says so. */
export class VirtualClock implements Clock {
  #nowMs = 1_000_000
  #wallOffsetMs = Date.UTC(2026, 0, 1)
  #order = 0
  readonly #pending = new Set<Pending>()

  nowMs(): number {
    return this.#nowMs
  }

  wallMs(): number {
    return this.#wallOffsetMs + this.#nowMs
  }

  /** The wall clock alone jumps, as when NTP steps it. */
  stepWall(deltaMs: number): void {
    this.#wallOffsetMs += deltaMs
  }

  after(delayMs: number, callback: () => void): Timer {
    const pending = { atMs: this.#nowMs + Math.max(delayMs, 0), order: this.#order++, callback }
    this.#pending.add(pending)
    return { cancel: () => this.#pending.delete(pending) }
  }

  /** Timers that wait. */
  get pending(): number {
    return this.#pending.size
  }

  /** Moves on by that much and runs what falls due, in order, each at its own time. */
  advance(deltaMs: number): void {
    const endMs = this.#nowMs + deltaMs
    for (;;) {
      const next = [...this.#pending]
        .filter(timer => timer.atMs <= endMs)
        .sort((a, b) => a.atMs - b.atMs || a.order - b.order)
        .at(0)
      if (!next) break
      this.#pending.delete(next)
      this.#nowMs = next.atMs
      next.callback()
    }
    this.#nowMs = endMs
  }
}

/** Lets input and output happen while virtual time goes by in steps, until the condition holds; gives the virtual ms that went by, or rejects beyond `limitMs`. */
export async function untilWithin(
  clock: VirtualClock,
  limitMs: number,
  what: string,
  condition: () => boolean,
  stepMs = 100,
): Promise<number> {
  const startMs = clock.nowMs()
  for (;;) {
    for (let i = 0; i < 40; i++) {
      if (condition()) return clock.nowMs() - startMs
      await turn()
    }
    if (clock.nowMs() - startMs >= limitMs) throw new Error(`not within ${limitMs} virtual ms: ${what}`)
    clock.advance(stepMs)
  }
}
