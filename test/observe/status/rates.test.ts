import t from 'tap'
import { familyNamed } from '../../../src/observe/families.ts'
import type { FamilySamples } from '../../../src/observe/registry.ts'
import { countOf, quantileMs, Rates, sumOf } from '../../../src/observe/status/rates.ts'

const counted = (name: string, ...numbers: number[]): FamilySamples => ({
  family: familyNamed(name)!,
  samples: [{ values: familyNamed(name)!.labels.map(() => 'x'), numbers }],
})

t.test('what was counted between two looks, and since the start at the first', async t => {
  const name = 'coredns_panics_total'
  const rates = new Rates(1000)
  rates.look([counted(name, 20)], 3000)
  t.equal(rates.perSecond(sumOf(rates.changes(name))), 10)
  rates.look([counted(name, 25)], 4000)
  t.equal(rates.perSecond(sumOf(rates.changes(name))), 5)
  t.same(rates.changes('coredns_dns_requests_total'), [])
})

t.test('quantiles of a histogram', async t => {
  const bounds = [0.001, 0.01, 0.1]
  const of = (...numbers: number[]) => [{ labels: {}, numbers: [...numbers, 0] }]
  const cases: [numbers: number[], part: number, ms: number | undefined][] = [
    [[0, 0, 0, 0], 0.5, undefined],
    [[10, 0, 0, 0], 0.5, 0.5],
    [[0, 10, 0, 0], 0.5, 5.5],
    [[50, 49, 1, 0], 0.99, 10],
    [[0, 0, 0, 3], 0.5, 100],
  ]
  for (const [numbers, part, ms] of cases) {
    const got = quantileMs(of(...numbers), bounds, part)
    t.equal(got === undefined ? got : Math.round(got * 1000) / 1000, ms, `${numbers}`)
  }
  t.equal(countOf(of(1, 2, 3, 4)), 10)
})
