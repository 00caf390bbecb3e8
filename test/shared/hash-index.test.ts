import fc from 'fast-check'
import t from 'tap'
import { HashIndex, hashNumber, hashOf } from '../../src/shared/hash-index.ts'

/** What was added, by hash. */
type Model = Map<number, number[]>

const all = (index: HashIndex, hash: number): number[] => {
  const found: number[] = []
  for (let n = index.first(hash); n !== 0; n = index.next()) found.push(n)
  return found.sort((a, b) => a - b)
}

t.test('finds what was added and not removed, whatever meets', async t => {
  const step = fc.record({
    what: fc.constantFrom('add', 'add', 'remove', 'replace'),
    // Few hashes, which share their slots.
    hash: fc.constantFrom(0, 1, 2, 3, 8, 16, 17, 32, -1, -16),
    value: fc.integer({ min: 1, max: 20 }),
  })
  t.doesNotThrow(() =>
    fc.assert(
      fc.property(fc.array(step, { maxLength: 100 }), steps => {
        const index = new HashIndex(16)
        const model: Model = new Map()
        for (const { what, hash, value } of steps) {
          const known = model.get(hash) ?? []
          const has = known.includes(value)
          if (what === 'add') {
            if (has || !index.add(hash, value)) continue
            model.set(hash, [...known, value])
          } else if (what === 'remove') {
            if (index.remove(hash, value) !== has) return false
            model.set(
              hash,
              known.filter(each => each !== value),
            )
          } else {
            if (known.includes(99)) continue
            if (index.replace(hash, value, 99) !== has) return false
            if (has) model.set(hash, [...known.filter(each => each !== value), 99])
          }
        }
        let size = 0
        for (const [hash, values] of model) {
          size += values.length
          if (all(index, hash).join() !== values.sort((a, b) => a - b).join()) return false
        }
        return index.size === size
      }),
      { numRuns: 1000 },
    ),
  )
})

t.test('what somebody made to collide finds no place beyond a bound, and costs no more', async t => {
  const index = new HashIndex(10_000)
  let added = 0
  while (added < 1000 && index.add(7, added + 1)) added++
  t.equal(added, 64)
  t.equal(all(index, 7).length, 64)
  t.ok(index.add(5000, 1), 'others do')
})

t.test('a full index takes nothing more', async t => {
  const index = new HashIndex(4)
  for (let i = 1; i <= 8; i++) t.ok(index.add(hashNumber(1, i), i))
  t.notOk(index.add(hashNumber(1, 9), 9))
  index.clear()
  t.equal(index.size, 0)
  t.equal(index.first(hashNumber(1, 3)), 0)
})

t.test('hashes depend on every octet and on the seed, and spread', async t => {
  const hashes = new Set<number>()
  const low = new Set<number>()
  for (let i = 0; i < 10_000; i++) {
    const octets = Buffer.from(`name-${i}.example.org`)
    hashes.add(hashOf(1, octets, 0, octets.length))
    low.add(hashOf(1, octets, 0, octets.length) & 0xfff)
    if (hashOf(1, octets, 0, octets.length) === hashOf(2, octets, 0, octets.length)) t.fail('the seed counts')
  }
  t.ok(hashes.size > 9990)
  t.ok(low.size > 3500)
})
