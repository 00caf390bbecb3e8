import t from 'tap'
import { SpaceSaving } from '../../src/observe/space-saving.ts'
import { Random } from '../support/random.ts'

t.test('few keys are counted as they are', async t => {
  const sketch = new SpaceSaving<string>(3)
  sketch.add('a', 2, 'first')
  sketch.add('b', 5, 'x')
  sketch.add('a', 1, 'last')
  t.same(sketch.top(2), [
    { key: 'b', count: 5, error: 0, seen: 1, last: 'x' },
    { key: 'a', count: 3, error: 0, seen: 2, last: 'last' },
  ])
  t.equal(sketch.total, 8)
  sketch.clear()
  t.same([sketch.top(9), sketch.total], [[], 0])
})

t.test(
  'no frequent key is missed, no count is below the truth, none is above it by more than its error',
  async t => {
    const random = new Random(7)
    for (const places of [4, 16, 64]) {
      const sketch = new SpaceSaving<null>(places)
      const truth = new Map<string, number>()
      for (let i = 0; i < 20_000; i++) {
        const key = random.below(3) === 0 ? `hot${random.below(2)}` : `cold${random.below(5000)}`
        sketch.add(key, 1, null)
        truth.set(key, (truth.get(key) ?? 0) + 1)
      }
      for (const { key, count, error } of sketch.top(places)) {
        const real = truth.get(key)!
        if (count >= real && count - error <= real) continue
        t.fail(`${key}: ${real}, counted ${count}, error ${error}`)
      }
      for (const [key, real] of truth)
        if (real > sketch.total / places) t.ok(sketch.get(key), `${places} places: ${key}`)
    }
  },
)
