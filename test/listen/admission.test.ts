import t from 'tap'
import { Admission } from '../../src/listen/admission.ts'
import { Counts } from './fixture.ts'

t.test('a client gets half of the places, and what is refused is counted', async t => {
  const counts = new Counts()
  const admission = new Admission(counts.count, 1200)
  for (let i = 0; i < 600; i++) t.ok(admission.enter('noisy'))
  t.notOk(admission.enter('noisy'))
  t.ok(admission.enter('quiet'))
  t.equal(counts.of('slow-refused'), 1)
  t.equal(admission.inFlight, 601)
  admission.leave('noisy')
  admission.leave('quiet')
  t.ok(admission.enter('noisy'), 'places are given back')
  t.equal(counts.of('slow-refused'), 1)
})
