// What the arena hands out and takes back: sizes by class, reuse before fresh memory, a bound that holds.

import t from 'tap'
import { Arena, sizeClass, TableFullError } from '../../src/table/arena.ts'
import { ARENA_AT } from '../../src/table/layout.ts'
import fc from '../support/properties.ts'

t.test('size classes', t => {
  const cases: [octets: number, size: number][] = [
    [1, 16], [16, 16], [17, 32], [112, 112], [113, 128], [128, 128],
    [129, 160], [160, 160], [161, 192], [192, 192], [224, 224], [225, 256], [256, 256],
    [257, 320], [513, 640], [1024, 1024], [1025, 1280], [(1 << 20) + 1, 1.25 * (1 << 20)],
  ] // biome-ignore format: a table
  for (const [octets, size] of cases) t.equal(sizeClass(octets), size, `${octets}`)
  t.end()
})

t.test(
  'a class holds its size, wastes at most a quarter beyond the smallest ones, and is its own class',
  t => {
    fc.assert(
      fc.property(fc.integer({ min: 1, max: 1 << 28 }), octets => {
        const size = sizeClass(octets)
        const isSound = size >= octets && size % 16 === 0 && size <= Math.max(octets + 15, octets * 1.25)
        return isSound && sizeClass(size) === size
      }),
    )
    t.end()
  },
)

t.test('a freed block is handed out again before fresh memory', t => {
  const arena = new Arena(ARENA_AT + 1024)
  const first = arena.allocate(100)
  const second = arena.allocate(100)
  t.equal(first, ARENA_AT)
  t.equal(second, ARENA_AT + 112)
  t.equal(arena.liveOctets, 224)
  arena.release(first, 100)
  t.equal(arena.liveOctets, 112)
  t.equal(arena.allocate(300), ARENA_AT + 224, 'another class takes fresh memory')
  t.equal(arena.allocate(112), first, 'the same class takes the freed block')
  t.equal(arena.touchedOctets, ARENA_AT + 224 + 320)
  t.end()
})

t.test('the bound', t => {
  const arena = new Arena(ARENA_AT + 256)
  const at = arena.allocate(128)
  const { touchedOctets, liveOctets } = arena
  t.throws(() => arena.allocate(129), { code: 'TABLE_FULL' })
  t.match(new TableFullError(1, 2), {
    code: 'TABLE_FULL',
    message: 'publishing 1 octets in an answer table of at most 2',
  })
  t.same([arena.touchedOctets, arena.liveOctets], [touchedOctets, liveOctets], 'a refusal changes nothing')
  arena.allocate(128)
  t.throws(() => arena.allocate(1), { code: 'TABLE_FULL' })
  arena.release(at, 128)
  t.equal(arena.allocate(120), at, 'what was freed is there at the bound too')
  t.end()
})

t.test('blocks never overlap', t => {
  const steps = fc.array(fc.tuple(fc.integer({ min: 1, max: 5000 }), fc.boolean()), { maxLength: 200 })
  const holds = (): void =>
    fc.assert(
      fc.property(steps, steps => {
        const arena = new Arena(1 << 24)
        const held: { at: number; octets: number }[] = []
        for (const [octets, frees] of steps) {
          const freed = frees ? held.shift() : undefined
          if (freed) arena.release(freed.at, freed.octets)
          held.push({ at: arena.allocate(octets), octets })
        }
        const sorted = [...held].sort((a, b) => a.at - b.at)
        const live = held.reduce((sum, { octets }) => sum + sizeClass(octets), 0)
        return (
          sorted.every(
            ({ at }, i) => i === 0 || sorted[i - 1]!.at + sizeClass(sorted[i - 1]!.octets) <= at,
          ) && arena.liveOctets === live
        )
      }),
    )
  t.doesNotThrow(holds)
  t.end()
})
