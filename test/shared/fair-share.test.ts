import t from 'tap'
import { FairShare } from '../../src/shared/fair-share.ts'
import fc from '../support/properties.ts'

const take = (places: FairShare, client: string): number => {
  let taken = 0
  while (places.enter(client)) taken++
  return taken
}

t.test('the noisy lose first', async t => {
  const places = new FairShare(1200, 1)
  t.equal(take(places, 'noisy'), 600)
  t.equal(take(places, 'other'), 300)
  t.ok(places.enter('quiet'))
  t.notOk(places.enter('noisy'))
  for (let i = 0; i < 600; i++) places.leave('noisy')
  t.equal(take(places, 'noisy'), 450)
})

t.test('with a larger multiple one client gets more, and others still find room', async t => {
  const places = new FairShare(1000, 8)
  t.equal(take(places, 'noisy'), 889)
  t.equal(take(places, 'other'), 99)
  t.ok(places.enter('quiet'))
  for (const max of [1, 2, 8]) t.equal(take(new FairShare(max, 8), 'alone'), max, `all of ${max}`)
})

t.test('never more than the bound, and nothing is kept of clients that are gone', async t => {
  fc.assert(
    fc.property(
      fc.constantFrom(1, 8),
      fc.array(fc.tuple(fc.boolean(), fc.nat({ max: 40 })), { maxLength: 500 }),
      (multiple, steps) => {
        const places = new FairShare(50, multiple)
        const held: string[] = []
        for (const [enters, client] of steps) {
          if (!enters) {
            const left = held.pop()
            if (left) places.leave(left)
          } else if (places.enter(String(client))) held.push(String(client))
          if (places.held !== held.length || held.length > 50) return false
          if (places.clients !== new Set(held).size) return false
        }
        for (const client of held) places.leave(client)
        return places.clients === 0 && places.held === 0
      },
    ),
  )
  const places = new FairShare(3, 1)
  places.leave('never came')
  t.equal(places.held, 0)
})
