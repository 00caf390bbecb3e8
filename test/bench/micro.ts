// `npm run bench:micro`: what the parts of a query's road and of an event's cost, in one thread and without a socket, beside the
// budgets that the headers of the hot files promise.
//
//   npm run bench:micro [-- [--quick] [--only TEXT]]
//
// Exit status: 0, 1 a budget was exceeded, 2 wrong arguments.

import { cpus } from 'node:os'
import { parseArgs } from 'node:util'
import { figure, markdownTable, yesNo } from './common/table.ts'
import { answerCases } from './micro/answers.ts'
import { budgetNs } from './micro/budget.ts'
import { cacheCases } from './micro/cache.ts'
import type { MicroCase } from './micro/case.ts'
import { codecCases } from './micro/codec.ts'
import { countingCases } from './micro/counting.ts'
import { measureCase } from './micro/measure.ts'
import { tableCases } from './micro/table.ts'
import { watchedCases } from './micro/watched.ts'

/** Every case, in the order of a query's road, then of an event's. */
export const microCases = async (): Promise<MicroCase[]> => [
  ...answerCases(),
  ...(await cacheCases()),
  ...codecCases(),
  ...countingCases(),
  ...tableCases(),
  ...watchedCases(),
]

async function main(only: string, quick: boolean): Promise<number> {
  const rows: string[][] = []
  let exceeded = false
  for (const one of (await microCases()).filter(({ title }) => title.includes(only))) {
    const { ns, octets } = await measureCase(one, quick)
    const budget = one.budget && budgetNs(one.budget)
    const met = budget === undefined ? undefined : ns <= budget
    exceeded ||= met === false
    rows.push([one.title, figure(ns), figure(budget), yesNo(met), figure(octets)])
    console.log(`${one.title}: ${figure(ns)} ns`)
  }
  console.log(`\n${cpus()[0]?.model ?? 'unknown processor'}, Node ${process.versions.node}\n`)
  console.log(markdownTable(['work', 'ns', 'budget', 'met', 'octets of garbage'], rows))
  return exceeded ? 1 : 0
}

if (import.meta.main) {
  const options = {
    quick: { type: 'boolean', default: false },
    only: { type: 'string', default: '' },
  } as const
  try {
    const { quick, only } = parseArgs({ options }).values
    process.exitCode = await main(only, quick)
  } catch (error) {
    if (!(error as { code?: string }).code?.startsWith('ERR_PARSE_ARGS')) throw error
    console.error((error as Error).message)
    process.exitCode = 2
  }
}
