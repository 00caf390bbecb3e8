// The walk over a message's records, judged by the decoder that makes a tree of it (wire/message.ts).

import t from 'tap'
import { decodeMessage, type Message } from '../../src/wire/message.ts'
import { copyName } from '../../src/wire/message-name.ts'
import { formatName } from '../../src/wire/name.ts'
import { TYPE } from '../../src/wire/rrtype.ts'
import { RecordWalk } from '../../src/wire/walk.ts'
import { anyBrokenMessage, anySections, messageAt } from '../support/any-message.ts'
import fc, { runs } from '../support/properties.ts'

const walk = new RecordWalk()

/** Each record in a line; undefined where the walk meets something that is none. */
function walked(octets: Uint8Array, start: number, end: number): string[] | undefined {
  const lines: string[] = []
  for (walk.open(octets, start, end); walk.next(); ) {
    const owner = new Uint8Array(256)
    const length = copyName(octets, walk.ownerAt, start, owner, 0)
    if (length !== walk.ownerOctets) return undefined
    if (walk.type === TYPE.OPT) continue
    if (!walk.isRdataSound()) return undefined
    const size = walk.uncompressedOctets - walk.ownerOctets - 10
    lines.push(`${walk.section} ${formatName(owner)} ${walk.ttl} ${walk.rrclass} ${walk.type} ${size}`)
  }
  return walk.broken ? undefined : lines
}

const decoded = (message: Message): string[] =>
  [message.answer, message.authority, message.additional].flatMap((records, section) =>
    records.map(
      ({ owner, ttlSeconds, class: rrclass, type, rdata }) =>
        `${section} ${formatName(owner)} ${ttlSeconds} ${rrclass} ${type} ${rdata.length}`,
    ),
  )

t.test('passes the records that the decoder finds', async t => {
  t.doesNotThrow(() =>
    fc.assert(
      fc.property(anySections, fc.nat(50), (sections, start) => {
        const octets = messageAt(start, sections)
        const end = octets.length - start
        const expected = decoded(decodeMessage(octets.slice(start, end))!)
        return walked(octets, start, end)?.join() === expected.join() && walk.rdataEnd === end
      }),
    ),
  )
})

t.test('takes nothing that the decoder refuses, and all that it takes', async t => {
  t.doesNotThrow(() =>
    fc.assert(
      fc.property(anyBrokenMessage, octets => {
        const message = decodeMessage(octets)
        const lines = walked(octets, 0, octets.length)
        if (message !== undefined) return lines?.join() === decoded(message).join()
        // An OPT record in the wrong place, or two, is for others to find.
        return lines === undefined || hasOpt(octets)
      }),
      { numRuns: runs(3000) },
    ),
  )
})

function hasOpt(octets: Uint8Array): boolean {
  for (walk.open(octets, 0, octets.length); walk.next(); ) if (walk.type === TYPE.OPT) return true
  return false
}

t.test('a record that was passed is found again', async t => {
  t.doesNotThrow(() =>
    fc.assert(
      fc.property(anySections, sections => {
        const octets = messageAt(3, sections)
        const passed: (readonly [section: number, ownerAt: number, rdataAt: number])[] = []
        for (walk.open(octets, 3, octets.length - 3); walk.next(); )
          passed.push([walk.section, walk.ownerAt, walk.rdataAt])
        return passed.reverse().every(([section, ownerAt, rdataAt]) => {
          walk.goTo(section, ownerAt)
          return walk.rdataAt === rdataAt && walk.section === section
        })
      }),
    ),
  )
})
