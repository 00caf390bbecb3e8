// The multimap against a Map of arrays, and its growth.

import t from 'tap'
import { NameMultimap } from '../../../src/plugin/hosts/multimap.ts'
import { name, nameKey } from '../../../src/wire/name.ts'
import fc from '../../support/properties.ts'

const labels = fc.array(fc.constantFrom('a', 'b', 'c', 'node-1', 'x'.repeat(63)), { maxLength: 3 })
const names = labels.map(parts => name(`${parts.join('.')}.`))
const entries = fc.array(fc.tuple(names, fc.uint8Array({ maxLength: 16 })), { maxLength: 200 })

t.test('as a Map of arrays', async t => {
  fc.assert(
    fc.property(entries, names, (added, asked) => {
      const map = new NameMultimap()
      const model = new Map<string, number[][]>()
      for (const [owner, value] of added) {
        map.add(owner, value)
        const values = model.get(nameKey(owner)) ?? []
        model.set(nameKey(owner), [...values, [...value]])
      }
      const around = Uint8Array.of(0xee, ...asked, 0xee)
      const end = 1 + asked.length
      const expected = model.get(nameKey(asked)) ?? []
      const found = map.values(around, 1, end, 1000).map(value => [...value])
      if (JSON.stringify(found) !== JSON.stringify(expected)) return false
      return map.has(around, 1, end) === model.has(nameKey(asked)) && map.size === added.length
    }),
  )
  t.pass()
})

t.test('many names, and many values of one', async t => {
  const map = new NameMultimap()
  const value = Uint8Array.of(10, 0, 0, 1)
  const owner = (i: number) => name(`node-${i}.example.org.`)
  for (let i = 0; i < 20_000; i++) map.add(owner(i), value)
  t.ok(Array.from({ length: 20_000 }, (_, i) => owner(i)).every(one => map.has(one, 0, one.length)))
  const unknown = owner(20_000)
  t.notOk(map.has(unknown, 0, unknown.length))
  const shared = name('shared.')
  for (let i = 0; i < 10_000; i++) map.add(shared, Uint8Array.of(i >> 8, i & 255))
  t.same(
    map.values(shared, 0, shared.length, 2).map(each => (each[0]! << 8) | each[1]!),
    [9998, 9999],
    'no more than asked for',
  )
  t.equal(map.values(shared, 0, shared.length, 10_000).length, 10_000)
})
