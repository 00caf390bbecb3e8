// `npm run bench:micro`: what the parts of a query's road and of an event's cost, in one thread and without a socket, beside the
// budgets that the headers of the hot files promise. Words of the Corefile and the parts of a forward are held to multiples of
// what an A of a ClusterIP costs on the whole road, in the same run.
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
import { clientCases } from './micro/clients.ts'
import { codecCases } from './micro/codec.ts'
import { countingCases } from './micro/counting.ts'
import { forwardCases } from './micro/forward.ts'
import { lookedOnCases } from './micro/looked-on.ts'
import { type Measured, measureCase } from './micro/measure.ts'
import { relayedCases } from './micro/relayed.ts'
import { REFERENCE, roadCases } from './micro/road.ts'
import { tableCases } from './micro/table.ts'
import { watchedCases } from './micro/watched.ts'

/** Every case, in the order of a query's road, then of an event's. */
export const microCases = async (): Promise<MicroCase[]> => [
  ...answerCases(),
  ...roadCases(),
  ...lookedOnCases(),
  ...clientCases(),
  ...(await cacheCases()),
  ...forwardCases(),
  ...relayedCases(),
  ...codecCases(),
  ...countingCases(),
  ...tableCases(),
  ...watchedCases(),
]

/** Judges one case: the reference of the run is in ns. */
function judged(
  one: MicroCase,
  { ns, octets }: Measured,
  referenceNs: number,
): { row: string[]; met: boolean | undefined } {
  const { timesMax, octetsMax } = one
  const budget = one.budget ? budgetNs(one.budget) : timesMax && timesMax * referenceNs
  const isFast = budget === undefined || ns <= budget
  const isClean = octetsMax === undefined || octets <= octetsMax
  const met = budget === undefined && octetsMax === undefined ? undefined : isFast && isClean
  const times = timesMax === undefined ? '' : `${figure(timesMax)} ×`
  const garbage = [figure(octets), octetsMax === undefined ? '' : figure(octetsMax)]
  return { row: [one.title, figure(ns), figure(budget), times, ...garbage, yesNo(met)], met }
}

async function main(only: string, quick: boolean): Promise<number> {
  const rows: string[][] = []
  let exceeded = false
  const cases = await microCases()
  const { ns: referenceNs } = await measureCase(cases.find(({ title }) => title === REFERENCE)!, quick)
  for (const one of cases.filter(({ title }) => title.includes(only))) {
    const measured = await measureCase(one, quick)
    const { row, met } = judged(one, measured, referenceNs)
    exceeded ||= met === false
    rows.push(row)
    console.log(`${one.title}: ${figure(measured.ns)} ns`)
  }
  console.log(
    `\n${cpus()[0]?.model ?? 'unknown processor'}, Node ${process.versions.node}, reference ${figure(referenceNs)} ns\n`,
  )
  console.log(
    markdownTable(['work', 'ns', 'budget', 'of the reference', 'octets of garbage', 'budget', 'met'], rows),
  )
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
