// The multimap against a Map of arrays, and its growth.

import t from 'tap'
import { FoundValues, MultimapBuilder, NameMultimap } from '../../../src/plugin/hosts/multimap.ts'
import { name, nameKey } from '../../../src/wire/name.ts'
import fc from '../../support/properties.ts'

const labels = fc.array(fc.constantFrom('a', 'b', 'c', 'node-1', 'x'.repeat(63)), { maxLength: 3 })
const names = labels.map(parts => name(`${parts.join('.')}.`))
const entries = fc.array(fc.tuple(names, fc.uint8Array({ maxLength: 16 })), { maxLength: 200 })

const SEED = [1, 2] as const
const found = new FoundValues()

const reading = (builder: MultimapBuilder): NameMultimap => new NameMultimap(SEED, builder.arrays)

/** The values that a name is found to have, of that many octets where it is not 0. */
function find(map: NameMultimap, octets: Uint8Array, at: number, end: number, valueOctets = 0): number[][] {
  map.find(octets, at, end, valueOctets, found)
  return Array.from({ length: found.count }, (_, i) => [
    ...found.octets.subarray(found.ats[i]!, found.ats[i]! + found.lengths[i]!),
  ])
}

const once = (values: readonly number[][]): number[][] => [
  ...new Map(values.map(value => [value.join(), value])).values(),
]

t.test('as a Map of arrays, each value once', async t => {
  fc.assert(
    fc.property(entries, names, (added, asked) => {
      const builder = new MultimapBuilder(SEED)
      const model = new Map<string, number[][]>()
      for (const [owner, value] of added) {
        builder.add(owner, value)
        const values = model.get(nameKey(owner)) ?? []
        model.set(nameKey(owner), [...values, [...value]])
      }
      const map = reading(builder)
      const around = Uint8Array.of(0xee, ...asked, 0xee)
      const end = 1 + asked.length
      const expected = once(model.get(nameKey(asked)) ?? [])
      if (JSON.stringify(find(map, around, 1, end)) !== JSON.stringify(expected)) return false
      const fours = expected.filter(({ length }) => length === 4)
      if (JSON.stringify(find(map, around, 1, end, 4)) !== JSON.stringify(fours)) return false
      return map.has(around, 1, end) === model.has(nameKey(asked)) && map.size === added.length
    }),
  )
  t.pass()
})

t.test('many names, and many values of one', async t => {
  const builder = new MultimapBuilder(SEED)
  const value = Uint8Array.of(10, 0, 0, 1)
  const owner = (i: number) => name(`node-${i}.example.org.`)
  for (let i = 0; i < 20_000; i++) builder.add(owner(i), value)
  const map = reading(builder)
  t.ok(Array.from({ length: 20_000 }, (_, i) => owner(i)).every(one => map.has(one, 0, one.length)))
  const unknown = owner(20_000)
  t.notOk(map.has(unknown, 0, unknown.length))
  const shared = name('shared.')
  for (let i = 0; i < 10_000; i++) builder.add(shared, Uint8Array.of(i >> 8, i & 255))
  const values = find(reading(builder), shared, 0, shared.length).map(([high, low]) => (high! << 8) | low!)
  t.same(
    values,
    Array.from({ length: 4096 }, (_, i) => 10_000 - 4096 + i),
    'the latest of them, no more than an answer holds',
  )
})
