import fc from 'fast-check'
import t from 'tap'
import { TICK_MS, type Timed, TimerWheel, wheelOf } from '../../src/shared/timer-wheel.ts'
import { VirtualClock } from '../support/virtual-clock.ts'

class Deadline implements Timed {
  dueMs = 0
  wheelSlot = -1
  wheelNext: Timed | undefined
  wheelBefore: Timed | undefined
  readonly calls: number[] = []
  called: (nowMs: number) => void = () => undefined

  onDue(nowMs: number): void {
    this.calls.push(nowMs)
    this.called(nowMs)
  }
}

function at(wheel: TimerWheel, dueMs: number, called?: (nowMs: number) => void): Deadline {
  const deadline = new Deadline()
  deadline.dueMs = dueMs
  if (called) deadline.called = called
  wheel.set(deadline)
  return deadline
}

t.test('each is called once, not before it is due and a tick behind at most', async t => {
  t.doesNotThrow(() =>
    fc.assert(
      fc.property(
        fc.array(
          fc.record({ afterMs: fc.nat(30_000), movedMs: fc.option(fc.nat(30_000)), cancelled: fc.boolean() }),
          {
            maxLength: 40,
          },
        ),
        fc.integer({ min: 1, max: 7000 }),
        (each, stepMs) => {
          const clock = new VirtualClock()
          const wheel = new TimerWheel(clock)
          const startMs = clock.nowMs()
          const made = each.map(({ afterMs, movedMs, cancelled }) => {
            const deadline = at(wheel, startMs + afterMs)
            if (movedMs !== null) {
              deadline.dueMs = startMs + movedMs
              wheel.set(deadline)
            }
            if (cancelled) wheel.cancel(deadline)
            return { deadline, cancelled }
          })
          for (let ms = 0; ms < 31_000; ms += stepMs) clock.advance(stepMs)
          return (
            wheel.size === 0 &&
            clock.pending === 0 &&
            made.every(({ deadline: { calls, dueMs }, cancelled }) =>
              cancelled
                ? calls.length === 0
                : calls.length === 1 && calls[0]! >= dueMs && calls[0]! <= dueMs + 2 * TICK_MS,
            )
          )
        },
      ),
    ),
  )
})

t.test('whoever is called may set itself again, and take out or put in others', async t => {
  const clock = new VirtualClock()
  const wheel = new TimerWheel(clock)
  const nowMs = clock.nowMs()
  const others = [1, 2, 3].map(() => at(wheel, nowMs + 50))
  const again: Deadline = at(wheel, nowMs + 50, calledMs => {
    for (const other of others) wheel.cancel(other)
    if (again.calls.length > 3) return
    again.dueMs = calledMs
    wheel.set(again)
  })
  let late: Deadline | undefined
  at(wheel, nowMs + 50, () => {
    late = at(wheel, nowMs)
  })
  clock.advance(200)
  t.equal(again.calls.length, 4)
  t.equal(late?.calls.length, 1)
  t.equal(wheel.size, 0)
  t.equal(clock.pending, 0, 'nothing waits, and no timer runs')
})

t.test('a thousand deadlines are one timer', async t => {
  const clock = new VirtualClock()
  const wheel = wheelOf(clock)
  t.equal(wheelOf(clock), wheel)
  for (let i = 0; i < 1000; i++) at(wheel, clock.nowMs() + i)
  t.equal(clock.pending, 1)
  clock.advance(2000)
  t.equal(wheel.size, 0)
})
