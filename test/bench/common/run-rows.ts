// Runs the rows of a benchmark one after the other: a row that fails is told, and the others are measured all the same.

import { writeFileSync } from 'node:fs'
import { type RowResult, resultLine } from './results.ts'

/** What a benchmark of rows is made of. */
export interface RowsOptions<Context> {
  readonly rows: readonly { readonly title: string; run(context: Context): Promise<RowResult[]> }[]
  readonly context: Context
  readonly say: (line: string) => void
  readonly report: (results: readonly RowResult[]) => string
  /** Where the report of a run without a failure goes; undefined for nowhere. */
  readonly file: string | undefined
}

/** Runs them and prints the report. Gives the exit status: 1 where a row failed or missed its goal, otherwise 0. */
export async function runRows<Context>(options: RowsOptions<Context>): Promise<number> {
  const { rows, context, say, report, file } = options
  const results: RowResult[] = []
  let failed = false
  for (const row of rows) {
    try {
      const measured = await row.run(context)
      results.push(...measured)
      for (const result of measured) say(resultLine(result))
    } catch (error) {
      failed = true
      say(`  FAILED: ${row.title}: ${(error as Error).message}`)
    }
  }
  const text = report(results)
  say(`\n${text}`)
  if (file !== undefined && !failed) {
    writeFileSync(file, text)
    say(`written to ${file}`)
  }
  return failed || results.some(({ met }) => met === false) ? 1 : 0
}
