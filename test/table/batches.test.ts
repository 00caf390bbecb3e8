// When changes are published, on a clock of the test's own.

import t from 'tap'
import type { Steps } from '../../src/shared/steps.ts'
import { Batches } from '../../src/table/batches.ts'
import { VirtualClock } from '../support/virtual-clock.ts'

class World {
  readonly clock = new VirtualClock()
  published = 0
  /** Of each batch, and how long each takes. */
  steps = 0
  stepMs = 0
  #turn: (() => void)[] = []
  readonly batches: Batches

  constructor(firstListingMs: number) {
    this.batches = new Batches(
      this.clock,
      firstListingMs,
      publish => this.#turn.push(publish),
      () => this.#batch(),
    )
  }

  *#batch(): Steps<void> {
    for (let i = 0; i < this.steps; i++) {
      this.clock.advance(this.stepMs)
      yield
    }
    this.published++
  }

  /** The event loop turns; gives how often has been published since the beginning. */
  turn(): number {
    for (const publish of this.#turn.splice(0)) publish()
    return this.published
  }
}

t.test('what comes in one turn is one batch', async t => {
  const world = new World(0)
  for (let i = 0; i < 3; i++) world.batches.note(true)
  t.equal(world.published, 0, 'not at once')
  t.equal(world.turn(), 1)
  t.equal(world.turn(), 1, 'nothing was noted since')
  world.batches.note(true)
  t.equal(world.turn(), 2)
})

t.test('the first listing is one batch', async t => {
  const world = new World(1000)
  world.batches.note(false)
  world.clock.advance(900)
  world.batches.note(false)
  t.equal(world.turn(), 0)
  world.batches.note(true)
  t.equal(world.turn(), 1, 'complete')
  world.clock.advance(5000)
  t.equal(world.turn(), 1, 'nobody waits any more')
})

t.test('a listing that is not complete in time is not waited for', async t => {
  const world = new World(1000)
  world.batches.note(false)
  world.clock.advance(999)
  t.equal(world.turn(), 0)
  world.clock.advance(1)
  t.equal(world.turn(), 1)
  world.batches.note(false)
  t.equal(world.turn(), 2, 'and what comes later is published at once')
})

t.test('a batch that takes long lets others have their turn', async t => {
  const world = new World(0)
  world.steps = 10
  world.stepMs = 4
  world.batches.note(true)
  t.equal(world.turn(), 0, 'after 12 ms')
  t.equal(world.turn(), 0, 'after 24 ms')
  t.equal(world.turn(), 0, 'after 36 ms')
  world.batches.note(true)
  t.equal(world.turn(), 1, 'after 40 ms')
  world.steps = 0
  t.equal(world.turn(), 2, 'what was noted meanwhile is the next one')
  t.equal(world.turn(), 2)
})

t.test('a batch at once waits for no listing', async t => {
  const world = new World(1000)
  world.batches.note(false)
  let done = false
  const now = world.batches.now().then(() => {
    done = true
  })
  t.equal(world.turn(), 1)
  await now
  t.ok(done)
})
