// The rows of `npm run bench:load`, in the order of their promises. The soak, L13, is a program of its own, ../soak.ts.

import type { LoadRow } from './context.ts'
import { lossRow, tailRow } from './loss-row.ts'
import { overloadRow } from './overload-row.ts'
import { tcpRow } from './tcp-row.ts'

export const ROWS: readonly LoadRow[] = [lossRow, tailRow, overloadRow, tcpRow]

/** Whether a row is meant: by a promise's number, as `L1`, or by any text of its title. */
export const isWanted = (title: string, only: string): boolean =>
  /^L\d+$/.test(only) ? title.split(' ')[0] === only : title.includes(only)
