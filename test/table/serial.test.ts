// The serial of a zone made of a cluster: higher with every change that somebody may have seen the one before of, whatever the time
// of day does.

import t from 'tap'
import { isSettled, Serial } from '../../src/table/serial.ts'

/** At which second each change comes, and which serial it gets. */
const cases: readonly (readonly [title: string, ...changes: readonly (readonly [number, number])[]])[] = [
  ['the time of the change', [1000, 1000], [1007, 1007]],
  ['one for all changes of a second', [1000, 1000], [1000, 1000], [1001, 1001]],
  [
    'one up with each change after the clock was set back',
    [5000, 5000],
    [1400, 5001],
    [1400, 5002],
    [1900, 5003],
  ],
  ['the time again once it has come so far', [5000, 5000], [1400, 5001], [5001, 5002], [5003, 5003]],
  ['another one in the second that bears the last one by chance', [5000, 5000], [4990, 5001], [5001, 5002]],
]

for (const [title, ...changes] of cases) {
  t.test(title, async t => {
    const serial = new Serial()
    for (const [atSeconds, expected] of changes)
      t.equal(serial.changed(atSeconds), expected, `at ${atSeconds}`)
  })
}

t.test('a serial is settled but in the second that it names', async t => {
  t.notOk(isSettled(1000, 1000))
  t.ok(isSettled(1000, 1001))
  t.ok(isSettled(5001, 1400), 'after the clock was set back each change has its own')
})
