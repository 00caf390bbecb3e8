// The budgets that the headers of hot files promise, read from the headers, so that there is one place for each:
//
//   // … Budget: 1 µs for an address record, 4 µs for ten SRV with glue (`npm run bench:micro`).

import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { ROOT } from '../../packaging/bundle.ts'

/** Which budget: the file below src, and words that stand behind the figure; '' for the first. */
export interface BudgetName {
  readonly file: string
  readonly what: string
}

/** A figure with its unit, and the words up to the next one. */
const BUDGET = /([\d.]+) (ns|µs)((?:(?!, [\d.]+ (?:ns|µs)).)*)/g

const UNIT_NS: Readonly<Record<string, number>> = { ns: 1, µs: 1000 }

/** All budgets in a file's text: nanoseconds and the words behind the figure. */
export function readBudgets(text: string): { readonly ns: number; readonly what: string }[] {
  const header = /^(?:\/\/.*\n)*/.exec(text)![0].replaceAll(/\n?\/\/ ?/g, ' ')
  const sentence = /Budget: ([^(]*)/.exec(header)?.[1] ?? ''
  return [...sentence.matchAll(BUDGET)].map(([, figure, unit, what]) => ({
    ns: Number(figure) * UNIT_NS[unit!]!,
    what: what!.trim(),
  }))
}

/** A budget in nanoseconds. Throws a TypeError where the header has none such. */
export function budgetNs({ file, what }: BudgetName): number {
  const budgets = readBudgets(readFileSync(join(ROOT, 'src', file), 'utf8'))
  const found = budgets.find(budget => budget.what.includes(what))
  if (!found) throw new TypeError(`the header of src/${file} has no budget ${what}`)
  return found.ns
}
