// The rows of `npm run bench:load`, in the order of their promises. The soak, L13, is a program of its own, ../soak.ts.

import { attackRow } from './attack-row.ts'
import { churnRow } from './churn-row.ts'
import type { LoadRow } from './context.ts'
import { footprintRow, startRow } from './footprint-row.ts'
import { freshnessRow } from './freshness-row.ts'
import { isolationRow } from './isolation-row.ts'
import { logRow } from './log-row.ts'
import { lossRow, tailRow } from './loss-row.ts'
import { memoryRow } from './memory-row.ts'
import { overloadRow } from './overload-row.ts'
import { replacementRow } from './replacement-row.ts'
import { tcpRow } from './tcp-row.ts'
import { tornRow } from './torn-row.ts'

export const ROWS: readonly LoadRow[] = [
  lossRow,
  tailRow,
  overloadRow,
  isolationRow,
  freshnessRow,
  churnRow,
  tornRow,
  memoryRow,
  footprintRow,
  startRow,
  replacementRow,
  tcpRow,
  attackRow,
  logRow,
]

/** Whether a row is meant: by a promise's number, as `L1`, or by any text of its title. */
export const isWanted = (title: string, only: string): boolean =>
  /^L\d+$/.test(only) ? title.split(' ')[0] === only : title.includes(only)
