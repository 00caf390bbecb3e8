// Waiting for what input and output, threads and other processes bring about, without a moment in which it must have happened.

import { setTimeout as after, setImmediate as turn } from 'node:timers/promises'

/** Turns of the event loop that are looked at one by one; then other processes are given the processor between two looks. */
const EAGER_TURNS = 200
const PAUSE_MS = 5
/** Something has gone wrong: no test waits that long for anything, however busy the machine is. */
const LIMIT_MS = 30_000

/** Resolves as soon as it is so; rejects with what was waited for when that takes longer than anything should. */
export async function until(
  what: string,
  condition: () => boolean | Promise<boolean>,
  limitMs = LIMIT_MS,
): Promise<void> {
  const deadlineMs = performance.now() + limitMs
  for (let turns = 0; !(await condition()); turns++) {
    if (performance.now() > deadlineMs) throw new Error(`waited ${limitMs} ms for: ${what}`)
    await (turns < EAGER_TURNS ? turn() : after(PAUSE_MS))
  }
}
