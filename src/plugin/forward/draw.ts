// Numbers that nobody can know, from the system's own source, drawn many at a time: IDs and choices of sockets.

import { lazy } from '../../shared/lazy.ts'

/** Numbers that are drawn at once. */
const DRAWN = 512

const numbers = new Uint16Array(DRAWN)
let used = DRAWN

/** Sixteen unpredictable bits. */
export function draw(): number {
  if (used === DRAWN) {
    lazy.crypto.randomFillSync(numbers)
    used = 0
  }
  return numbers[used++]!
}
