import t from 'tap'
import { finish, sorted } from '../../src/shared/steps.ts'
import fc from '../support/properties.ts'

t.test('lists are sorted in steps as they are at once', async t => {
  const item = fc.record({ key: fc.nat(50), place: fc.nat() })
  fc.assert(
    fc.property(fc.array(item, { maxLength: 3000, size: 'max' }), list => {
      const byKey = (a: { key: number }, b: { key: number }): number => a.key - b.key
      const before = [...list]
      const result = finish(sorted(list, byKey))
      t.strictSame(list, before, 'the list stays as it is')
      return JSON.stringify(result) === JSON.stringify([...list].sort(byKey))
    }),
    { numRuns: 30 },
  )
  let steps = 0
  const numbers = Array.from({ length: 20_000 }, (_, i) => (i * 7919) % 20_000)
  for (const _ of sorted(numbers, (a, b) => a - b)) steps++
  t.ok(steps > 100, `${steps} steps for 20,000`)
})
