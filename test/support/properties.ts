// fast-check with randomness that is owned: `npm test` tries the same values in every run, `npm run test:long` ten times as many,
// others each time; a failure names its seed, and `{ seed }` in a test has it again.

import fc from 'fast-check'
import { LONG, shortOrLong } from './long.ts'

const SEED = 20_260_101
fc.configureGlobal({ seed: LONG ? Date.now() | 0 : SEED })

/** How many values a property is tried with, which are so many in the short form. */
export const runs = (short: number): number => shortOrLong(short, 10 * short)

export default fc
