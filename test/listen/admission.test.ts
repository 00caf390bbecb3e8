import fc from 'fast-check'
import t from 'tap'
import { Admission } from '../../src/listen/admission.ts'
import { Counts } from './fixture.ts'

const take = (admission: Admission, client: string): number => {
  let taken = 0
  while (admission.enter(client)) taken++
  return taken
}

t.test('the noisy lose first', async t => {
  const counts = new Counts()
  const admission = new Admission(counts.count, 1200)
  t.equal(take(admission, 'noisy'), 600)
  t.equal(take(admission, 'other'), 300)
  t.equal(counts.of('slow-refused'), 2)
  t.ok(admission.enter('quiet'))
  t.notOk(admission.enter('noisy'))
  for (let i = 0; i < 600; i++) admission.leave('noisy')
  t.equal(take(admission, 'noisy'), 450)
})

t.test('never more than the bound, and nothing is kept of clients that are gone', async t => {
  fc.assert(
    fc.property(fc.array(fc.tuple(fc.boolean(), fc.nat({ max: 40 })), { maxLength: 500 }), steps => {
      const admission = new Admission(new Counts().count, 50)
      const inFlight: string[] = []
      for (const [enters, client] of steps) {
        if (!enters) {
          const left = inFlight.pop()
          if (left) admission.leave(left)
        } else if (admission.enter(String(client))) inFlight.push(String(client))
        if (admission.inFlight !== inFlight.length || inFlight.length > 50) return false
        if (admission.clients !== new Set(inFlight).size) return false
      }
      for (const client of inFlight) admission.leave(client)
      return admission.clients === 0 && admission.inFlight === 0
    }),
  )
  const admission = new Admission(new Counts().count, 3)
  admission.leave('never came')
  t.equal(admission.inFlight, 0)
})
