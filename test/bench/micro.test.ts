// `npm run bench:micro` as a whole, for a moment each: every case does its work, and every budget is in a header.

import t from 'tap'
import { budgetNs, readBudgets } from './micro/budget.ts'
import { measureCase } from './micro/measure.ts'
import { microCases } from './micro.ts'

t.test('budgets in headers', async t => {
  const header =
    '// HOT: a thing. Budget: 1.5 µs for one of\n// 1,000 names, 40 ns for none (`bench`).\n\nimport x\n'
  t.strictSame(readBudgets(header), [
    { ns: 1500, what: 'for one of 1,000 names' },
    { ns: 40, what: 'for none' },
  ])
  t.strictSame(readBudgets('// A file without one.\n'), [])
  t.throws(() => budgetNs({ file: 'shared/version.ts', what: '' }), TypeError)
})

t.test('cases', async t => {
  for (const one of await microCases()) {
    const { ns, octets } = await measureCase(one, true)
    const budget = one.budget && budgetNs(one.budget)
    t.ok(
      ns > 0 && octets >= 0,
      `${one.title}: ${Math.round(ns)} ns${budget === undefined ? '' : ` of ${budget}`}`,
    )
  }
})
