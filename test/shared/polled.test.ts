// Something outside, looked at again and again.

import { setImmediate as turn } from 'node:timers/promises'
import t from 'tap'
import { Polled, type PolledOptions } from '../../src/shared/polled.ts'
import { VirtualClock } from '../support/virtual-clock.ts'

/** A poller of something that answers `found` at each look, and what was told. */
function poller(options: Partial<PolledOptions> = {}) {
  const clock = new VirtualClock()
  const told: string[] = []
  const state = { found: undefined as string | undefined, looks: 0 }
  const polled = new Polled({
    clock,
    look: async () => {
      state.looks++
      return state.found
    },
    intervalMs: () => 1000,
    trouble: text => told.push(text),
    well: () => told.push('well'),
    ...options,
  })
  const after = async (ms: number): Promise<void> => {
    clock.advance(ms)
    await turn()
  }
  return { polled, clock, told, state, after }
}

t.test('looks after each interval, and no more once it is stopped', async t => {
  const { polled, clock, state, after } = poller()
  polled.start()
  await after(999)
  t.equal(state.looks, 0)
  await after(1)
  t.equal(state.looks, 1)
  await after(1000)
  t.equal(state.looks, 2)
  await polled.stop()
  t.equal(clock.pending, 0)
  await polled.look()
  t.equal(state.looks, 2)
})

t.test('trouble is told once, another trouble too, and once that all is well', async t => {
  const { polled, told, state } = poller()
  for (const found of [undefined, 'gone', 'gone', 'broken', 'gone', undefined, undefined]) {
    state.found = found
    await polled.look()
    t.equal(polled.trouble, found)
  }
  t.strictSame(told, ['gone', 'broken', 'gone', 'well'])
})

t.test('a rejection is trouble, and the next look comes all the same', async t => {
  const { polled, told, clock } = poller({ look: () => Promise.reject(new Error('EACCES')) })
  await polled.look()
  t.strictSame(told, ['EACCES'])
  t.equal(clock.pending, 1)
})

t.test('what was told before the first look is not told again', async t => {
  const { polled, told, state } = poller({ known: 'gone' })
  state.found = 'gone'
  await polled.look()
  t.strictSame(told, [])
  state.found = undefined
  await polled.look()
  t.strictSame(told, ['well'])
})

t.test('an interval of 0 is never', async t => {
  const { polled, clock, state } = poller({ intervalMs: () => 0 })
  polled.start()
  t.equal(clock.pending, 0)
  await polled.look()
  t.equal(state.looks, 1)
  t.equal(clock.pending, 0)
})

t.test('one look at a time: whoever asks meanwhile waits for one more', async t => {
  const open: (() => void)[] = []
  const { polled, clock } = poller({
    look: () =>
      new Promise(resolve => {
        open.push(() => resolve(undefined))
      }),
  })
  let done = 0
  const looks = [polled.look(), polled.look(), polled.look()].map(look => look.then(() => done++))
  t.equal(open.length, 1)
  open[0]?.()
  await turn()
  t.equal(open.length, 2, 'the second one serves both')
  t.equal(done, 0)
  open[1]?.()
  await Promise.all(looks)
  t.equal(open.length, 2)
  t.equal(clock.pending, 1)
})

t.test('a look may be asked for sooner', async t => {
  const { polled, state, after } = poller()
  polled.start()
  polled.lookIn(100)
  await after(100)
  t.equal(state.looks, 1)
  await after(999)
  t.equal(state.looks, 1)
  await after(1)
  t.equal(state.looks, 2)
})

t.test('what a look finds after the end is told to nobody', async t => {
  let finish = (_found: string): void => {}
  const { polled, told } = poller({
    look: () =>
      new Promise(resolve => {
        finish = resolve
      }),
  })
  const look = polled.look()
  const stopped = polled.stop()
  finish('gone')
  await look
  await stopped
  t.strictSame(told, [])
})
