// Names where they lie, judged by the reader that copies them (wire/name.ts).

import t from 'tap'
import {
  copyFoldedName,
  copyName,
  measureName,
  nameEnd,
  nameOctets,
  sameName,
} from '../../src/wire/message-name.ts'
import { equalNames, foldName, type Name, readEnd, readLength, readName } from '../../src/wire/name.ts'
import { anyBrokenMessage } from '../support/any-message.ts'
import fc, { runs } from '../support/properties.ts'

/** Octets that are names and pointers rather often. */
const nameLike = fc
  .array(fc.oneof(fc.nat(255), fc.constantFrom(0, 1, 2, 0xc0, 0xc0, 12, 13, 14, 20, 63, 64)), {
    minLength: 12,
    maxLength: 60,
  })
  .map(octets => Uint8Array.from(octets))
const shift = fc.nat(50)

/** The name at `at` by the other reader, and where it ends; undefined where it is none. */
function read(octets: Uint8Array, at: number): readonly [name: Name, end: number] | undefined {
  const out = new Uint8Array(300)
  const read = readName(octets, at, octets.length, out, 0)
  return read < 0 ? undefined : [out.slice(0, readLength(read)), readEnd(read)]
}

const shifted = (octets: Uint8Array, start: number): Uint8Array => {
  const more = new Uint8Array(octets.length + 2 * start).fill(1)
  more.set(octets, start)
  return more
}

t.test(
  'measures and copies what the other reader reads, wherever the message stands in its array',
  async t => {
    t.doesNotThrow(() =>
      fc.assert(
        fc.property(fc.oneof(nameLike, anyBrokenMessage), fc.nat(), shift, (octets, where, start) => {
          const at = octets.length === 0 ? 0 : where % octets.length
          const expected = read(octets, at)
          const moved = shifted(octets, start)
          const measured = measureName(moved, start + at, start, start + octets.length)
          if (expected === undefined) return measured === -1
          const [name, end] = expected
          const out = new Uint8Array(300)
          const length = copyName(moved, start + at, start, out, 7)
          const folded = new Uint8Array(300)
          copyFoldedName(moved, start + at, start, folded, 7)
          return (
            nameEnd(measured) === start + end &&
            nameOctets(measured) === name.length &&
            Buffer.compare(out.subarray(7, 7 + length), name) === 0 &&
            Buffer.compare(folded.subarray(7, 7 + length), foldName(name)) === 0
          )
        }),
        { numRuns: runs(2000) },
      ),
    )
  },
)

t.test('two names of messages are the same where their copies are', async t => {
  t.doesNotThrow(() =>
    fc.assert(
      fc.property(nameLike, nameLike, fc.nat(), fc.nat(), shift, (one, other, a, b, start) => {
        for (const octets of [one, other]) {
          const aAt = 12 + (a % (one.length - 11))
          const bAt = 12 + (b % (octets.length - 11))
          const first = read(one, aAt)
          const second = read(octets, bAt)
          if (!first || !second) continue
          const moved = shifted(octets, start)
          const same = sameName(one, aAt, 0, moved, start + bAt, start)
          if (same !== equalNames(first[0], second[0])) return false
        }
        return true
      }),
      { numRuns: runs(2000) },
    ),
  )
})

t.test('a name of 255 octets is the longest', async t => {
  const long = (last: number): Uint8Array =>
    Uint8Array.from([
      ...new Uint8Array(12),
      ...[63, 63, 63, last].flatMap(length => [length, ...new Uint8Array(length).fill(0x61)]),
      0,
    ])
  const whole = long(61)
  t.equal(nameOctets(measureName(whole, 12, 0, whole.length)), 255)
  const longer = long(62)
  t.equal(measureName(longer, 12, 0, longer.length), -1)
})
