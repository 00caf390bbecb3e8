// When descriptors are used up: told once, and once more when there are some again.

import t from 'tap'
import { Descriptors } from '../../src/control/descriptors.ts'
import { VirtualClock } from '../support/virtual-clock.ts'

function watched() {
  const clock = new VirtualClock()
  const lines: string[] = []
  let code: string | undefined
  const descriptors = new Descriptors({
    clock,
    log: { write: (level, _from, text) => lines.push(`${level} ${text}`) },
    take: () => {
      if (code !== undefined) throw Object.assign(new Error(code), { code })
    },
  })
  descriptors.start()
  const without = (error: string | undefined, seconds: number): string[] => {
    code = error
    clock.advance(1000 * seconds)
    return lines.splice(0)
  }
  return { without, clock, descriptors }
}

t.test('told once, and when it is over', async t => {
  const { without, clock, descriptors } = watched()
  t.strictSame(without(undefined, 60), [])
  for (const code of ['EMFILE', 'ENFILE']) {
    t.match(without(code, 600), [/^ERROR no file descriptors are left/], code)
    t.match(without(undefined, 60), [/^INFO there are file descriptors again/])
  }
  descriptors.stop()
  t.equal(clock.pending, 0)
})

t.test('where they come and go it is told once', async t => {
  const { without } = watched()
  t.equal(without('EMFILE', 10).length, 1)
  for (let i = 0; i < 20; i++) t.strictSame([...without(undefined, 20), ...without('EMFILE', 10)], [])
})

t.test('what else may be wrong is not this', async t => {
  const { without } = watched()
  t.strictSame([...without('EACCES', 60), ...without('ENOENT', 60)], [])
})
