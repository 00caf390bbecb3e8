// Memory that is given back: when the server is ready, and again only where it has grown.

import { setImmediate as turn } from 'node:timers/promises'
import t from 'tap'
import { type MemoryKind, memoryKinds, ResidentMemory } from '../../src/control/resident-memory.ts'
import { VirtualClock } from '../support/virtual-clock.ts'

/** One kind of memory; `resident` says how much of it there is, of which `used` comes back at once. */
function watched({ resident = 50, used = 15, error = '' } = {}) {
  const clock = new VirtualClock()
  const lines: string[] = []
  const memory = { resident, used, error, given: 0 }
  const kind: MemoryKind = {
    name: 'pages',
    residentMib: () => memory.resident,
    giveBack: async () => {
      if (memory.error !== '') throw new Error(memory.error)
      memory.given++
      memory.resident = memory.used
      return 'given back'
    },
  }
  const watch = new ResidentMemory({
    clock,
    log: { write: (level, from, text) => lines.push(`${level} ${from}: ${text}`) },
    kinds: async () => [kind],
  })
  watch.start()
  /** How often it was given back in so many seconds. */
  const within = async (seconds: number): Promise<number> => {
    const before = memory.given
    for (let second = 0; second < seconds; second++) {
      await turn()
      clock.advance(1000)
      await turn()
    }
    return memory.given - before
  }
  return { clock, lines, memory, watch, within }
}

t.test('once when it is ready, and never again while nothing grows', async t => {
  const { clock, lines, memory, watch, within } = watched()
  t.equal(await within(600), 1)
  t.strictSame(lines, ['DEBUG memory: pages: given back'])
  memory.resident += 7
  t.equal(await within(600), 0, 'a little more is nothing')
  watch.stop()
  t.equal(clock.pending, 0)
})

t.test('again where it has grown, at most every ten seconds', async t => {
  const { memory, within } = watched()
  t.equal(await within(60), 1)
  memory.resident = 40
  t.equal(await within(2), 1)
  t.equal(await within(60), 0)
  for (let second = 0; second < 60; second++) {
    memory.resident += 10
    await within(1)
  }
  t.equal(memory.given, 2 + 6)
})

t.test('what is in use comes back, and is left alone', async t => {
  const { memory, within } = watched()
  await within(1)
  memory.resident = 30
  t.equal(await within(600), 0)
  memory.resident = 20
  await within(1)
  memory.resident = 30
  t.equal(await within(1), 1, 'what was not used for a while counts as more')
})

t.test('what cannot be given back is told where one looks for faults, and tried later', async t => {
  const { lines, memory, within } = watched({ error: 'EMFILE: too many open files' })
  t.equal(await within(60), 0)
  t.strictSame(new Set(lines), new Set(['DEBUG memory: pages: EMFILE: too many open files']))
  t.equal(lines.length, 6)
  memory.error = ''
  t.equal(await within(20), 1)
})

t.test('what the kernel does not tell is left alone', async t => {
  const { lines, within } = watched({ resident: Number.NaN })
  t.equal(await within(60), 0)
  t.strictSame(lines, [])
})

const kinds = await memoryKinds()
const skip = kinds.length > 0 ? false : 'koffi does not load here: no memory is given back'

t.test('this process goes on as it was', { skip }, async t => {
  for (const { name, residentMib, giveBack } of kinds) {
    t.ok(residentMib() > 0, name)
    t.type(await giveBack(), 'string', name)
  }
})
